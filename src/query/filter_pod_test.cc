#include "query/filter_pod.h"

#include <gtest/gtest.h>

#include "query/filter_for_test.h"

namespace boatswain::query {
namespace {

using namespace testing;

Source pod_source(std::string name, std::string id, std::string kind = "cri") {
    auto made = source("acme", "shop", std::move(name), std::move(id));
    made.kind = std::move(kind);
    return made;
}

TEST(PodContainer, IsReadFromWhatItsIntakeCallsIt) {
    auto cri = pod_source("default/web-0/app", "11111111-2222/app/3");
    auto is = pod_container(cri);
    ASSERT_TRUE(is);
    EXPECT_EQ(is->space, "default");
    EXPECT_EQ(is->pod, "web-0");
    EXPECT_EQ(is->container, "app");
    EXPECT_EQ(is->uid, "11111111-2222");
    EXPECT_EQ(is->run, 3U);
    auto docker = pod_source("k8s_app_web-0_default_11111111-2222_3", std::string(64, 'a'), "docker");
    is = pod_container(docker);
    ASSERT_TRUE(is);
    EXPECT_EQ(is->space, "default");
    EXPECT_EQ(is->pod, "web-0");
    EXPECT_EQ(is->container, "app");
    EXPECT_EQ(is->run, 3U);
}

TEST(PodContainer, IsNothingForWhateverIsCalledOtherwise) {
    for (const auto* name : {"default/web-0", "default/web-0/app/x", "default//app", "/web-0/app", ""})
        EXPECT_FALSE(pod_container(pod_source(name, "u/app/0"))) << name;
    for (const auto* id : {"u/app", "u/app/x", "u/app/0/1", "", "u/app/99999999999"})
        EXPECT_FALSE(pod_container(pod_source("a/b/c", id))) << id;
    for (const auto* name : {"web-1", "k8s_app_web-0_default_uid", "k8x_app_web-0_default_uid_0", "k8s_a_b_c_d_e"})
        EXPECT_FALSE(pod_container(pod_source(name, "abcd", "docker"))) << name;
}

TEST(PodFilter, TakesNamespacePodAndContainer) {
    auto web = pod_source("default/web-0/app", "11111111-2222/app/3");
    EXPECT_EQ(ask(*pod_is({.space = "default", .pod = {}, .containers = {}}), web), Match::all);
    EXPECT_EQ(ask(*pod_is({.space = {}, .pod = "web-0", .containers = {"db", "app"}}), web), Match::all);
    EXPECT_EQ(ask(*pod_is({.space = {}, .pod = {}, .containers = {"default/web-0/app"}}), web), Match::all);
    EXPECT_EQ(ask(*pod_is({.space = "kube", .pod = "web-0", .containers = {}}), web), Match::none);
    EXPECT_EQ(ask(*pod_is({.space = "default", .pod = "web", .containers = {}}), web), Match::none);
    EXPECT_EQ(ask(*pod_is({.space = "default", .pod = {}, .containers = {"db"}}), web), Match::none);
    EXPECT_EQ(ask(*pod_is({}), some_source()), Match::none) << "no pod's";
}

TEST(SourceFilter, TakesWholeIds) {
    auto web = pod_source("default/web-0/app", "11111111-2222/app/3");
    EXPECT_EQ(ask(*source_is_one_of({"z", "11111111-2222/app/3", "a"}), web), Match::all);
    EXPECT_EQ(ask(*source_is_one_of({"11111111-2222/app"}), web), Match::none);
}

}  // namespace
}  // namespace boatswain::query
