// Whoever can write to the store, or is the store, cannot make a reader take more memory or time than it was given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/forge_for_test.h"
#include "query/merge.h"
#include "query/verify.h"

namespace boatswain::query {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Timestamp ten = at("2026-11-23T10:00:00Z");
const open::Identity acme = open::Identity::generate();

struct Answer {
    std::uint64_t entries = 0;
    std::vector<std::string> damages;
    std::optional<Error> error;
    std::uint64_t peak = 0;
};

struct Listener final : Observer {
    std::vector<std::string>& damages;
    explicit Listener(std::vector<std::string>& into) : damages(into) {}
    void damaged(const Error& error) override { damages.push_back(error.what); }
};

Answer ask(store::Store& store, const open::Bounds& bounds = {}, std::uint64_t budget_bytes = budget_bytes_default) {
    Answer answer;
    Listener listener{answer.damages};
    Budget budget{budget_bytes};
    auto tally = read_lines(store, std::vector{acme}, {}, {.budget = budget, .bounds = bounds}, listener,
                            [&](const Entry&) { return ++answer.entries > 0; });
    if (!tally) answer.error = tally.error();
    answer.peak = budget.peak();
    return answer;
}

TEST(HostileStore, CannotMakeManySourcesOfLargeFramesBeHeld) {
    MemoryStore store;
    auto& bytes = store.objects[key("acme", ten, 1).str()] = bomb(key("acme", ten, 1), 40, 1, 16U << 20, acme);
    ASSERT_LT(bytes.size(), 1'000'000U);
    auto answer = ask(store);
    EXPECT_THAT(answer.damages,
                ElementsAre(AllOf(HasSubstr("0000000001.age"), HasSubstr("67108"), HasSubstr("bytes of text"),
                                  HasSubstr("--oversized reads it all the same"))));
    EXPECT_EQ(answer.entries, 0U);
    EXPECT_LT(answer.peak, 1U << 20);
}

TEST(HostileStore, CannotMakeOneSourceExpandForHours) {
    MemoryStore store;
    store.objects[key("acme", ten, 1).str()] = bomb(key("acme", ten, 1), 1, 700, 4U << 20, acme);
    auto answer = ask(store);
    EXPECT_THAT(answer.damages, ElementsAre(AllOf(HasSubstr("2936012800 bytes of text"), HasSubstr("are believed"))));
    EXPECT_LT(store.bytes_read, 1U << 20) << "frames were read";
}

TEST(HostileStore, HasALargeFrameReadOnlyWhenThatIsAskedFor) {
    MemoryStore store;
    auto large = key("acme", ten, 1), usual = key("acme", ten, 2);
    store.objects[large.str()] = bomb(large, 1, 1, 5U << 20, acme);
    store.objects[usual.str()] = bomb(usual, 1, 1, 4U << 20, acme);
    auto answer = ask(store);
    EXPECT_THAT(answer.damages, ElementsAre(AllOf(HasSubstr("0000000001.age: frame 0"), HasSubstr("4194304"))));
    EXPECT_EQ(answer.entries, 64U);
    auto asked_for = ask(store, open::Bounds::of_the_format());
    EXPECT_THAT(asked_for.damages, IsEmpty());
    EXPECT_EQ(asked_for.entries, 64U + 80U);
}

TEST(HostileStore, HoldsAManySourcedObjectInParts) {
    MemoryStore store;
    auto name = key("acme", ten, 1);
    store.objects[name.str()] = bomb(name, 150, 1, 400'000, acme);
    auto answer = ask(store, open::Bounds{.text_bytes_small = 1U << 30}, budget_bytes_min);
    ASSERT_FALSE(answer.error) << answer.error->what;
    EXPECT_EQ(answer.entries, 150U * 7);
    EXPECT_LE(answer.peak, budget_bytes_min);
}

TEST(HostileStore, CannotMakeMillionsOfFramesBeHeld) {
    MemoryStore store;
    for (std::uint64_t i = 1; i <= 12; ++i) {
        auto name = key("acme", ten, i, "node-" + std::to_string(i));
        store.objects[name.str()] = many_frames(name, 15'000, acme);
    }
    constexpr std::uint64_t budget_bytes = 32U << 20;
    auto answer = ask(store, {}, budget_bytes);
    ASSERT_TRUE(answer.error);
    EXPECT_TRUE(is_over_budget(*answer.error)) << answer.error->what;
    EXPECT_THAT(answer.error->what,
                HasSubstr("the footers of the segments of an hour need more than half of the 32MiB"));
    EXPECT_LE(answer.peak, budget_bytes);
}

TEST(HostileStore, HasALongFooterReadOnlyWhenThatIsAskedFor) {
    MemoryStore store;
    auto name = key("acme", ten, 1);
    store.objects[name.str()] = many_frames(name, 25'000, acme);
    EXPECT_THAT(ask(store).damages,
                ElementsAre(AllOf(HasSubstr("at most 4194304 are believed"), HasSubstr("--oversized"))));
    EXPECT_THAT(ask(store, open::Bounds::of_the_format()).damages.size(), 25'000U) << "each of its frames is garbage";
}

TEST(HostileStore, CannotLieAboutTheSizeOfAFrame) {
    auto who = source("acme", "web", "web-1");
    auto lie = [&](std::uint64_t said, std::size_t padding) {
        MemoryStore store;
        segment::SegmentParts parts{.key = key("acme", ten, 1), .sealed_at = ten, .sources = {who}};
        parts.frames.push_back(bomb_frame(who, 0, 1U << 20, said));
        parts.frames.back().compressed += std::string(padding, 'x');
        std::vector<crypto::Recipient> recipients{acme.recipient()};
        store.objects[key("acme", ten, 1).str()] = segment::seal(std::move(parts), recipients).value().bytes;
        return ask(store).damages;
    };
    EXPECT_THAT(lie(0, 0), IsEmpty());
    EXPECT_THAT(lie(100, 0), ElementsAre(HasSubstr("it says that it holds 1048576 bytes, the footer says 100")));
    EXPECT_THAT(lie(0, 8U << 20), ElementsAre(HasSubstr("frames[0] is longer than its text")));
}

TEST(HostileStore, CannotMakeVerifyExpandABomb) {
    MemoryStore store;
    store.objects[key("acme", ten, 1).str()] = bomb(key("acme", ten, 1), 40, 1, 16U << 20, acme);
    Budget budget;
    auto verified = verify_store(store, std::vector{acme}, {}, budget, [](std::uint64_t, std::uint64_t) {});
    ASSERT_TRUE(verified);
    ASSERT_EQ(verified->findings.problems.size(), 1U);
    EXPECT_EQ(verified->findings.problems[0].fault, Fault::damaged);
    EXPECT_THAT(verified->findings.problems[0].what, HasSubstr("are believed"));
}

std::string ten_digits(std::uint64_t number) {
    auto digits = std::to_string(number);
    return std::string(10 - digits.size(), '0') + digits;
}

// Lists names without end, as `name_of` makes them.
class EndlessStore final : public store::Store {
  public:
    std::function<std::string(std::uint64_t)> name_of;
    std::function<std::string(std::uint64_t)> token_of = [](std::uint64_t page) { return std::to_string(page); };
    std::uint64_t pages = 0;
    std::size_t names_of_a_page = 1000;
    std::uint64_t foreign_of_a_page = 0;  // left out, as S3Store does with names that no key has

    Result<store::ListPage> list(std::string_view prefix, bool delimited, const std::optional<std::string>&) override {
        store::ListPage page;
        for (std::size_t i = 0; i < names_of_a_page; ++i) {
            auto name = std::string{prefix} + name_of(pages * names_of_a_page + i);
            if (delimited)
                page.prefixes.push_back(name + "/");
            else
                page.objects.push_back({.key = name, .size = 1});
        }
        page.foreign = foreign_of_a_page;
        if (page.foreign > 0) page.last_foreign = std::string{prefix} + "~" + ten_digits(pages);
        page.next = token_of(++pages);
        return page;
    }
    Result<store::PutOutcome> put(std::string_view, std::string_view, std::string_view) override { return refuse(); }
    Result<void> replace(std::string_view, std::string_view, std::string_view) override { return refuse(); }
    Result<store::RangeBytes> read(std::string_view, store::Range) override { return refuse(); }
    Result<std::string> read(std::string_view) override { return refuse(); }
    Result<void> probe() override { return {}; }
    std::string describe() const override { return "endless"; }

  private:
    static std::unexpected<Error> refuse() { return fail(Remedy::re_resolve, "no such object"); }
};

TEST(HostileStore, CannotListTheSameNamesForEver) {
    EndlessStore store;
    store.name_of = [](std::uint64_t number) { return "tenant=a" + ten_digits(number % 3000); };
    auto answer = ask(store);
    ASSERT_TRUE(answer.error);
    EXPECT_THAT(answer.error->what, HasSubstr("the listing does not end: a page repeats names of the one before"));
    EXPECT_LE(store.pages, 4U);
}

TEST(HostileStore, CannotAskForTheSamePageForEver) {
    EndlessStore store;
    store.name_of = [](std::uint64_t number) { return "x" + ten_digits(number); };
    store.token_of = [](std::uint64_t) { return std::string{"again"}; };
    auto answer = ask(store);
    ASSERT_TRUE(answer.error);
    EXPECT_THAT(answer.error->what, HasSubstr("a page asks for itself again"));
    EXPECT_EQ(store.pages, 2U);
}

TEST(HostileStore, CannotSendEmptyPagesForEver) {
    EndlessStore store;
    store.names_of_a_page = 0;
    auto answer = ask(store);
    ASSERT_TRUE(answer.error);
    EXPECT_THAT(answer.error->what, HasSubstr("more than 100 pages without a name"));
}

TEST(HostileStore, CannotListNewTenantsForEver) {
    EndlessStore store;
    store.name_of = [](std::uint64_t number) { return "tenant=a" + ten_digits(number); };
    auto answer = ask(store);
    ASSERT_TRUE(answer.error);
    EXPECT_TRUE(is_over_budget(*answer.error)) << answer.error->what;
    EXPECT_LE(answer.peak, budget_bytes_default);
}

TEST(HostileStore, CannotListForeignNamesForEver) {
    EndlessStore store;
    store.names_of_a_page = 0;
    store.foreign_of_a_page = 1000;
    auto answer = ask(store);
    ASSERT_TRUE(answer.error);
    EXPECT_THAT(answer.error->what, HasSubstr("more than 10000000 names"));
}

// The listing says that an object is small, and the store sends what it likes.
TEST(HostileStore, CannotSendMoreThanWasListed) {
    struct Growing final : store::Store {
        MemoryStore under;
        bool whole_reads = false;
        Result<store::PutOutcome> put(std::string_view key, std::string_view bytes, std::string_view hash) override {
            return under.put(key, bytes, hash);
        }
        Result<void> replace(std::string_view key, std::string_view bytes, std::string_view hash) override {
            return under.replace(key, bytes, hash);
        }
        Result<store::RangeBytes> read(std::string_view key, store::Range range) override {
            range.length += 1;
            return under.read(key, range);
        }
        Result<std::string> read(std::string_view key) override {
            whole_reads = true;
            return under.read(key);
        }
        Result<store::ListPage> list(std::string_view prefix, bool delimited,
                                     const std::optional<std::string>& next) override {
            TRY(auto page, under.list(prefix, delimited, next));
            for (auto& object : page.objects) object.size = 100;
            return page;
        }
        Result<void> probe() override { return {}; }
        std::string describe() const override { return "growing"; }
    } store;
    add(store.under, key("acme", ten, 1), {{source("acme", "web", "web-1"), {{ten, "a"}}}}, acme);
    auto answer = ask(store);
    EXPECT_THAT(answer.damages, ElementsAre(HasSubstr("the store gave 101 bytes from byte 0 where 100")));
    EXPECT_FALSE(store.whole_reads) << "read without a bound";
}

}  // namespace
}  // namespace boatswain::query
