#include "base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

namespace boatswain {
namespace {

Result<int> half(int number) {
    if (number % 2 != 0) return fail(Remedy::quarantine, std::to_string(number) + " is odd");
    return number / 2;
}

Result<int> quarter(int number, int& reached) {
    TRY(auto first, half(number));
    ++reached;
    TRY(auto second, half(first));
    ++reached;
    CHECK(half(0));
    return second;
}

TEST(Result, PassesAnErrorOnWhereItIsTried) {
    int reached = 0;
    EXPECT_EQ(*quarter(12, reached), 3);
    EXPECT_EQ(reached, 2);
    reached = 0;
    auto refused = quarter(6, reached);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().what, "3 is odd");
    EXPECT_EQ(refused.error().remedy, Remedy::quarantine);
    EXPECT_EQ(reached, 1) << "nothing after it runs";
}

TEST(Result, CarriesValuesThatOnlyMove) {
    auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(7); };
    auto use = [&]() -> Result<int> {
        TRY(auto owned, make());
        return *owned;
    };
    EXPECT_EQ(*use(), 7);
}

TEST(Error, IsSaidFromFurtherOut) {
    Error error{.remedy = Remedy::back_off,
                .what = "connection refused",
                .cause = std::make_error_code(std::errc::connection_refused)};
    auto said = std::move(error).within("put tenant=acme/x");
    EXPECT_EQ(said.what, "put tenant=acme/x: connection refused");
    EXPECT_EQ(said.remedy, Remedy::back_off);
    EXPECT_EQ(said.cause, std::errc::connection_refused);
}

TEST(Error, MadeOfErrnoHoldsItsSentenceAndCause) {
    errno = ENOSPC;
    Result<void> full = fail_errno(Remedy::back_off, "write x");
    EXPECT_EQ(full.error().what, "write x: No space left on device");
    EXPECT_EQ(full.error().cause, std::errc::no_space_on_device);
}

TEST(Remedy, HasAWordForEach) {
    using enum Remedy;
    EXPECT_EQ(to_string(retry), "retry");
    EXPECT_EQ(to_string(back_off), "back_off");
    EXPECT_EQ(to_string(re_resolve), "re_resolve");
    EXPECT_EQ(to_string(quarantine), "quarantine");
    EXPECT_EQ(to_string(stop), "stop");
}

}  // namespace
}  // namespace boatswain
