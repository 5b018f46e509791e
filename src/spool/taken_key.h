// What the spool remembers of keys that were taken and of segments that stand aside
// (docs/decisions/0027-a-key-that-is-taken.md).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

namespace boatswain::spool {

// Of one tenant: keys of its segments that the store held something else under.
struct Conflict {
    std::string tenant;
    std::string key;          // the last of them, in its first form
    Timestamp noticed{};      // when that was
    std::uint64_t count = 0;  // how often, since it was acknowledged last
    bool told = false;        // the tenant's log has a record of it
    bool acknowledged = false;
};
// Conflicts of more tenants are counted and acted on, and not remembered by name.
inline constexpr std::size_t conflicts_max = 10'000;
// So long a conflict is a reason against being ready, when nobody acknowledges it.
inline constexpr std::chrono::hours conflict_stands{24};
// Conflicts that the tenants' logs tell of are forgotten after that.
inline constexpr std::chrono::days conflict_kept{30};
// The next epoch begins no earlier than so long after the last one: whoever takes keys again and again must not cost
// every tenant a chain for each segment.
inline constexpr std::chrono::minutes epoch_pause{1};

// A segment that the store refuses for what it is, or that its disk has damaged.
struct AsideSegment {
    std::string key;
    std::string tenant;
    std::uint64_t size = 0;
    Timestamp added{};
    std::string reason;    // a sentence
    bool damaged = false;  // not offered again before the next start
};
// A segment that stands aside is offered again after that.
inline constexpr std::chrono::hours aside_pause{1};
inline constexpr std::size_t aside_listed_max = 1'000;
inline constexpr std::size_t aside_reason_bytes_max = 1'000;

struct AsideTotals {
    std::size_t refused = 0, damaged = 0;  // segments
    std::size_t unnamed = 0;               // files of a state that was lost
    std::uint64_t bytes = 0;               // of all of them
    std::string last_reason;               // of a refusal; empty when nothing is refused

    bool operator==(const AsideTotals&) const = default;
};

// The end of a chain as the state had it at the start.
struct HeadAtStart {
    std::string epoch;
    std::uint64_t sequence = 0;
    Timestamp moved{};  // when it was sealed; 0 where an older Boatswain did not note it
};
// Of so many chains, those that moved last.
inline constexpr std::size_t heads_at_start_max = 20'000;

}  // namespace boatswain::spool
