#include "fleet/mesos_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boatswain::fleet {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

// In the shapes of apache/mesos, docs/operator-http-api.md.
constexpr std::string_view get_agents = R"({"type":"GET_AGENTS","get_agents":{"agents":[
  {"agent_info":{"hostname":"node-1","id":{"value":"S0"},"port":5051,
     "attributes":[{"name":"rack","type":"TEXT","text":{"value":"r1"}},
                   {"name":"weight","type":"SCALAR","scalar":{"value":0.50}},
                   {"name":"slots","type":"RANGES","ranges":{"range":[{"begin":1,"end":2},{"begin":5,"end":5}]}},
                   {"name":"tags","type":"SET","set":{"item":["b","a"]}}],
     "domain":{"fault_domain":{"region":{"name":"eu"},"zone":{"name":"eu-1"}}}},
   "active":true,"version":"1.11.0","pid":"slave(1)@10.0.0.1:5051",
   "registered_time":{"nanoseconds":1470820172046531840},
   "total_resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":4.0},"role":"*"},
                      {"name":"cpus","type":"SCALAR","scalar":{"value":2.0},"role":"infra"},
                      {"name":"mem","type":"SCALAR","scalar":{"value":1024},"reservations":[{"role":"a"},{"role":"a/b"}]},
                      {"name":"disk","type":"SCALAR","scalar":{"value":70},"disk":{"source":{"type":"MOUNT"}}},
                      {"name":"disk","type":"SCALAR","scalar":{"value":50},"role":"*"},
                      {"name":"ports","type":"RANGES","ranges":{"range":[{"begin":31000,"end":32000}]},"role":"*"}],
   "allocated_resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":0.5},"role":"*","allocation_info":{"role":"x"}}]},
  {"agent_info":{"hostname":"node-2","id":{"value":"S1"}},"active":false,"deactivated":true},
  {"agent_info":{"hostname":"node-3","id":{"value":"S2"}},"active":false,"drain_info":{"state":"DRAINED"}},
  {"agent_info":{"hostname":"","id":{"value":"S3"}}}, 7, null],
 "recovered_agents":[{"hostname":"node-4","id":{"value":"S4"}}]}})";

TEST(MesosJson, ReadsAgentsOfTheOperatorApi) {
    auto mesos = parse_agents(get_agents);
    ASSERT_TRUE(mesos) << mesos.error().what;
    ASSERT_THAT(mesos->agents, SizeIs(3)) << "what has no name or is no object is left out";
    const auto& first = mesos->agents[0];
    EXPECT_EQ(first.id, "S0");
    EXPECT_EQ(first.hostname, "node-1");
    EXPECT_EQ(first.address, "10.0.0.1");
    EXPECT_EQ(first.version, "1.11.0");
    EXPECT_EQ(first.region, "eu");
    EXPECT_EQ(first.zone, "eu-1");
    EXPECT_TRUE(first.active);
    EXPECT_THAT(first.attributes, UnorderedElementsAre(Pair("rack", "r1"), Pair("weight", "0.5"),
                                                       Pair("slots", "[1-2,5-5]"), Pair("tags", "{a,b}")));
    EXPECT_EQ(first.total.at("*").cpus, 4);
    EXPECT_EQ(first.total.at("*").disk, 50) << "a disk of its own does not count";
    EXPECT_THAT(first.total.at("*").ports, ElementsAre(PortRange{31000, 32000}));
    EXPECT_EQ(first.total.at("infra").cpus, 2);
    EXPECT_EQ(first.total.at("a/b").mem, 1024) << "the last reservation owns it";
    EXPECT_EQ(first.used->at("*").cpus, 0.5);
    EXPECT_TRUE(mesos->agents[1].deactivated);
    EXPECT_TRUE(mesos->agents[2].draining);
    ASSERT_THAT(mesos->recovered, SizeIs(1));
    EXPECT_EQ(mesos->recovered[0].hostname, "node-4");
}

TEST(MesosJson, ReadsEmptyListsThatAreLeftOut) {
    auto mesos = parse_agents(R"({"type":"GET_AGENTS","get_agents":{}})");
    ASSERT_TRUE(mesos);
    EXPECT_THAT(mesos->agents, IsEmpty());
}

TEST(MesosJson, ReadsTheOlderSlaves) {
    auto mesos = parse_slaves(R"({"slaves":[{"id":"S0","hostname":"node-1","active":true,"pid":"slave(1)@10.0.0.1:5051",
        "attributes":{"rack":"r1","weight":2.0,"slots":"[1-2, 5-5]","tags":"{b, a}"},
        "resources":{"cpus":6,"mem":2048,"disk":100,"ports":"[31000-32000]"},
        "unreserved_resources":{"cpus":4,"mem":2048,"disk":100,"ports":"[31000-31500, 31600-32000]"},
        "reserved_resources":{"infra":{"cpus":2}},
        "used_resources":{"cpus":1},
        "used_resources_full":[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"role":"infra"}]},
      {"id":"S1","hostname":"node-2","active":true,"resources":{"cpus":2,"mem":10},"used_resources":{"cpus":1.5}}],
      "recovered_slaves":[{"id":"S2","hostname":"node-3"}]})");
    ASSERT_TRUE(mesos) << mesos.error().what;
    const auto& first = mesos->agents.at(0);
    EXPECT_THAT(first.attributes, UnorderedElementsAre(Pair("rack", "r1"), Pair("weight", "2"),
                                                       Pair("slots", "[1-2,5-5]"), Pair("tags", "{a,b}")));
    EXPECT_THAT(first.total.at("*").ports, ElementsAre(PortRange{31000, 31500}, PortRange{31600, 32000}));
    EXPECT_EQ(first.total.at("infra").cpus, 2);
    EXPECT_EQ(first.used->at("infra").cpus, 1);
    EXPECT_EQ(mesos->agents.at(1).total.at("*").cpus, 2) << "before unreserved_resources";
    EXPECT_EQ(mesos->agents.at(1).used->at("*").cpus, 1.5);
    EXPECT_EQ(mesos->recovered.at(0).id, "S2");
}

TEST(MesosJson, DoesNotKnowWhatIsUsedWhenOnlySumsOverRolesAreTold) {
    auto mesos = parse_slaves(R"({"slaves":[{"id":"S0","hostname":"a","reserved_resources":{"x":{"cpus":1}},
        "used_resources":{"cpus":1}}]})");
    EXPECT_FALSE(mesos.value().agents.at(0).used);
}

TEST(MesosJson, RefusesWhatIsNotAnAnswer) {
    for (const char* body : {"", "{", "[]", "{}", R"({"get_agents":[]})", "\xff", "{\"get_agents\":{}} x"})
        EXPECT_EQ(parse_agents(body).error().remedy, Remedy::quarantine) << body;
    EXPECT_FALSE(parse_slaves("{}")) << "no list is not an empty list";
}

class Maintenance : public testing::Test {
  protected:
    static std::string machine(const std::string& host) { return R"({"hostname":")" + host + R"("})"; }
    static std::string window(const std::string& host, Timestamp from, Nanoseconds length) {
        return R"({"get_maintenance_schedule":{"schedule":{"windows":[{"machine_ids":[)" + machine(host) +
               R"(],"unavailability":{"start":{"nanoseconds":)" + std::to_string(from.time_since_epoch().count()) +
               R"(},"duration":{"nanoseconds":)" + std::to_string(length.count()) + "}}}]}}}";
    }
    MesosState with(const std::string& schedule) {
        MesosState mesos;
        auto added = add_maintenance(mesos, status, schedule, now);
        EXPECT_TRUE(added);
        return mesos;
    }
    const Timestamp now = *parse_time("2026-11-23T10:00:00Z");
    const std::string status = R"({"get_maintenance_status":{"status":{"down_machines":[)" + machine("down") +
                               R"(,{"ip":"10.0.0.9"}],"draining_machines":[{"id":)" + machine("soon") + "}]}}}";
};

TEST_F(Maintenance, TellsMachinesThatAreDownFromThoseThatAreScheduled) {
    auto mesos = with("");
    EXPECT_THAT(mesos.down, ElementsAre("10.0.0.9", "down"));
    EXPECT_THAT(mesos.maybe_in_window, ElementsAre("soon")) << "without the schedule it is not known when";
}

TEST_F(Maintenance, BeginsWhenMarathonDeclinesOffersAndEndsWithTheWindow) {
    EXPECT_THAT(with(window("soon", now + 3min, 1h)).in_window, IsEmpty());
    EXPECT_THAT(with(window("soon", now + 119s, 1h)).in_window, ElementsAre("soon"));
    EXPECT_THAT(with(window("soon", now - 59min, 1h)).in_window, ElementsAre("soon"));
    EXPECT_THAT(with(window("soon", now - 61min, 1h)).in_window, IsEmpty());
    EXPECT_THAT(with(window("other", now, 1h)).in_window, IsEmpty());
}

TEST(MesosRanges, AreReadAsMesosPrintsThem) {
    EXPECT_THAT(parse_ranges("[1-2, 5-70]"), ElementsAre(PortRange{1, 2}, PortRange{5, 70}));
    EXPECT_THAT(parse_ranges("[2-1,3,x-4,5-,70000-70001,-1-2,6-7]"), ElementsAre(PortRange{6, 7}));
    for (const char* text : {"", "[", "]", "[]", "1-2"}) EXPECT_THAT(parse_ranges(text), IsEmpty()) << text;
}

TEST(MesosScalars, HaveAtMostThreeDigits) {
    EXPECT_EQ(scalar_text(0.5), "0.5");
    EXPECT_EQ(scalar_text(100), "100");
    EXPECT_EQ(scalar_text(1.0004), "1");
    EXPECT_EQ(scalar_text(0.12345), "0.123");
    EXPECT_EQ(scalar_text(-0.0001), "0");
}

}  // namespace
}  // namespace boatswain::fleet
