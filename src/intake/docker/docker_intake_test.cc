#include "intake/docker/docker_intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boatswain::intake::docker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

TEST(DockerHealth, AnEngineThatIsNotFollowedIsATrouble) {
    auto health = health_of({.trouble = "connect: refused"}, {}, {"read log files"});
    EXPECT_FALSE(health.follows);
    EXPECT_THAT(health.troubles, ElementsAre("the engine is not followed: connect: refused"));
    EXPECT_EQ(health.state, "not followed: connect: refused");
    EXPECT_THAT(health.ended_tasks, ElementsAre("read log files"));
    EXPECT_THAT(health_of({.connected = true, .other_engine = "another answers"}, {}, {}).troubles,
                ElementsAre("another answers"));
}

TEST(DockerHealth, ASocketThatLeadsNowhereForGoodIsAReasonToStartAgain) {
    EngineState state{.trouble = "mount the socket's directory", .stale_for = stale_socket_after};
    EXPECT_THAT(health_of(state, {}, {}).restart_helps, IsEmpty());
    state.stale_for += 1s;
    EXPECT_THAT(health_of(state, {}, {}).restart_helps, ElementsAre(HasSubstr("mount the socket's directory")));
}

TEST(DockerHealth, AContainersDirectoryThatIsNotSeenIsTold) {
    EngineState state{.connected = true, .directory_trouble = "open /x/containers: No such file or directory"};
    auto health = health_of(state, {}, {});
    EXPECT_THAT(health.troubles, IsEmpty()) << "lines are read through the engine";
    EXPECT_EQ(health.detail.at("containers_directory"), state.directory_trouble);
    EXPECT_THAT(health.restart_helps, IsEmpty());
    state.directory_too_late = true;
    EXPECT_THAT(health_of(state, {}, {}).restart_helps, ElementsAre(state.directory_trouble));
}

}  // namespace
}  // namespace boatswain::intake::docker
