#include "query/filter_text.h"

#include <gtest/gtest.h>

#include "query/filter_for_test.h"

namespace boatswain::query {
namespace {

using namespace testing;

TEST(TextFilter, FindsBytesAnywhereInALine) {
    using namespace std::string_view_literals;
    EXPECT_EQ(ask(*line_has("wor"), line_of("hello world")), Match::all);
    EXPECT_EQ(ask(*line_has("World"), line_of("hello world")), Match::none);
    EXPECT_EQ(ask(*line_has(""), line_of("")), Match::all);
    EXPECT_EQ(ask(*line_has("b"), line_of("a\0b"sv)), Match::all);
    EXPECT_EQ(ask(*line_has("\xff"), line_of("a\xff")), Match::all);
}

TEST(TextFilter, FindsARegularExpressionAnywhereInALine) {
    EXPECT_EQ(ask(*line_matches("o w?").value(), line_of("hello world")), Match::all);
    EXPECT_EQ(ask(*line_matches("^world").value(), line_of("hello world")), Match::none);
    EXPECT_EQ(ask(*line_matches("(?i)HELLO").value(), line_of("hello world")), Match::all);
    EXPECT_EQ(ask(*line_matches("(?<greeting>hello)").value(), line_of("hello")), Match::all) << "Go's named groups";
}

TEST(TextFilter, RefusesWhatIsNoRegularExpression) {
    for (const auto* bad : {"(", "[", "a**", "\\C", "x{1001}", "(?<a>x)(?<a>y)"})
        EXPECT_FALSE(line_matches(bad)) << bad;
    EXPECT_FALSE(line_matches(std::string(20'000, 'a')));
}

TEST(TextFilter, TakesEveryGap) { EXPECT_EQ(ask(*line_has("x"), Gap{}), Match::some); }

}  // namespace
}  // namespace boatswain::query
