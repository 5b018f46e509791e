// A line: one record of output.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.h"

namespace boatswain {

enum class Stream : std::uint8_t { out, err };

constexpr std::string_view to_string(Stream stream) { return stream == Stream::out ? "stdout" : "stderr"; }

struct Line {
    Timestamp time;
    Stream stream = Stream::out;
    // False: `bytes` was followed by a newline, which is not part of them. True: it was not (a piece of a line over
    // line_bytes_max, or a last line without its newline). Printing `bytes`, and a newline where partial is
    // false, gives what the container printed.
    bool partial = false;
    std::string_view bytes;  // borrowed; never holds '\n'
};

// A line longer than this is stored as partial pieces of at most this size.
inline constexpr std::size_t line_bytes_max = 1U << 20;

}  // namespace boatswain
