#include "base/time.h"

#include <gtest/gtest.h>

namespace boatswain {
namespace {

using namespace std::chrono_literals;

TEST(Time, IsWrittenWithNineDigitsAndReadBack) {
    auto time = Timestamp{1'795'341'600'123'456'789ns};
    EXPECT_EQ(to_text(time), "2026-11-22T10:00:00.123456789Z");
    EXPECT_EQ(parse_time("2026-11-22T10:00:00.123456789Z"), time);
}

TEST(Time, ReadsTrimmedFractionsAndOffsets) {
    EXPECT_EQ(to_text(*parse_time("2026-11-22T10:00:00.7017737Z")), "2026-11-22T10:00:00.701773700Z");
    EXPECT_EQ(to_text(*parse_time("2026-11-22T10:00:00Z")), "2026-11-22T10:00:00.000000000Z");
    EXPECT_EQ(to_text(*parse_time("2026-11-22T10:00:00+02:00")), "2026-11-22T08:00:00.000000000Z");
}

TEST(Time, RefusesWhatIsNoTime) {
    for (auto text : {"", "2026-11-22", "2026-13-22T10:00:00Z", "2026-02-30T10:00:00Z", "2026-11-22T10:00:00",
                      "2026-11-22T10:00:00.Z", "2026-11-22T10:00:00Zx", "0001-01-01T00:00:00Z",
                      "2026-11-22T10:00:00+2:00", "2026-11-22T25:00:00Z"})
        EXPECT_FALSE(parse_time(text)) << text;
}

TEST(Duration, IsASumOfUnits) {
    EXPECT_EQ(parse_duration("1h30m"), 90min);
    EXPECT_EQ(parse_duration("250ms"), 250ms);
    EXPECT_EQ(parse_duration("2d"), 48h);
    EXPECT_EQ(to_text(Nanoseconds{90s}), "1m30s");
    for (auto text : {"", "10", "h", "1x", "-1s", "99999999999999999999s", "1000000000000d"})
        EXPECT_FALSE(parse_duration(text)) << text;
}

}  // namespace
}  // namespace boatswain
