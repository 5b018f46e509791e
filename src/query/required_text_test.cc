#include "query/required_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boatswain::query {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(RequiredText, OneTextThatEveryMatchHolds) {
    EXPECT_EQ(RequiredText::of("user=.*Timeout").literal(), "timeout");
    EXPECT_THAT(RequiredText::of("user=.*Timeout").literals(), IsEmpty()) << "one is better than several";
    EXPECT_EQ(RequiredText::of("timeout|refused").literal(), "");
}

TEST(RequiredText, AFewOfWhichEveryMatchHoldsOne) {
    EXPECT_THAT(RequiredText::of("timeout|refused").literals(), UnorderedElementsAre("timeout", "refused"));
    EXPECT_THAT(RequiredText::of("(?i)(error|fatal): [0-9]+").literals(), UnorderedElementsAre("error: ", "fatal: "));
    EXPECT_THAT(RequiredText::of("(GET|POST) /[a-z]+|user=[0-9]+ .*(timeout|refused)").literals(),
                UnorderedElementsAre("get /", "post /", "user="))
        << "the fewest: three, where others are four";
}

// Too short for a gram, and long enough to find lines by.
TEST(RequiredText, ShortOnesCountToo) {
    EXPECT_EQ(RequiredText::of("a.*fail").literal(), "fail");
    EXPECT_THAT(RequiredText::of("warn|fail").literals(), UnorderedElementsAre("warn", "fail"));
}

TEST(RequiredText, WhatMayMatchWithoutThemHasNone) {
    for (const auto* regex : {"timeout|[0-9]+", "(timeout|refused)?", "ab|cd", "[0-9]+", ""})
        EXPECT_THAT(RequiredText::of(regex).literals(), IsEmpty()) << regex;
    EXPECT_THAT(RequiredText::of("alpha|beta|gamma|delta|epsilon|zeta|theta|iota|kappa").literals(), IsEmpty())
        << "more than are looked for";
}

// The sign of kelvin is a k to whom case does not matter, and three bytes.
TEST(RequiredText, LettersThatOnlyUnicodeFoldsAreNotLookedFor) {
    EXPECT_THAT(RequiredText::of("(?i)kernel|panic").literals(), UnorderedElementsAre("ernel", "panic"));
    EXPECT_THAT(RequiredText::of("(?i)skis|panic").literals(), IsEmpty());
}

}  // namespace
}  // namespace boatswain::query
