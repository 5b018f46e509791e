#include "query/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "crypto/digest.h"
#include "query/backward.h"
#include "query/filter_source.h"
#include "query/filter_stream.h"
#include "query/filter_text.h"
#include "query/store_for_test.h"

namespace boatswain::query {
namespace {

using namespace testing;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Timestamp ten = at("2026-11-23T10:00:00Z");

struct Listener final : Observer {
    std::vector<std::string> damages;
    void damaged(const Error& error) override { damages.push_back(error.what); }
};

struct Answer {
    std::vector<std::string> entries;  // "NAME MESSAGE", gaps as "NAME gap REASON"
    Tally tally;
    std::vector<std::string> damages;
    std::optional<Error> error;
    std::uint64_t peak = 0;
};

Answer ask(MemoryStore& store, const std::vector<open::Identity>& identities, const Selection& selection = {},
           std::size_t limit = SIZE_MAX, std::uint64_t budget_bytes = budget_bytes_default) {
    Answer answer;
    Listener listener;
    Budget budget{budget_bytes};
    auto tally = read_lines(store, identities, selection, {.budget = budget}, listener, [&](const Entry& entry) {
        bool gap = entry.text.kind == open::TextEntry::Kind::gap;
        answer.entries.push_back(entry.source.name + " " +
                                 (gap ? "gap " + entry.text.gap.reason : std::string{entry.text.line.bytes}));
        return answer.entries.size() < limit;
    });
    if (tally)
        answer.tally = *tally;
    else
        answer.error = tally.error();
    answer.damages = listener.damages;
    answer.peak = budget.peak();
    return answer;
}

const open::Identity acme = open::Identity::generate();
const open::Identity globex = open::Identity::generate();

TEST(Merge, OrdersLinesOfManySourcesByTime) {
    MemoryStore store;
    auto web = source("acme", "web", "web-1");
    auto db = source("acme", "db", "db-1");
    add(store, key("acme", ten, 1), {{web, {{ten, "a"}, {ten + seconds{4}, "d"}}}, {db, {{ten + seconds{2}, "b"}}}},
        acme);
    add(store, key("acme", ten, 1, "node-2"), {{source("acme", "db", "db-2"), {{ten + seconds{3}, "c"}}}}, acme);
    EXPECT_THAT(ask(store, {acme}).entries, ElementsAre("web-1 a", "db-1 b", "db-2 c", "web-1 d"));
}

TEST(Merge, KeepsTheOrderInWhichOneSourceCame) {
    MemoryStore store;
    auto web = source("acme", "web", "web-1");
    add(store, key("acme", ten, 1),
        {{web, {{ten + seconds{5}, "first"}, {ten + seconds{4}, "second"}}}, {web, {{ten, "third"}}}}, acme);
    EXPECT_THAT(ask(store, {acme}).entries, ElementsAre("web-1 first", "web-1 second", "web-1 third"));
}

TEST(Merge, ShowsAGapInItsPlace) {
    MemoryStore store;
    auto web = source("acme", "web", "web-1");
    add(store, key("acme", ten, 1),
        {{web, {{ten, "a"}, {.time = ten + seconds{2}, .bytes = "rotated-away", .gap = true}, {ten + seconds{4}, "b"}}},
         {source("acme", "db", "db-1"), {{ten + seconds{1}, "x"}, {ten + seconds{3}, "y"}}}},
        acme);
    EXPECT_THAT(ask(store, {acme}).entries,
                ElementsAre("web-1 a", "db-1 x", "web-1 gap rotated-away", "db-1 y", "web-1 b"));
}

TEST(Merge, PutsTheEarlierEpochOfAHostFirst) {
    MemoryStore store;
    auto web = source("acme", "web", "web-1");
    add(store, key("acme", ten, 1, "node-1", "a-new-state"), {{web, {{ten + minutes{2}, "third"}}}}, acme);
    add(store, key("acme", ten, 9, "node-1", "b-old-state"), {{web, {{ten + minutes{1}, "second"}}}}, acme);
    add(store, key("acme", ten, 8, "node-1", "b-old-state"), {{web, {{ten, "first"}}}}, acme);
    EXPECT_THAT(ask(store, {acme}).entries, ElementsAre("web-1 first", "web-1 second", "web-1 third"));
}

TEST(Merge, FindsLinesOfASegmentThatBeganInTheHourBefore) {
    MemoryStore store;
    auto web = source("acme", "web", "web-1");
    add(store, key("acme", ten, 1), {{web, {{ten + minutes{59}, "before"}, {ten + minutes{61}, "after"}}}}, acme);
    Selection later{.range = {ten + minutes{60}, ten + minutes{120}}};
    EXPECT_THAT(ask(store, {acme}, later).entries, ElementsAre("web-1 after"));
}

TEST(Merge, FindsLinesOfASegmentThatSpansManyHours) {
    MemoryStore store;
    auto web = source("acme", "web", "web-1");
    auto spanning = key("acme", ten, 1);
    spanning.spanning = true;
    add(store, spanning, {{web, {{ten, "old"}, {ten + minutes{600}, "new"}}}}, acme);
    add(store, key("acme", ten + minutes{540}, 2, "node-2"),
        {{source("acme", "db", "db-1"), {{ten + minutes{540}, "between"}}}}, acme);
    EXPECT_THAT(ask(store, {acme}).entries, ElementsAre("web-1 old", "db-1 between", "web-1 new"));
    Selection later{.range = {ten + minutes{590}, ten + minutes{700}}};
    EXPECT_THAT(ask(store, {acme}, later).entries, ElementsAre("web-1 new"));
}

TEST(Merge, HandsOutOnlyWhatTheSelectionHolds) {
    MemoryStore store;
    auto web = source("acme", "web", "web-1");
    add(store, key("acme", ten, 1),
        {{web, {{ten, "out"}, {ten + seconds{1}, "err", Stream::err}}},
         {source("acme", "db", "db-1"), {{ten, "db", Stream::err}}}},
        acme);
    add(store, key("globex", ten, 1), {{source("globex", "web", "web-9"), {{ten, "other", Stream::err}}}}, acme);
    Selection selection{.tenant = tenant("acme"), .filter = all_of({app_is_one_of({"web"}), stream_is(Stream::err)})};
    EXPECT_THAT(ask(store, {acme}, selection).entries, ElementsAre("web-1 err"));
}

// "ORDINAL WHAT" of a numbered selection.
std::vector<std::string> numbered(MemoryStore& store, FilterPtr filter, bool backward, std::uint64_t budget_bytes) {
    std::vector<std::string> entries;
    Listener listener;
    Budget budget{budget_bytes};
    Selection selection{.range = {ten - minutes{1}, ten + minutes{5}}, .filter = std::move(filter), .numbered = true};
    auto each = [&](const Entry& entry) {
        entries.push_back(std::to_string(entry.ordinal) + " " +
                          (entry.is_line()  ? std::string{entry.text.line.bytes}
                           : entry.is_end() ? "end " + entry.text.end.reason
                                            : "gap"));
        return true;
    };
    auto read = backward ? read_lines_backward(
                               store, {&acme, 1}, selection, {.budget = budget}, listener, 1000,
                               [](const Entry&) { return true; }, each)
                         : read_lines(store, {&acme, 1}, selection, {.budget = budget}, listener, each);
    EXPECT_TRUE(read);
    return entries;
}

TEST(Merge, NumbersTheLinesOfASourceWhateverAFilterLeavesOut) {
    MemoryStore store;
    auto web = source("acme", "web", "web-1");
    add(store, key("acme", ten, 1),
        {{.source = web,
          .entries = {{ten, "a"},
                      {.time = ten + seconds{1}, .bytes = "rotated-away", .gap = true},
                      {ten + seconds{2}, "b"},
                      {ten + seconds{3}, "ab"}},
          .first_ordinal = 40},
         {.source = web,
          .entries = {{ten + seconds{4}, "c"}, {ten + seconds{5}, "cb"}},
          .first_ordinal = 43,
          .end = End{.time = ten + seconds{6}, .reason = end_removed, .exit_code = 3, .lines = 45}}},
        acme);
    add(store, key("acme", ten, 2),
        {{.source = source("acme", "job", "job-1"),
          .entries = {},
          .end = End{.time = ten + seconds{7}, .reason = end_removed}}},
        acme);
    EXPECT_THAT(numbered(store, {}, false, budget_bytes_default),
                ElementsAre("40 a", "41 gap", "41 b", "42 ab", "43 c", "44 cb", "45 end removed", "0 end removed"));
    EXPECT_THAT(numbered(store, line_has("b"), false, budget_bytes_default),
                ElementsAre("41 gap", "41 b", "42 ab", "44 cb", "45 end removed", "0 end removed"));
    EXPECT_THAT(numbered(store, line_has("b"), true, budget_bytes_default),
                ElementsAre("0 end removed", "45 end removed", "44 cb", "42 ab", "41 b", "41 gap"));
    EXPECT_EQ(ask(store, {acme}).entries.size(), 6U) << "closing records come to whom asks for them";
}

TEST(Merge, PassesOverWhatNoIdentityOpensAndCountsIt) {
    MemoryStore store;
    add(store, key("acme", ten, 1), {{source("acme", "web", "web-1"), {{ten, "mine"}}}}, acme);
    add(store, key("globex", ten, 1), {{source("globex", "web", "web-9"), {{ten, "theirs"}}}}, globex);
    auto answer = ask(store, {acme});
    EXPECT_THAT(answer.entries, ElementsAre("web-1 mine"));
    EXPECT_EQ(answer.tally.for_others, 1U);
    EXPECT_EQ(answer.tally.damaged, 0U);
    EXPECT_EQ(ask(store, {globex, acme}).entries.size(), 2U);
}

// Whoever can write to the store cannot make one tenant's lines appear as another's, not even to a holder of both keys.
TEST(Merge, RefusesASegmentThatLiesUnderAnotherName) {
    auto frames = std::vector<TestFrame>{{source("globex", "web", "web-9"), {{ten, "theirs"}}}};
    auto bytes = sealed(key("globex", ten, 1), frames, acme);
    for (const auto& [name, said] : std::vector<std::pair<segment::ObjectKey, std::string>>{
             {key("acme", ten, 1), "its footer says tenant \"globex\" where its name says \"acme\""},
             {key("globex", ten, 2), "sequence number \"1\" where its name says \"2\""},
             {key("globex", ten, 1, "node-2"), "host \"node-1\" where its name says \"node-2\""},
             {key("globex", ten, 1, "node-1", "e2"), "epoch \"e1\" where its name says \"e2\""}}) {
        MemoryStore store;
        store.objects[name.str()] = bytes;
        auto answer = ask(store, {acme});
        EXPECT_THAT(answer.entries, ElementsAre());
        EXPECT_THAT(answer.damages, ElementsAre(HasSubstr(said)));
        EXPECT_THAT(answer.damages, ElementsAre(HasSubstr(name.str())));
    }
}

TEST(Merge, ShowsTheOthersWhenOneObjectIsDamaged) {
    auto web = source("acme", "web", "web-1");
    auto whole = sealed(key("acme", ten, 1), {{web, {{ten, "a"}, {ten + seconds{1}, "b"}}}}, acme);
    for (std::size_t cut = 0; cut < whole.size(); cut += 1 + whole.size() / 40) {
        MemoryStore store;
        store.objects[key("acme", ten, 1).str()] = whole.substr(0, cut);
        add(store, key("acme", ten, 2), {{web, {{ten + seconds{2}, "c"}}}}, acme);
        auto answer = ask(store, {acme});
        ASSERT_FALSE(answer.error) << answer.error->what;
        EXPECT_THAT(answer.entries, ElementsAre("web-1 c")) << "cut at " << cut;
        EXPECT_THAT(answer.damages, ElementsAre(HasSubstr("e1.0000000001.age"))) << "cut at " << cut;
        EXPECT_EQ(answer.tally.damaged, 1U);
    }
}

TEST(Merge, NoticesEveryFlippedByte) {
    auto web = source("acme", "web", "web-1");
    auto whole = sealed(key("acme", ten, 1), {{web, {{ten, "a"}}}}, acme);
    for (std::size_t flipped = 0; flipped < whole.size(); flipped += 7) {
        MemoryStore store;
        auto& bytes = store.objects[key("acme", ten, 1).str()] = whole;
        bytes[flipped] = static_cast<char>(bytes[flipped] ^ 0x20);
        auto answer = ask(store, {acme});
        EXPECT_TRUE(answer.entries.empty()) << flipped;
        EXPECT_EQ(answer.tally.damaged + answer.tally.for_others, 1U) << flipped;
    }
}

TEST(Merge, EndsWithTheStoresErrorWhenTheStoreFails) {
    MemoryStore store;
    add(store, key("acme", ten, 1), {{source("acme", "web", "web-1"), {{ten, "a"}}}}, acme);
    store.read_error = Error{.remedy = Remedy::stop, .what = "403 SignatureDoesNotMatch"};
    auto answer = ask(store, {acme});
    ASSERT_TRUE(answer.error);
    EXPECT_THAT(answer.error->what, HasSubstr("403 SignatureDoesNotMatch"));
}

TEST(Merge, ReadsNoFurtherThanItIsAskedTo) {
    MemoryStore store;
    auto web = source("acme", "web", "web-1");
    std::mt19937 random{1};
    for (std::uint64_t i = 1; i <= 40; ++i) {
        std::string noise(200'000, ' ');
        for (auto& c : noise) c = static_cast<char>('a' + random() % 26);
        add(store, key("acme", ten + minutes{30 * i}, i), {{web, {{ten + minutes{30 * i}, noise}}}}, acme);
    }
    std::uint64_t all = 0;
    for (const auto& [name, bytes] : store.objects) all += bytes.size();
    EXPECT_EQ(ask(store, {acme}, {}, 2).entries.size(), 2U);
    EXPECT_LT(store.bytes_read, all / 3) << "frames that were not reached were fetched";
}

// A host as it prints: sources whose times jitter, batches of random lengths, two epochs, frames cut anywhere.
class Voyage {
  public:
    explicit Voyage(std::uint32_t seed) : random_(seed) {}

    void sail(MemoryStore& store) {
        for (auto whose : {"acme", "globex"})
            for (auto host : {"node-1", "node-2"}) sail_host(store, whose, host);
    }

    // Every source's entries in the order in which they came.
    std::map<std::string, std::vector<TestEntry>> sources;

  private:
    std::size_t below(std::size_t n) { return random_() % n; }

    std::vector<TestEntry> print(const std::string& name) {
        std::vector<TestEntry> entries;
        auto time = ten + minutes{below(90)} + Nanoseconds{below(1'000'000'000)};
        for (std::size_t i = below(60); i > 0; --i) {
            time += seconds{below(600)} + Nanoseconds{below(1'000'000'000)};
            auto jittered = time - Nanoseconds{below(3) == 0 ? below(40'000'000'000) : 0};
            entries.push_back({.time = jittered,
                               .bytes = name + "-" + std::to_string(i),
                               .stream = below(3) == 0 ? Stream::err : Stream::out,
                               .gap = below(15) == 0});
        }
        return entries;
    }

    void sail_host(MemoryStore& store, const std::string& whose, const std::string& host) {
        std::vector<Source> printing;
        std::vector<std::size_t> read_to;
        for (std::size_t i = 0; i < 1 + below(4); ++i) {
            auto name = whose + "-" + host + "-" + std::to_string(i);
            printing.push_back(source(whose, i % 2 == 0 ? "even" : "odd", name));
            sources[name] = print(name);
            read_to.push_back(0);
        }
        std::uint64_t sequence = 1;
        std::string epoch = "z";
        for (auto until = ten; until < ten + std::chrono::hours{14};) {
            until += minutes{1 + below(29)};
            if (below(12) == 0)
                epoch = std::string(1, static_cast<char>('a' + below(26))) + std::to_string(below(1000000)),
                sequence = 1;
            std::vector<TestFrame> frames;
            for (std::size_t i = 0; i < printing.size(); ++i) {
                const auto& all = sources[printing[i].name];
                while (read_to[i] < all.size() && all[read_to[i]].time < until) {
                    TestFrame frame{printing[i], {}};
                    do {
                        frame.entries.push_back(all[read_to[i]++]);
                    } while (read_to[i] < all.size() && all[read_to[i]].time < until && below(5) != 0);
                    frames.push_back(std::move(frame));
                }
            }
            if (frames.empty()) continue;
            add(store, key(whose, earliest(frames), sequence++, host, epoch), frames, acme, until);
        }
    }

    std::mt19937 random_;
};

// What the merge promises, said the slow way: of all sources' next entries, the earliest goes next.
std::vector<std::string> merged_slowly(std::map<std::string, std::vector<TestEntry>> sources,
                                       const Selection& selection, std::optional<Stream> stream) {
    for (auto& [name, entries] : sources)
        std::erase_if(entries, [&](const TestEntry& entry) {
            return !selection.range.contains(entry.time) || (!entry.gap && stream && entry.stream != *stream);
        });
    std::vector<std::string> merged;
    while (true) {
        const std::string* next = nullptr;
        for (const auto& [name, entries] : sources)
            if (!entries.empty() && (next == nullptr || entries.front().time < sources[*next].front().time))
                next = &name;
        if (next == nullptr) return merged;
        auto& entries = sources[*next];
        merged.push_back(*next + " " + (entries.front().gap ? "gap " : "") + entries.front().bytes);
        entries.erase(entries.begin());
    }
}

TEST(Merge, EqualsTheSlowMergeForRandomVoyages) {
    const char* chosen = std::getenv("BOATSWAIN_SEED");
    std::uint32_t first = chosen != nullptr ? static_cast<std::uint32_t>(std::strtoul(chosen, nullptr, 10)) : 1;
    for (std::uint32_t seed = first; seed < first + (chosen != nullptr ? 1 : 60); ++seed) {
        SCOPED_TRACE("BOATSWAIN_SEED=" + std::to_string(seed));
        MemoryStore store;
        Voyage voyage{seed};
        voyage.sail(store);
        std::vector<Selection> selections(3);
        selections[1].range = {ten + minutes{seed * 3}, ten + minutes{seed * 3 + 100}};
        selections[2].filter = stream_is(Stream::err);
        for (const auto& selection : selections) {
            auto answer = ask(store, {acme}, selection);
            auto stream = selection.filter ? std::optional{Stream::err} : std::nullopt;
            auto expected = merged_slowly(voyage.sources, selection, stream);
            auto [got, wanted] = std::ranges::mismatch(answer.entries, expected);
            ASSERT_TRUE(got == answer.entries.end() && wanted == expected.end())
                << "entry " << (got - answer.entries.begin()) << " of " << expected.size() << ": got \""
                << (got == answer.entries.end() ? "nothing" : *got) << "\", wanted \""
                << (wanted == expected.end() ? "nothing" : *wanted) << "\"";
            EXPECT_TRUE(answer.damages.empty());
        }
    }
}

// So many sources with so much text, all at the same time, that a budget holds only a part of each.
void crowd(MemoryStore& store, std::size_t sources, std::size_t lines, std::size_t line_bytes) {
    std::mt19937 random{7};
    for (std::size_t s = 0; s < sources; ++s) {
        auto name = "web-" + std::to_string(s);
        TestFrame frame{source("acme", "web", name), {}};
        for (std::size_t i = 0; i < lines; ++i)
            frame.entries.push_back({.time = ten + seconds{i} + Nanoseconds{random() % 1'000'000'000},
                                     .bytes = std::to_string(i) + std::string(random() % (2 * line_bytes), 'x'),
                                     .gap = false});
        add(store, key("acme", ten, 1, "node-" + std::to_string(s)), {frame}, acme);
    }
}

TEST(Merge, HoldsPartsOfFramesWhenAllDoNotFit) {
    MemoryStore store;
    crowd(store, 150, 200, 1000);  // 30 MB, of which 8 MiB may be held
    auto roomy = ask(store, {acme}, {}, SIZE_MAX, 1U << 30);
    auto tight = ask(store, {acme}, {}, SIZE_MAX, budget_bytes_min);
    ASSERT_FALSE(tight.error) << tight.error->what;
    EXPECT_EQ(roomy.entries.size(), 30'000U);
    EXPECT_TRUE(tight.entries == roomy.entries) << "order or lines differ";
    EXPECT_GT(roomy.peak, budget_bytes_min) << "all of it would have fitted";
    EXPECT_LE(tight.peak, budget_bytes_min);
    auto by_number = numbered(store, {}, false, budget_bytes_min);
    EXPECT_EQ(by_number.size(), roomy.entries.size());
    EXPECT_TRUE(std::ranges::all_of(by_number, [](const std::string& entry) {
        auto blank = entry.find(' ');
        auto number = entry.substr(0, blank);
        return entry.compare(blank + 1, number.size(), number) == 0;
    })) << "a line has another's number";
}

TEST(Merge, HoldsPartsOfFramesWhoseLinesAreLong) {
    MemoryStore store;
    crowd(store, 60, 8, 300'000);  // 144 MB: a part is shorter than most lines
    auto roomy = ask(store, {acme}, {}, SIZE_MAX, 1U << 30);
    auto tight = ask(store, {acme}, {}, SIZE_MAX, budget_bytes_min);
    ASSERT_FALSE(tight.error) << tight.error->what;
    EXPECT_EQ(roomy.entries.size(), 480U);
    EXPECT_TRUE(tight.entries == roomy.entries) << "order or lines differ";
    EXPECT_LE(tight.peak, budget_bytes_min);
}

TEST(Merge, RefusesMoreSourcesAtOnceThanItCanHoldPartsOf) {
    MemoryStore store;
    crowd(store, 2'300, 2, 4'000);
    auto answer = ask(store, {acme}, {}, SIZE_MAX, budget_bytes_min);
    ASSERT_TRUE(answer.error);
    EXPECT_TRUE(is_over_budget(*answer.error));
    EXPECT_THAT(answer.error->what, HasSubstr("sources that overlap in time"));
    EXPECT_THAT(answer.error->what, HasSubstr("--memory"));
    EXPECT_LE(answer.peak, budget_bytes_min);
}

TEST(Merge, ForgetsSourcesThatHaveEnded) {
    MemoryStore store;
    for (std::uint64_t hour = 0; hour < 20; ++hour) {
        std::vector<TestFrame> frames;
        for (std::size_t i = 0; i < 500; ++i)
            frames.push_back({source("acme", "job", "job-" + std::to_string(1000 * hour + i)),
                              {{ten + minutes{60 * hour}, "done"}}});
        add(store, key("acme", ten + minutes{60 * hour}, hour + 1), frames, acme);
    }
    auto answer = ask(store, {acme});
    EXPECT_EQ(answer.entries.size(), 10'000U);
    EXPECT_LT(answer.peak, 5U << 20);
}

// An agent that may only write puts a second copy where it cannot see its own first one; one whose key is taken, its
// only one.
void scatter_over_both_forms(MemoryStore& store, std::uint32_t seed) {
    std::mt19937 random{seed};
    auto before = store.objects;
    for (const auto& [name, bytes] : before) {
        auto choice = random() % 3;
        if (choice == 0) continue;
        crypto::Sha256 hash;
        hash.update(bytes);
        store.objects[segment::parse_object_key(name)->second_form(hash.finish()).str()] = bytes;
        if (choice == 1) store.objects.erase(name);
    }
}

TEST(Merge, ShowsNoLineTwiceAndNoneLessOverBothFormsOfKeys) {
    for (std::uint32_t seed = 1; seed < 21; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        MemoryStore store;
        Voyage voyage{seed};
        voyage.sail(store);
        auto before = ask(store, {acme, globex});
        scatter_over_both_forms(store, seed);
        auto answer = ask(store, {acme, globex});
        EXPECT_EQ(answer.entries, before.entries);
        EXPECT_GT(answer.tally.copies, 0U);
        EXPECT_EQ(answer.tally.conflicts, 0U);
    }
}

TEST(Merge, ShowsTheLinesOfBothObjectsOfANumberWhoseKeyWasTaken) {
    MemoryStore store;
    auto web = source("acme", "web", "web-1");
    auto taken = key("acme", ten, 1);
    add(store, taken, {{web, {{ten, "forged"}}}, {web, {{ten + seconds{2}, "forged too"}}}}, acme);
    auto own =
        sealed(taken, {{web, {{ten + seconds{1}, "printed"}}}, {web, {{ten + seconds{3}, "printed too"}}}}, acme);
    crypto::Sha256 hash;
    hash.update(own);
    store.objects[taken.second_form(hash.finish()).str()] = own;
    auto answer = ask(store, {acme});
    EXPECT_THAT(answer.entries, ElementsAre("web-1 forged", "web-1 forged too", "web-1 printed", "web-1 printed too"));
    EXPECT_EQ(answer.tally.conflicts, 1U);
    EXPECT_EQ(answer.tally.copies, 0U);
}

TEST(Merge, FindsTheHoursThatHaveSegments) {
    MemoryStore store;
    add(store, key("acme", ten, 1), {{source("acme", "web", "web-1"), {{ten, "a"}}}}, acme);
    add(store, key("globex", ten + minutes{300}, 1), {{source("globex", "web", "web-1"), {{ten + minutes{300}, "a"}}}},
        acme);
    Budget budget;
    EXPECT_THAT(*hours_with_segments(store, {}, budget), ElementsAre(ten, ten + minutes{300}));
    EXPECT_THAT(*hours_with_segments(store, {.tenant = tenant("acme")}, budget), ElementsAre(ten));
}

}  // namespace
}  // namespace boatswain::query
