// The Content-Range header of a part of an object (RFC 9110 section 14.4).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace boatswain::store {

struct ContentRange {
    std::uint64_t first = 0;
    std::uint64_t last = 0;  // first <= last < size
    std::uint64_t size = 0;
};

// "bytes 0-9/443"; nothing for anything else, unknown sizes ("*") included.
std::optional<ContentRange> parse_content_range(std::string_view value);

}  // namespace boatswain::store
