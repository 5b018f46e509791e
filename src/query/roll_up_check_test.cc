#include "query/roll_up_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/filter_text.h"
#include "query/merge.h"
#include "query/roll_up.h"
#include "query/rolled_up.h"
#include "query/store_for_test.h"
#include "rollup/rollup.h"
#include "segment/seal.h"

namespace boatswain::query {
namespace {

using namespace testing;
using std::chrono::hours;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Heard final : Observer {
    void damaged(const Error&) override {}
};

class RollUpCheckTest : public ::testing::Test {
  protected:
    void SetUp() override {
        for (std::uint64_t sequence = 1; sequence <= 6; ++sequence) {
            auto time = day + hours{sequence % 2};
            add(store, key("acme", time, sequence),
                {{source("acme", "web", "web-1"), {{time, "request " + std::to_string(sequence * 7919) + " done"}}}},
                identities[0]);
        }
        Budget budget;
        ASSERT_TRUE(roll_up_day(store, identities, tenant("acme"), day, {}, {.budget = budget}, heard));
    }
    std::string& object() { return store.objects[rollup::rollup_key(tenant("acme"), day)]; }
    RollUpCheck check() {
        Budget budget;
        auto done =
            check_roll_up(store, identities, tenant("acme"), {.day = day, .size = object().size()}, {.budget = budget});
        EXPECT_TRUE(done) << done.error().what;
        return done.value_or(RollUpCheck{});
    }
    // The roll-up, made again of its own parts, which `change` may change, by who holds the key.
    void forge(const std::function<void(std::vector<rollup::SegmentSummary>&, std::string& grams)>& change) {
        auto read = open_rollup(store, identities, tenant("acme"), {.day = day, .size = object().size()}, 1U << 20);
        ASSERT_TRUE(read);
        std::vector<rollup::HourParts> parts;
        for (const auto& [hour, described] : read->index()) {
            auto summaries = *read->summaries(described);
            auto grams = *read->read(*described.grams);
            change(summaries, grams);
            auto text = rollup::pack_summaries(summaries);
            parts.push_back({.hour = hour,
                             .segments = summaries.size(),
                             .listing = described.listing,
                             .footers = segment::Compressor{3}.compress(text),
                             .footers_text_bytes = text.size(),
                             .grams = grams});
        }
        object() = *rollup::seal_rollup(tenant("acme"), day, day, parts, identities);
    }
    std::size_t found(const std::string& text) {
        Budget budget;
        std::size_t lines = 0;
        Selection selection{.tenant = tenant("acme"), .range = {}, .filter = line_has(text)};
        (void)read_lines(store, identities, selection, {.budget = budget}, heard,
                         [&](const Entry&) { return ++lines > 0; });
        return lines;
    }

    const Timestamp day = at("2026-11-23T00:00:00Z");
    std::vector<open::Identity> identities{open::Identity::generate()};
    MemoryStore store;
    Heard heard;
};

TEST_F(RollUpCheckTest, OneThatIsSoundHasNoProblem) {
    auto checked = check();
    EXPECT_EQ(checked.segments, 6U);
    EXPECT_EQ(checked.left_out, 0U);
    EXPECT_THAT(checked.problems, IsEmpty());
}

TEST_F(RollUpCheckTest, AFilterThatHidesLinesIsFound) {
    ASSERT_EQ(found("request 7919"), 1U);
    forge([](auto& summaries, std::string& grams) {
        grams = rollup::pack_band(std::vector<rollup::GramFilter>(summaries.size(), rollup::filter_of({}, 1'000)));
    });
    EXPECT_EQ(found("request 7919"), 0U) << "nothing else notices";
    auto checked = check();
    EXPECT_EQ(checked.problem_count, 6U);
    EXPECT_THAT(checked.problems.front(),
                AllOf(HasSubstr(".0000000002.age: frame 0: its filter is not what the frame gives")));
}

TEST_F(RollUpCheckTest, AFooterThatIsAnotherOneIsFound) {
    forge([](auto& summaries, std::string&) {
        auto& json = summaries[0].footer_json;
        auto at = json.find("web-1");
        ASSERT_NE(at, std::string::npos);
        json.replace(at, 5, "web-2");
    });
    EXPECT_EQ(check().problem_count, 2U) << "one of each hour";
    EXPECT_THAT(check().problems.front(), HasSubstr("its footer is another one"));
}

TEST_F(RollUpCheckTest, AnObjectThatWasExchangedIsFound) {
    auto time = day + hours{1};
    add(store, key("acme", time, 1), {{source("acme", "web", "web-1"), {{time, "request 9999 done"}}}}, identities[0]);
    EXPECT_THAT(check().problems, ElementsAre(HasSubstr("it is another object")));
}

TEST_F(RollUpCheckTest, OneThatIsDamagedIsFound) {
    object()[object().size() / 2] ^= 1;
    EXPECT_GE(check().problem_count, 1U);
}

TEST_F(RollUpCheckTest, WhatIsGoneOrForOthersIsNoProblem) {
    store.objects.erase(key("acme", day, 2).str());
    auto checked = check();
    EXPECT_EQ(checked.segments, 5U);
    EXPECT_EQ(checked.left_out, 1U);
    EXPECT_THAT(checked.problems, IsEmpty());
    identities = {open::Identity::generate()};
    EXPECT_TRUE(check().is_for_others);
}

}  // namespace
}  // namespace boatswain::query
