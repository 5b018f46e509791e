// A filter of which no other file knows, as docs/contributing/add-a-filter.md says: that it is asked, pushed down to
// frames and joined with others proves that nothing else has to change for a new one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "query/filter_for_test.h"
#include "query/filter_source.h"
#include "query/merge.h"

namespace boatswain::query {
namespace {

using namespace testing;
using std::chrono::seconds;
using ::testing::ElementsAre;

const Timestamp ten = at("2026-11-23T10:00:00Z");

class LineIsLong final : public Filter {
  public:
    explicit LineIsLong(std::size_t bytes_min) : bytes_min_(bytes_min) {}
    using Filter::match;
    // All bytes of its lines together are fewer than one line of that length has.
    Match match(const FrameSummary& summary) const override {
        const auto& counts = summary.frame.counts;
        return counts.gaps == 0 && counts.message_bytes < bytes_min_ ? Match::none : Match::some;
    }
    Match match(const Entry& entry) const override {
        return entry.is_line() ? match_if(entry.text.line.bytes.size() >= bytes_min_) : Match::some;
    }

  private:
    std::size_t bytes_min_;
};

FilterPtr line_is_long(std::size_t bytes_min) { return std::make_shared<LineIsLong>(bytes_min); }

struct Deaf final : Observer {
    void damaged(const Error& error) override { ADD_FAILURE() << error.what; }
};

class CanaryFilter : public ::testing::Test {
  protected:
    CanaryFilter() {
        TestEntry gap{.time = ten + seconds{2}, .bytes = "rotated-away", .gap = true};
        add(store, key("acme", ten, 1),
            {{source("acme", "web", "web-1"), {{ten, "short"}, {ten + seconds{1}, "a longer line"}}},
             {source("acme", "db", "db-1"), {gap, {ten + seconds{3}, "another long line"}}}},
            reader);
        add(store, key("acme", ten, 2), {{source("acme", "web", "web-2"), {{ten, "s"}, {ten, "t"}}}}, reader);
    }
    std::vector<std::string> read(FilterPtr filter) {
        std::vector<std::string> found;
        Deaf observer;
        Budget budget{budget_bytes_default};
        Selection selection{.tenant = tenant("acme"), .filter = std::move(filter)};
        auto tally =
            read_lines(store, std::span{&reader, 1}, selection, {.budget = budget}, observer, [&](const Entry& entry) {
                found.emplace_back(entry.is_line() ? entry.text.line.bytes : "(gap)");
                return true;
            });
        EXPECT_TRUE(tally);
        return found;
    }

    open::Identity reader = open::Identity::generate();
    MemoryStore store;
};

TEST_F(CanaryFilter, IsAskedOfEveryLineAndShowsEveryGap) {
    EXPECT_THAT(read(line_is_long(8)), ElementsAre("a longer line", "(gap)", "another long line"));
    EXPECT_THAT(read(line_is_long(0)).size(), 6U);
}

TEST_F(CanaryFilter, IsJoinedAndNegatedWithTheOthers) {
    EXPECT_THAT(read(all_of({line_is_long(8), app_is_one_of({"web"})})), ElementsAre("a longer line"));
    EXPECT_THAT(read(all_of({none_of(line_is_long(8)), app_is_one_of({"web"})})), ElementsAre("short", "s", "t"));
}

TEST_F(CanaryFilter, KeepsFramesFromBeingFetched) {
    std::mt19937 random{1};
    TestFrame noise{.source = source("acme", "job", "job-1"), .entries = {}};
    for (int i = 0; i < 10'000; ++i) {
        std::string bytes(100, ' ');
        for (auto& c : bytes) c = static_cast<char>('a' + random() % 26);
        noise.entries.push_back({.time = ten + seconds{i}, .bytes = std::move(bytes)});
    }
    add(store, key("acme", ten, 3), {noise}, reader);
    auto bytes_read = [&](std::size_t line_bytes_min) {
        store.bytes_read = 0;
        (void)read(line_is_long(line_bytes_min));
        return store.bytes_read;
    };
    auto to_look = bytes_read(101);
    EXPECT_EQ(bytes_read(100 * 10'000), to_look) << "as many bytes as all lines of the frame have";
    EXPECT_LT(bytes_read(100 * 10'000 + 1), to_look / 2) << "no line of the frame can be so long";
}

}  // namespace
}  // namespace boatswain::query
