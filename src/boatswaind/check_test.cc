#include "boatswaind/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boatswain::boatswaind {
namespace {

using ::testing::HasSubstr;

TEST(Check, AnAgentWithNothingToReadIsRefused) {
    config::Config config;
    EXPECT_TRUE(check_ways_in(config)) << "a Docker engine";
    config.docker.enabled = false;
    ASSERT_FALSE(check_ways_in(config));
    EXPECT_THAT(check_ways_in(config).error().what, HasSubstr("cri.pods"));
    config.cri.pods = "/var/log/pods";
    EXPECT_TRUE(check_ways_in(config));
    config.cri.tasks = "/run/containerd/tasks";
    ASSERT_FALSE(check_ways_in(config));
    EXPECT_THAT(check_ways_in(config).error().what, HasSubstr("cri.tasks needs tenancy.trust_image"));
    config.tenancy.trust_image = true;
    EXPECT_TRUE(check_ways_in(config));
    config.driver.enabled = true;
    EXPECT_THAT(check_ways_in(config).error().what, HasSubstr("driver.enabled"));
}

}  // namespace
}  // namespace boatswain::boatswaind
