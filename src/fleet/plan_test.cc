#include "fleet/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/cluster_for_test.h"

namespace boatswain::fleet {
namespace {

using namespace std::chrono_literals;
using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class PlanTest : public testing::Test {
  protected:
    Plan plan() {
        auto made = make_plan(cluster, history, options, now);
        history = made.history;
        return made;
    }
    // The one action, which must be of this kind.
    template <class Kind>
    Kind only(const Plan& made) {
        EXPECT_THAT(made.actions, SizeIs(1)) << testing::PrintToString(made.notes);
        if (made.actions.size() != 1 || !std::holds_alternative<Kind>(made.actions[0].what)) {
            ADD_FAILURE() << (made.actions.empty() ? "no action" : describe(made.actions[0]));
            return {};
        }
        return std::get<Kind>(made.actions[0].what);
    }
    App& app() { return *cluster.marathon.app; }
    Agent& agent(std::size_t i) { return cluster.mesos.agents.at(i); }

    Cluster cluster = make_cluster({"a", "b", "c", "d"});
    History history;
    Options options;
    Timestamp now = start;
};

TEST_F(PlanTest, DoesNothingWhenEveryEligibleHostHasItsInstance) {
    auto made = plan();
    EXPECT_EQ(made.verdict, Verdict::in_step);
    EXPECT_THAT(made.actions, IsEmpty());
    EXPECT_EQ(made.eligible, 4U);
    EXPECT_EQ(made.covered, 4U);
}

TEST_F(PlanTest, ScalesUpForANewHostAtOnce) {
    cluster.mesos.agents.push_back(make_agent("e"));
    auto scale = only<ScaleTo>(plan());
    EXPECT_EQ(scale.from, 4U);
    EXPECT_EQ(scale.to, 5U);
}

TEST_F(PlanTest, CountsAHostNameOnceHoweverManyAgentsItHas) {
    cluster.mesos.agents.push_back(make_agent("d", "agent-second"));
    EXPECT_THAT(plan().actions, IsEmpty());
}

TEST_F(PlanTest, DoesNotScaleUpForAHostWithoutRoom) {
    cluster.mesos.agents.push_back(make_agent("e"));
    agent(4).used = ResourcesByRole{{"*", {.ports = {{9435, 9435}}}}};
    auto made = plan();
    EXPECT_THAT(made.actions, IsEmpty());
    EXPECT_EQ(made.verdict, Verdict::wait);
    EXPECT_THAT(made.notes, ElementsAre(HasSubstr("e (port 9435 is taken)")));
}

TEST_F(PlanTest, CountsInstancesThatWaitAlreadyBeforeItScalesUp) {
    cluster.mesos.agents.push_back(make_agent("e"));
    app().instances = 5;
    EXPECT_THAT(plan().actions, IsEmpty());
    app().instances = 4;
    cluster.marathon.queue = QueueItem{.count = 1};
    EXPECT_THAT(plan().actions, IsEmpty());
}

TEST_F(PlanTest, WritesNothingWhenMesosListsNoAgents) {
    cluster.mesos.agents.clear();
    auto made = plan();
    EXPECT_EQ(made.verdict, Verdict::wait);
    EXPECT_THAT(made.actions, IsEmpty());
}

TEST_F(PlanTest, WritesNothingWhenMesosKnowsNoneOfTheAgentsThatRunInstances) {
    for (auto& one : cluster.mesos.agents) one.id = "other-" + one.id;
    cluster.mesos.agents.push_back(make_agent("e"));
    auto made = plan();
    EXPECT_EQ(made.verdict, Verdict::wait);
    EXPECT_THAT(made.actions, IsEmpty());
}

TEST_F(PlanTest, RefusesAnAppThatMayBePlacedTwiceOnAHostUnlessForced) {
    cluster.mesos.agents.push_back(make_agent("e"));
    app().constraints.clear();
    EXPECT_EQ(plan().verdict, Verdict::refuse);
    options.force_unique = true;
    EXPECT_EQ(only<ScaleTo>(plan()).to, 5U);
    options.force_unique = false;
    app().constraints = {make_constraint("hostname", "MAX_PER", "1")};
    EXPECT_EQ(only<ScaleTo>(plan()).to, 5U) << "MAX_PER 1 says the same as UNIQUE";
}

TEST_F(PlanTest, RefusesConstraintsThatItCannotEvaluate) {
    app().constraints.push_back(make_constraint("rack", "LIKE", "(?=r)1"));
    auto made = plan();
    EXPECT_EQ(made.verdict, Verdict::refuse);
    EXPECT_THAT(made.notes, ElementsAre(HasSubstr("rack LIKE (?=r)1")));
    app().constraints.back() = make_constraint("rack", "NEAR", "x");
    EXPECT_EQ(plan().verdict, Verdict::refuse);
}

TEST_F(PlanTest, RefusesWhenThereIsNoSuchApp) {
    cluster.marathon.app.reset();
    EXPECT_EQ(plan().verdict, Verdict::refuse);
}

TEST_F(PlanTest, WaitsForAnyDeploymentThatIsMoreThanAScalingOfTheApp) {
    cluster.mesos.agents.push_back(make_agent("e"));
    auto waits = [&](const Deployment& deployment) {
        cluster.marathon.deployments = {deployment};
        auto made = plan();
        EXPECT_THAT(made.actions, IsEmpty());
        return made.verdict == Verdict::wait;
    };
    EXPECT_TRUE(waits(make_deployment("d1", "RestartApplication")));
    auto with_another = make_deployment("d2");
    with_another.actions.push_back({"ScaleApplication", "/other"});
    EXPECT_TRUE(waits(with_another));
    auto with_pod = make_deployment("d3");
    with_pod.has_pods = true;
    EXPECT_TRUE(waits(with_pod));
    EXPECT_TRUE(waits({.id = "d4", .apps = {app().id}})) << "no actions: it says nothing of itself";
}

TEST_F(PlanTest, WaitsForADeploymentThatTheAppNamesAndMarathonDoesNotList) {
    cluster.mesos.agents.push_back(make_agent("e"));
    app().deployments = {"d1"};
    EXPECT_THAT(plan().actions, IsEmpty());
}

TEST_F(PlanTest, MayReplaceAScalingOfTheAppAlone) {
    cluster.mesos.agents.push_back(make_agent("e"));
    cluster.marathon.deployments = {make_deployment("d1")};
    app().deployments = {"d1"};
    EXPECT_THAT(only<ScaleTo>(plan()).over, ElementsAre("d1"));
}

TEST_F(PlanTest, EndsAScalingThatHoldsTheLockForTooLong) {
    app().instances = 6;
    cluster.marathon.deployments = {make_deployment("d1")};
    now = start + options.stuck - 1s;
    EXPECT_THAT(plan().actions, IsEmpty());
    now = start + options.stuck;
    EXPECT_EQ(only<CancelDeployment>(plan()).deployment, "d1");
}

TEST_F(PlanTest, RemovesTheInstanceOfAGoneHostByNameAfterTheHoldTime) {
    lose(cluster, "b");
    auto made = plan();
    EXPECT_THAT(made.actions, IsEmpty());
    EXPECT_EQ(made.verdict, Verdict::wait);
    EXPECT_THAT(made.notes, ElementsAre(HasSubstr("in 15m")));
    now += options.hold - 1s;
    EXPECT_THAT(plan().actions, IsEmpty());
    now += 1s;
    auto remove = only<RemoveInstances>(plan());
    EXPECT_THAT(remove.tasks, ElementsAre("task-b"));
    EXPECT_THAT(remove.hosts, ElementsAre("b"));
}

TEST_F(PlanTest, BeginsTheHoldTimeAnewForAHostThatCameBack) {
    lose(cluster, "b");
    plan();
    now += 14min;
    cluster.mesos.agents.push_back(make_agent("b"));
    app().tasks[1].state = TaskState::running;
    plan();
    lose(cluster, "b");
    now += 14min;
    EXPECT_THAT(plan().actions, IsEmpty());
}

TEST_F(PlanTest, DoesNotLowerTheCountWhileAgentsAreStillComingBackAfterAFailover) {
    lose(cluster, "b");
    plan();
    now += 1h;
    cluster.mesos.agents.erase(cluster.mesos.agents.begin());  // a
    cluster.mesos.recovered = {{"agent-a", "a"}};
    EXPECT_THAT(plan().actions, IsEmpty());
    cluster.mesos.recovered.clear();
    cluster.mesos.agents.push_back(make_agent("a"));
    EXPECT_THAT(only<RemoveInstances>(plan()).hosts, ElementsAre("b"));
}

TEST_F(PlanTest, KeepsTheCountWhenAllAgentsButOneAreOnlyRecovered) {
    for (std::size_t i = 1; i < 4; ++i) cluster.mesos.recovered.push_back({agent(i).id, agent(i).hostname});
    cluster.mesos.agents.resize(1);
    for (int minutes = 0; minutes < 60; ++minutes, now += 1min) EXPECT_THAT(plan().actions, IsEmpty());
}

TEST_F(PlanTest, RefusesToGiveUpMoreThanTheLargestDropUnlessForced) {
    lose(cluster, "b");
    lose(cluster, "c");
    plan();
    now += 1h;
    auto made = plan();
    EXPECT_EQ(made.verdict, Verdict::refuse);
    EXPECT_THAT(made.actions, IsEmpty());
    EXPECT_THAT(made.notes, ElementsAre(HasSubstr("--force-drop")));
    options.force_drop = true;
    EXPECT_THAT(only<RemoveInstances>(plan()).hosts, ElementsAre("b", "c"));
}

TEST_F(PlanTest, GivesUpOneHostHoweverSmallTheFleet) {
    cluster = make_cluster({"a", "b"});
    lose(cluster, "b");
    plan();
    now += 1h;
    EXPECT_THAT(only<RemoveInstances>(plan()).hosts, ElementsAre("b"));
}

TEST_F(PlanTest, NamesTheInstanceOfADrainingHostAtOnce) {
    agent(2).draining = true;
    EXPECT_THAT(only<RemoveInstances>(plan()).hosts, ElementsAre("c"));
}

TEST_F(PlanTest, LeavesTheInstanceOnADeactivatedOrDisconnectedHost) {
    agent(1).deactivated = true;
    agent(1).active = false;
    agent(2).active = false;
    for (int minutes = 0; minutes < 60; ++minutes, now += 1min) EXPECT_THAT(plan().actions, IsEmpty());
}

TEST_F(PlanTest, CoversANewHostWhileADeactivatedOneKeepsItsInstance) {
    agent(1).deactivated = true;
    cluster.mesos.agents.push_back(make_agent("e"));
    EXPECT_EQ(only<ScaleTo>(plan()).to, 5U);
}

TEST_F(PlanTest, ReplacesALostInstanceWhenAnotherHostNeedsItsPlace) {
    lose(cluster, "b");
    cluster.mesos.agents.push_back(make_agent("e"));
    EXPECT_EQ(only<ReplaceInstance>(plan()).task, "task-b");
}

TEST_F(PlanTest, ReplacesTheInstanceOfAHostThatCameBackAsAnotherAgent) {
    lose(cluster, "b");
    cluster.mesos.agents.push_back(make_agent("b", "agent-b-reimaged"));
    EXPECT_EQ(only<ReplaceInstance>(plan()).task, "task-b");
}

TEST_F(PlanTest, WaitsUntilMarathonHasHeardOfALostHostBeforeItUsesItsPlace) {
    lose(cluster, "b");
    app().tasks[1].state = TaskState::running;
    cluster.mesos.agents.push_back(make_agent("e"));
    EXPECT_THAT(plan().actions, IsEmpty());
    app().tasks[1].state = TaskState::unreachable;
    EXPECT_EQ(only<ReplaceInstance>(plan()).task, "task-b");
}

TEST_F(PlanTest, StartsNothingOnAHostWhosePreviousAgentStillRunsAnInstanceForMarathon) {
    lose(cluster, "b");
    app().tasks[1].state = TaskState::running;
    cluster.mesos.agents.push_back(make_agent("b", "agent-b-reimaged"));
    EXPECT_THAT(plan().actions, IsEmpty());
}

TEST_F(PlanTest, NeverLowersTheCountByNumberUnlessARestartIsAllowed) {
    app().instances = 6;  // two wait for a host
    auto made = plan();
    now += 1h;
    made = plan();
    EXPECT_THAT(made.actions, IsEmpty());
    EXPECT_THAT(made.notes, ElementsAre(HasSubstr("--allow-restart")));
    options.allow_restart = true;
    options.force_drop = true;
    EXPECT_EQ(only<ScaleTo>(plan()).to, 4U);
}

TEST_F(PlanTest, LetsInstancesThatWaitCoverANewHost) {
    app().instances = 6;
    cluster.mesos.agents.push_back(make_agent("e"));
    EXPECT_THAT(plan().actions, IsEmpty());
}

TEST_F(PlanTest, LeavesOutHostsThatTheConstraintsExclude) {
    app().constraints.push_back(make_constraint("rack", "LIKE", "r[0-9]+"));
    for (auto& one : cluster.mesos.agents) one.attributes["rack"] = "r1";
    cluster.mesos.agents.push_back(make_agent("e"));
    cluster.mesos.agents.push_back(make_agent("f"));
    agent(5).attributes["rack"] = "r1x";
    auto made = plan();
    EXPECT_EQ(made.eligible, 4U);
    EXPECT_THAT(made.actions, IsEmpty());
    EXPECT_THAT(made.hosts[4].host.why, HasSubstr("no attribute \"rack\""));
    EXPECT_THAT(made.hosts[5].host.why, HasSubstr("is \"r1x\""));
}

TEST_F(PlanTest, DoesNotLowerTheCountWhenARunningInstancesHostNoLongerMatches) {
    app().constraints.push_back(make_constraint("rack", "LIKE", "r1"));
    for (auto& one : cluster.mesos.agents) one.attributes["rack"] = "r1";
    agent(3).attributes["rack"] = "r2";
    for (int minutes = 0; minutes < 60; ++minutes, now += 1min) EXPECT_THAT(plan().actions, IsEmpty());
}

TEST_F(PlanTest, SaysInWordsWhatItDoesAndWhy) {
    cluster.mesos.agents.push_back(make_agent("e"));
    auto made = plan();
    EXPECT_EQ(describe(made.actions.at(0)), "scale from 4 to 5 instances");
    EXPECT_EQ(made.actions.at(0).why, "1 eligible host without an instance and with room: e");
}

}  // namespace
}  // namespace boatswain::fleet
