// Closing records, and the totals that they state: over frames, feeds and restarts.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "batch/batcher.h"
#include "open/segment_reader.h"

namespace boatswain::batch {
namespace {

constexpr std::chrono::seconds patience{30};

Timestamp at(std::string_view text) { return parse_time(text).value(); }

// One run of the host's side, on a state directory that outlives it.
class Host {
  public:
    explicit Host(const Path& state_dir)
        : spool_(spool::Spool::open({.state_dir = state_dir, .host = "node-7"}, clock_, log_, metrics_).value()) {}

    std::unique_ptr<Feed> feed(const std::string& tenant) {
        Source source{
            .id = "web", .kind = "docker", .name = "web-1", .whose = {.tenant = TenantId::parse(tenant).value()}};
        return batcher_.open_feed(std::move(source), {identity_.recipient()},
                                  spool_->checkpoint("web").value_or(Checkpoint{}), false);
    }
    // Everything so far, sealed and in the spool.
    void seal() {
        batcher_.flush_all();
        ASSERT_TRUE(sealing_.drain(std::chrono::steady_clock::now() + patience));
    }
    // The frames of all segments that wait, in the order in which they were sealed, and their texts.
    std::vector<std::pair<open::FooterFrame, std::string>> frames() {
        std::vector<std::pair<open::FooterFrame, std::string>> found;
        std::stop_source stop;
        for (auto left = spool_->count(); left > 0; --left) {
            auto spooled = spool_->take(stop.get_token()).value();
            auto bytes = read_file(spooled.file, 1U << 20).value();
            auto fetch = [&](std::uint64_t first, std::uint64_t length) -> Result<std::string> {
                return bytes.substr(first, length);
            };
            auto reader = open::SegmentReader::open(bytes.size(), fetch, std::span{&identity_, 1}).value();
            for (std::size_t i = 0; i < reader.footer().frames.size(); ++i)
                found.emplace_back(reader.footer().frames[i], reader.frame_text(i).value());
            EXPECT_TRUE(spool_->release(spooled));
        }
        return found;
    }
    spool::Spool& spool() { return *spool_; }
    Batcher& batcher() { return batcher_; }

  private:
    static inline const open::Identity identity_ = open::Identity::generate();  // over restarts, too
    SimulatedClock clock_{at("2026-11-22T10:04:11Z")};
    Log log_{clock_, STDERR_FILENO, LogFormat::text, LogLevel::error};
    Metrics metrics_;
    std::unique_ptr<spool::Spool> spool_;
    MemoryBudget budget_{64U << 20};
    Sealing sealing_{1, 1, *spool_, budget_, clock_, metrics_, log_, [] {}};
    Batcher batcher_{{}, sealing_, *spool_, budget_, clock_, metrics_};
};

class Closing : public ::testing::Test {
  protected:
    Closing() {
        std::string pattern = std::filesystem::temp_directory_path() / "boatswain-closing-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
    }
    ~Closing() override { std::filesystem::remove_all(directory_); }
    Path directory_;
    const Line line_{.time = at("2026-11-22T10:00:00Z"), .bytes = "hello"};
    const End end_{.time = at("2026-11-22T10:04:11Z"), .reason = end_removed, .exit_code = 3};
};

TEST_F(Closing, StatesAllLinesAndBytesOfTheSourceOverSegmentsAndRestarts) {
    {
        Host host{directory_};
        auto feed = host.feed("acme");
        feed->append(line_);
        feed->mark(FilePosition{.device = 1, .out_offset = 5});
        host.seal();
        feed->append(line_);
        feed->mark(FilePosition{.device = 1, .out_offset = 10});
        feed.reset();
        host.seal();
        EXPECT_EQ(host.frames().size(), 2U);
    }
    Host host{directory_};
    auto feed = host.feed("acme");
    feed->append({.time = at("2026-11-22T10:00:01Z"), .bytes = "bye"});
    feed->close(end_);
    feed.reset();
    host.seal();
    auto frames = host.frames();
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].first.first_ordinal, 2U);
    auto end = frames[0].first.counts.end.value();
    EXPECT_EQ(end.lines, 3U);
    EXPECT_EQ(end.bytes, 13U);
    EXPECT_EQ(end.exit_code, 3);
    EXPECT_TRUE(
        frames[0].second.ends_with("# end "
                                   "{\"time\":\"2026-11-22T10:04:11.000000000Z\",\"reason\":\"removed\",\"exit_code\":"
                                   "3,\"lines\":3,\"bytes\":13}\n"))
        << frames[0].second;
}

TEST_F(Closing, IsWrittenForASourceThatPrintedNothing) {
    Host host{directory_};
    auto feed = host.feed("acme");
    feed->close(end_);
    feed.reset();
    host.seal();
    auto frames = host.frames();
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].first.counts.lines, 0U);
    EXPECT_EQ(frames[0].first.counts.end.value().lines, 0U);
    EXPECT_EQ(frames[0].first.counts.last_time, end_.time);
}

TEST_F(Closing, LeavesBytesOutWhereAnOlderVersionDidNotCountThem) {
    Host host{directory_};
    segment::SealedSegment older{
        .key = {.tenant = TenantId::parse("globex").value(), .host = "node-7", .epoch = "e", .sequence = 1},
        .bytes = "sealed",
        .sha256 = std::string(32, 'a')};
    ASSERT_TRUE(host.spool().add(older, {{"web", {.lines = 7, .bytes = std::nullopt}}}));
    std::stop_source stop;
    ASSERT_TRUE(host.spool().release(host.spool().take(stop.get_token()).value()));

    auto feed = host.feed("acme");
    feed->append(line_);
    feed->close(end_);
    feed.reset();
    host.seal();
    auto end = host.frames().at(0).first.counts.end.value();
    EXPECT_EQ(end.lines, 8U);
    EXPECT_EQ(end.bytes, std::nullopt);
}

TEST_F(Closing, TellsATenantThatTheSourceIsAnothersFromHereOnAndOrdinalsGoOnThere) {
    Host host{directory_};
    auto old = host.feed("acme");
    old->append(line_);
    old->mark(FilePosition{.device = 1, .out_offset = 5});
    auto next = host.feed("globex");
    old->hand_over(*next);
    old = std::move(next);
    old->append(line_);
    old->mark(FilePosition{.device = 1, .out_offset = 10});
    old.reset();
    host.seal();
    auto frames = host.frames();
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(frames[0].first.counts.end.value().reason, end_reassigned);
    EXPECT_EQ(frames[0].first.counts.end.value().lines, 1U);
    EXPECT_EQ(frames[1].first.first_ordinal, 1U);
    EXPECT_FALSE(frames[1].first.counts.end);
    EXPECT_EQ(host.spool().checkpoint("web").value(), (Checkpoint{FilePosition{.device = 1, .out_offset = 10}, 2, 10}));
}

TEST_F(Closing, TellsATenantWhoseSourceBecameAnothersWhileNoAgentRan) {
    {
        Host host{directory_};
        auto feed = host.feed("acme");
        feed->append(line_);
        feed->mark(FilePosition{.device = 1, .out_offset = 5});
        feed.reset();
        host.seal();
        EXPECT_EQ(host.frames().size(), 1U);
    }
    Host host{directory_};
    auto feed = host.feed("globex");
    feed->append(line_);
    feed->mark(FilePosition{.device = 1, .out_offset = 10});
    feed.reset();
    feed = host.feed("globex");  // nothing is told twice
    feed.reset();
    host.seal();
    auto frames = host.frames();
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(frames[0].first.counts.end.value().reason, end_reassigned);
    EXPECT_EQ(frames[0].first.counts.end.value().lines, 1U);
    EXPECT_EQ(frames[0].first.counts.end.value().bytes, 5U);
    EXPECT_EQ(frames[1].first.first_ordinal, 1U);
    EXPECT_EQ(host.spool().checkpoint("web").value(), (Checkpoint{FilePosition{.device = 1, .out_offset = 10}, 2, 10}));
}

}  // namespace
}  // namespace boatswain::batch
