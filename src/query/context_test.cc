#include "query/context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "base/seed_for_test.h"
#include "query/store_for_test.h"

namespace boatswain::query {
namespace {

using namespace testing;
using ::boatswain::testing::test_seed;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Timestamp ten = at("2026-11-23T10:00:00Z");

// One letter for the source, then what it printed: "a1", "b-" for a gap; what has an 'x' is found.
struct Printed {
    char source = 'a';
    std::string text;
    bool is_gap() const { return text == "-"; }
    bool is_found() const { return text.contains('x'); }
};

// Hands entries to a Context as read_lines() would.
class Feeder {
  public:
    // The budget outlives what a sink keeps.
    Feeder(ContextSize size, GroupSink& sink, Budget& budget) : context_(size, budget, sink) {}

    Result<void> take(const Printed& printed) {
        auto who = source("acme", "shop", std::string{printed.source});
        open::TextEntry text;
        text.kind = printed.is_gap() ? open::TextEntry::Kind::gap : open::TextEntry::Kind::line;
        text.line = {.time = ten + seconds{++printed_}, .bytes = printed.text};
        text.gap = {.reason = printed.is_gap() ? "-" : ""};
        auto name = key("acme", ten, 1);
        return context_.take(Entry{.segment = name, .source = who, .text = text}, printed.is_found());
    }
    Context& context() { return context_; }

  private:
    Context context_;
    int printed_ = 0;
};

std::string text_of(const GroupEntry& entry) {
    auto borrowed = entry.kept.entry();
    return borrowed.source.name +
           (borrowed.is_line() ? std::string{borrowed.text.line.bytes} : borrowed.text.gap.reason);
}

// "b1 bx b2 | a1": entries as they are written, and where groups end.
struct Writer {
    std::string written;
    std::uint64_t last = 0;
    void operator()(const GroupEntry& entry, std::uint64_t group) {
        if (!written.empty()) written += group == last ? " " : " | ";
        last = group;
        written += text_of(entry);
    }
};

std::vector<Printed> entries_of(std::string_view words) {
    std::vector<Printed> all;
    while (!words.empty()) {
        auto word = words.substr(0, words.find(' '));
        all.push_back({.source = word.front(), .text = std::string{word.substr(1)}});
        words.remove_prefix(std::min(words.size(), word.size() + 1));
    }
    return all;
}

std::string in_turn(std::string_view words, ContextSize size) {
    Budget budget;
    Writer writer;
    GroupsInTurn groups{std::ref(writer)};
    Feeder feeder{size, groups, budget};
    for (const auto& printed : entries_of(words)) EXPECT_TRUE(feeder.take(printed));
    feeder.context().finish();
    return writer.written;
}

std::string last(std::uint64_t most, std::string_view words, ContextSize size) {
    Budget budget;
    Writer writer;
    LastGroups groups{most, size};
    Feeder feeder{size, groups, budget};
    for (const auto& printed : entries_of(words)) EXPECT_TRUE(feeder.take(printed));
    feeder.context().finish();
    groups.write(std::ref(writer));
    return writer.written;
}

TEST(Context, ShowsLinesBeforeAndBehind) {
    EXPECT_EQ(in_turn("a1 a2 ax a3 a4", {.before = 1, .after = 1}), "a2 ax a3");
    EXPECT_EQ(in_turn("a1 a2 ax a3 a4", {.before = 9}), "a1 a2 ax");
    EXPECT_EQ(in_turn("a1 a2 ax a3 a4", {.after = 9}), "ax a3 a4");
    EXPECT_EQ(in_turn("a1 a2", {.before = 1, .after = 1}), "");
}

TEST(Context, JoinsGroupsThatTouchAndShowsNothingTwice) {
    EXPECT_EQ(in_turn("a1 ax a2 ax a3 a4 ax", {.before = 1, .after = 1}), "a1 ax a2 ax a3 a4 ax");
    EXPECT_EQ(in_turn("ax a1 a2 a3 ax", {.before = 1, .after = 1}), "ax a1 | a3 ax");
    EXPECT_EQ(in_turn("ax ax a1 ax", {}), "ax ax | ax");
}

TEST(Context, KeepsSourcesApart) {
    EXPECT_EQ(in_turn("a1 b1 ax b2 bx a2 b3 a3", {.before = 1, .after = 1}), "a1 ax a2 | b2 bx b3");
    EXPECT_EQ(in_turn("ax b1 bx b2 b3 a1 a2", {.before = 1, .after = 2}), "ax a1 a2 | b1 bx b2 b3");
}

TEST(Context, ShowsGapsInTheirPlaceAndOthersAlone) {
    EXPECT_EQ(in_turn("a1 a- ax a- a2", {.before = 2, .after = 2}), "a1 a- ax a- a2");
    EXPECT_EQ(in_turn("ax a1 a- a2 a3 ax", {.before = 1, .after = 1}), "ax a1 | a- | a3 ax");
    EXPECT_EQ(in_turn("a1 a- a2", {}), "a-");
    EXPECT_EQ(in_turn("a1 a-", {.before = 5}), "a-");
}

TEST(Context, FindsNoMoreWhenEnoughIsFound) {
    Budget budget;
    Writer writer;
    GroupsInTurn groups{std::ref(writer)};
    Feeder feeder{{.before = 1, .after = 2}, groups, budget};
    ASSERT_TRUE(feeder.take({'a', "x"}));
    feeder.context().find_no_more();
    for (const auto& printed : entries_of("b1 bx a1")) ASSERT_TRUE(feeder.take(printed));
    EXPECT_TRUE(feeder.context().is_due());
    ASSERT_TRUE(feeder.take({'a', "x2"}));
    EXPECT_FALSE(feeder.context().is_due()) << "as grep -m: what would be one more is context";
    ASSERT_TRUE(feeder.take({'a', "3"}));
    feeder.context().finish();
    EXPECT_EQ(writer.written, "ax a1 ax2");
}

TEST(Context, KeepsTheContextOfTheLastHitsAlone) {
    ContextSize one{.before = 1, .after = 1};
    EXPECT_EQ(last(1, "a1 ax a2 a3 ax a4", one), "a3 ax a4");
    EXPECT_EQ(last(2, "a1 ax a2 a3 ax a4", one), "a1 ax a2 a3 ax a4");
    EXPECT_EQ(last(1, "ax a1 ax a2", one), "a1 ax a2");
    EXPECT_EQ(last(1, "ax ax", one), "ax ax") << "a hit that is only the context of another";
    EXPECT_EQ(last(1, "ax b1 bx a1 a2 ax", {.before = 2, .after = 1}), "a1 a2 ax");
    EXPECT_EQ(last(1, "ax bx a1", one), "bx");
    EXPECT_EQ(last(2, "ax a1 a2 a- a3", one), "ax a1 | a-") << "a gap counts";
    EXPECT_EQ(last(1, "a- ax b1", {.after = 1}), "ax");
    EXPECT_EQ(last(1, "b- b1 b2 ax", {.before = 3}), "ax") << "by its place, though it is known to be alone later";
}

TEST(Context, SaysWhetherItReachesBackFarEnough) {
    auto reaches_back = [](std::string_view words) {
        Budget budget;
        LastGroups groups{9, {.before = 2}};
        Feeder feeder{{.before = 2}, groups, budget};
        for (const auto& printed : entries_of(words)) EXPECT_TRUE(feeder.take(printed));
        return groups.reaches_back();
    };
    EXPECT_TRUE(reaches_back("a1 a2 ax"));
    EXPECT_FALSE(reaches_back("a1 a2 ax b2 bx"));
    EXPECT_TRUE(reaches_back("a1 b1"));
}

TEST(Context, SetsAGroupAsideForWhichTooMuchWaits) {
    Budget budget;
    Writer writer;
    std::size_t written = 0;
    GroupsInTurn groups{[&](const GroupEntry& entry, std::uint64_t group) {
        ++written;
        if (entry.kept.bytes->size() < 10) writer(entry, group);
    }};
    Feeder feeder{{.before = 1, .after = 2}, groups, budget};
    ASSERT_TRUE(feeder.take({'a', "x"}));
    ASSERT_TRUE(feeder.take({'b', "x"}));
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(feeder.take({'b', std::string(100'000, 'x')}));
    EXPECT_GT(written, 50U) << "b is written although a is not ended";
    ASSERT_TRUE(feeder.take({'a', "1"}));
    feeder.context().finish();
    EXPECT_EQ(written, 103U);
    EXPECT_EQ(writer.written, "ax | bx | a1");
}

TEST(Context, EndsWhereTheBudgetDoes) {
    Budget budget{budget_bytes_min};
    LastGroups groups{1'000, {}};
    Feeder feeder{{.before = 100}, groups, budget};
    Result<void> taken;
    for (int i = 0; i < 100 && taken; ++i) taken = feeder.take({'a', std::string(100'000, ' ')});
    ASSERT_FALSE(taken);
    EXPECT_TRUE(is_over_budget(taken.error()));
    EXPECT_THAT(taken.error().what, HasSubstr("the lines around those that were found"));
}

// What grep would print of each source alone, as sets of places; groups are runs of them.
std::set<std::size_t> places_shown(const std::vector<std::size_t>& found, std::size_t size, ContextSize context) {
    std::set<std::size_t> shown;
    for (auto place : found)
        for (std::size_t i = place - std::min<std::size_t>(place, context.before);
             i <= std::min<std::size_t>(size - 1, place + context.after); ++i)
            shown.insert(i);
    return shown;
}

struct RandomCase {
    std::vector<Printed> all;
    ContextSize size;
};

RandomCase random_case(std::mt19937& random) {
    RandomCase made{.all = {}, .size = {.before = random() % 4, .after = random() % 4}};
    auto rarity = 2 + random() % 8;
    for (int i = 0, n = static_cast<int>(random() % 60); i < n; ++i)
        made.all.push_back({.source = static_cast<char>('a' + random() % 3),
                            .text = std::to_string(i) + (random() % rarity == 0 ? "x" : "")});
    return made;
}

// The groups of each source, earliest first; groups by where they begin to be known: at their first hit.
std::string expected(const RandomCase& made, std::uint64_t most) {
    std::vector<std::size_t> hits;
    for (std::size_t i = 0; i < made.all.size(); ++i)
        if (made.all[i].is_found()) hits.push_back(i);
    if (hits.size() > most) hits.erase(hits.begin(), hits.end() - static_cast<std::ptrdiff_t>(most));
    std::map<std::size_t, std::string> groups;  // by their first hit
    for (char who : {'a', 'b', 'c'}) {
        std::vector<std::size_t> own, found;
        for (std::size_t i = 0; i < made.all.size(); ++i) {
            if (made.all[i].source != who) continue;
            if (std::ranges::find(hits, i) != hits.end()) found.push_back(own.size());
            own.push_back(i);
        }
        auto shown = places_shown(found, own.size(), made.size);
        std::string group;
        std::optional<std::size_t> first;
        for (std::size_t place = 0; place <= own.size(); ++place) {
            if (shown.contains(place)) {
                const auto& printed = made.all[own[place]];
                group += (group.empty() ? "" : " ") + std::string{who} + printed.text;
                if (!first && std::ranges::find(found, place) != found.end()) first = own[place];
            } else if (!group.empty()) {
                groups[*first] = std::exchange(group, {});
                first.reset();
            }
        }
    }
    std::string all;
    for (const auto& [first, group] : groups) all += (all.empty() ? "" : " | ") + group;
    return all;
}

TEST(Context, AgreesWithASimpleModel) {
    auto seed = test_seed();
    SCOPED_TRACE("BOATSWAIN_TEST_SEED=" + std::to_string(seed));
    std::mt19937 random{seed};
    for (int round = 0; round < 200; ++round) {
        auto made = random_case(random);
        std::string words;
        for (const auto& printed : made.all) words += (words.empty() ? "" : " ") + (printed.source + printed.text);
        SCOPED_TRACE(words + " before " + std::to_string(made.size.before) + " after " +
                     std::to_string(made.size.after));
        ASSERT_EQ(in_turn(words, made.size), expected(made, 1'000));
        auto most = 1 + random() % 4;
        auto sorted = [](std::string text) {  // groups that lost their first hits may begin later than others
            std::set<std::string> groups;
            for (std::size_t at = text.find(" | "); at != text.npos; at = text.find(" | ")) {
                groups.insert(text.substr(0, at));
                text.erase(0, at + 3);
            }
            groups.insert(text);
            return groups;
        };
        ASSERT_EQ(sorted(last(most, words, made.size)), sorted(expected(made, most))) << "the last " << most;
    }
}

}  // namespace
}  // namespace boatswain::query
