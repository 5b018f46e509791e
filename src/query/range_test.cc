#include "query/range.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "segment/object_key.h"

namespace boatswain::query {
namespace {

const Timestamp now = *parse_time("2026-11-23T10:20:30.5Z");

std::string moment(std::string_view text) {
    auto time = parse_moment(text, now);
    return time ? to_text(*time) : "refused";
}

TEST(Range, ReadsHowLongAgoSomethingWas) {
    EXPECT_EQ(moment("1h"), "2026-11-23T09:20:30.500000000Z");
    EXPECT_EQ(moment("2d"), "2026-11-21T10:20:30.500000000Z");
    EXPECT_EQ(moment("1h30m"), "2026-11-23T08:50:30.500000000Z");
}

TEST(Range, ReadsTimesAsPeopleShortenThem) {
    EXPECT_EQ(moment("now"), "2026-11-23T10:20:30.500000000Z");
    EXPECT_EQ(moment("today"), "2026-11-23T00:00:00.000000000Z");
    EXPECT_EQ(moment("yesterday"), "2026-11-22T00:00:00.000000000Z");
    EXPECT_EQ(moment("2026-11-22"), "2026-11-22T00:00:00.000000000Z");
    EXPECT_EQ(moment("2026-11-22 10:00"), "2026-11-22T10:00:00.000000000Z");
    EXPECT_EQ(moment("2026-11-22 10:00:05.25"), "2026-11-22T10:00:05.250000000Z");
    EXPECT_EQ(moment("2026-11-22T10:00"), "2026-11-22T10:00:00.000000000Z");
    EXPECT_EQ(moment("2026-11-22T10:00:00.123456789Z"), "2026-11-22T10:00:00.123456789Z");
    EXPECT_EQ(moment("2026-11-22T10:00:00+01:00"), "2026-11-22T09:00:00.000000000Z");
}

TEST(Range, RefusesWhatIsNoTimeAndShowsTheForms) {
    for (auto text : {"", "soon", "25:00", "2026-13-01", "2026-11-23 25:00", "1", "h", "-1h", "2026-11-23 10"})
        EXPECT_EQ(moment(text), "refused") << text;
    EXPECT_THAT(parse_moment("soon\n", now).error().what,
                ::testing::HasSubstr("\"soon\\x0a\" is not a time: write how long ago"));
}

TEST(Range, RefusesAStretchInWhichNothingCanLie) {
    EXPECT_FALSE(parse_range("1h", "2h", now));
    EXPECT_FALSE(parse_range("today", "today", now));
    EXPECT_TRUE(parse_range("2h", "1h", now));
    EXPECT_EQ(*parse_range(std::nullopt, std::nullopt, now), TimeRange{});
}

TEST(Range, HoldsItsBeginningAndNotItsEnd) {
    auto range = *parse_range("2h", "1h", now);
    EXPECT_TRUE(range.contains(now - std::chrono::hours{2}));
    EXPECT_FALSE(range.contains(now - std::chrono::hours{1}));
}

// Whatever hour a batch may have begun with when it took a line of the range, that hour is looked into.
TEST(Range, LooksIntoEveryHourWhoseSegmentsMayHoldALineOfIt) {
    using std::chrono::hours;
    for (int since = 0; since < 300; since += 7)
        for (int length = 1; length < 200; length += 13) {
            TimeRange range{now + std::chrono::minutes{since}, now + std::chrono::minutes{since + length}};
            auto span = hours_of(range);
            for (auto line : {range.since, range.until - Nanoseconds{1}}) {
                auto line_hour = std::chrono::floor<hours>(line);
                for (auto begun = line_hour - segment::segment_span_max; begun <= line_hour; begun += hours{1}) {
                    EXPECT_GE(Timestamp{begun}, span.first);
                    EXPECT_LE(Timestamp{begun}, span.last);
                }
            }
        }
}

TEST(Range, SurvivesTheEndsOfTime) {
    auto span = hours_of(TimeRange{});
    EXPECT_LE(span.first, *parse_time("1678-01-01T00:00:00Z"));
    EXPECT_GE(span.last, *parse_time("2262-04-11T23:00:00Z"));
    EXPECT_TRUE(parse_moment("100000d", now));
}

}  // namespace
}  // namespace boatswain::query
