// boatswain: the tool for people. It may open segments; boatswaind, on the hosts, cannot.
#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/core_dump.h"
#include "base/time.h"
#include "boatswain/commands.h"
#include "boatswain/run.h"
#include "cell/inside.h"
#include "cell/setup.h"

int main(int argc, char** argv) {
    using namespace boatswain;
    // `serve` runs this program again, confined, for each tenant that asks.
    bool is_cell = argc == 2 && std::string_view{argv[1]} == cell::cell_word;
    if (is_cell) cell::end_before_the_server();
    // It holds identities, and lines in clear.
    if (auto forbidden = forbid_core_dumps(); !forbidden) {
        std::fprintf(stderr, "boatswain: %s\n", forbidden.error().what.c_str());
        return tool::exit_error;
    }
    // Frames come and go by the thousand: their memory is kept for the next ones, rather than given back to the system
    // and asked for again, page by page.
    mallopt(M_ARENA_MAX, 4);
    mallopt(M_MMAP_THRESHOLD, 8 << 20);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
    // A reader that went away (`| head`) shows as EPIPE, and ends the tool quietly.
    std::signal(SIGPIPE, SIG_IGN);
    if (is_cell) ::_exit(cell::run_cell());
    SystemClock clock;
    bool colour = std::getenv("NO_COLOR") == nullptr;
    tool::Console console{.out = tool::Output{STDOUT_FILENO, colour},
                          .err = tool::Output{STDERR_FILENO, colour},
                          .in = STDIN_FILENO,
                          .clock = clock};
    return tool::run(argc, argv, console);
}
