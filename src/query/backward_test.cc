#include "query/backward.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "query/filter_stream.h"
#include "query/store_for_test.h"

namespace boatswain::query {
namespace {

using namespace testing;
using namespace std::chrono;
using ::testing::ElementsAre;

const Timestamp ten = at("2026-11-23T10:00:00Z");

const open::Identity& acme() {
    static const auto identity = open::Identity::generate();
    return identity;
}

struct Silent final : Observer {
    void damaged(const Error& error) override { damages.push_back(error.what); }
    std::vector<std::string> damages;
};

std::string text_of(const Entry& entry) {
    return entry.source.name + " " + (entry.is_line() ? std::string{entry.text.line.bytes} : entry.text.gap.reason);
}

std::vector<std::string> last(
    MemoryStore& store, std::uint64_t most, const Selection& selection = {},
    const std::function<bool(const Entry&)>& accepts = [](const Entry&) { return true; },
    std::uint64_t whole_piece_bytes = whole_piece_bytes_max) {
    Silent silent;
    Budget budget;
    std::vector<std::string> found;
    auto read = read_lines_backward(
        store, {&acme(), 1}, selection, {.budget = budget}, silent, most, accepts,
        [&](const Entry& entry) {
            found.push_back(text_of(entry));
            return true;
        },
        whole_piece_bytes);
    EXPECT_TRUE(read) << (read ? "" : read.error().what);
    EXPECT_TRUE(silent.damages.empty());
    return found;
}

std::vector<std::string> forward(MemoryStore& store, const Selection& selection = {}) {
    Silent silent;
    Budget budget;
    std::vector<std::string> found;
    auto read = read_lines(store, {&acme(), 1}, selection, {.budget = budget}, silent, [&](const Entry& entry) {
        found.push_back(text_of(entry));
        return true;
    });
    EXPECT_TRUE(read);
    return found;
}

TEST(Backward, GivesTheLatestFirstOverHoursAndSources) {
    MemoryStore store;
    auto web = source("acme", "web", "web-1"), db = source("acme", "db", "db-1");
    add(store, key("acme", ten, 1), {{web, {{ten, "a"}, {ten + seconds{2}, "c"}}}, {db, {{ten + seconds{1}, "b"}}}},
        acme());
    add(store, key("acme", ten + hours{5}, 2), {{web, {{ten + hours{5}, "d"}}}}, acme());
    EXPECT_THAT(last(store, 10), ElementsAre("web-1 d", "web-1 c", "db-1 b", "web-1 a"));
    EXPECT_THAT(last(store, 2), ElementsAre("web-1 d", "web-1 c"));
    EXPECT_THAT(last(store, 0), ElementsAre());
}

TEST(Backward, ReadsTheNewestHoursAlone) {
    MemoryStore store;
    auto web = source("acme", "web", "web-1");
    for (std::uint64_t i = 0; i < 20; ++i)
        add(store, key("acme", ten + hours{i}, i + 1), {{web, {{ten + hours{i}, std::string(5000, 'x')}}}}, acme());
    store.bytes_read = 0;
    EXPECT_EQ(last(store, 1).size(), 1U);
    auto few = store.bytes_read;
    EXPECT_EQ(last(store, 20).size(), 20U);
    EXPECT_LT(few * 5, store.bytes_read - few);
}

TEST(Backward, GivesAGapThatIsLongerThanAnHourOnce) {
    MemoryStore store;
    auto web = source("acme", "web", "web-1");
    auto spanning = key("acme", ten, 1);
    spanning.spanning = true;
    add(store, spanning,
        {{web, {{ten, "a"}, {.time = ten + seconds{1}, .bytes = "torn", .gap = true, .gap_length = hours{7}}}}},
        acme());
    add(store, key("acme", ten + hours{7}, 2), {{web, {{ten + hours{7}, "b"}}}}, acme());
    EXPECT_THAT(last(store, 10), ElementsAre("web-1 b", "web-1 torn", "web-1 a"));
    EXPECT_THAT(last(store, 10, {.range = {ten + hours{2}, ten + hours{8}}}), ElementsAre("web-1 b", "web-1 torn"));
}

TEST(Backward, ReadsTheLastLinesOfAnHourAlone) {
    MemoryStore store;
    std::uint64_t sequence = 0, line = 0;
    std::mt19937 random{1};
    for (int segment = 0; segment < 6; ++segment) {
        std::vector<TestFrame> frames;
        for (int minute = 10 * segment; minute < 10 * (segment + 1); ++minute) {
            auto& frame = frames.emplace_back(TestFrame{source("acme", "app", "web"), {}});
            for (int i = 0; i < 3'000; ++i) {
                std::string noise;
                for (int j = 0; j < 12; ++j) noise += std::to_string(random());
                frame.entries.push_back({.time = ten + minutes{minute} + milliseconds{i * 20},
                                         .bytes = std::to_string(line++) + " " + noise});
            }
        }
        add(store, key("acme", ten, ++sequence), frames, acme());
    }
    std::uint64_t stored = 0;
    for (const auto& [key, bytes] : store.objects) stored += bytes.size();
    store.bytes_read = 0;
    auto found = last(store, 5);
    ASSERT_EQ(found.size(), 5U);
    EXPECT_TRUE(found[0].starts_with("web 179999 ")) << found[0];
    EXPECT_TRUE(found[4].starts_with("web 179995 ")) << found[4];
    EXPECT_LT(store.bytes_read, stored / 3);
    // What is rare is found all the same, each line once.
    auto rare = last(store, 2, {}, [](const Entry& entry) {
        return entry.text.line.bytes.starts_with("3 ") || entry.text.line.bytes.starts_with("30000 ");
    });
    ASSERT_EQ(rare.size(), 2U);
    EXPECT_TRUE(rare[0].starts_with("web 30000 "));
    EXPECT_TRUE(rare[1].starts_with("web 3 "));
}

TEST(Backward, CountsOnlyWhatIsAccepted) {
    MemoryStore store;
    auto web = source("acme", "web", "web-1");
    TestFrame frame{web, {}};
    for (int i = 0; i < 100; ++i)
        frame.entries.push_back({.time = ten + seconds{i}, .bytes = std::to_string(i), .gap = i % 10 == 0});
    add(store, key("acme", ten, 1), {frame}, acme());
    auto lines_alone = [](const Entry& entry) { return entry.is_line(); };
    EXPECT_THAT(last(store, 3, {.range = {ten, ten + seconds{92}}}, lines_alone),
                ElementsAre("web-1 91", "web-1 89", "web-1 88"));
}

// Lines that lie in a segment of an hour before their own, and sources that overlap.
TEST(Backward, IsTheOppositeOfForwardForRandomStores) {
    for (std::uint32_t seed = 1; seed <= 30; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random{seed};
        MemoryStore store;
        std::uint64_t sequence = 0;
        std::set<Timestamp> used;
        for (int s = 0; s < 3; ++s) {
            auto who = source("acme", "app", "c-" + std::to_string(s));
            auto time = ten + minutes{random() % 60};
            for (int segment = 0; segment < 6; ++segment) {
                TestFrame frame{who, {}};
                auto first = time;
                for (int i = 0; i < 20; ++i) {
                    while (!used.insert(time).second) time += Nanoseconds{1};
                    frame.entries.push_back({.time = time,
                                             .bytes = std::to_string(sequence) + "." + std::to_string(i),
                                             .stream = random() % 2 ? Stream::err : Stream::out,
                                             .gap = random() % 15 == 0});
                    time += seconds{random() % 240};
                }
                add(store, key("acme", first, ++sequence), {frame}, acme());
                if (random() % 3 == 0) time += hours{random() % 9};
            }
        }
        for (const auto& selection : {Selection{}, Selection{.range = {ten + hours{1}, ten + hours{6}}},
                                      Selection{.filter = stream_is(Stream::err)}}) {
            auto expected = forward(store, selection);
            std::ranges::reverse(expected);
            EXPECT_EQ(last(store, UINT64_MAX, selection), expected);
            expected.resize(std::min<std::size_t>(expected.size(), 7));
            EXPECT_EQ(last(store, 7, selection), expected);
            auto all = [](const Entry&) { return true; };
            EXPECT_EQ(last(store, 7, selection, all, 0), expected) << "cut by what footers say";
        }
    }
}

}  // namespace
}  // namespace boatswain::query
