// How much of an object a reader believes. What an agent writes stays below all of this; what a hostile writer makes
// would, at the limits of the format, be gigabytes of text in a kilobyte of object.
#pragma once

#include <cstdint>
#include <limits>
#include <mutex>

#include "segment/format.h"

namespace boatswain::open {

struct Bounds {
    // Frames of agents close at 256 KiB, with what was read at once behind that: less than 2 MiB.
    std::uint64_t frame_text_bytes_max = 4U << 20;
    // At most 2,000 frames are in a batch: less than 2 MB of JSON.
    std::uint64_t footer_json_bytes_max = 4U << 20;
    // Text of all frames of one object: so many bytes for each byte of the object, or text_bytes_small whatever the
    // object's size, and never more than text_bytes_max. Logs compress 5 to 30 times, lines that are all alike 1000.
    std::uint64_t text_ratio_max = 1'000;
    std::uint64_t text_bytes_small = 64U << 20;
    std::uint64_t text_bytes_max = 16ULL << 30;
    // Held while a footer over large_footer_json_bytes is parsed, which takes some 15 times its size: one at a time.
    // Borrowed; may be absent.
    std::mutex* large_footers = nullptr;

    // All that docs/formats/segment.md allows.
    static Bounds of_the_format() {
        constexpr auto any = std::numeric_limits<std::uint64_t>::max();
        return {.frame_text_bytes_max = segment::frame_text_bytes_max,
                .footer_json_bytes_max = segment::footer_json_bytes_max,
                .text_ratio_max = any,
                .text_bytes_small = any,
                .text_bytes_max = any};
    }
};

inline constexpr std::uint64_t large_footer_json_bytes = 64U << 10;

}  // namespace boatswain::open
