#include "base/text.h"

#include <gtest/gtest.h>

namespace boatswain {
namespace {

TEST(Text, TrimsBlanksOrWhatItIsTold) {
    EXPECT_EQ(trim(" \t a b\r\n"), "a b");
    EXPECT_EQ(trim(" \n "), "");
    EXPECT_EQ(trim(""), "");
    EXPECT_EQ(trim("\"a'", "\"'"), "a");
    EXPECT_EQ(trim("\na", " \t"), "\na");
}

TEST(Text, ComparesLettersInEitherCase) {
    EXPECT_EQ(lower_case("AzZ@[\xC3\x84"), "azz@[\xC3\x84");
    EXPECT_TRUE(equal_in_any_case("BeaRer", "bearer"));
    EXPECT_FALSE(equal_in_any_case("bearer", "bearer "));
    EXPECT_FALSE(equal_in_any_case("@", "`"));
    EXPECT_TRUE(starts_in_any_case("Bearer x", "bearer "));
    EXPECT_FALSE(starts_in_any_case("Bear", "bearer "));
}

TEST(Text, KnowsLettersAndDigits) {
    for (int c = 0; c < 256; ++c) {
        auto is = std::string_view{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"}.contains(
            static_cast<char>(c));
        EXPECT_EQ(is_letter_or_digit(static_cast<char>(c)), is) << c;
    }
    EXPECT_EQ(hex_value('f'), 15);
    EXPECT_EQ(hex_value('A'), 10);
    EXPECT_EQ(hex_value('g'), -1);
}

TEST(Text, CountsInTheSingularAndPlural) {
    EXPECT_EQ(counted(0, "line"), "0 lines");
    EXPECT_EQ(counted(1, "line"), "1 line");
    EXPECT_EQ(counted(1234, "line"), "1234 lines");
}

// Source: the vectors of the FNV reference code (isthe.com).
TEST(Text, HashesAsFnv1aDoes) {
    EXPECT_EQ(fnv1a(""), 0xcbf29ce484222325U);
    EXPECT_EQ(fnv1a("a"), 0xaf63dc4c8601ec8cU);
    EXPECT_EQ(fnv1a("foobar"), 0x85944171f73967e8U);
    EXPECT_EQ(fnv1a("bar", fnv1a("foo")), fnv1a("foobar"));
}

}  // namespace
}  // namespace boatswain
