#include "intake/driver/plugin_request.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/json_reader.h"
#include "base/json_writer.h"
#include "intake/driver/fifo_table.h"

namespace boatswain::intake::driver {
namespace {

// The engine writes nothing but text; anything else is refused like a wrong text.
std::map<std::string, std::string> options_of(const std::optional<json::object>& info) {
    std::map<std::string, std::string> texts;
    auto map = json::object_of(info, "Config");
    if (!map) return texts;
    for (auto [name, value] : *map) texts.emplace(name, json::as_text(value).value_or("(not a text)"));
    return texts;
}

Result<Path> fifo_of(const json::object& root, std::string_view what) {
    auto path = json::view_of(root, "File");
    bool plain = path.starts_with('/') && path.find('\0') == path.npos && path.find("/../") == path.npos &&
                 !path.ends_with("/..") && path.size() <= fifo_path_bytes_max;
    if (!plain) return fail(Remedy::quarantine, std::string{what} + ": the file is not a plain absolute path");
    return Path{path};
}

Result<std::string> container_of(std::string_view id, std::string_view what) {
    if (!engine::is_container_id(id))
        return fail(Remedy::quarantine, std::string{what} + ": the container's id is not 64 hex digits");
    return std::string{id};
}

void keep_words(const std::optional<json::object>& info, const WordFilter& keep, engine::ContainerFacts& facts) {
    engine::ContainerWordKeeper keeper{keep, facts};
    json::for_each_text(info, "Config", [&](auto key, auto text) { keeper.log_option(key, text); });
    json::for_each_text(info, "ContainerLabels", [&](auto key, auto text) { keeper.label(key, text); });
    json::for_each_text(info, "ContainerEnv", [&](auto entry) { keeper.environment(entry); });
}

}  // namespace

Result<StartRequest> parse_start(std::string_view json, const WordFilter& keep) {
    json::parser parser;
    TRY(auto root, json::parse_object(parser, json, "StartLogging"));
    StartRequest request;
    TRY(request.fifo, fifo_of(root, "StartLogging"));
    auto info = json::object_of(root, "Info");
    if (!info) return fail(Remedy::quarantine, "StartLogging: says nothing of the container");
    auto& facts = request.facts;
    TRY(facts.id, container_of(json::view_of(info, "ContainerID"), "StartLogging"));
    auto name = json::view_of(info, "ContainerName");
    facts.name = (name.starts_with('/') ? name.substr(1) : name).substr(0, word_bytes_max);
    facts.image = json::view_of(info, "ContainerImageName").substr(0, word_bytes_max);
    facts.image_id = json::view_of(info, "ContainerImageID").substr(0, word_bytes_max);
    facts.created = json::time_of(info, "ContainerCreated").value_or(Timestamp{});
    facts.running = true;
    // All of them, however long: what is left out must not count as not said.
    TRY(request.options, parse_log_options(options_of(info)));
    keep_words(info, keep, facts);
    // Only rules that name very many words, and a container that fills them all, come this far.
    if (describe(request).size() > description_bytes_max)
        return fail(Remedy::quarantine, "the container's labels and variables that rules name are too long together");
    return request;
}

Result<Path> parse_stop(std::string_view json) {
    json::parser parser;
    TRY(auto root, json::parse_object(parser, json, "StopLogging"));
    return fifo_of(root, "StopLogging");
}

Result<ReadRequest> parse_read(std::string_view json) {
    json::parser parser;
    TRY(auto root, json::parse_object(parser, json, "ReadLogs"));
    ReadRequest request;
    auto info = json::object_of(root, "Info");
    if (!info) return fail(Remedy::quarantine, "ReadLogs: says nothing of the container");
    TRY(request.container, container_of(json::view_of(info, "ContainerID"), "ReadLogs"));
    auto config = json::object_of(root, "Config");
    request.follow = json::flag_of(config, "Follow");
    request.tail = json::get<std::int64_t>(config, "Tail").value_or(request.tail);
    // The engine's "never" is year 1, which is no time to us.
    request.since = json::time_of(config, "Since");
    request.until = json::time_of(config, "Until");
    return request;
}

std::string describe(const StartRequest& request) {
    const auto& facts = request.facts;
    return json_object()
        .member("fifo", request.fifo.string())
        .member("container", facts.id)
        .member("name", facts.name)
        .member("image", facts.image)
        .member("image_id", facts.image_id)
        .member("created", facts.created)
        .member("labels", facts.labels)
        .member("environment", facts.environment)
        .member("options", facts.log_options)
        .take_line();
}

Result<StartRequest> parse_description(std::string_view json) {
    json::parser parser;
    TRY(auto root, json::parse_object(parser, json, "description of a hold"));
    StartRequest request;
    request.fifo = Path{json::view_of(root, "fifo")};
    auto& facts = request.facts;
    TRY(facts.id, container_of(json::view_of(root, "container"), "description of a hold"));
    facts.name = json::view_of(root, "name");
    facts.image = json::view_of(root, "image");
    facts.image_id = json::view_of(root, "image_id");
    facts.image_id_kept = json::field(root, "image_id").has_value();
    facts.created = json::time_of(root, "created").value_or(Timestamp{});
    facts.running = true;
    facts.labels = json::texts_of(root, "labels");
    facts.environment = json::texts_of(root, "environment");
    facts.log_options = json::texts_of(root, "options");
    return request;
}

}  // namespace boatswain::intake::driver
