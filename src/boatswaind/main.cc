// boatswaind: the daemon on the host.
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <variant>

#include "base/core_dump.h"
#include "boatswaind/agent.h"
#include "boatswaind/check.h"
#include "boatswaind/driver.h"
#include "boatswaind/guard_daemon.h"
#include "config/config.h"
#include "config/flags.h"

int main(int argc, char** argv) {
    using namespace boatswain;
    if (auto forbidden = forbid_core_dumps(); !forbidden) {
        std::fprintf(stderr, "boatswaind: %s\n", forbidden.error().what.c_str());
        return 1;
    }
    auto parsed = config::parse_command_line(argc, argv);
    if (const auto* answer = std::get_if<config::Answer>(&parsed)) {
        std::fputs(answer->text.c_str(), answer->to_stderr ? stderr : stdout);
        return answer->exit_code;
    }
    const auto& order = std::get<config::Order>(parsed);
    auto load = [&] {
        return config::load_file(order.config, order.overrides, config::boatswain_environment(environ));
    };
    auto config = load();
    if (!config) {
        std::fprintf(stderr, "%s\n", config.error().what.c_str());
        return 1;
    }
    if (order.command == config::Command::check) return boatswaind::check(*config);
    for (const auto& warning : config->warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
    if (order.command == config::Command::guard) {
        if (auto ran = boatswaind::run_guard(std::move(*config), load); !ran) {
            std::fprintf(stderr, "boatswaind: %s\n", ran.error().what.c_str());
            return 1;
        }
        return 0;
    }
    // Segments and frames come and go in pieces of a MiB and more: given back to the system at once, and few arenas, so
    // that what is resident is what is used.
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 4 << 20);
    auto run = order.command == config::Command::driver ? boatswaind::run_driver : boatswaind::run_agent;
    if (auto ran = run(std::move(*config), load); !ran) {
        std::fprintf(stderr, "boatswaind: %s\n", ran.error().what.c_str());
        return 1;
    }
    return 0;
}
