#include "fleet/history_file.h"

#include "base/log.h"
#include "fleet/json.h"

namespace boatswain::fleet {
namespace {

std::string times_text(const std::map<std::string, Timestamp>& times) {
    std::string text = "{";
    for (const auto& [name, time] : times)
        text += (text.size() > 1 ? "," : "") + json_quote(name) + ":\"" + to_text(time) + "\"";
    return text + "}";
}

std::map<std::string, Timestamp> times_of(const json::object& root, std::string_view key) {
    std::map<std::string, Timestamp> times;
    auto fields = json::object_of(root, key);
    if (!fields) return times;
    for (auto [name, value] : *fields)
        if (auto time = parse_time(json::as_text(value).value_or(""))) times.emplace(name, *time);
    return times;
}

}  // namespace

std::string history_text(const History& history) {
    return "{\"version\":1,\"gone_since\":" + times_text(history.gone_since) +
           ",\"deployment_since\":" + times_text(history.deployment_since) +
           (history.surplus_since ? ",\"surplus_since\":\"" + to_text(*history.surplus_since) + "\"" : "") + "}\n";
}

Result<History> parse_history(std::string_view text) {
    simdjson::dom::parser parser;
    TRY(auto root, json::parse_object(parser, text, "the state file"));
    if (json::integer_of(root, "version") != 1)
        return fail(Remedy::quarantine, "the state file is not of version 1");
    return History{.gone_since = times_of(root, "gone_since"),
                   .deployment_since = times_of(root, "deployment_since"),
                   .surplus_since = parse_time(json::text_of(root, "surplus_since"))};
}

Result<History> load_history(const Path& path) {
    auto text = read_file(path, history_bytes_max);
    if (!text && text.error().remedy == Remedy::re_resolve) return History{};
    if (!text) return std::unexpected(std::move(text).error());
    return parse_history(*text);
}

Result<void> save_history(const Path& path, const History& history) {
    return write_file_durably(path, history_text(history));
}

}  // namespace boatswain::fleet
