#include "query/roll_up.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/seed_for_test.h"
#include "query/backward.h"
#include "query/filter_text.h"
#include "query/store_for_test.h"
#include "rollup/rollup.h"

namespace boatswain::query {
namespace {

using namespace boatswain::query::testing;
using std::chrono::hours;
using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A store that counts what is asked of it.
class CountingStore final : public store::Store {
  public:
    Result<store::PutOutcome> put(std::string_view key, std::string_view bytes, std::string_view sha) override {
        return inside.put(key, bytes, sha);
    }
    Result<void> replace(std::string_view key, std::string_view bytes, std::string_view sha) override {
        ++replaced;
        return inside.replace(key, bytes, sha);
    }
    Result<store::RangeBytes> read(std::string_view key, store::Range range) override {
        ++reads;
        return inside.read(key, range);
    }
    Result<std::string> read(std::string_view key) override {
        ++reads;
        return inside.read(key);
    }
    Result<store::ListPage> list(std::string_view prefix, bool delimited,
                                 const std::optional<std::string>& next) override {
        ++lists;
        return inside.list(prefix, delimited, next);
    }
    Result<void> probe() override { return {}; }
    std::string describe() const override { return "counting"; }

    MemoryStore inside;
    std::atomic<int> reads = 0;
    int replaced = 0, lists = 0;
};

class Heard final : public Observer {
  public:
    void damaged(const Error& error) override { damages.push_back(error.what); }
    void rollup_refused(const Error& error) override { refused.push_back(error.what); }
    std::vector<std::string> damages, refused;
};

class RollUpTest : public ::testing::Test {
  protected:
    // One segment of an hour, with these lines a minute apart.
    void add_segment(int hour, std::uint64_t sequence, const std::vector<std::string>& lines,
                     const std::string& host = "node-1") {
        TestFrame frame{.source = source("acme", "shop", "web-" + host)};
        for (std::size_t i = 0; i < lines.size(); ++i)
            frame.entries.push_back({.time = day + hours{hour} + minutes{i}, .bytes = lines[i]});
        add(store.inside, key("acme", day + hours{hour}, sequence, host), {frame}, identities[0]);
    }
    RolledUpDay roll_up(RollUpOptions options = {}) {
        Budget budget;
        auto done = roll_up_day(store, identities, tenant("acme"), day, options, {.budget = budget}, heard);
        EXPECT_TRUE(done) << done.error().what;
        return done.value_or(RolledUpDay{});
    }
    std::vector<std::string> lines_with(FilterPtr filter, Tally* tally = nullptr) {
        Budget budget;
        std::vector<std::string> lines;
        Selection selection{.tenant = tenant("acme"), .range = {}, .filter = std::move(filter)};
        auto read = read_lines(store, identities, selection, {.budget = budget}, heard, [&](const Entry& entry) {
            lines.emplace_back(entry.is_line() ? std::string{entry.text.line.bytes} : "gap");
            return true;
        });
        EXPECT_TRUE(read) << read.error().what;
        if (read && tally != nullptr) *tally = *read;
        return lines;
    }
    std::string& rolled_up_object() { return store.inside.objects["v1/tenant=acme/rollup=2026-11-30.age"]; }

    const Timestamp day = at("2026-11-30T00:00:00Z");
    std::vector<open::Identity> identities{open::Identity::generate()};
    CountingStore store;
    Heard heard;
};

TEST_F(RollUpTest, SavesARequestForEachSegment) {
    for (std::uint64_t sequence = 1; sequence <= 20; ++sequence)
        add_segment(static_cast<int>(sequence) % 3, sequence, {"line " + std::to_string(sequence)});
    auto done = roll_up();
    EXPECT_EQ(done.segments, 20U);
    EXPECT_EQ(done.hours, 3U);
    store.reads = 0;
    Budget budget;
    int footers = 0;
    Selection all{.tenant = tenant("acme"), .range = {}};
    auto read = read_footers(store, identities, all, {.budget = budget}, heard,
                             [&](const SegmentInfo&, const open::Footer&) { return ++footers > 0; });
    ASSERT_TRUE(read);
    EXPECT_EQ(footers, 20);
    EXPECT_EQ(read->rolled_up, 20U);
    EXPECT_EQ(store.reads, 1) << "the roll-up alone";
}

TEST_F(RollUpTest, ANeedleIsFetchedFromTheOneSegmentThatHoldsIt) {
    std::mt19937 random{3};
    for (std::uint64_t sequence = 1; sequence <= 30; ++sequence)
        add_segment(1, sequence, {"request " + std::to_string(random()) + std::to_string(random()) + " is done"});
    add_segment(1, 31, {"request 3f2977abc0ffee4711 is done"});
    roll_up();
    store.reads = 0;
    EXPECT_THAT(lines_with(line_has("3f2977abc0ffee4711")), ElementsAre("request 3f2977abc0ffee4711 is done"));
    EXPECT_LE(store.reads, 1 + 4) << "the roll-up, the segment, and at most a few that a filter is not sure of";
    store.reads = 0;
    EXPECT_THAT(lines_with(*line_matches("(?i)3F2977ABC0[f]fee\\d+")),
                ElementsAre("request 3f2977abc0ffee4711 is done"));
    EXPECT_LE(store.reads, 1 + 8);
}

// A month of 40 hosts, each of which seals once a day: a listing and a roll-up a day, and what the hits take.
TEST_F(RollUpTest, AMonthOfManyHostsCostsTensOfRequests) {
    constexpr int days = 30, hosts = 40;
    store.inside.page_entries = 1000;
    std::mt19937 random{9};
    for (int i = 0; i < days * hosts; ++i) {
        auto time = day + hours{24 * (i / hosts) + static_cast<int>(random() % 24)};
        TestFrame frame{.source = source("acme", "shop", "web"), .entries = {{time, "id " + std::to_string(random())}}};
        if (i == 700) frame.entries[0].bytes = "id 3f2977abc0ffee4711";
        add(store.inside, key("acme", time, static_cast<std::uint64_t>(i + 1), "node-" + std::to_string(i % hosts)),
            {frame}, identities[0]);
    }
    auto ask = [&] {
        store.reads = store.lists = 0;
        EXPECT_THAT(lines_with(line_has("3f2977abc0ffee4711")), ElementsAre("id 3f2977abc0ffee4711"));
        return store.reads + store.lists;
    };
    EXPECT_GE(ask(), days * hosts) << "each segment, without roll-ups";
    Budget budget;
    for (int i = 0; i < days; ++i)
        ASSERT_TRUE(roll_up_day(store, identities, tenant("acme"), day + hours{24 * i}, {}, {.budget = budget}, heard));
    EXPECT_LE(ask(), 1 + days + days + 5)
        << "the hours, a page and a roll-up a day, and a few that filters do not rule out";
}

TEST_F(RollUpTest, TheLastLinesOfADayCostOneRequestForItsRollUp) {
    for (int hour = 0; hour < 24; ++hour)
        add_segment(hour, static_cast<std::uint64_t>(hour) + 1, {"line of hour " + std::to_string(hour)});
    roll_up({.grams = false});
    store.reads = 0;
    Budget budget;
    std::vector<std::string> last;
    Selection all{.tenant = tenant("acme"), .range = {}};
    auto read = read_lines_backward(
        store, identities, all, {.budget = budget}, heard, 24, [](const Entry&) { return true; },
        [&](const Entry& entry) { return last.emplace_back(entry.text.line.bytes).size() < 24; });
    ASSERT_TRUE(read);
    EXPECT_EQ(last.back(), "line of hour 0");
    EXPECT_EQ(store.reads, 1 + 24) << "the roll-up, and the lines of each segment";
}

TEST_F(RollUpTest, WhatCameLaterIsFoundAllTheSame) {
    add_segment(1, 1, {"early"});
    roll_up();
    add_segment(1, 2, {"late, of the same hour"});
    add_segment(5, 3, {"of a later hour"});
    Tally tally;
    EXPECT_THAT(lines_with(nullptr, &tally), ElementsAre("early", "late, of the same hour", "of a later hour"));
    EXPECT_EQ(tally.rolled_up, 1U);
}

TEST_F(RollUpTest, HoursThatDidNotChangeAreKept) {
    add_segment(1, 1, {"one"});
    add_segment(2, 2, {"two"});
    roll_up();
    auto again = roll_up();
    EXPECT_EQ(again.hours_kept, 2U);
    EXPECT_EQ(again.bytes, 0U) << "nothing to replace";
    EXPECT_EQ(store.replaced, 1);
    add_segment(2, 3, {"three"});
    EXPECT_EQ(roll_up().hours_kept, 1U);
    Tally tally;
    lines_with(nullptr, &tally);
    EXPECT_EQ(tally.rolled_up, 3U);
    EXPECT_EQ(roll_up({.again = true}).hours_kept, 0U);
}

TEST_F(RollUpTest, FiltersCanBeAddedLater) {
    add_segment(1, 1, {"one"});
    EXPECT_GT(roll_up({.grams = false}).bytes, 0U);
    EXPECT_EQ(roll_up({.grams = false}).bytes, 0U);
    EXPECT_GT(roll_up().bytes, 0U);
}

TEST_F(RollUpTest, OneThatIsDamagedIsAsIfItWereNotThere) {
    add_segment(1, 1, {"one"});
    roll_up();
    auto& object = rolled_up_object();
    object[object.size() / 2] = static_cast<char>(object[object.size() / 2] ^ 1);
    EXPECT_THAT(lines_with(nullptr), ElementsAre("one"));
    EXPECT_THAT(heard.refused, ElementsAre(HasSubstr("rollup=2026-11-30")));
    EXPECT_THAT(heard.damages, IsEmpty());
    heard.refused.clear();
    EXPECT_GT(roll_up().bytes, 0U) << "it is made again";
    heard.refused.clear();
    EXPECT_THAT(lines_with(nullptr), ElementsAre("one"));
    EXPECT_THAT(heard.refused, IsEmpty());
}

// Of the same size under the same key: what the roll-up says is not of it.
TEST_F(RollUpTest, AnObjectThatWasExchangedIsNotReadByAnothersFooter) {
    add_segment(1, 1, {"before"});
    roll_up();
    add_segment(1, 1, {"behind"});
    EXPECT_THAT(lines_with(nullptr), IsEmpty());
    EXPECT_THAT(heard.damages, ElementsAre(HasSubstr("another one than the roll-up knows")));
}

TEST_F(RollUpTest, DamagedSegmentsAreLeftForReadersToName) {
    add_segment(1, 1, {"sound"});
    add_segment(1, 2, {"damaged"});
    auto name = key("acme", day + hours{1}, 2).str();
    store.inside.objects[name].back() ^= 1;
    EXPECT_EQ(roll_up().left_out, 1U);
    heard.damages.clear();
    EXPECT_THAT(lines_with(nullptr), ElementsAre("sound"));
    EXPECT_THAT(heard.damages, ElementsAre(HasSubstr(name)));
}

TEST_F(RollUpTest, WhoOpensNothingReplacesNothing) {
    add_segment(1, 1, {"one"});
    roll_up();
    identities = {open::Identity::generate()};
    EXPECT_EQ(roll_up().left_out, 1U);
    EXPECT_EQ(store.replaced, 1);
}

TEST_F(RollUpTest, AStoreThatFailsReplacesNothing) {
    add_segment(1, 1, {"one"});
    store.inside.read_error = Error{.remedy = Remedy::back_off, .what = "503"};
    Budget budget;
    EXPECT_FALSE(roll_up_day(store, identities, tenant("acme"), day, {}, {.budget = budget}, heard));
    EXPECT_EQ(store.replaced, 0);
}

TEST_F(RollUpTest, AGapIsShownWhateverIsLookedFor) {
    TestFrame frame{.source = source("acme", "shop", "web"),
                    .entries = {{.time = day + minutes{1}, .bytes = "some line"},
                                {.time = day + minutes{2}, .bytes = "truncated", .gap = true}}};
    add(store.inside, key("acme", day, 1), {frame}, identities[0]);
    roll_up();
    EXPECT_THAT(lines_with(line_has("a text that is nowhere")), ElementsAre("gap"));
}

// The sign of kelvin is a k, and the long s an s, to whom case does not matter.
TEST_F(RollUpTest, LettersThatOnlyUnicodeFoldsAreFound) {
    const std::string kelvin = "\xe2\x84\xaa", long_s = "\xc5\xbf";
    add_segment(1, 1, {kelvin + "ernel panic", "mi" + long_s + "ed the bus"});
    for (std::uint64_t sequence = 2; sequence < 6; ++sequence) add_segment(1, sequence, {"nothing to see"});
    roll_up();
    EXPECT_THAT(lines_with(*line_matches("(?i)kernel")), ElementsAre(kelvin + "ernel panic"));
    EXPECT_THAT(lines_with(*line_matches("\\x{212a}ernel")), ElementsAre(kelvin + "ernel panic"));
    EXPECT_THAT(lines_with(*line_matches(kelvin + "ernel")), ElementsAre(kelvin + "ernel panic"));
    EXPECT_THAT(lines_with(*line_matches("(?i)mised the")), ElementsAre("mi" + long_s + "ed the bus"));
}

// Whatever lies in the store and whatever is asked: the answers are those without a roll-up.
TEST_F(RollUpTest, AnswersAreTheSameAsWithoutOne) {
    auto seed = boatswain::testing::test_seed();
    std::mt19937 random{seed};
    auto any = [&](std::size_t below) { return std::uniform_int_distribution<std::size_t>{0, below - 1}(random); };
    const std::vector<std::string> words{"GET",
                                         "post",
                                         "k\xe2\x84\xaaK",
                                         "stra\xc3\x9f"
                                         "e",
                                         "STRASSE",
                                         "\xc5\xbfs",
                                         "kiss",
                                         "c0ffee",
                                         "deadbeef",
                                         "500",
                                         "10.0.0.1"};
    auto text = [&] {
        std::string line;
        for (std::size_t n = 1 + any(5); n-- > 0;) line += words[any(words.size())] + (any(2) ? " " : "");
        return line;
    };
    for (int round = 0; round < 4; ++round) {
        store.inside.objects.clear();
        std::uint64_t sequence = 1;
        auto add_some = [&](std::size_t count) {
            for (std::size_t i = 0; i < count; ++i) {
                std::vector<std::string> lines(1 + any(4));
                for (auto& line : lines) line = text();
                add_segment(static_cast<int>(any(4)), sequence++, lines);
            }
        };
        add_some(1 + any(12));
        std::vector<FilterPtr> filters{nullptr};
        for (int i = 0; i < 6; ++i) {
            filters.push_back(line_has(text()));
            filters.push_back(none_of(line_has(text())));
            filters.push_back(any_of({line_has(text()), line_has(words[any(words.size())])}));
            for (auto pattern : {"(?i)", "", "^.*", "(?s)"})
                if (auto regex = line_matches(pattern + words[any(words.size())] + (any(2) ? ".*" : "|") +
                                              words[any(words.size())]))
                    filters.push_back(*regex);
        }
        filters.push_back(*line_matches("(?i)kiss"));
        filters.push_back(*line_matches("\\x{212a}iss|K"));
        std::vector<std::vector<std::string>> before;
        for (const auto& filter : filters) before.push_back(lines_with(filter));
        roll_up();
        for (std::size_t i = 0; i < filters.size(); ++i)
            ASSERT_EQ(lines_with(filters[i]), before[i]) << "seed " << seed << ", round " << round << ", filter " << i;
    }
    EXPECT_THAT(heard.refused, IsEmpty());
}

}  // namespace
}  // namespace boatswain::query
