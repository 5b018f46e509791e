// A gap: a named loss, kept in the tenant's own log in the place of what is missing.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace boatswain {

// Why something is missing. Metrics show all of them from the start, so that the first gap is seen as a change.
inline constexpr std::array<std::string_view, 9> gap_reasons{"rotated-away", "truncated",          "malformed",
                                                             "unreadable",   "not-attached",       "attach-overflow",
                                                             "unsealed",     "removed-while-away", "state-lost"};

struct Gap {
    Timestamp from{};
    Timestamp to{};
    std::string reason;           // one word with dashes: one of gap_reasons
    std::uint64_t lines_min = 0;  // at least so many lines are missing (0: not known)
    std::uint64_t bytes_min = 0;  // at least so many bytes are missing (0: not known)
};

// Lines that were taken and then could not be sealed: the source's ordinals go on behind them.
inline constexpr const char* gap_unsealed = "unsealed";
// The container was there when the agent ended, and was removed before the agent came back: what it printed in between.
inline constexpr const char* gap_removed_while_away = "removed-while-away";
// The agent's own state could not be read: what follows may have been stored before, in another epoch.
inline constexpr const char* gap_state_lost = "state-lost";

}  // namespace boatswain
