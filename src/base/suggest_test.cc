#include "base/suggest.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace boatswain {
namespace {

using namespace std::string_view_literals;
constexpr std::array known{"env"sv, "label"sv, "name"sv, "flush_after"sv, "flush_bytes"sv};

TEST(Suggest, FindsLettersSwappedLeftOutAddedAndReplaced) {
    EXPECT_EQ(closest("evn", known), "env");
    EXPECT_EQ(closest("lable", known), "label");
    EXPECT_EQ(closest("nam", known), "name");
    EXPECT_EQ(closest("flush_aftr", known), "flush_after");
    EXPECT_EQ(closest("flush_byttes", known), "flush_bytes");
    EXPECT_EQ(closest("ENV", known), "env");
}

TEST(Suggest, SaysNothingWhenNothingIsNear) {
    EXPECT_EQ(closest("colour", known), std::nullopt);
    EXPECT_EQ(closest("", known), std::nullopt);
    EXPECT_EQ(closest(std::string(10'000, 'e'), known), std::nullopt);
}

TEST(Suggest, TakesTheNearestOfSeveral) {
    constexpr std::array names{"flush_bytess"sv, "flush_bytes"sv, "flush_byte"sv};
    EXPECT_EQ(closest("flush_bytes", names), "flush_bytes");
}

}  // namespace
}  // namespace boatswain
