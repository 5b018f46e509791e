#include "query/range.h"

#include <string>

#include "base/bytes.h"
#include "segment/object_key.h"

namespace boatswain::query {

namespace {

using std::chrono::days;
using std::chrono::hours;

// Near the ends of what a Timestamp can hold, arithmetic stays there instead of wrapping around.
Timestamp minus(Timestamp time, Nanoseconds length) {
    return time < Timestamp::min() + length ? Timestamp::min() : time - length;
}
Timestamp cut_to_hour(Timestamp time) {
    return time < Timestamp::min() + hours{1} ? Timestamp::min() : Timestamp{std::chrono::floor<hours>(time)};
}

// "2026-11-23", "2026-11-23 10:00", "2026-11-23T10:00:05.5": what people leave out of RFC 3339 is filled in.
std::optional<Timestamp> parse_shortened(std::string_view text) {
    constexpr std::size_t date_size = 10;
    constexpr std::size_t minute_size = 16;
    std::string full{text};
    if (full.size() > date_size && full[date_size] == ' ') full[date_size] = 'T';
    if (full.size() == date_size) full += "T00:00:00Z";
    if (full.size() == minute_size) full += ":00";
    if (auto time = parse_time(full)) return time;
    return parse_time(full + "Z");
}

}  // namespace

Result<Timestamp> parse_moment(std::string_view text, Timestamp now) {
    if (text == "now") return now;
    if (text == "today") return Timestamp{std::chrono::floor<days>(now)};
    if (text == "yesterday") return Timestamp{std::chrono::floor<days>(now) - days{1}};
    if (auto length = parse_duration(text)) return minus(now, *length);
    if (auto time = parse_shortened(text)) return *time;
    return fail(Remedy::stop,
                "\"" + printable(text, 64) +
                    "\" is not a time: write how long ago (30s, 5m, 1h, 2d), today, yesterday, or a time in "
                    "UTC such as 2026-11-23, \"2026-11-23 10:00\" or 2026-11-23T10:00:00Z");
}

Result<TimeRange> parse_range(const std::optional<std::string_view>& since,
                              const std::optional<std::string_view>& until, Timestamp now) {
    TimeRange range;
    if (since) {
        TRY(range.since, parse_moment(*since, now));
    }
    if (until) {
        TRY(range.until, parse_moment(*until, now));
    }
    if (range.since >= range.until)
        return fail(Remedy::stop, "--since (" + to_text(range.since) + ") is not before --until (" +
                                      to_text(range.until) + "): no line can lie between them");
    return range;
}

HourSpan hours_of(const TimeRange& range) {
    return {.first = minus(cut_to_hour(range.since), segment::segment_span_max), .last = cut_to_hour(range.until)};
}

}  // namespace boatswain::query
