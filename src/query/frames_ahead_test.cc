#include "query/frames_ahead.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "query/filter_source.h"
#include "query/filter_text.h"
#include "query/merge.h"
#include "query/store_for_test.h"

namespace boatswain::query {
namespace {

using namespace testing;
using std::chrono::seconds;

// A store that counts what is asked of it, and how often at once.
class WatchedStore final : public store::Store {
  public:
    MemoryStore inside;
    std::atomic<int> reads = 0, at_once = 0, at_once_max = 0;
    std::atomic<std::uint64_t> bytes = 0;
    std::chrono::microseconds takes{};

    Result<store::PutOutcome> put(std::string_view, std::string_view, std::string_view) override {
        return fail(Remedy::stop, "read only");
    }
    Result<void> replace(std::string_view, std::string_view, std::string_view) override {
        return fail(Remedy::stop, "read only");
    }
    Result<store::RangeBytes> read(std::string_view key, store::Range range) override {
        ++reads;
        auto now = ++at_once;
        for (auto known = at_once_max.load(); known < now && !at_once_max.compare_exchange_weak(known, now);) {
        }
        if (takes.count() > 0) std::this_thread::sleep_for(takes);
        auto found = inside.read(key, range);
        --at_once;
        if (found) bytes += found->bytes.size();
        return found;
    }
    Result<std::string> read(std::string_view key) override { return inside.read(key); }
    Result<store::ListPage> list(std::string_view prefix, bool delimited,
                                 const std::optional<std::string>& next) override {
        return inside.list(prefix, delimited, next);
    }
    Result<void> probe() override { return {}; }
    std::string describe() const override { return "watched"; }
};

struct Unharmed final : Observer {
    void damaged(const Error& error) override { ADD_FAILURE() << error.what; }
};

class FramesAheadTest : public ::testing::Test {
  protected:
    // Segments of `frames` frames of 64 lines each, of one source; every line is one second behind the one before.
    void fill(std::uint64_t segments, int frames, std::size_t line_bytes, const std::string& host = "node-1") {
        std::mt19937 random{5};
        auto time = ten;
        for (std::uint64_t sequence = 1; sequence <= segments; ++sequence) {
            std::vector<TestFrame> parts;
            for (int i = 0; i < frames; ++i) {
                TestFrame frame{.source = source("acme", "web", "web-" + host)};
                for (int line = 0; line < 64; ++line) {
                    std::string bytes = "line " + std::to_string(lines++) + " ";
                    while (bytes.size() < line_bytes) bytes += std::to_string(random());
                    frame.entries.push_back({.time = time += seconds{1}, .bytes = bytes});
                }
                parts.push_back(std::move(frame));
            }
            add(store.inside, key("acme", ten, sequence, host), parts, reader);
        }
    }
    std::vector<std::string> read(FilterPtr filter, std::uint64_t memory = budget_bytes_default,
                                  std::size_t limit = SIZE_MAX, Crew* crew = nullptr) {
        Unharmed observer;
        std::vector<std::string> found;
        Budget budget{memory};
        Selection selection{.tenant = tenant("acme"), .range = {}, .filter = std::move(filter)};
        auto tally = read_lines(store, std::span{&reader, 1}, selection, {.budget = budget, .crew = crew}, observer,
                                [&](const Entry& entry) {
                                    auto line = entry.text.line.bytes;
                                    found.emplace_back(line.substr(0, line.find(' ', 5)));
                                    return found.size() < limit;
                                });
        EXPECT_TRUE(tally) << tally.error().what;
        EXPECT_LE(budget.peak(), memory);
        return found;
    }
    std::vector<std::string> all() const {
        std::vector<std::string> all;
        for (int i = 0; i < lines; ++i) all.push_back("line " + std::to_string(i));
        return all;
    }

    const Timestamp ten = at("2026-11-23T10:00:00Z");
    open::Identity reader = open::Identity::generate();
    WatchedStore store;
    int lines = 0;
};

TEST_F(FramesAheadTest, LinesKeepTheirOrder) {
    fill(6, 8, 200);
    EXPECT_EQ(read(nullptr), all());
    EXPECT_EQ(read(line_has("line")), all());
}

TEST_F(FramesAheadTest, MemoryStaysWithinTheBudget) {
    fill(3, 8, 4'000);
    EXPECT_EQ(read(nullptr, budget_bytes_min), all());
    EXPECT_EQ(read(line_has("line"), budget_bytes_min), all());
}

TEST_F(FramesAheadTest, FramesSideBySideAreOneRequest) {
    fill(3, 16, 300);
    store.reads = 0;
    EXPECT_EQ(read(line_has("line")), all());
    EXPECT_LE(store.reads, 3 * (2 + 2)) << "start and end of each segment, and its frames in one or two";
}

TEST_F(FramesAheadTest, ALimitReadsLittleMore) {
    fill(12, 8, 2'000);
    store.bytes = 0;
    EXPECT_EQ(read(nullptr, budget_bytes_default, 10).size(), 10U);
    std::uint64_t stored = 0;
    for (const auto& [name, object] : store.inside.objects) stored += object.size();
    EXPECT_LT(store.bytes, stored / 2 + 12 * (132U << 10)) << "start and end of each segment, and a few frames";
}

// 24 segments, of 20 frames of 128 KiB that do not shrink; each app prints for three minutes in turn.
TEST_F(FramesAheadTest, AMinuteOfAnAppTouchesUnderAHundredthOfADay) {
    std::mt19937 random{5};
    std::string noise(1U << 20, ' ');
    for (auto& c : noise) c = static_cast<char>('!' + random() % 90);
    auto day = at("2026-11-23T00:00:00Z");
    for (int hour = 0; hour < 24; ++hour) {
        std::vector<TestFrame> frames;
        for (int i = 0; i < 20; ++i) {
            frames.push_back({.source = source("acme", i % 2 ? "web" : "db", "one"), .entries = {}});
            for (int line = 0; line < 32; ++line)
                frames.back().entries.push_back(
                    {.time = day + std::chrono::hours{hour} + std::chrono::minutes{3 * i} + 5 * seconds{line},
                     .bytes = noise.substr(random() % (noise.size() - 4096), 4096)});
        }
        add(store.inside, key("acme", day + std::chrono::hours{hour}, static_cast<std::uint64_t>(hour + 1)), frames,
            reader);
    }
    std::uint64_t stored = 0;
    for (const auto& [name, object] : store.inside.objects) stored += object.size();
    auto from = day + std::chrono::hours{10} + std::chrono::minutes{9};
    Budget budget;
    Unharmed observer;
    std::size_t found = 0;
    auto read = read_lines(
        store, std::span{&reader, 1},
        {.tenant = tenant("acme"), .range = {from, from + std::chrono::minutes{1}}, .filter = app_is_one_of({"web"})},
        {.budget = budget}, observer, [&](const Entry&) { return ++found > 0; });
    ASSERT_TRUE(read);
    EXPECT_EQ(found, 12U);
    EXPECT_LT(store.bytes, stored / 100) << stored;
}

TEST_F(FramesAheadTest, ManyQuestionsShareOneCrew) {
    fill(6, 8, 2'000);
    store.takes = std::chrono::milliseconds{1};
    constexpr int questions = 6, hands = 2;
    Crew crew{hands};
    std::vector<std::jthread> asking;
    for (int i = 0; i < questions; ++i)
        asking.emplace_back([&, i] {
            if (i % 2)
                EXPECT_EQ(read(nullptr, budget_bytes_default, SIZE_MAX, &crew), all());
            else
                EXPECT_EQ(read(line_has("line 1"), budget_bytes_default, 10, &crew).size(), 10U) << "it leaves early";
        });
    asking.clear();
    EXPECT_LE(crew.hands(), std::size_t{hands});
    EXPECT_LE(store.at_once_max, questions + hands);
    EXPECT_GT(store.at_once_max, 1);
}

TEST_F(FramesAheadTest, TroubleOfTheStoreComesBehindTheLinesBeforeIt) {
    fill(2, 2, 100);
    store.inside.read_error = Error{.remedy = Remedy::back_off, .what = "503"};
    Budget budget;
    struct Deaf final : Observer {
        void damaged(const Error&) override {}
    } observer;
    auto tally = read_lines(store, std::span{&reader, 1}, {.tenant = tenant("acme"), .range = {}}, {.budget = budget},
                            observer, [](const Entry&) { return true; });
    EXPECT_FALSE(tally);
}

}  // namespace
}  // namespace boatswain::query
