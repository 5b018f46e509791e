#include "config/command_help.h"

#include <algorithm>

#include "config/settings.h"

namespace boatswain::config {
namespace {

constexpr std::string_view daemon_ends =
    "0 told to end by a signal, 1 it cannot start or go on, and says why, 2 the command line is wrong";

// Whether `section` is one of the words of `sections`.
bool is_one_of(std::string_view section, std::string_view sections) {
    while (!sections.empty()) {
        auto word = sections.substr(0, sections.find(','));
        if (word == section) return true;
        sections.remove_prefix(std::min(sections.size(), word.size() + 1));
    }
    return false;
}

}  // namespace

const std::array<CommandHelp, commands_count>& command_helps() {
    static constexpr std::array<CommandHelp, commands_count> all{{
        {.name = "agent",
         .summary = "run",
         .about = "Reads what the containers of this host print, seals it for their tenants, spools it and ships it to "
                  "the store.\n"
                  "One agent works in a state directory. It does not start beside a private key in the keyring.\n"
                  "How it stands: `boatswain status`. Why a container is (not) read: `boatswain why CONTAINER`.\n",
         .examples = "boatswaind agent --config /etc/boatswain/boatswain.toml\n"
                     "boatswaind agent --store-url 's3://logs/prod?region=eu-central-1' --tenancy-tenant label:team "
                     "--tenancy-tenant compose\n"
                     "boatswaind agent --engine-socket unix:/run/boatswain/engine.sock    # behind boatswaind guard\n",
         .settings = "",
         .page = "docs/operate/agent.md",
         .ends = daemon_ends},
        {.name = "check",
         .summary = "validate, and print the effective configuration",
         .about = "Says what the agent would start with, and what is wrong with it, and starts nothing: settings, "
                  "rules, the\n"
                  "keyring (broken key files, private keys that do not belong there), the users of guard.allow_uid. "
                  "Asks the\n"
                  "engine and the store whether they are there; that they are not is a warning.\n"
                  "The effective configuration goes to standard output, problems go to standard error.\n",
         .examples = "boatswaind check\n"
                     "boatswaind check --config /etc/boatswain/new.toml >/dev/null && echo fine\n"
                     "BOATSWAIN_LOG_LEVEL=debug boatswaind check\n"
                     "boatswaind check --tenancy-keyring /srv/keys    # a keyring before it is copied to hosts\n",
         .settings = "",
         .page = "docs/operate/configuration.md",
         .ends = "0 the agent would start (warnings are no reason against it), 1 it would not, 2 the command line is "
                 "wrong"},
        {.name = "driver",
         .summary = "be the engine's log driver, beside an agent that reads",
         .about = "Serves the engine's plugin socket, for containers that run with --log-driver boatswain, and holds "
                  "their\n"
                  "lines in memory until the agent of this host has sealed them. It outlives the agent, so that agents "
                  "can\n"
                  "be restarted and upgraded. Needs driver.enabled = true and driver.holder = \"process\", for the "
                  "agent too.\n",
         .examples =
             "boatswaind driver --config /etc/boatswain/boatswain.toml\n"
             "boatswaind driver --driver-enabled --driver-holder process --driver-hold-total 1GiB\n"
             "docker run --log-driver boatswain --log-opt cache-disabled=true --env BOATSWAIN_TENANT=acme IMAGE\n",
         .settings = "driver,docker,tenancy,log",
         .page = "docs/intake/driver.md",
         .ends = daemon_ends},
        {.name = "guard",
         .summary = "own the engine's socket, and serve a safe part of it",
         .about = "Whoever may open the engine's socket is root on the host. The guard is the one who may, and serves "
                  "the\n"
                  "calls that only look (list, inspect, logs, events) on a socket of its own, to the users of "
                  "allow_uid.\n",
         .examples = "boatswaind guard    # /var/run/docker.sock -> /run/boatswain/engine.sock\n"
                     "boatswaind guard --guard-redact environment --guard-allow-uid boatswain --guard-group boatswain\n"
                     "docker -H unix:///run/boatswain/engine.sock ps    # as a user of allow_uid\n",
         .settings = "guard,log",
         .page = "docs/operate/guard.md",
         .ends = daemon_ends},
    }};
    return all;
}

std::string flags_text(std::string_view sections) {
    std::string out;
    const Config defaults;
    for (const auto& setting : settings())
        if (sections.empty() || is_one_of(setting.section(), sections))
            out += "  " + setting.flag() + (setting.is_switch ? "" : " " + std::string{setting.form}) + "\n      " +
                   std::string{setting.help} + "\n      default: " + setting.toml(defaults) + "\n";
    return out;
}

std::optional<std::string> help_of_command(std::string_view name) {
    for (const auto& one : command_helps()) {
        if (one.name != name) continue;
        std::string out = "boatswaind " + std::string{one.name} + ": " + std::string{one.summary} +
                          "\n\n  boatswaind " + std::string{one.name} + " [--config FILE] [--SETTING VALUE]...\n\n" +
                          std::string{one.about} + "\nExamples\n";
        for (auto rest = one.examples; !rest.empty();) {
            auto line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(rest.size(), line.size() + 1));
            out += "  " + std::string{line} + "\n";
        }
        out += "\nExit code: " + std::string{one.ends} + ".\nMore: " + std::string{one.page} + "\n\n";
        out += one.settings.empty() ? "Flags: one for each setting (`boatswaind help` shows them all), and\n"
                                    : "Flags (`boatswaind help` shows those of all settings)\n";
        out += "  -c, --config FILE\n      the configuration file (TOML)\n";
        if (!one.settings.empty()) out += flags_text(one.settings);
        return out;
    }
    return std::nullopt;
}

}  // namespace boatswain::config
