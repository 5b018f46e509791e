#include "intake/cri/pod_log.h"

#include <gtest/gtest.h>

namespace boatswain::intake::cri {
namespace {

TEST(PodLog, APathSaysWhoseItIs) {
    auto pod = parse_pod("default_web-0_11111111-2222-3333-4444-555555555555");
    ASSERT_TRUE(pod);
    EXPECT_EQ(*pod, (Pod{.space = "default", .name = "web-0", .uid = "11111111-2222-3333-4444-555555555555"}));
    PodLog log{.pod = *pod, .container = "app", .run = 2};
    EXPECT_EQ(log.path("/var/log/pods"), "/var/log/pods/default_web-0_11111111-2222-3333-4444-555555555555/app/2.log");
    EXPECT_EQ(log.id(), "11111111-2222-3333-4444-555555555555/app/2");
    EXPECT_EQ(log.name(), "default/web-0/app");
    EXPECT_EQ(log.facts().labels.at("io.kubernetes.pod.namespace"), "default");
    EXPECT_TRUE(parse_pod("kube-system_etcd-node.example_0123456789abcdef0123456789abcdef")) << "a static pod";
}

TEST(PodLog, OtherDirectoriesAreNoPods) {
    for (const auto* name : {"", "_", "__", "default_web", "default_web-0_", "_web-0_1", "a_b_c_d", "../x_y_1",
                             "Default_web_1", "default_we b_1", "default_.._1"})
        EXPECT_FALSE(parse_pod(name)) << name;
    EXPECT_FALSE(parse_pod(std::string(64, 'a') + "_web_1"));
}

TEST(PodLog, RotatedFilesBelongToTheirRun) {
    EXPECT_EQ(run_of("0.log"), 0U);
    EXPECT_EQ(run_of("12.log.20261129-104753"), 12U);
    EXPECT_EQ(run_of("12.log.20261129-104753.gz"), 12U);
    for (const auto* name : {"", ".log", "log", "03.log", "-1.log", "1.logs", "x.log", "1", "99999999999.log"})
        EXPECT_FALSE(run_of(name)) << name;
    EXPECT_TRUE(is_log("7.log"));
    EXPECT_FALSE(is_log("7.log.20261129-104753"));
    EXPECT_FALSE(is_log("7.log.log"));
}

}  // namespace
}  // namespace boatswain::intake::cri
