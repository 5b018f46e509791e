#include "config/toml_file.h"

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>

#include "base/bytes.h"

namespace boatswain::config {
namespace {

Given::Value value_of(const toml::node& node) {
    if (auto text = node.value_exact<std::string>()) return std::move(*text);
    if (auto number = node.value_exact<std::int64_t>()) return *number;
    if (auto truth = node.value_exact<bool>()) return *truth;
    if (auto fraction = node.value_exact<double>()) return *fraction;
    if (node.is_table()) return Other{"a section"};
    const auto* array = node.as_array();
    if (array == nullptr) return Other{"a date or time"};
    std::vector<std::string> list;
    for (const auto& element : *array) {
        auto text = element.value_exact<std::string>();
        if (!text) return Other{element.is_table() ? "a list of sections" : "a list of other things than texts"};
        list.push_back(std::move(*text));
    }
    return list;
}

TomlEntry entry(std::string_view section, std::string_view key, const toml::node& node, std::uint32_t line, std::string_view path) {
    return {.section = std::string{section},
            .key = std::string{key},
            .line = line,
            .given = {.value = value_of(node), .where = std::string{path} + ":" + std::to_string(line)}};
}

std::string place(const toml::source_position& position) {
    return std::to_string(position.line) + ":" + std::to_string(position.column);
}

}  // namespace

Result<std::vector<TomlEntry>> parse_toml(std::string_view text, std::string_view path) {
    auto parsed = toml::parse(text);
    if (!parsed)
        return fail(Remedy::stop, std::string{path} + ":" + place(parsed.error().source().begin) + ": not TOML: " +
                                      printable(parsed.error().description(), 300));
    std::vector<TomlEntry> entries;
    for (const auto& [key, node] : parsed.table()) {
        const auto* section = node.as_table();
        if (section == nullptr || section->empty()) {
            entries.push_back(entry("", key.str(), node, key.source().begin.line, path));
            continue;
        }
        for (const auto& [inner, value] : *section)
            entries.push_back(entry(key.str(), inner.str(), value, inner.source().begin.line, path));
    }
    std::ranges::stable_sort(entries, {}, &TomlEntry::line);
    return entries;
}

Result<std::vector<std::string>> parse_toml_list(std::string_view text) {
    auto parsed = toml::parse("list = " + std::string{text});
    auto refuse = [&] { return fail(Remedy::stop, "\"" + printable(text, 80) + "\" is not a list of texts; write for example [\"env:TENANT\", \"name\"]"); };
    if (!parsed || parsed.table().size() != 1) return refuse();
    const auto* node = parsed.table().get("list");
    if (node == nullptr) return refuse();
    auto value = value_of(*node);
    auto* list = std::get_if<std::vector<std::string>>(&value);
    if (list == nullptr) return refuse();
    return std::move(*list);
}

}  // namespace boatswain::config
