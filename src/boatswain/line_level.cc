#include "boatswain/line_level.h"

#include <array>
#include <optional>
#include <string>
#include <utility>

namespace boatswain::tool {

namespace {

constexpr std::array<std::pair<std::string_view, LineLevel>, 16> words{{
    {"trace", LineLevel::debug},
    {"debug", LineLevel::debug},
    {"dbg", LineLevel::debug},
    {"info", LineLevel::info},
    {"notice", LineLevel::info},
    {"warn", LineLevel::warning},
    {"warning", LineLevel::warning},
    {"error", LineLevel::error},
    {"err", LineLevel::error},
    {"severe", LineLevel::error},
    {"crit", LineLevel::error},
    {"critical", LineLevel::error},
    {"alert", LineLevel::error},
    {"emerg", LineLevel::error},
    {"fatal", LineLevel::error},
    {"panic", LineLevel::error},
}};
constexpr std::size_t word_bytes_max = 8;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_of_word(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; }

std::optional<LineLevel> named_by(std::string_view word) {
    if (word.size() > word_bytes_max) return std::nullopt;
    std::string lower;
    for (char c : word) lower += is_letter(c) ? static_cast<char>(c | 0x20) : c;
    for (const auto& [name, level] : words)
        if (name == lower) return level;
    return std::nullopt;
}

}  // namespace

LineLevel level_of(std::string_view line) {
    line = line.substr(0, line_level_bytes_max);
    while (!line.empty()) {
        std::size_t size = 0;
        while (size < line.size() && is_of_word(line[size])) ++size;
        if (auto level = named_by(line.substr(0, size))) return *level;
        line.remove_prefix(size == 0 ? 1 : size);
    }
    return LineLevel::unknown;
}

}  // namespace boatswain::tool
