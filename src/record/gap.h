// A gap: a named loss, kept in the tenant's own log in the place of what is missing.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"

namespace boatswain {

struct Gap {
    Timestamp from{};
    Timestamp to{};
    std::string reason;           // one word with dashes: "rotated-away", "attach-overflow", "malformed"
    std::uint64_t lines_min = 0;  // at least so many lines are missing (0: not known)
    std::uint64_t bytes_min = 0;  // at least so many bytes are missing (0: not known)
};

}  // namespace boatswain
