// A gap: a named loss, kept in the tenant's own log in the place of what is missing.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace boatswain {

// Why something is missing: docs/formats/segment.md says it of each.
inline constexpr const char* gap_rotated_away = "rotated-away";
inline constexpr const char* gap_truncated = "truncated";
inline constexpr const char* gap_malformed = "malformed";
inline constexpr const char* gap_too_long = "too-long";
inline constexpr const char* gap_unreadable = "unreadable";
inline constexpr const char* gap_not_attached = "not-attached";
inline constexpr const char* gap_attach_overflow = "attach-overflow";
inline constexpr const char* gap_removed_while_away = "removed-while-away";
inline constexpr const char* gap_removed_unread = "removed-unread";
inline constexpr const char* gap_unsealed = "unsealed";
inline constexpr const char* gap_state_lost = "state-lost";
inline constexpr const char* gap_driver_overflow = "driver-overflow";
inline constexpr const char* gap_torn = "torn";
inline constexpr const char* gap_host_restarted = "host-restarted";
inline constexpr const char* gap_key_taken = "key-taken";
inline constexpr const char* gap_passed_over = "passed-over";

// All of them. Metrics show each from the start, so that the first gap is seen as a change.
inline constexpr std::array<std::string_view, 16> gap_reasons{
    gap_rotated_away,   gap_truncated,      gap_malformed,       gap_too_long,
    gap_unreadable,     gap_not_attached,   gap_attach_overflow, gap_removed_while_away,
    gap_removed_unread, gap_unsealed,       gap_state_lost,      gap_driver_overflow,
    gap_torn,           gap_host_restarted, gap_key_taken,       gap_passed_over};

struct Gap {
    Timestamp from{};
    Timestamp to{};
    std::string reason;           // one word with dashes: one of gap_reasons
    std::uint64_t lines_min = 0;  // at least so many lines are missing (0: not known)
    std::uint64_t bytes_min = 0;  // at least so many bytes are missing (0: not known)
};

}  // namespace boatswain
