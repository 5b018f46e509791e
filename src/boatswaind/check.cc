#include "boatswaind/check.h"

#include <unistd.h>

#include <cstdio>

#include "base/bytes.h"
#include "base/log.h"
#include "base/time.h"
#include "boatswaind/engine_check.h"
#include "boatswaind/guard_daemon.h"
#include "boatswaind/privileges.h"
#include "boatswaind/sandbox_setup.h"
#include "boatswaind/state_place.h"
#include "boatswaind/tenant_resolver.h"
#include "boatswaind/ways_in.h"
#include "intake/docker/selection.h"
#include "store/store.h"
#include "tenancy/keyring.h"
#include "uplink/uplinks.h"

namespace boatswain::boatswaind {
namespace {

// Says `result`'s error, if it is one; whether it was.
template <class T>
bool failed(const Result<T>& result) {
    if (!result) std::fprintf(stderr, "error: %s\n", result.error().what.c_str());
    return !result;
}

}  // namespace

Result<void> check_host(const config::Config& config) {
    bool fits = !config.host.empty() && is_valid_utf8(config.host) &&
                percent_encode(config.host).size() <= encoded_host_bytes_max;
    if (fits) return {};
    return fail(Remedy::stop, "host \"" + printable(config.host, 64) + "\": must be UTF-8 of 1 to " +
                                  std::to_string(encoded_host_bytes_max) +
                                  " bytes, percent-encoded; set `host` to a shorter name");
}

Result<void> check_ways_in(const config::Config& config) {
    if (!config.docker.enabled && config.driver.enabled)
        return fail(Remedy::stop, "driver.enabled: the log driver is a Docker engine's, and docker.enabled is false");
    for (const auto& way : ways_in())
        if (auto mistake = way.is_on(config) ? way.mistake(config) : std::nullopt)
            return fail(Remedy::stop, std::move(*mistake));
    if (config.docker.enabled) return {};
    std::string off = "nothing to read: docker.enabled is false";
    for (const auto& way : ways_in()) {
        if (way.is_on(config)) return {};
        off += ", and " + std::string{way.off};
    }
    return fail(Remedy::stop, std::move(off));
}

Result<void> check_hubs(const config::Config& config) {
    CHECK(uplink::read_hubs(config.follow.hub, config.follow.ca_file));
    if (config.follow.hub.empty() || !config.fleet.key.empty()) return {};
    return fail(Remedy::stop,
                "follow.hub: a host proves itself to a hub with fleet.key, and none is set (boatswain "
                "fleet key)");
}

Result<void> check_no_identity(const Path& directory) {
    tenancy::Keyring keyring{directory};
    if (auto read = keyring.reload(); read) return {};
    auto found = keyring.identities();
    if (found.empty()) return {};
    return fail(Remedy::stop, std::move(found));
}

int check(const config::Config& config) {
    std::fputs(config::print_effective(config).c_str(), stdout);
    for (const auto& warning : config.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
    SystemClock clock;
    bool wrong = failed(check_host(config));
    wrong = failed(check_ways_in(config)) || wrong;
    wrong = failed(check_hubs(config)) || wrong;
    wrong = failed(check_state_place(config.state_dir)) || wrong;
    auto rules = parse_tenancy(config);
    wrong = failed(rules) || wrong;
    if (rules)
        for (const auto& advice : advice_on_recipients(config, *rules)) std::printf("# note: %s\n", advice.c_str());
    wrong = failed(intake::docker::Selection::parse(config.docker.include, config.docker.exclude)) || wrong;
    if (auto guard = check_guard(config); !guard) {
        std::fprintf(stderr, "error: boatswaind guard would not start: %s\n", guard.error().what.c_str());
        wrong = true;
    }
    auto store = store::open_store(config.store.url, clock, store_options(config));
    wrong = failed(store) || wrong;
    // What may well come later (keys, a bucket, a directory) is a warning, and keeps nobody from starting.
    if (store)
        if (auto there = (*store)->probe(); !there) std::fprintf(stderr, "warning: %s\n", there.error().what.c_str());
    // As root we could reach an engine, and read logs, that the agent cannot: it gives up what root may do, too.
    Log log{clock, STDERR_FILENO, LogFormat::text, LogLevel::warning};
    wrong = failed(drop_privileges(log)) || wrong;
    EngineReport report;
    if (config.docker.enabled) report = ask_engine(config);
    for (const auto& way : ways_in())
        if (way.is_on(config))
            if (auto trouble = way.trouble(config)) report.warnings.push_back(std::move(*trouble));
    for (const auto& fact : report.facts) std::fprintf(stdout, "# %s\n", fact.c_str());
    for (const auto& warning : report.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
    tenancy::Keyring keyring{config.tenancy.keyring};
    auto problems = keyring.reload();
    if (!keyring.identities().empty())
        wrong = failed(problems);
    else if (!problems)
        std::fprintf(stderr, "warning: %s\n", problems.error().what.c_str());
    if (problems) {
        // A broken key file holds its tenant's lines: not a thing to find out later.
        for (const auto& broken : keyring.broken()) {
            std::fprintf(stderr, "error: %s/%s\n", config.tenancy.keyring.c_str(), broken.c_str());
            wrong = true;
        }
        for (const auto& problem : *problems)
            if (!keyring.is_of_a_broken_file(problem))
                std::fprintf(stderr, "warning: %s/%s\n", config.tenancy.keyring.c_str(), problem.c_str());
        if (keyring.tenants().empty())
            std::fprintf(
                stderr,
                "warning: the keyring %s holds no tenant's key: on a safe machine, which is not a host, run `boatswain "
                "keys new TENANT`, and copy TENANT.pub alone to this directory\n",
                config.tenancy.keyring.c_str());
        if (keyring.recipients(TenantId::unassigned()).empty() &&
            config.tenancy.unassigned == config::Unassigned::quarantine)
            std::fprintf(stderr,
                         "warning: unassigned = \"quarantine\", but %s/_unassigned.pub is not there: containers "
                         "without tenant or key are not read until it is\n",
                         config.tenancy.keyring.c_str());
    }
    if (!wrong) std::fputs("# ok: the agent would start with this\n", stdout);
    return wrong ? 1 : 0;
}

}  // namespace boatswain::boatswaind
