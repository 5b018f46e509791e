// The stretch of time that a question is about, and which hours of the store can hold its lines.
//
// A segment's key names the hour of its earliest record, and promises that no record lies beyond the end of that hour
// plus segment::segment_span_max (segment/object_key.h). So a line of hour L is in a segment of an hour within [L -
// segment_span_max, L], and a question about [since, until) is answered completely by the hours
//
//   [cut to hour(since) - segment_span_max, cut to hour(until)]
//
// and by those spanning segments, which promise no end, whose hour is not after `until`. Which of all these really hold
// matching lines, their footers say exactly.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace boatswain::query {

// Lines whose time is at or after `since` and before `until`.
struct TimeRange {
    Timestamp since = Timestamp::min();
    Timestamp until = Timestamp::max();

    bool contains(Timestamp time) const { return time >= since && time < until; }
    // Whether a stretch with both ends included shares a moment with the range.
    bool touches(Timestamp first, Timestamp last) const { return first < until && last >= since; }
    bool operator==(const TimeRange&) const = default;
};

// A moment as people write it. All times are UTC. One of
//   "90s", "1h", "2d", "1h30m"       so long before `now`
//   "now", "today", "yesterday"      the last two: midnight, when that day began
//   "2026-11-23"                     midnight
//   "2026-11-23 10:00[:05[.5]]"      also with 'T' in the middle
//   RFC 3339                         "2026-11-23T10:00:00.5+01:00"
// Remedy::stop with a sentence that shows the forms for anything else.
Result<Timestamp> parse_moment(std::string_view text, Timestamp now);

// Both absent: all of time. Remedy::stop when nothing can lie between the two.
Result<TimeRange> parse_range(const std::optional<std::string_view>& since,
                              const std::optional<std::string_view>& until, Timestamp now);

// The first and last hour (both included, both cut to the hour) whose segments can hold lines of `range`.
struct HourSpan {
    Timestamp first = Timestamp::min();
    Timestamp last = Timestamp::max();
};
HourSpan hours_of(const TimeRange& range);

}  // namespace boatswain::query
