#include "boatswain/fleet_arguments.h"

#include <charconv>
#include <cstdlib>

#include "base/bytes.h"
#include "fleet/endpoint.h"
#include "fleet/systems.h"

namespace boatswain::tool {
namespace {

using namespace std::chrono_literals;

const std::vector<std::string> log_formats{"text", "json"};

void add_place(CLI::App* command, FleetPlace& place) {
    command
        ->add_option("--marathon", place.marathon,
                     "Marathon's addresses, any of which may answer (environment: BOATSWAIN_MARATHON)")
        ->type_name("URL[,URL]");
    command
        ->add_option("--mesos", place.mesos,
                     "The Mesos masters' addresses (default: what Marathon names; environment: BOATSWAIN_MESOS)")
        ->type_name("URL[,URL]");
    command->add_option("--app", place.app, "The agent's app in Marathon (environment: BOATSWAIN_FLEET_APP)")
        ->type_name("ID");
    command
        ->add_option("--marathon-auth-file", place.marathon_auth_file,
                     "A file with \"basic USER:PASSWORD\", \"token TOKEN\" or \"bearer TOKEN\" (or that line itself in "
                     "the environment: BOATSWAIN_MARATHON_AUTH)")
        ->type_name("FILE");
    command
        ->add_option("--mesos-auth-file", place.mesos_auth_file,
                     "The same for Mesos (environment: BOATSWAIN_MESOS_AUTH)")
        ->type_name("FILE");
    command->add_option("--ca-file", place.ca_file, "Authorities for https, PEM (default: the system's)")
        ->type_name("FILE");
    command
        ->add_option("--proxy", place.proxy,
                     "The proxy on the way to Marathon and Mesos (default: https_proxy for https, none for http; "
                     "environment: BOATSWAIN_FLEET_PROXY)")
        ->type_name("URL");
    command->add_option("--timeout", place.timeout, "Of one call (default: 30s)")->type_name("TIME");
}

void add_sync(FleetCommands& commands, FleetSync& sync) {
    auto* command = commands.sync = commands.fleet->add_subcommand(
        "sync", "Keeps the agent's Marathon app at one instance per eligible Mesos agent");
    add_place(command, sync.place);
    command->add_flag("--once", sync.once, "Look, act, end");
    command->add_flag("--dry-run", sync.dry_run, "Write nothing: print what would be done, and why");
    command->add_option("--interval", sync.interval, "Between two looks (default: 30s)")->type_name("TIME");
    command->add_flag("--no-events", sync.no_events, "Only look by the interval, not sooner when something happens");
    command
        ->add_option("--hold", sync.hold,
                     "How long a host must have been gone before its instance is removed (default: 15m)")
        ->type_name("TIME");
    command
        ->add_option("--drop-max", sync.drop_max,
                     "Hosts that may be given up at once, as a share of the instances (default: 25%)")
        ->type_name("SHARE");
    command->add_flag("--force-drop", sync.force_drop, "--drop-max does not count");
    command
        ->add_option("--stuck", sync.stuck,
                     "A scaling of the app that takes longer is ended; instances stay (default: 10m)")
        ->type_name("TIME");
    command->add_flag("--allow-restart", sync.allow_restart, "Lower the count though a healthy agent restarts by it");
    command->add_flag("--force-unique", sync.force_unique, "Act though the app may have two instances on a host");
    command->add_option("--state", sync.state_file, "What has to be remembered between runs of --once")
        ->type_name("FILE");
    command->add_option("--listen", sync.listen, "Serve /healthz and /metrics there")->type_name("ADDRESS:PORT");
    command->add_flag("--json", sync.json, "One JSON object for each look");
    command->add_option("--log-format", sync.log_format, "text or json, of its own log on standard error")
        ->check(CLI::IsMember(log_formats))
        ->type_name("FORMAT");
    command->footer(
        "Exit code with --once: 0 as it should be, 1 something is waited for or refused, 2 it could not be found "
        "out.\n\n"
        "Examples:\n"
        "  boatswain fleet sync --marathon http://marathon:8080 --app /infra/boatswain --once --dry-run\n"
        "  boatswain fleet sync --marathon https://m1:8443,https://m2:8443 --ca-file ca.pem --app /infra/boatswain \\\n"
        "    --marathon-auth-file /etc/boatswain/marathon.auth --listen 0.0.0.0:9436\n"
        "  boatswain fleet sync --app /infra/boatswain --once --state /var/lib/boatswain/sync.json   # from cron");
}

void add_status(FleetCommands& commands, FleetStatus& status) {
    auto* command = commands.status =
        commands.fleet->add_subcommand("status", "Shows the hosts, and on which of them the agent is missing, and why");
    add_place(command, status.place);
    command
        ->add_option("--store", status.store,
                     "Where the agents leave their heartbeats: dir:PATH or s3://BUCKET/PREFIX (environment: "
                     "BOATSWAIN_STORE)")
        ->type_name("URL");
    command
        ->add_option("--fleet-key", status.key_file,
                     "The key that heartbeats are proven with (environment: BOATSWAIN_FLEET_KEY)")
        ->type_name("FILE");
    command
        ->add_option("--expect", status.expect,
                     "Hosts that must have an agent: names with ',' between, or the path of a file with one a line")
        ->type_name("HOSTS|FILE");
    command->add_flag("--json", status.json, "One JSON object");
    command->add_flag("--watch", status.watch, "Show it again and again");
    command->add_option("--interval", status.interval, "With --watch: how often (default: 10s)")->type_name("TIME");
    command->footer(
        "Exit code: 0 every host has its agent, 1 one is missing, late or unhealthy, 2 it could not be found out.\n\n"
        "Examples:\n"
        "  boatswain fleet status --marathon http://marathon:8080 --app /infra/boatswain --store s3://logs/prod\n"
        "  boatswain fleet status --store dir:/srv/logs --expect node-1,node-2 --fleet-key fleet.key\n"
        "  boatswain fleet status --json | jq -r '.hosts[] | select(.ok | not) | .host'");
}

void add_key(FleetCommands& commands, FleetGiven& given) {
    auto* key = commands.key = commands.fleet->add_subcommand("key", "Makes keys that prove heartbeats");
    key->require_subcommand(1);
    key->footer("Examples:\n  boatswain fleet key new\n  boatswain fleet key derive node-7 --key boatswain-fleet.key");
    auto* fresh = commands.key_new = key->add_subcommand("new", "Makes the key of a fleet");
    fresh->add_option("--out", given.key_new.file, "The file to write (default: boatswain-fleet.key)")
        ->type_name("FILE");
    fresh->footer(
        "Whoever has it can forge the heartbeat of any host, and nothing else. An existing file is never "
        "overwritten.\n\nExample:\n  boatswain fleet key new --out /etc/boatswain/fleet.key");
    auto* derive = commands.key_derive = key->add_subcommand("derive", "Prints the key of one host of the fleet");
    derive->add_option("HOST", given.key_derive.host, "The host's name, as its agent has it")->required();
    derive->add_option("--key", given.key_derive.key_file, "The fleet's key")->type_name("FILE")->required();
    derive->footer(
        "With it a host can prove its own heartbeats and forge no other's.\n\nExample:\n"
        "  boatswain fleet key derive node-7 --key boatswain-fleet.key > node-7.key");
}

void from_environment(std::string& value, const char* name) {
    const char* there = std::getenv(name);
    if (value.empty() && there != nullptr) value = there;
}

Result<Nanoseconds> time_of(const char* option, const std::string& text, Nanoseconds least) {
    auto time = parse_duration(text);
    if (!time) return fail(Remedy::stop, std::string{option} + ": \"" + printable(text) + "\" is not a time, like 30s");
    if (*time < least) return fail(Remedy::stop, std::string{option} + ": at least " + to_text(least));
    return *time;
}

// "25%" or "0.25"
Result<double> share_of(const char* option, std::string_view text) {
    bool percent = text.ends_with('%');
    auto digits = text.substr(0, text.size() - (percent ? 1 : 0));
    double value = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (percent) value /= 100;
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size() || !(value >= 0 && value <= 1))
        return fail(Remedy::stop, std::string{option} + ": \"" + printable(text) + "\" is not a share, like 25%");
    return value;
}

Result<void> complete_place(FleetPlace& place, bool required) {
    from_environment(place.marathon, "BOATSWAIN_MARATHON");
    from_environment(place.mesos, "BOATSWAIN_MESOS");
    from_environment(place.app, "BOATSWAIN_FLEET_APP");
    from_environment(place.proxy, "BOATSWAIN_FLEET_PROXY");
    if (!place.proxy.empty()) {
        auto proxy = fleet::parse_proxy(place.proxy);
        if (!proxy) return std::unexpected(std::move(proxy).error().within("--proxy"));
        place.proxy = std::move(*proxy);
    }
    CHECK(time_of("--timeout", place.timeout, 1s));
    if (place.marathon.empty() && !required) return {};
    if (place.marathon.empty())
        return fail(Remedy::stop, "which Marathon? Give --marathon URL, or set BOATSWAIN_MARATHON");
    if (place.app.empty()) return fail(Remedy::stop, "which app? Give --app ID, or set BOATSWAIN_FLEET_APP");
    CHECK(fleet::parse_addresses(place.marathon));
    if (!place.mesos.empty()) CHECK(fleet::parse_addresses(place.mesos));
    TRY(place.app, fleet::Marathon::parse_app_id(place.app));
    return {};
}

}  // namespace

FleetCommands add_fleet(CLI::App& tool, FleetGiven& given) {
    FleetCommands commands{};
    commands.fleet = tool.add_subcommand("fleet", "One agent on every host: keeps it so, and shows it");
    commands.fleet->require_subcommand(1);
    commands.fleet->footer(
        "Examples:\n  boatswain fleet status --store s3://logs/prod\n"
        "  boatswain fleet sync --marathon http://marathon:8080 --app /infra/boatswain --once --dry-run");
    add_sync(commands, given.sync);
    add_status(commands, given.status);
    add_key(commands, given);
    return commands;
}

Result<FleetSync> complete_sync(FleetSync given) {
    CHECK(complete_place(given.place, true));
    TRY(given.every, time_of("--interval", given.interval, 100ms));
    TRY(given.options.hold, time_of("--hold", given.hold, 0s));
    TRY(given.options.stuck, time_of("--stuck", given.stuck, 100ms));
    TRY(given.options.drop_max, share_of("--drop-max", given.drop_max));
    given.options.force_drop = given.force_drop;
    given.options.force_unique = given.force_unique;
    given.options.allow_restart = given.allow_restart;
    return given;
}

Result<FleetStatus> complete_status(FleetStatus given) {
    CHECK(complete_place(given.place, false));
    from_environment(given.store, "BOATSWAIN_STORE");
    if (!given.key_file)
        if (const char* name = std::getenv("BOATSWAIN_FLEET_KEY"); name != nullptr && *name != '\0')
            given.key_file = name;
    TRY(given.every, time_of("--interval", given.interval, 1s));
    if (given.place.marathon.empty() && given.store.empty())
        return fail(Remedy::stop,
                    "whose hosts? Give --marathon URL and --app ID, or --store URL for heartbeats, or both");
    return given;
}

std::vector<std::string> fleet_choices(const std::string& option) {
    return option == "--log-format" ? log_formats : std::vector<std::string>{};
}

}  // namespace boatswain::tool
