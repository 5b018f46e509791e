#include "boatswain/line_level.h"

#include <gtest/gtest.h>

#include <string>

namespace boatswain::tool {
namespace {

TEST(LineLevels, AreReadOutOfTheWaysInWhichProgramsSayThem) {
    EXPECT_EQ(level_of("2026-11-23 10:00:00 ERROR no stock"), LineLevel::error);
    EXPECT_EQ(level_of("time=10:00 level=warn msg=\"slow\""), LineLevel::warning);
    EXPECT_EQ(level_of(R"({"ts":1,"level":"debug","msg":"x"})"), LineLevel::debug);
    EXPECT_EQ(level_of("[info] started"), LineLevel::info);
    EXPECT_EQ(level_of("panic: runtime error: index out of range"), LineLevel::error);
    EXPECT_EQ(level_of("INFO handled the error"), LineLevel::info) << "the first one";
}

TEST(LineLevels, AreNotReadOutOfOtherWords) {
    EXPECT_EQ(level_of("information about errors, warned_of"), LineLevel::unknown);
    EXPECT_EQ(level_of("errors.go:12 terror"), LineLevel::unknown);
    EXPECT_EQ(level_of(""), LineLevel::unknown);
    EXPECT_EQ(level_of(std::string(line_level_bytes_max, ' ') + "ERROR"), LineLevel::unknown);
}

}  // namespace
}  // namespace boatswain::tool
