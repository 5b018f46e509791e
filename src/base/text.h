// Small questions about text, asked in one way everywhere. Letters are ASCII's: no locale has a say.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace boatswain {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower_letter(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper_letter(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_letter_or_digit(char c) { return is_lower_letter(c) || is_upper_letter(c) || is_digit(c); }
// -1 for what is no hex digit.
constexpr int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

constexpr char lower_case(char c) { return is_upper_letter(c) ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr char upper_case(char c) { return is_lower_letter(c) ? static_cast<char>(c - 'a' + 'A') : c; }
std::string lower_case(std::string_view text);
// Whether they are the same, letters in either case.
constexpr bool equal_in_any_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return lower_case(x) == lower_case(y); });
}
constexpr bool starts_in_any_case(std::string_view text, std::string_view start) {
    return equal_in_any_case(text.substr(0, start.size()), start);
}

inline constexpr std::string_view blanks = " \t\r\n";
// `text` without those of `characters` at its start and end.
std::string_view trim(std::string_view text, std::string_view characters = blanks);

// "1 line", "2 lines".
std::string counted(std::uint64_t count, std::string_view noun);

// FNV-1a with 64 bits: the same in every build, on every host. For more than one piece, give the hash of those before.
inline constexpr std::uint64_t fnv1a_of_nothing = 0xcbf29ce484222325;
constexpr std::uint64_t fnv1a(std::string_view bytes, std::uint64_t before = fnv1a_of_nothing) {
    for (char c : bytes) before = (before ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return before;
}

}  // namespace boatswain
