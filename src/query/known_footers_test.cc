#include "query/known_footers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "query/merge.h"
#include "query/store_for_test.h"

namespace boatswain::query {
namespace {

using namespace testing;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CountingStore final : public MemoryStore {
  public:
    std::atomic<int> gets = 0;
    Result<store::RangeBytes> read(std::string_view key, store::Range range) override {
        ++gets;
        return MemoryStore::read(key, range);
    }
};

struct Heard final : Observer {
    std::vector<std::string> damages;
    void damaged(const Error& error) override { damages.push_back(error.what); }
};

class KnownFootersTest : public ::testing::Test {
  protected:
    void add_segment(std::uint64_t sequence, const std::string& line) {
        add(store, key("acme", ten, sequence), {{source("acme", "web", "web-1"), {{ten + seconds{sequence}, line}}}},
            readers[0]);
    }
    // How many footers it found, and what it asked for.
    std::pair<int, int> ask(KnownFooters& known) {
        store.gets = 0;
        Budget budget;
        int footers = 0;
        auto read = read_footers(store, readers, all, {.budget = budget, .known = &known}, heard,
                                 [&](const SegmentInfo&, const open::Footer&) { return ++footers > 0; });
        EXPECT_TRUE(read);
        return {footers, store.gets};
    }
    std::vector<std::string> lines(KnownFooters& known) {
        Budget budget;
        std::vector<std::string> found;
        auto read =
            read_lines(store, readers, all, {.budget = budget, .known = &known}, heard, [&](const Entry& entry) {
                found.emplace_back(entry.text.line.bytes);
                return true;
            });
        EXPECT_TRUE(read);
        return found;
    }

    const Timestamp ten = at("2026-11-23T10:00:00Z");
    const Selection all{.tenant = tenant("acme"), .range = {}};
    std::vector<open::Identity> readers{open::Identity::generate()};
    CountingStore store;
    Heard heard;
};

TEST_F(KnownFootersTest, AreNotFetchedAgain) {
    for (std::uint64_t i = 1; i <= 10; ++i) add_segment(i, "line");
    KnownFooters known{1U << 20};
    EXPECT_EQ(ask(known), (std::pair{10, 10}));
    EXPECT_EQ(ask(known), (std::pair{10, 0}));
    add_segment(11, "late");
    EXPECT_EQ(ask(known), (std::pair{11, 1}));
    EXPECT_EQ(lines(known).back(), "late") << "lines are read all the same";
    EXPECT_LT(known.bytes(), 11U * 4096U);
}

TEST_F(KnownFootersTest, AreKnownToThoseAloneWhoOpenedThem) {
    add_segment(1, "line");
    KnownFooters known{1U << 20};
    EXPECT_EQ(ask(known).first, 1);
    readers = {open::Identity::generate()};
    EXPECT_EQ(ask(known), (std::pair{0, 1})) << "it tries, and opens nothing";
}

TEST_F(KnownFootersTest, TakeNoMoreMemoryThanTheyMay) {
    for (std::uint64_t i = 1; i <= 50; ++i) add_segment(i, "line");
    KnownFooters known{8U << 10};
    EXPECT_EQ(ask(known).first, 50);
    EXPECT_LE(known.bytes(), 8U << 10);
    EXPECT_GT(known.bytes(), 1U << 10);
    EXPECT_EQ(ask(known).first, 50);
    KnownFooters none{0};
    EXPECT_EQ(ask(none), (std::pair{50, 50}));
    EXPECT_EQ(ask(none), (std::pair{50, 50}));
}

TEST_F(KnownFootersTest, AnObjectThatWasExchangedIsNotReadByAnothersFooter) {
    add_segment(1, "before");
    KnownFooters known{1U << 20};
    EXPECT_THAT(lines(known), ElementsAre("before"));
    add_segment(1, "behind");  // of the same size
    EXPECT_THAT(lines(known), ElementsAre());
    EXPECT_THAT(heard.damages, ElementsAre(HasSubstr("the object is another one than")));
}

}  // namespace
}  // namespace boatswain::query
