// Which characters from outside are never shown as they are: those that act on a terminal, that make text read in
// another order than it has, that break a line where there is none, or that are there without being seen.
//
// Not among them, since ordinary text needs them: the zero width joiner and non-joiner (U+200D, U+200C) and variation
// selectors.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace boatswain {

struct CharacterRange {
    char32_t first, last;
};

// Source: Unicode 15.1, DerivedCoreProperties.txt (Default_Ignorable_Code_Point) and PropList.txt (Bidi_Control).
inline constexpr std::array<CharacterRange, 14> acting_characters{{
    {0x0000, 0x001F},    // C0 controls
    {0x007F, 0x009F},    // DEL, C1 controls; U+0085 is a line break
    {0x00AD, 0x00AD},    // soft hyphen
    {0x061C, 0x061C},    // Arabic letter mark: direction
    {0x180E, 0x180E},    // Mongolian vowel separator
    {0x200B, 0x200B},    // zero width space
    {0x200E, 0x200F},    // left-to-right and right-to-left mark
    {0x2028, 0x202E},    // line and paragraph separator; embeddings and overrides of direction
    {0x2060, 0x206F},    // word joiner, invisible operators, isolates of direction, deprecated ones
    {0x3164, 0x3164},    // Hangul filler
    {0xFEFF, 0xFEFF},    // zero width no-break space
    {0xFFA0, 0xFFA0},    // half-width Hangul filler
    {0xFFF9, 0xFFFB},    // annotations between lines
    {0xE0000, 0xE007F},  // tags
}};

constexpr bool is_acting_character(char32_t c) {
    return std::ranges::any_of(acting_characters,
                               [&](const CharacterRange& range) { return c >= range.first && c <= range.last; });
}

// The code point of one valid UTF-8 sequence.
constexpr char32_t code_point(std::string_view sequence) {
    auto first = static_cast<unsigned char>(sequence.front());
    char32_t c = sequence.size() == 1 ? first : first & (0xFFU >> (sequence.size() + 1));
    for (char more : sequence.substr(1)) c = c << 6 | (static_cast<unsigned char>(more) & 0x3FU);
    return c;
}

}  // namespace boatswain
