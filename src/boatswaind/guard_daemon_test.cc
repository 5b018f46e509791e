#include "boatswaind/guard_daemon.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boatswain::boatswaind {
namespace {

TEST(CheckGuard, NamesAUserOrAGroupThatIsNotThere) {
    config::Config config;
    config.guard.allow_uid = {"root", "4242"};
    config.guard.group = "root";
    EXPECT_TRUE(check_guard(config));
    config.guard.allow_uid = {"no-such-user-here"};
    auto refused = check_guard(config);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().remedy, Remedy::stop);
    EXPECT_EQ(refused.error().what, "guard.allow_uid: there is no user \"no-such-user-here\"");
    config.guard.allow_uid = {};
    config.guard.group = "no-such-group-here";
    EXPECT_FALSE(check_guard(config));
}

}  // namespace
}  // namespace boatswain::boatswaind
