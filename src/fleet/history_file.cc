#include "fleet/history_file.h"

#include "base/json_reader.h"
#include "base/json_writer.h"

namespace boatswain::fleet {
namespace {

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
    return json_object()
        .member("version", 1)
        .member("gone_since", history.gone_since)
        .member("deployment_since", history.deployment_since)
        .member_if_there("surplus_since", history.surplus_since)
        .take_line();
}

Result<History> parse_history(std::string_view text) {
    json::parser parser;
    TRY(auto root, json::parse_object(parser, text, "the state file"));
    if (json::integer_of(root, "version") != 1) return fail(Remedy::quarantine, "the state file is not of version 1");
    return History{.gone_since = times_of(root, "gone_since"),
                   .deployment_since = times_of(root, "deployment_since"),
                   .surplus_since = json::time_of(root, "surplus_since")};
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
