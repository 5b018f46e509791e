#include "logql/units.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace boatswain::logql {
namespace {

TEST(Units, ReadDurationsOfPrometheusAndOfGo) {
    EXPECT_EQ(parse_range_duration("1h30m"), 5.4e12);
    EXPECT_EQ(parse_range_duration("2d"), 172'800e9);
    EXPECT_EQ(parse_range_duration("0"), 0);
    for (const auto* bad : {"", "5", "1.5h", "30m1h", "5m5m", "h", "-5m", "5x"})
        EXPECT_FALSE(parse_range_duration(bad)) << bad;
    EXPECT_EQ(parse_duration("1.5s"), 1.5e9);
    EXPECT_EQ(parse_duration("-250ms"), -2.5e8);
    EXPECT_EQ(parse_duration("1h15m30.5s"), 4530.5e9);
    EXPECT_EQ(parse_duration("3\xc2\xb5s"), 3000);
    EXPECT_FALSE(parse_duration("fast"));
}

TEST(Units, ReadSizesInThousandsAnd1024s) {
    EXPECT_EQ(parse_bytes("20KB"), 20'000);
    EXPECT_EQ(parse_bytes("1.5KiB"), 1536);
    EXPECT_EQ(parse_bytes("7"), 7);
    EXPECT_EQ(parse_bytes("2 MB"), 2e6);
    EXPECT_EQ(parse_bytes("1kB"), 1000);
    for (const auto* bad : {"kb", "5kb", "KB", "5KX", "-5KB", ""}) EXPECT_FALSE(parse_bytes(bad)) << bad;
}

TEST(Units, ReadNumbersInDecimalAlone) {
    EXPECT_EQ(parse_number("-3.5e2"), -350);
    EXPECT_TRUE(std::isinf(parse_number("+Inf").value()));
    EXPECT_TRUE(std::isnan(parse_number("NaN").value()));
    for (const auto* bad : {"", "0x10", "1 ", "--1", "1e", "e1"}) EXPECT_FALSE(parse_number(bad)) << bad;
}

TEST(Units, PrintNumbersAsLokiDoes) {
    EXPECT_EQ(number_text(6), "6");
    EXPECT_EQ(number_text(0.05), "0.05");
    EXPECT_EQ(number_text(-std::numeric_limits<double>::infinity()), "-Inf");
}

}  // namespace
}  // namespace boatswain::logql
