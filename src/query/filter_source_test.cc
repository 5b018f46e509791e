#include "query/filter_source.h"

#include <gtest/gtest.h>

#include "query/filter_for_test.h"

namespace boatswain::query {
namespace {

using namespace testing;

TEST(ContainerFilter, TakesANameOrTheStartOfAnId) {
    auto web = source("acme", "web", "web-1", "abcdef0123456789");
    auto match = [&](std::string wanted) { return ask(*container_is_one_of({"other", std::move(wanted)}), web); };
    EXPECT_EQ(match("web-1"), Match::all);
    EXPECT_EQ(match("abcd"), Match::all);
    EXPECT_EQ(match("abcdef0123456789"), Match::all);
    EXPECT_EQ(match("abc"), Match::none) << "shorter than engines accept";
    EXPECT_EQ(match("web"), Match::none);
    EXPECT_EQ(match("bcde"), Match::none);
    EXPECT_EQ(match(""), Match::none);
}

TEST(AppFilter, TakesAWholeNameOnly) {
    auto web = source("acme", "web", "web-1");
    EXPECT_EQ(ask(*app_is_one_of({"web", "db"}), web), Match::all);
    EXPECT_EQ(ask(*app_is_one_of({"we"}), web), Match::none);
    EXPECT_EQ(ask(*all_of({app_is_one_of({"web"}), container_is_one_of({"db-1"})}), web), Match::none);
}

TEST(AppFilter, AnswersForLinesAndGapsAsForTheirSource) {
    auto web = source("acme", "web", "web-1");
    EXPECT_EQ(ask(*app_is_one_of({"web"}), line_of("x"), web), Match::all);
    EXPECT_EQ(ask(*app_is_one_of({"db"}), Gap{}, web), Match::none);
}

}  // namespace
}  // namespace boatswain::query
