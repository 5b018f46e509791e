#include "intake/driver/plugin_request.h"

#include <simdjson.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "intake/driver/fifo_table.h"

namespace boatswain::intake::driver {
namespace {

using simdjson::dom::element;

Result<element> parse_object(simdjson::dom::parser& parser, std::string_view json, std::string_view what) {
    element root;
    if (auto error = parser.parse(json.data(), json.size()).get(root))
        return fail(Remedy::quarantine, std::string{what} + ": not JSON: " + simdjson::error_message(error));
    if (!root.is_object()) return fail(Remedy::quarantine, std::string{what} + ": not a JSON object");
    return root;
}

// Missing, null, and of another type than it should be: nothing.
std::string_view text_of(element parent, std::string_view key) {
    std::string_view value;
    return parent[key].get(value) ? std::string_view{} : value;
}

bool truth_of(element parent, std::string_view key) {
    bool value = false;
    return !parent[key].get(value) && value;
}

std::map<std::string, std::string> all_texts_of(element parent, std::string_view key) {
    std::map<std::string, std::string> texts;
    simdjson::dom::object map;
    if (parent[key].get(map)) return texts;
    for (auto [name, value] : map) {
        // The engine writes nothing but text; anything else is refused like a wrong text.
        std::string_view text = "(not a text)";
        (void)value.get(text);
        texts.emplace(name, text);
    }
    return texts;
}

std::map<std::string, std::string> texts_of(element parent, std::string_view key) {
    std::map<std::string, std::string> texts;
    simdjson::dom::object map;
    if (parent[key].get(map)) return texts;
    for (auto [name, value] : map) {
        std::string_view text;
        if (!value.get(text)) texts.emplace(name, text);
    }
    return texts;
}

Result<Path> fifo_of(element root, std::string_view what) {
    auto path = text_of(root, "File");
    bool plain = path.starts_with('/') && path.find('\0') == path.npos && path.find("/../") == path.npos &&
                 !path.ends_with("/..") && path.size() <= fifo_path_bytes_max;
    if (!plain) return fail(Remedy::quarantine, std::string{what} + ": the file is not a plain absolute path");
    return Path{path};
}

Result<std::string> container_of(std::string_view id, std::string_view what) {
    bool hex =
        id.size() == engine::container_id_size && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    if (!hex) return fail(Remedy::quarantine, std::string{what} + ": the container's id is not 64 hex digits");
    return std::string{id};
}

void keep_words(element info, const WordFilter& keep, engine::ContainerFacts& facts) {
    engine::ContainerWordKeeper keeper{keep, facts};
    std::string_view text;
    simdjson::dom::object map;
    if (!info["Config"].get(map))
        for (auto [key, value] : map)
            if (!value.get(text)) keeper.log_option(key, text);
    if (!info["ContainerLabels"].get(map))
        for (auto [key, value] : map)
            if (!value.get(text)) keeper.label(key, text);
    simdjson::dom::array entries;
    if (info["ContainerEnv"].get(entries)) return;
    for (auto entry : entries)
        if (!entry.get(text)) keeper.environment(text);
}

std::string json_map(const std::map<std::string, std::string>& texts) {
    std::string out = "{";
    for (const auto& [name, text] : texts)
        out += (out.size() > 1 ? "," : "") + json_quote(name) + ":" + json_quote(text);
    return out + "}";
}

}  // namespace

Result<StartRequest> parse_start(std::string_view json, const WordFilter& keep) {
    simdjson::dom::parser parser;
    TRY(auto root, parse_object(parser, json, "StartLogging"));
    StartRequest request;
    TRY(request.fifo, fifo_of(root, "StartLogging"));
    element info;
    if (root["Info"].get(info) || !info.is_object())
        return fail(Remedy::quarantine, "StartLogging: says nothing of the container");
    auto& facts = request.facts;
    TRY(facts.id, container_of(text_of(info, "ContainerID"), "StartLogging"));
    auto name = text_of(info, "ContainerName");
    facts.name = (name.starts_with('/') ? name.substr(1) : name).substr(0, word_bytes_max);
    facts.image = text_of(info, "ContainerImageName").substr(0, word_bytes_max);
    facts.image_id = text_of(info, "ContainerImageID").substr(0, word_bytes_max);
    facts.created = parse_time(text_of(info, "ContainerCreated")).value_or(Timestamp{});
    facts.running = true;
    // All of them, however long: what is left out must not count as not said.
    TRY(request.options, parse_log_options(all_texts_of(info, "Config")));
    keep_words(info, keep, facts);
    // Only rules that name very many words, and a container that fills them all, come this far.
    if (describe(request).size() > description_bytes_max)
        return fail(Remedy::quarantine, "the container's labels and variables that rules name are too long together");
    return request;
}

Result<Path> parse_stop(std::string_view json) {
    simdjson::dom::parser parser;
    TRY(auto root, parse_object(parser, json, "StopLogging"));
    return fifo_of(root, "StopLogging");
}

Result<ReadRequest> parse_read(std::string_view json) {
    simdjson::dom::parser parser;
    TRY(auto root, parse_object(parser, json, "ReadLogs"));
    ReadRequest request;
    element info, config;
    if (root["Info"].get(info) || !info.is_object())
        return fail(Remedy::quarantine, "ReadLogs: says nothing of the container");
    TRY(request.container, container_of(text_of(info, "ContainerID"), "ReadLogs"));
    if (root["Config"].get(config) || !config.is_object()) return request;
    request.follow = truth_of(config, "Follow");
    if (std::int64_t tail = 0; !config["Tail"].get(tail)) request.tail = tail;
    // The engine's "never" is year 1, which is no time to us.
    request.since = parse_time(text_of(config, "Since"));
    request.until = parse_time(text_of(config, "Until"));
    return request;
}

std::string describe(const StartRequest& request) {
    const auto& facts = request.facts;
    return "{\"fifo\":" + json_quote(request.fifo.string()) + ",\"container\":" + json_quote(facts.id) +
           ",\"name\":" + json_quote(facts.name) + ",\"image\":" + json_quote(facts.image) +
           ",\"image_id\":" + json_quote(facts.image_id) + ",\"created\":" + json_quote(to_text(facts.created)) +
           ",\"labels\":" + json_map(facts.labels) + ",\"environment\":" + json_map(facts.environment) +
           ",\"options\":" + json_map(facts.log_options) + "}\n";
}

Result<StartRequest> parse_description(std::string_view json) {
    simdjson::dom::parser parser;
    TRY(auto root, parse_object(parser, json, "description of a hold"));
    StartRequest request;
    request.fifo = Path{text_of(root, "fifo")};
    auto& facts = request.facts;
    TRY(facts.id, container_of(text_of(root, "container"), "description of a hold"));
    facts.name = text_of(root, "name");
    facts.image = text_of(root, "image");
    facts.image_id = text_of(root, "image_id");
    facts.image_id_kept = !root["image_id"].error();
    facts.created = parse_time(text_of(root, "created")).value_or(Timestamp{});
    facts.running = true;
    facts.labels = texts_of(root, "labels");
    facts.environment = texts_of(root, "environment");
    facts.log_options = texts_of(root, "options");
    return request;
}

}  // namespace boatswain::intake::driver
