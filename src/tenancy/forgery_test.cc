// Containers of a Mesos agent that tell the truth, and such that do not.
#include "tenancy/forgery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tenancy/rules.h"

namespace boatswain::tenancy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr auto container_id = "2f9a0c55-7b1e-4f0e-a1b7-93f0c2d4e6a8";
constexpr auto uuid = "5f0c9a1e-1234-11ee-8c99-0242ac120002";

std::string sandbox_of(const std::string& executor) {
    return "/var/lib/mesos/slaves/8e0d-S1/frameworks/8e0d-0000/executors/" + executor + "/runs/" + container_id;
}

SourceFacts task(const std::string& executor, std::map<std::string, std::string> environment,
                 std::map<std::string, std::string> labels = {}) {
    SourceFacts facts;
    facts.labels = std::move(labels);
    facts.environment = std::move(environment);
    facts.attributes = sandbox_attributes({{sandbox_of(executor), "/mnt/mesos/sandbox"}}, read_link);
    return facts;
}

std::string id_of(const std::string& app, const std::string& kind = "instance-") {
    return app + "." + kind + uuid + (kind == "instance-" ? "._app.1" : "");
}

TEST(Forgery, ATaskThatRepeatsWhatTheAgentSaysIsTrue) {
    for (const auto& kind : {"", "instance-", "marathon-", "instance-marathon-"}) {
        auto executor = id_of("acme_shop_web", kind);
        EXPECT_THAT(forged_claims(task(executor, {{"MARATHON_APP_ID", "/acme/shop/web"}, {"MESOS_TASK_ID", executor}},
                                       {{"MESOS_TASK_ID", executor}})),
                    IsEmpty())
            << kind;
    }
    EXPECT_THAT(forged_claims(task(id_of("acme.eu_web"), {{"MARATHON_APP_ID", "/acme.eu/web"}})), IsEmpty());
    EXPECT_THAT(forged_claims(task("anything", {})), IsEmpty()) << "what claims nothing does not lie";
}

TEST(Forgery, AnExecutorOfMarathonsOwnIsNamedForItsTask) {
    auto id = id_of("acme_web", "");
    EXPECT_THAT(forged_claims(task("marathon-" + id, {{"MESOS_TASK_ID", id},
                                                      {"MESOS_EXECUTOR_ID", "marathon-" + id},
                                                      {"MESOS_FRAMEWORK_ID", "8e0d-0000"},
                                                      {"MESOS_SLAVE_ID", "8e0d-S1"},
                                                      {"MARATHON_APP_ID", "/acme/web"}})),
                IsEmpty());
}

TEST(Forgery, EveryClaimThatContradictsTheSandboxIsNamed) {
    auto executor = id_of("acme_shop_web");
    EXPECT_THAT(forged_claims(task(executor, {{"MARATHON_APP_ID", "/globex/shop/web"}})),
                ElementsAre("env MARATHON_APP_ID"));
    EXPECT_THAT(forged_claims(task(executor, {{"MESOS_TASK_ID", id_of("globex_shop_web")}})),
                ElementsAre("env MESOS_TASK_ID"));
    EXPECT_THAT(forged_claims(task(executor, {}, {{"MESOS_TASK_ID", id_of("globex_shop_web")}})),
                ElementsAre("label MESOS_TASK_ID"));
    EXPECT_THAT(forged_claims(task(executor, {{"MARATHON_APP_ID", "/globex/a"},
                                              {"MESOS_TASK_ID", "globex_a.1"},
                                              {"MESOS_FRAMEWORK_ID", "other"},
                                              {"MESOS_SLAVE_ID", "other"},
                                              {"MESOS_EXECUTOR_ID", "other"}})),
                UnorderedElementsAre("env MARATHON_APP_ID", "env MESOS_TASK_ID", "env MESOS_FRAMEWORK_ID",
                                     "env MESOS_SLAVE_ID", "env MESOS_EXECUTOR_ID"));
}

TEST(Forgery, AnAppThatOnlyLooksAlikeIsNotTheTasks) {
    auto executor = id_of("acme_shop_web");
    for (const auto* app : {"/acme/shop", "/acme/shop/web/x", "/acme/shop/we", "/acme_shop/web2", "", "/",
                            "acme.shop.web", "/acme/shop/web.instance-"})
        EXPECT_FALSE(is_task_of(executor, app)) << app;
    for (const auto* app : {"/acme/shop/web", "acme/shop/web", "/acme/shop/web/"})
        EXPECT_TRUE(is_task_of(executor, app));
    // "web.prod" in acme/shop and "prod" do not pass for each other: what follows the app's name is a uuid.
    EXPECT_FALSE(is_task_of(id_of("acme_shop_web.prod"), "/acme/shop/web"));
    EXPECT_FALSE(is_task_of("acme_shop_web.not-a-uuid", "/acme/shop/web"));
}

TEST(Forgery, WithoutASandboxNothingCanBeContradicted) {
    SourceFacts facts;
    facts.environment = {{"MARATHON_APP_ID", "/acme/shop/web"}};
    EXPECT_THAT(forged_claims(facts), IsEmpty());
}

TEST(Forgery, IgnoringClaimsLeavesWhatIsNone) {
    auto facts = ignore_claims(task("t",
                                    {{"MARATHON_APP_ID", "/a"},
                                     {"MARATHON_APP_LABEL_TENANT", "b"},
                                     {"MESOS_TASK_ID", "c"},
                                     {"BOATSWAIN_APP", "kept"}},
                                    {{"MESOS_TASK_ID", "c"}, {"team", "kept"}}));
    EXPECT_THAT(facts.environment, ElementsAre(Pair("BOATSWAIN_APP", "kept")));
    EXPECT_THAT(facts.labels, ElementsAre(Pair("team", "kept")));
    EXPECT_TRUE(tenancy::sandbox_of(facts.attributes));
}

TEST(Forgery, LooksAtNoVariableThatCouldBeASecret) {
    for (const auto* key : {"MARATHON_APP_ID", "MESOS_TASK_ID", "MESOS_SLAVE_ID"}) EXPECT_TRUE(is_claim(key)) << key;
    for (const auto* key : {"MARATHON_APP_LABEL_TOKEN", "MESOS_AUTHENTICATION_TOKEN", "PASSWORD", ""})
        EXPECT_FALSE(is_claim(key)) << key;
}

// ---- The link that the agent binds where its path holds a ':' ----

using Mounts = std::vector<std::pair<std::string, std::string>>;
constexpr auto link = "/var/lib/mesos/slaves/8e0d-S1/docker/links/2f9a0c55-7b1e-4f0e-a1b7-93f0c2d4e6a8";

Mounts followed(const std::string& source, const std::optional<std::string>& target) {
    Mounts mounts{{"/etc", "/etc"}, {source, "/mnt/mesos/sandbox"}};
    follow_sandbox_link(mounts, [&](const std::string& path) { return path == link ? target : std::nullopt; });
    return mounts;
}

TEST(SandboxLink, GivesWayToWhatItPointsTo) {
    auto target = sandbox_of("ct:1479:0:nightly:");
    auto found = find_mesos_sandbox(followed(link, target));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->executor, "ct:1479:0:nightly:");
    EXPECT_EQ(find_mesos_sandbox(followed(std::string{link} + "/", target)), found);
}

TEST(SandboxLink, IsNotFollowedToAnotherContainerOrAgent) {
    for (const auto& target :
         {std::string{"/etc"}, std::string{"relative"}, std::string{},
          std::string{"/var/lib/mesos/slaves/8e0d-S2/frameworks/f/executors/e/runs/"} + container_id,
          std::string{"/var/lib/mesos/slaves/8e0d-S1/frameworks/f/executors/e/runs/another"}})
        EXPECT_FALSE(find_mesos_sandbox(followed(link, target))) << target;
    EXPECT_FALSE(find_mesos_sandbox(followed(link, std::nullopt)));
    EXPECT_EQ(followed("/a/docker/links/x/y", "/etc")[1].first, "/a/docker/links/x/y");
}

TEST(KeptLabels, HaveTheSandboxsIdsWhereTheyAreAskedForAndNobodyElsesInTheirPlace) {
    auto facts = task(id_of("acme_web"), {}, {{"mesos:agent", "forged"}, {"mesos:extra", "forged"}, {"team", "blue"}});
    auto rules = parse_rules({.labels = {"mesos"}}).value();
    EXPECT_THAT(kept_labels(rules, facts),
                UnorderedElementsAre(Pair("mesos:task", id_of("acme_web")), Pair("mesos:agent", "8e0d-S1"),
                                     Pair("mesos:framework", "8e0d-0000"), Pair("mesos:container", container_id)));
    rules = parse_rules({.labels = {"team", "mesos:framework"}}).value();
    EXPECT_THAT(kept_labels(rules, facts),
                UnorderedElementsAre(Pair("mesos:framework", "8e0d-0000"), Pair("team", "blue")));
    facts.attributes.clear();
    EXPECT_THAT(kept_labels(rules, facts), UnorderedElementsAre(Pair("team", "blue")));
}

}  // namespace
}  // namespace boatswain::tenancy
