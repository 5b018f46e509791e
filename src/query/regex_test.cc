#include "query/regex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boatswain::query {
namespace {

using ::testing::ElementsAre;

TEST(Regex, TranslatesNamedGroupsOnlyWhereTheyAreSuch) {
    EXPECT_THAT(Regex::parse("(?<a>x)(?P<b>y)(z)").value().group_names(), ElementsAre("", "a", "b", ""));
    EXPECT_TRUE(Regex::parse(R"(\(?<a>)").value().matches_whole("<a>")) << "an escaped parenthesis";
    EXPECT_TRUE(Regex::parse("[(?<a>]+").value().matches_whole("(?<a>")) << "a class";
    EXPECT_TRUE(Regex::parse("[](?<a>]+").value().matches_whole("]<")) << "a class that begins with ]";
    EXPECT_TRUE(Regex::parse(R"(\Q(?<a>\E)").value().matches_whole("(?<a>")) << "quoted text";
}

TEST(Regex, GivesTheGroupsOfTheFirstMatch) {
    auto regex = Regex::parse(R"((\w+)=(\d+)?)").value();
    EXPECT_THAT(regex.groups_in("a=1 b=2"), ElementsAre("a=1", "a", "1"));
    EXPECT_THAT(regex.groups_in("a="), ElementsAre("a=", "a", ""));
    EXPECT_TRUE(regex.groups_in("nothing").empty());
}

TEST(Regex, ReplacesEveryMatchWithItsGroups) {
    auto regex = Regex::parse(R"((?P<k>\w)=(\w))").value();
    EXPECT_EQ(regex.replace_all("a=b, c=d!", "$2=${k}"), "b=a, d=c!");
    EXPECT_EQ(regex.replace_all("a=b", "$$1 $9 ${nope} $"), "$1   $");
    EXPECT_EQ(Regex::parse("x*").value().replace_all("abc", "-"), "-a-b-c-");
}

}  // namespace
}  // namespace boatswain::query
