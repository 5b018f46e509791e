// How grave a line is, as far as it says so itself: for colours on a terminal, and for nothing that counts.
#pragma once

#include <cstdint>
#include <string_view>

namespace boatswain::tool {

enum class LineLevel : std::uint8_t { unknown, debug, info, warning, error };

// By the first word of its first line_level_bytes_max bytes that names a level: "ERROR", "level=warn",
// {"level":"info"}, "[W]" is none.
inline constexpr std::size_t line_level_bytes_max = 200;
LineLevel level_of(std::string_view line);

}  // namespace boatswain::tool
