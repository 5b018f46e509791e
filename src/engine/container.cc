#include "engine/container.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/bytes.h"
#include "base/json_reader.h"

namespace boatswain::engine {

bool is_container_id(std::string_view text) {
    return text.size() == container_id_size && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

namespace {

int clamped(std::int64_t value) {
    return static_cast<int>(
        std::clamp<std::int64_t>(value, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()));
}

// The engine's "never" is year 1, which json::time_of() reads as nothing, like any other time that does not fit.

Result<std::string> checked_id(std::string_view id, std::string_view what) {
    if (!is_container_id(id))
        return fail(Remedy::quarantine,
                    std::string{what} + ": the id is not 64 hex digits: \"" + printable(id, 80) + "\"");
    return std::string{id};
}

// Of names, images and the like, which the engine bounds far below this.
constexpr std::size_t text_bytes_max = 4U << 10;

std::string bounded(std::string_view text) { return std::string{text.substr(0, text_bytes_max)}; }

// A path that we may come to open: absolute and plain. Anything else counts as none.
std::string plain_path(std::string_view path) {
    if (!path.starts_with('/') || path.find('\0') != path.npos) return {};
    if (path.find("/../") != path.npos || path.ends_with("/..") || path.size() > text_bytes_max) return {};
    return std::string{path};
}

std::string without_slash(std::string_view name) {
    if (name.starts_with('/')) name.remove_prefix(1);
    return bounded(name);
}

void add_mount(const json::element& mount, ContainerWordKeeper& keeper) {
    if (auto fields = json::as_object(mount))
        keeper.mount(json::view_of(fields, "Source"), json::view_of(fields, "Destination"));
}

// What inspect and config.v2.json have in common.
void read_common(const json::object& root, ContainerWordKeeper& keeper, ContainerFacts& facts) {
    facts.name = without_slash(json::view_of(root, "Name"));
    facts.image_id = bounded(json::view_of(root, "Image"));
    if (is_container_id(facts.image_id)) facts.image_id.insert(0, "sha256:");  // Podman leaves out what the digits are
    facts.created = json::time_of(root, "Created").value_or(Timestamp{});
    facts.log_path = plain_path(json::view_of(root, "LogPath"));

    auto state = json::object_of(root, "State");
    facts.started_at = json::time_of(state, "StartedAt");
    facts.finished_at = json::time_of(state, "FinishedAt");
    facts.running = json::flag_of(state, "Running");
    facts.restarting = json::flag_of(state, "Restarting");
    facts.paused = json::flag_of(state, "Paused");
    facts.exit_code = clamped(json::integer_of(state, "ExitCode"));

    auto config = json::object_of(root, "Config");
    facts.image = bounded(json::view_of(config, "Image"));
    facts.tty = json::flag_of(config, "Tty");
    json::for_each_text(config, "Labels", [&](auto key, auto value) { keeper.label(key, value); });
    json::for_each_text(config, "Env", [&](auto entry) { keeper.environment(entry); });
}

void read_host_config(const std::optional<json::object>& host_config, ContainerWordKeeper& keeper,
                      ContainerFacts& facts) {
    auto log_config = json::object_of(host_config, "LogConfig");
    facts.log_driver = bounded(json::view_of(log_config, "Type"));
    json::for_each_text(log_config, "Config", [&](auto key, auto value) { keeper.log_option(key, value); });
    facts.auto_remove = json::flag_of(host_config, "AutoRemove");
}

Event::Action to_action(std::string_view action) {
    using enum Event::Action;
    if (action == "create") return create;
    if (action == "start") return start;
    // Podman says "died" or "die", by its version, and "remove".
    if (action == "die" || action == "died") return die;
    if (action == "destroy" || action == "remove") return destroy;
    if (action == "rename") return rename;
    return other;
}

Timestamp event_time(const json::object& root) {
    if (auto nanoseconds = json::get<std::int64_t>(root, "timeNano")) return Timestamp{Nanoseconds{*nanoseconds}};
    constexpr std::int64_t seconds_max = std::numeric_limits<std::int64_t>::max() / 1'000'000'000;
    auto seconds = std::clamp(json::integer_of(root, "time"), -seconds_max, seconds_max);
    return Timestamp{std::chrono::seconds{seconds}};
}

// It becomes part of a path (intake/docker/log_layout.h).
bool is_driver_name(std::string_view text) {
    return !text.empty() && text.size() <= 32 &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos;
}

std::optional<int> exit_code_of(const std::optional<json::object>& attributes) {
    auto text = json::view_of(attributes, "exitCode");
    int code = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return code;
}

}  // namespace

std::size_t cost_of(const ContainerFacts& facts) {
    constexpr std::size_t word_cost = 128;
    auto bytes = sizeof facts + facts.id.size() + facts.name.size() + facts.image.size() + facts.image_id.size() +
                 facts.log_path.size();
    for (const auto* words : {&facts.labels, &facts.environment, &facts.attributes, &facts.log_options})
        for (const auto& [key, value] : *words) bytes += word_cost + key.size() + value.size();
    for (const auto& [source, destination] : facts.mounts) bytes += word_cost + source.size() + destination.size();
    return bytes;
}

void ContainerWordKeeper::mount(std::string_view source, std::string_view destination) {
    if (source.empty() || destination.empty() || !filter_.mount || !filter_.mount(destination)) return;
    if (facts_.mounts.size() < mounts_max) facts_.mounts.emplace_back(bounded(source), bounded(destination));
}

void ContainerWordKeeper::log_option(std::string_view key, std::string_view value) {
    if (take_word_room(log_options_bytes_, key, value)) facts_.log_options.emplace(key, value);
}

Result<ContainerFacts> parse_inspect(std::string_view json, const WordFilter& keep) {
    json::parser parser;
    TRY(auto root, json::parse_object(parser, json, "inspect"));
    ContainerFacts facts;
    ContainerWordKeeper keeper{keep, facts};
    TRY(facts.id, checked_id(json::view_of(root, "Id"), "inspect"));
    read_common(root, keeper, facts);
    read_host_config(json::object_of(root, "HostConfig"), keeper, facts);
    if (auto mounts = json::get<json::array>(root, "Mounts"))
        for (auto mount : *mounts) add_mount(mount, keeper);
    return facts;
}

Result<ContainerFacts> parse_config_v2(std::string_view config, std::string_view hostconfig, const WordFilter& keep) {
    json::parser parser;
    TRY(auto root, json::parse_object(parser, config, "config.v2.json"));
    ContainerFacts facts;
    ContainerWordKeeper keeper{keep, facts};
    TRY(facts.id, checked_id(json::view_of(root, "ID"), "config.v2.json"));
    read_common(root, keeper, facts);
    if (auto mounts = json::object_of(root, "MountPoints"))
        for (auto [destination, mount] : *mounts) add_mount(mount, keeper);

    if (!hostconfig.empty()) {
        // What the container is does not hang on its host configuration: a broken one only leaves the log driver
        // unknown.
        json::parser host_parser;
        if (auto host_config = json::parse_object(host_parser, hostconfig, "hostconfig.json"))
            read_host_config(*host_config, keeper, facts);
    }
    return facts;
}

Result<ContainerSummary> parse_container_summary(std::string_view json) {
    json::parser parser;
    TRY(auto fields, json::parse_object(parser, json, "container list"));
    ContainerSummary summary;
    TRY(summary.id, checked_id(json::view_of(fields, "Id"), "container list"));
    summary.state = json::view_of(fields, "State");
    return summary;
}

Result<Event> parse_event(std::string_view json) {
    json::parser parser;
    TRY(auto root, json::parse_object(parser, json, "event"));
    auto action = json::view_of(root, "Action");
    if (action.empty() && json::field(root, "message"))
        return fail(Remedy::back_off, "the engine ended its events: " + printable(json::view_of(root, "message")));
    Event event{.time = event_time(root)};
    if (json::view_of(root, "Type") != "container") return event;

    auto actor = json::object_of(root, "Actor");
    auto id = json::view_of(actor, "ID");
    TRY(event.id, checked_id(id.empty() ? json::view_of(root, "id") : id, "event"));
    event.action = to_action(action);
    if (event.action == Event::Action::die) event.exit_code = exit_code_of(json::object_of(actor, "Attributes"));
    return event;
}

Result<EngineInfo> parse_version(std::string_view json) {
    json::parser parser;
    TRY(auto root, json::parse_object(parser, json, "version"));
    EngineInfo info;
    info.version = printable(json::view_of(root, "Version"), 100);
    info.api_version = json::view_of(root, "ApiVersion");
    info.min_api_version = json::view_of(root, "MinAPIVersion");
    if (info.api_version.empty()) return fail(Remedy::quarantine, "version: no ApiVersion: is this a Docker engine?");
    if (auto components = json::get<json::array>(root, "Components"))
        for (auto component : *components)
            info.podman |= json::view_of(json::as_object(component), "Name") == "Podman Engine";
    return info;
}

Result<void> parse_info(std::string_view json, EngineInfo& info) {
    json::parser parser;
    TRY(auto root, json::parse_object(parser, json, "info"));
    info.root_dir = plain_path(json::view_of(root, "DockerRootDir"));
    info.default_log_driver = json::view_of(root, "LoggingDriver");
    info.name = printable(json::view_of(root, "Name"));
    // Podman draws another one for each answer.
    if (!info.podman) info.id = printable(json::view_of(root, "ID"), 100);
    auto driver = json::view_of(root, "Driver");
    info.storage_driver = is_driver_name(driver) ? driver : std::string_view{};
    return {};
}

std::string parse_error_message(std::string_view body) {
    json::parser parser;
    if (auto root = json::parse_object(parser, body, "error"))
        if (auto message = json::view_of(*root, "message"); !message.empty()) return printable(message, 300);
    while (!body.empty() && (body.back() == '\n' || body.back() == '\r')) body.remove_suffix(1);
    return printable(body, 300);
}

}  // namespace boatswain::engine
