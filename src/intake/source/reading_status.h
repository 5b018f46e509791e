// How reading stands, of all sources of one way in together, and of one tenant's. Values, for those who watch.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "tenancy/policy.h"

namespace boatswain::intake {

// A log that has something to read, and of which nothing could be read for so long, is stuck.
inline constexpr std::chrono::seconds stuck_after{60};

struct ReadingStatus {
    std::size_t containers = 0;
    std::size_t reading = 0;
    std::size_t unreadable = 0;                   // their log drivers keep nothing, or the engine serves nothing
    std::map<tenancy::Lack, std::size_t> held{};  // nothing is read, for want of that; without those held for a moment
    std::uint64_t lag_bytes = 0;                  // not read yet, of log files
    std::uint64_t held_lag_bytes = 0;             // of those, in logs that wait for a key
    Nanoseconds lag_time{};                       // of the log that is behind most
    std::size_t stuck = 0;                        // logs with something to read and no progress for stuck_after
    std::string stuck_trouble;                    // of one of them
    std::vector<std::string> ended_readers;       // of containers that are not read any more, by a fault of ours

    ReadingStatus& operator+=(const ReadingStatus& other);
};

struct TenantLag {
    std::size_t containers = 0;  // being read
    std::uint64_t bytes = 0;
    Nanoseconds time{};  // of the log that is behind most

    TenantLag& operator+=(const TenantLag& other);
};

}  // namespace boatswain::intake
