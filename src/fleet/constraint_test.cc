#include "fleet/constraint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/cluster_for_test.h"

namespace boatswain::fleet {
namespace {

using namespace test;

bool accepts(const Constraint& constraint, const Agent& agent) {
    return !ConstraintSet::make({constraint}).value().refuses(agent);
}

Agent in_rack(const std::string& host, const std::string& rack) {
    auto agent = make_agent(host);
    if (!rack.empty()) agent.attributes["rack"] = rack;
    return agent;
}

// How many of hosts h0, h1... in these racks can have an instance at once, the first `placed` having one.
std::size_t fitting(const std::vector<Constraint>& constraints, const std::vector<std::string>& racks,
                    std::size_t placed = 0) {
    std::vector<Agent> agents;
    for (std::size_t i = 0; i < racks.size(); ++i) agents.push_back(in_rack("h" + std::to_string(i), racks[i]));
    std::vector<const Agent*> candidates;
    for (const auto& agent : agents) candidates.push_back(&agent);
    return ConstraintSet::make(constraints).value().fitting(candidates, placed).size();
}

TEST(Constraints, MatchWholeValuesWithExpressions) {
    auto agent = in_rack("web-1.example", "r12");
    EXPECT_TRUE(accepts(make_constraint("rack", "LIKE", "r[0-9]+"), agent));
    EXPECT_FALSE(accepts(make_constraint("rack", "LIKE", "r[0-9]"), agent));
    EXPECT_TRUE(accepts(make_constraint("rack", "UNLIKE", "r[0-9]"), agent));
    EXPECT_FALSE(accepts(make_constraint("hostname", "LIKE", "web"), agent));
    EXPECT_TRUE(accepts(make_constraint("@hostname", "LIKE", "web-.*"), agent));
}

TEST(Constraints, TakeAHostWithoutTheAttributeForUnlikeAlone) {
    auto agent = make_agent("a");
    for (const char* op : {"LIKE", "IS", "CLUSTER", "GROUP_BY", "UNIQUE"})
        EXPECT_FALSE(accepts(make_constraint("rack", op, "1"), agent)) << op;
    EXPECT_FALSE(accepts(make_constraint("rack", "MAX_PER", "1"), agent));
    EXPECT_TRUE(accepts(make_constraint("rack", "UNLIKE", "1"), agent));
}

TEST(Constraints, CompareValuesWithIsAndCluster) {
    auto agent = in_rack("a", "r1");
    EXPECT_TRUE(accepts(make_constraint("rack", "IS", "r1"), agent));
    EXPECT_FALSE(accepts(make_constraint("rack", "IS", "r"), agent));
    EXPECT_TRUE(accepts(make_constraint("rack", "CLUSTER", "r1"), agent));
    EXPECT_FALSE(accepts(make_constraint("rack", "CLUSTER", "r2"), agent));
    agent.region = "eu";
    EXPECT_TRUE(accepts(make_constraint("@region", "IS", "eu"), agent));
    EXPECT_FALSE(accepts(make_constraint("@zone", "IS", "eu"), agent));
}

TEST(Constraints, LeaveRoomForOneOrSomeOfEachValue) {
    std::vector<std::string> racks{"a", "a", "a", "b", "b", "c"};
    EXPECT_EQ(fitting({make_constraint("hostname", "UNIQUE")}, racks), 6U);
    EXPECT_EQ(fitting({make_constraint("rack", "UNIQUE")}, racks), 3U);
    EXPECT_EQ(fitting({make_constraint("rack", "MAX_PER", "2")}, racks), 5U);
    EXPECT_EQ(fitting({make_constraint("rack", "MAX_PER", "0")}, racks), 0U);
}

TEST(Constraints, SpreadGroupsSoThatNoneIsTwoAhead) {
    EXPECT_EQ(fitting({make_constraint("rack", "GROUP_BY")}, {"a", "a", "a", "b", "b", "c"}), 5U);
    EXPECT_EQ(fitting({make_constraint("rack", "GROUP_BY")}, {"a", "a", "a", "a", "b"}), 3U);
    EXPECT_EQ(fitting({make_constraint("rack", "GROUP_BY", "3")}, {"a", "a", "b", "b"}), 2U)
        << "fewer groups than asked for: one in each";
}

TEST(Constraints, KeepAClusterOnTheValueThatItHas) {
    EXPECT_EQ(fitting({make_constraint("rack", "CLUSTER")}, {"b", "a", "a", "b"}, 1), 2U);
    EXPECT_EQ(fitting({make_constraint("rack", "CLUSTER")}, {"b", "a", "a", "b"}), 1U)
        << "before the first instance, which value it will be is not known";
}

TEST(Constraints, KnowWhenTheyAllowOneInstanceOnAHost) {
    auto one = [](const Constraint& constraint) { return ConstraintSet::make({constraint}).value().one_per_host(); };
    EXPECT_TRUE(one(make_constraint("hostname", "UNIQUE")));
    EXPECT_TRUE(one(make_constraint("@hostname", "UNIQUE")));
    EXPECT_TRUE(one(make_constraint("hostname", "MAX_PER", "1")));
    EXPECT_FALSE(one(make_constraint("hostname", "MAX_PER", "2")));
    EXPECT_FALSE(one(make_constraint("rack", "UNIQUE")));
    EXPECT_FALSE(ConstraintSet::make({}).value().one_per_host());
}

TEST(Constraints, AreRefusedWhenTheyCannotBeEvaluated) {
    EXPECT_FALSE(ConstraintSet::make({make_constraint("rack", "LIKE", "(")}));
    EXPECT_FALSE(ConstraintSet::make({make_constraint("rack", "LIKE", std::string(5000, 'x'))}));
    EXPECT_FALSE(ConstraintSet::make({make_constraint("rack", "MAX_PER", "two")}));
    EXPECT_FALSE(ConstraintSet::make({make_constraint("rack", "ABOUT", "1")}));
}

}  // namespace
}  // namespace boatswain::fleet
