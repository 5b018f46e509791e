#include "fleet/status.h"

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

class StatusTest : public testing::Test {
  protected:
    heartbeat::Read beat(const std::string& host, Nanoseconds ago = 10s) {
        return {.heartbeat = {.host = host, .version = "0.1.0", .time = now - ago, .healthy = true},
                .proof = heartbeat::Proof::proven};
    }
    void beats(const std::vector<std::string>& hosts) {
        for (const auto& host : hosts) heartbeats.heartbeats.push_back(beat(host));
    }
    FleetHealth with_cluster(bool with_heartbeats = true) {
        plan = make_plan(cluster, {}, {}, now);
        return make_status({.cluster = &cluster,
                            .plan = &plan,
                            .heartbeats = with_heartbeats ? &heartbeats : nullptr,
                            .expected = expected},
                           now);
    }
    FleetHealth without_cluster() { return make_status({.heartbeats = &heartbeats, .expected = expected}, now); }
    static const HostStatus& host(const FleetHealth& standing, const std::string& name) {
        auto found = std::ranges::find(standing.hosts, name, &HostStatus::host);
        if (found == standing.hosts.end()) throw std::runtime_error("no row of " + name);
        return *found;
    }

    const Timestamp now = start;
    Cluster cluster = make_cluster({"a", "b", "c"});
    Plan plan;
    heartbeat::Fleet heartbeats;
    std::vector<std::string> expected;
};

TEST_F(StatusTest, IsWellWhenEveryEligibleHostRunsAnInstanceThatIsHeardOf) {
    beats({"a", "b", "c"});
    auto standing = with_cluster();
    EXPECT_TRUE(standing.ok);
    EXPECT_EQ(standing.required, 3U);
    EXPECT_EQ(standing.well, 3U);
}

TEST_F(StatusTest, SaysWhyAHostHasNoInstance) {
    cluster.marathon.app->tasks.erase(cluster.marathon.app->tasks.begin());  // of a
    cluster.marathon.queue = QueueItem{.count = 1, .by_host = {{"a", {"InsufficientPorts", "AgentMaintenance"}}}};
    auto why = [&] { return host(with_cluster(false), "a").why; };
    EXPECT_EQ(
        why(),
        "Marathon turns its offer down: a port that the app needs is taken, it is in maintenance, or soon will be");
    cluster.marathon.queue = QueueItem{.count = 1, .delay_seconds = 17};
    EXPECT_THAT(why(), HasSubstr("waits 17 s before the next launch"));
    cluster.marathon.queue = QueueItem{.count = 1, .reasons = {{"InsufficientCpus", 3, 4}}};
    EXPECT_THAT(why(), HasSubstr("3 down: not enough cpus are free"));
    cluster.mesos.agents[0].used = ResourcesByRole{{"*", {.cpus = 4}}};
    EXPECT_THAT(why(), HasSubstr("no room: cpus 0 of 0.2"));
    EXPECT_FALSE(with_cluster(false).ok);
}

TEST_F(StatusTest, DoesNotAskForAnAgentWhereNoneCanRunAndSaysWhy) {
    cluster.mesos.agents[0].draining = true;
    cluster.marathon.app->tasks.erase(cluster.marathon.app->tasks.begin());
    auto standing = with_cluster(false);
    EXPECT_TRUE(standing.ok);
    EXPECT_EQ(standing.required, 2U);
    EXPECT_EQ(host(standing, "a").why, "is being drained");
}

TEST_F(StatusTest, MissesAHeartbeatOnlyOnceTheInstanceHasSettled) {
    beats({"b", "c"});
    cluster.marathon.app->tasks[0].started = now - 30s;
    EXPECT_TRUE(with_cluster().ok);
    cluster.marathon.app->tasks[0].started = now - 10min;
    EXPECT_EQ(host(with_cluster(), "a").why, "no heartbeat");
}

TEST_F(StatusTest, ShowsAHealthCheckThatFails) {
    cluster.marathon.app->has_health_checks = true;
    cluster.marathon.app->tasks[0].healthy = false;
    cluster.marathon.app->tasks[1].healthy = true;
    auto standing = with_cluster(false);
    EXPECT_EQ(host(standing, "a").health, "unhealthy");
    EXPECT_FALSE(host(standing, "a").ok);
    EXPECT_EQ(host(standing, "b").health, "healthy");
    EXPECT_EQ(host(standing, "c").health, "unknown");
    EXPECT_TRUE(host(standing, "c").ok);
}

TEST_F(StatusTest, JoinsAHeartbeatUnderAShortNameWithItsHost) {
    cluster = make_cluster({"a.example.org", "b.example.org"});
    beats({"a", "b"});
    auto standing = with_cluster();
    EXPECT_TRUE(standing.ok);
    EXPECT_EQ(standing.hosts.size(), 2U);
}

TEST_F(StatusTest, DoesNotMindTheOldHeartbeatOfAHostThatMesosNoLongerKnows) {
    beats({"a", "b", "c"});
    heartbeats.heartbeats.push_back(beat("z", 24h));
    auto standing = with_cluster();
    EXPECT_TRUE(standing.ok);
    EXPECT_EQ(host(standing, "z").agent, "not listed");
}

TEST_F(StatusTest, WorksWithHeartbeatsAlone) {
    beats({"a", "b"});
    EXPECT_TRUE(without_cluster().ok);
    expected = {"a", "q"};
    auto standing = without_cluster();
    EXPECT_FALSE(standing.ok);
    EXPECT_EQ(host(standing, "q").why, "no heartbeat");
    EXPECT_TRUE(host(standing, "b").ok);
}

TEST_F(StatusTest, IsNotWellWithoutAnyHost) {
    auto standing = without_cluster();
    EXPECT_FALSE(standing.ok);
    EXPECT_THAT(standing.notes, ElementsAre(HasSubstr("there is no host")));
}

TEST_F(StatusTest, NamesHeartbeatsThatAreLateForgedTroubledOrFromTheFuture) {
    beats({"late", "forged", "troubled", "future", "well"});
    heartbeats.heartbeats[0].heartbeat.time = now - 181s;
    heartbeats.heartbeats[1].proof = heartbeat::Proof::forged;
    heartbeats.heartbeats[2].heartbeat.troubles = {"store"};
    heartbeats.heartbeats[3].heartbeat.time = now + 301s;
    heartbeats.heartbeats[4].heartbeat.time = now - 179s;
    auto standing = without_cluster();
    EXPECT_EQ(host(standing, "late").why, "last heard of 3m1s ago");
    EXPECT_THAT(host(standing, "forged").why, HasSubstr("forged"));
    EXPECT_EQ(host(standing, "troubled").why, "the store does not take segments");
    EXPECT_THAT(host(standing, "future").why, HasSubstr("future"));
    EXPECT_TRUE(host(standing, "well").ok);
}

TEST_F(StatusTest, SaysHowManyContainersAreHeldAndWhy) {
    beats({"held", "removed"});
    auto& beat = heartbeats.heartbeats[0].heartbeat;
    beat.troubles = {"held"};
    beat.containers = 7;
    beat.held = 6;
    beat.held_for = "no key";
    heartbeats.heartbeats[1].heartbeat.troubles = {"key_removed"};
    auto standing = without_cluster();
    EXPECT_FALSE(standing.ok);
    EXPECT_EQ(host(standing, "held").why, "6 of 7 containers are held: no key");
    EXPECT_EQ(host(standing, "removed").why, "a key file was removed");
}

TEST_F(StatusTest, BearsTimesBeyondAllReason) {
    beats({"a"});
    for (auto time : {Timestamp::min(), Timestamp::max()}) {
        heartbeats.heartbeats[0].heartbeat.time = time;
        EXPECT_FALSE(without_cluster().ok);
    }
}

TEST(ExpectedHosts, AreNamesInAListOrLinesOfAFile) {
    EXPECT_THAT(parse_hosts("a,b, c"), ElementsAre("a", "b", "c"));
    EXPECT_THAT(parse_hosts("# all\na\r\nb # the second\n\nc,d\n"), ElementsAre("a", "b", "c", "d"));
    EXPECT_THAT(parse_hosts(""), IsEmpty());
}

}  // namespace
}  // namespace boatswain::fleet
