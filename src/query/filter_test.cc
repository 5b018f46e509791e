#include "query/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/filter_for_test.h"

namespace boatswain::query {
namespace {

using namespace testing;

// Answers always the same.
class Says final : public Filter {
  public:
    explicit Says(Match answer) : answer_(answer) {}
    Match match(const Origin&) const override { return answer_; }
    Match match(const FrameSummary&) const override { return answer_; }
    Match match(const Entry&) const override { return answer_; }

  private:
    Match answer_;
};

FilterPtr says(Match answer) { return std::make_shared<Says>(answer); }

constexpr std::array answers{Match::none, Match::some, Match::all};

TEST(Filter, AllOfAnswersTheLeast) {
    Line web{};
    for (auto a : answers)
        for (auto b : answers) EXPECT_EQ(ask(*all_of({says(a), says(b)}), web), std::min(a, b));
    EXPECT_EQ(ask(*all_of({}), web), Match::all);
}

TEST(Filter, AnyOfAnswersTheMost) {
    Line web{};
    for (auto a : answers)
        for (auto b : answers) EXPECT_EQ(ask(*any_of({says(a), says(b)}), web), std::max(a, b));
    EXPECT_EQ(ask(*any_of({}), web), Match::none);
}

// Not even a negated filter may skip what perhaps matches.
TEST(Filter, NoneOfSwapsNoneAndAllAndLeavesPerhaps) {
    Line web{};
    EXPECT_EQ(ask(*none_of(says(Match::none)), web), Match::all);
    EXPECT_EQ(ask(*none_of(says(Match::some)), web), Match::some);
    EXPECT_EQ(ask(*none_of(says(Match::all)), web), Match::none);
}

TEST(Filter, NegationReachesSourcesAndFramesToo) {
    auto not_web = none_of(says(Match::all));
    auto who = source("acme", "web", "web-1");
    auto where = key("acme", at("2026-11-23T10:00:00Z"), 1);
    open::FooterFrame frame;
    Origin origin{where, who};
    EXPECT_EQ(not_web->match(origin), Match::none);
    EXPECT_EQ(not_web->match(FrameSummary{origin, frame}), Match::none);
}

}  // namespace
}  // namespace boatswain::query
