#include "logql/level.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/text.h"

namespace boatswain::logql {
namespace {

constexpr std::string_view unknown = "unknown";
constexpr std::array<std::string_view, 4> field_names{"level", "severity", "lvl", "severity_text"};

// As they may be written in a field.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> values{{{"trace", "trace"},
                                                                                {"trc", "trace"},
                                                                                {"debug", "debug"},
                                                                                {"dbg", "debug"},
                                                                                {"info", "info"},
                                                                                {"inf", "info"},
                                                                                {"information", "info"},
                                                                                {"warn", "warn"},
                                                                                {"wrn", "warn"},
                                                                                {"warning", "warn"},
                                                                                {"error", "error"},
                                                                                {"err", "error"},
                                                                                {"critical", "critical"},
                                                                                {"fatal", "fatal"}}};
// In this order, wherever they stand.
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> words{{{"trace", "trace"},
                                                                              {"debug", "debug"},
                                                                              {"fatal", "fatal"},
                                                                              {"critical", "critical"},
                                                                              {"error", "error"},
                                                                              {"err", "error"},
                                                                              {"warning", "warn"},
                                                                              {"warn", "warn"},
                                                                              {"info", "info"}}};
constexpr std::size_t word_bytes_max = 8;

bool is_field_name(std::string_view name) {
    return std::ranges::any_of(field_names, [&](std::string_view known) { return equal_in_any_case(known, name); });
}

std::optional<std::string_view> level_of_value(std::string_view value) {
    for (const auto& [written, level] : values)
        if (equal_in_any_case(written, value)) return level;
    return std::nullopt;
}

// The text between the quotes at `at`, escapes left as they are; `at` moves behind it.
std::string_view quoted(std::string_view text, std::size_t& at) {
    auto first = ++at;
    while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
    auto end = std::min(at, text.size());
    at = std::min(end + 1, text.size());
    return text.substr(first, end - first);
}

// The value of the first field of JSON, at whatever depth, that is named like a level and is a text.
std::optional<std::string_view> json_value(std::string_view line) {
    auto skip_blanks = [&](std::size_t at) {
        while (at < line.size() && blanks.contains(line[at])) ++at;
        return at;
    };
    std::size_t at = 0;
    while (at < line.size()) {
        if (line[at] != '"') {
            ++at;
            continue;
        }
        auto name = quoted(line, at);
        at = skip_blanks(at);
        if (at == line.size() || line[at] != ':') continue;
        at = skip_blanks(at + 1);
        if (at < line.size() && line[at] == '"') {
            auto value = quoted(line, at);
            if (is_field_name(name)) return value;
        }
    }
    return std::nullopt;
}

std::optional<std::string_view> logfmt_value(std::string_view line) {
    std::size_t at = 0;
    while (at < line.size()) {
        while (at < line.size() && blanks.contains(line[at])) ++at;
        auto first = at;
        while (at < line.size() && line[at] != '=' && !blanks.contains(line[at])) ++at;
        if (at == line.size() || line[at] != '=') continue;
        auto name = line.substr(first, at - first);
        ++at;
        std::string_view value;
        if (at < line.size() && line[at] == '"') {
            value = quoted(line, at);
        } else {
            auto begin = at;
            while (at < line.size() && !blanks.contains(line[at])) ++at;
            value = line.substr(begin, at - begin);
        }
        if (is_field_name(name)) return value;
    }
    return std::nullopt;
}

std::string_view level_of_words(std::string_view line) {
    std::size_t best = words.size();
    auto is_of_word = [](char c) { return is_letter_or_digit(c) || c == '_'; };
    for (std::size_t at = 0; at < line.size();) {
        if (!is_of_word(line[at])) {
            ++at;
            continue;
        }
        auto first = at;
        while (at < line.size() && is_of_word(line[at])) ++at;
        auto word = line.substr(first, at - first);
        if (word.size() > word_bytes_max) continue;
        for (std::size_t i = 0; i < best; ++i)
            if (equal_in_any_case(words[i].first, word)) best = i;
    }
    return best == words.size() ? unknown : words[best].second;
}

}  // namespace

std::string_view detected_level(const Labels& labels, std::string_view line) {
    line = line.substr(0, level_bytes_max);
    std::optional<std::string_view> value;
    for (const auto& label : labels.all())
        if (!value && is_field_name(label.name)) value = label.value;
    if (!value) {
        auto text = trim(line);
        value = text.starts_with('{') ? json_value(text) : logfmt_value(text);
    }
    if (value)
        if (auto level = level_of_value(trim(*value))) return *level;
    return level_of_words(line);
}

}  // namespace boatswain::logql
