#include <gtest/gtest.h>

#include "record/position.h"
#include "record/source.h"

namespace boatswain {
namespace {

TEST(TenantId, RefusesNamesThatCouldBePathsOrHideSomething) {
    for (std::string name : {"", "a/b", "..", ".hidden", "a\nb", "_unassigned", "a\\b", "\xff", "a\x7f", "\xC2\x85"})
        EXPECT_FALSE(TenantId::parse(name)) << name;
    auto long_name = TenantId::parse(std::string(10'000, 'x'));
    ASSERT_FALSE(long_name);
    EXPECT_LT(long_name.error().what.size(), 300U);
    EXPECT_NE(long_name.error().what.find("10000 bytes"), std::string::npos);
}

TEST(TenantId, AcceptsOrdinaryAndForeignNames) {
    for (std::string name : {"acme", "Acme Corp.", "a..b", "m\xC3\xBCller", "x@y"})
        EXPECT_TRUE(TenantId::parse(name)) << name;
}

TEST(Position, SurvivesItsTextForm) {
    for (Position position :
         {Position{NoPosition{}}, Position{FilePosition{1, 2, ~0ULL, 4, 5}},
          Position{FilePosition{1, 2, 3, 4, 5, Timestamp{Nanoseconds{6}}, Timestamp{}, Timestamp{Nanoseconds{6}}}},
          Position{TimePosition{Timestamp{Nanoseconds{5}}, Timestamp{Nanoseconds{-6}}}},
          Position{TimePosition{.out = Timestamp{Nanoseconds{5}},
                                .err = Timestamp{Nanoseconds{-6}},
                                .mark_time = Timestamp{Nanoseconds{4}},
                                .mark = ~0ULL,
                                .after = 3,
                                .newest = Timestamp{Nanoseconds{9}}}},
          Position{TimePosition{.mark = 2, .before = ~0ULL, .past = 7}},
          Position{TimePosition{.mark = 2, .gap_told = true}}, Position{TimePosition{.gap_told = true}}})
        EXPECT_EQ(parse_position(to_text(position)), position);
    for (auto text : {"", "file 1 2 3", "file 1 2 3 4", "file 1 2 3 4 x", "file 1 2 3 4 5 6", "file 1 2 3 4 5 6 7",
                      "file 1 2 3 4 5 6 7 x", "time 1", "time 1 2 3 4 5 x", "time 1 2 3 4 5 6 7",
                      "time 1 2 3 4 5 6 7 8 2", "time 1 2 3", "none none", "file -1 2 3 4"})
        EXPECT_FALSE(parse_position(text)) << text;
}

}  // namespace
}  // namespace boatswain
