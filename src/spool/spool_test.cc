#include "spool/spool.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "base/bytes.h"
#include "base/directory_for_test.h"
#include "spool/segments_for_test.h"
#include "spool/sqlite.h"

namespace boatswain::spool {
namespace {

using namespace std::chrono_literals;
using boatswain::testing::contents;
using boatswain::testing::names_in;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SpoolTest : public ::testing::Test {
  protected:
    SpoolTest() { open(); }

    Result<std::unique_ptr<Spool>> try_open(std::uint64_t bytes_max = 1U << 30) {
        spool.reset();
        return Spool::open({.state_dir = state, .host = "node-7", .bytes_max = bytes_max}, clock, log, metrics);
    }
    void open() {
        auto opened = try_open();
        ASSERT_TRUE(opened) << opened.error().what;
        spool = std::move(*opened);
    }
    Result<void> add(const std::string& tenant, std::size_t bytes = 100, const Checkpoints& checkpoints = {}) {
        return spool->add(next_segment(*spool, tenant, bytes), checkpoints);
    }
    std::optional<Spooled> take_now() { return spool::take_now(*spool); }
    static Checkpoint at(std::uint64_t offset, std::uint64_t lines) {
        return {FilePosition{.device = 1, .inode = 2, .fingerprint = 3, .out_offset = offset, .err_offset = offset},
                lines};
    }
    std::vector<std::string> files() {
        auto names = names_in(state / "spool");
        std::erase(names, "quarantine");
        return names;
    }
    double counted(std::string_view what) {
        return metrics.counter("boatswain_spool_" + std::string{what} + "_total", "").value();
    }

    boatswain::testing::TestDirectory directory;
    Path state = directory / "state";
    SystemClock clock;
    Fd log_file{::open((directory / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    Log log{clock, log_file.get(), LogFormat::text, LogLevel::debug};
    Metrics metrics;
    std::unique_ptr<Spool> spool;
};

TEST_F(SpoolTest, GivesASegmentBackAsItCame) {
    auto segment = next_segment(*spool, "acme", 1000);
    ASSERT_TRUE(spool->add(segment, {}));
    EXPECT_EQ(spool->count(), 1U);
    EXPECT_EQ(spool->bytes(), 1000U);
    auto taken = take_now();
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->key, segment.key.str());
    EXPECT_EQ(taken->tenant, "acme");
    EXPECT_EQ(taken->size, 1000U);
    EXPECT_EQ(taken->sha256, segment.sha256);
    EXPECT_EQ(taken->attempts, 0U);
    EXPECT_EQ(contents(taken->file), segment.bytes);
    ASSERT_TRUE(spool->release(*taken));
    EXPECT_EQ(spool->count(), 0U);
    EXPECT_EQ(spool->bytes(), 0U);
    EXPECT_THAT(files(), IsEmpty());
}

TEST_F(SpoolTest, KeepsSegmentsCheckpointsAndEpochOverARestart) {
    auto epoch = spool->epoch();
    ASSERT_TRUE(add("acme", 100,
                    {{"web", at(10, 1)},
                     {"pipe", {NoPosition{}, 7}},
                     {"logs", {TimePosition{Timestamp{5ns}, Timestamp{6ns}}, 2}}}));
    ASSERT_TRUE(add("acme", 200, {{"web", at(20, 2)}}));
    open();
    EXPECT_EQ(spool->epoch(), epoch);
    EXPECT_EQ(spool->count(), 2U);
    EXPECT_EQ(spool->bytes(), 300U);
    EXPECT_EQ(spool->checkpoint("web"), at(20, 2));
    EXPECT_EQ(spool->checkpoint("pipe"), (Checkpoint{NoPosition{}, 7}));
    EXPECT_EQ(spool->checkpoint("logs"), (Checkpoint{TimePosition{Timestamp{5ns}, Timestamp{6ns}}, 2}));
    EXPECT_EQ(spool->checkpoint("other"), std::nullopt);
    EXPECT_EQ(take_now()->size, 100U) << "the oldest first";
}

TEST_F(SpoolTest, DrawsAnEpochForEachStateDirectory) {
    auto other = Spool::open({.state_dir = directory / "other", .host = "node-7"}, clock, log, metrics);
    ASSERT_TRUE(other);
    EXPECT_NE((*other)->epoch(), spool->epoch());
    EXPECT_EQ(percent_encode(spool->epoch()), spool->epoch()) << "it is part of every key";
}

TEST_F(SpoolTest, ContinuesTheChainOfEachTenantForItself) {
    EXPECT_EQ(spool->chain_head(TenantId::parse("acme").value())->sequence, 1U);
    EXPECT_EQ(spool->chain_head(TenantId::parse("acme").value())->previous_sha256, "");
    auto first = next_segment(*spool, "acme", 10);
    ASSERT_TRUE(spool->add(first, {}));
    ASSERT_TRUE(add("globex"));
    open();
    auto head = *spool->chain_head(TenantId::parse("acme").value());
    EXPECT_EQ(head.sequence, 2U);
    EXPECT_EQ(head.previous_sha256, to_hex(first.sha256));
    // Released: the chain goes on all the same.
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(spool->release(*take_now()));
    open();
    EXPECT_EQ(spool->chain_head(TenantId::parse("acme").value())->sequence, 2U);
    EXPECT_EQ(spool->chain_head(TenantId::parse("hooli").value())->sequence, 1U);
}

TEST_F(SpoolTest, ForgetsACheckpointForGood) {
    ASSERT_TRUE(add("acme", 10, {{"web", at(10, 1)}, {"db", at(20, 1)}}));
    Addition forgotten{.bookkeeping = {.forget = {"web", "never known"}}};
    ASSERT_TRUE(spool->add({&forgotten, 1}));
    EXPECT_EQ(spool->checkpoint("web"), std::nullopt);
    open();
    EXPECT_EQ(spool->checkpoint("web"), std::nullopt);
    EXPECT_EQ(spool->checkpoint("db"), at(20, 1));
}

TEST_F(SpoolTest, KeepsTheCheckpointOfASourceThatPrintsOnceAYear) {
    SimulatedClock slow{*parse_time("2026-01-01T00:00:00Z")};
    auto old = Spool::open({.state_dir = directory / "old", .host = "node-7"}, slow, log, metrics);
    ASSERT_TRUE((*old)->add(next_segment(**old, "acme", 10), {{"web", at(10, 1)}}));
    old->reset();
    slow.advance(24h * 400);
    old = Spool::open({.state_dir = directory / "old", .host = "node-7"}, slow, log, metrics);
    EXPECT_EQ((*old)->checkpoint("web"), at(10, 1));
}

TEST_F(SpoolTest, BoundsTheCheckpointsThatNobodyForgot) {
    Checkpoints many;
    for (int i = 0; i < 21'000; ++i) many["gone" + std::to_string(i)] = at(1, 1);
    ASSERT_TRUE(add("acme", 10, many));
    ASSERT_TRUE(add("acme", 10, {{"web", at(10, 1)}}));
    open();
    EXPECT_EQ(spool->checkpoint("web"), at(10, 1)) << "those that moved last stay";
    int kept = 0;
    for (const auto& [source, checkpoint] : many) kept += spool->checkpoint(source) ? 1 : 0;
    EXPECT_EQ(kept, 19'999);
}

// ---- What a crash or a sick disk leaves -----------------------------------------------------------------------------

TEST_F(SpoolTest, RemovesAFileThatNoRowNames) {
    ASSERT_TRUE(add("acme"));
    for (auto name : {"2.age", ".2.age.tmp.77.1", "junk", "1.age.bak", "99999999999999999999.age"})
        boatswain::testing::write(state / "spool" / name, "left behind");
    open();
    EXPECT_THAT(files(), ElementsAre("1.age"));
    EXPECT_EQ(counted("stray_files"), 5);
    EXPECT_EQ(spool->count(), 1U);
}

TEST_F(SpoolTest, PutsATornSegmentAsideAndCountsIt) {
    ASSERT_TRUE(add("acme"));
    ASSERT_TRUE(add("acme"));
    std::filesystem::resize_file(state / "spool/1.age", 50);
    open();
    EXPECT_EQ(counted("missing_segments"), 1);
    EXPECT_EQ(counted("quarantined_segments"), 1);
    EXPECT_THAT(names_in(state / "spool/quarantine"), ElementsAre("1.age"));
    EXPECT_EQ(spool->count(), 1U);
    open();
    EXPECT_EQ(counted("missing_segments"), 1) << "told once";
    EXPECT_EQ(take_now()->file.filename(), "2.age");
}

TEST_F(SpoolTest, OpensWithoutAMissingSegmentAndCountsIt) {
    ASSERT_TRUE(add("acme"));
    ASSERT_TRUE(add("globex"));
    std::filesystem::remove(state / "spool/1.age");
    open();
    EXPECT_EQ(counted("missing_segments"), 1);
    EXPECT_EQ(spool->count(), 1U);
    ASSERT_TRUE(add("acme"));
    EXPECT_EQ(names_in(state / "spool").size(), 3U) << "a new file gets a new number";
}

TEST_F(SpoolTest, ReadsAnUnknownCheckpointFromItsStart) {
    ASSERT_TRUE(add("acme", 10, {{"web", at(10, 1)}, {"db", at(20, 1)}}));
    spool.reset();
    {
        auto database = Database::open(state / "state.sqlite");
        ASSERT_TRUE(database->session().execute("UPDATE checkpoints SET position = 'nonsense' WHERE source = 'web'"));
    }
    open();
    EXPECT_EQ(spool->checkpoint("web"), std::nullopt);
    EXPECT_EQ(spool->checkpoint("db"), at(20, 1));
}

TEST_F(SpoolTest, SaysThatItCannotMakeItsDirectory) {
    boatswain::testing::write(directory / "file", "");
    auto opened = Spool::open({.state_dir = directory / "file/state", .host = "node-7"}, clock, log, metrics);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().what, HasSubstr("file"));
}

TEST_F(SpoolTest, LeavesNothingOfAnAddThatFailedAndTakesItLater) {
    auto segment = next_segment(*spool, "acme", 100);
    std::filesystem::rename(state / "spool", directory / "away");
    auto added = spool->add(segment, {{"web", at(10, 1)}});
    ASSERT_FALSE(added);
    EXPECT_EQ(spool->checkpoint("web"), std::nullopt);
    EXPECT_EQ(spool->chain_head(TenantId::parse("acme").value())->sequence, 1U);
    EXPECT_EQ(spool->bytes(), 0U);
    std::filesystem::rename(directory / "away", state / "spool");
    ASSERT_TRUE(spool->add(segment, {{"web", at(10, 1)}}));
    EXPECT_EQ(spool->checkpoint("web"), at(10, 1));
    EXPECT_EQ(spool->count(), 1U);
}

TEST_F(SpoolTest, LeavesNothingOfAnAddWhoseRowFailed) {
    auto segment = next_segment(*spool, "acme", 100);
    ASSERT_TRUE(spool->add(segment, {}));
    auto again = spool->add(segment, {{"web", at(10, 1)}});
    ASSERT_FALSE(again) << "its key is there already";
    EXPECT_EQ(spool->checkpoint("web"), std::nullopt);
    EXPECT_EQ(spool->count(), 1U);
    ASSERT_TRUE(add("acme", 300));
    open();
    EXPECT_EQ(spool->count(), 2U);
    EXPECT_THAT(files(), ElementsAre("1.age", "2.age"));
    EXPECT_EQ(std::filesystem::file_size(state / "spool/2.age"), 300U);
}

// RLIMIT_FSIZE makes the disk full in a child: write(2) fails there as it does with ENOSPC.
TEST_F(SpoolTest, SurvivesADiskThatIsFullForAWhile) {
    spool.reset();
    auto child = ::fork();
    if (child == 0) {
        ::signal(SIGXFSZ, SIG_IGN);
        auto opened = try_open();
        if (!opened) ::_exit(1);
        spool = std::move(*opened);
        rlimit before{};
        ::getrlimit(RLIMIT_FSIZE, &before);
        rlimit full{.rlim_cur = 1000, .rlim_max = before.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &full);
        if (add("acme", 10'000)) ::_exit(2);
        if (add("acme", 500)) ::_exit(3);  // its row finds no room
        ::setrlimit(RLIMIT_FSIZE, &before);
        if (!add("acme", 10'000, {{"web", at(10, 1)}})) ::_exit(4);
        if (spool->count() != 1 || spool->chain_head(TenantId::parse("acme").value())->sequence != 2) ::_exit(5);
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 0);
    open();
    EXPECT_EQ(spool->checkpoint("web"), at(10, 1));
    EXPECT_EQ(spool->bytes(), 10'000U);
}

TEST_F(SpoolTest, HasRoomUpToItsBound) {
    auto opened = try_open(1000);
    spool = std::move(*opened);
    ASSERT_TRUE(add("acme", 999));
    EXPECT_TRUE(spool->has_room("globex"));
    ASSERT_TRUE(add("acme", 1));
    EXPECT_FALSE(spool->has_room("acme"));
    EXPECT_FALSE(spool->has_room("globex"));
    ASSERT_TRUE(spool->release(*take_now()));
    EXPECT_TRUE(spool->has_room("acme"));
    EXPECT_EQ(metrics.gauge("boatswain_spool_bytes", "").value(), 1);
    EXPECT_EQ(metrics.gauge("boatswain_spool_segments", "").value(), 1);
}

TEST_F(SpoolTest, LeavesRoomForOthersWhateverOneTenantPrints) {
    spool = std::move(*try_open(1000));
    while (spool->has_room("flood")) ASSERT_TRUE(add("flood", 50));
    EXPECT_EQ(spool->bytes(), 800U);
    EXPECT_THAT(spool->tenants_without_room(), ElementsAre("flood"));
    EXPECT_TRUE(spool->has_room("acme"));
    ASSERT_TRUE(add("acme", 50));
    EXPECT_TRUE(spool->has_room("acme"));
    while (spool->has_room("deluge")) ASSERT_TRUE(add("deluge", 10));
    EXPECT_TRUE(spool->has_room("acme")) << "two that flood leave less, but something";
    EXPECT_THAT(spool->tenants_without_room(), ElementsAre("deluge", "flood"));
    while (spool->bytes() > 300) {
        auto oldest = take_now();
        ASSERT_TRUE(spool->release(*oldest));
    }
    EXPECT_THAT(spool->tenants_without_room(), IsEmpty());
    EXPECT_TRUE(spool->has_room("flood"));
}

TEST_F(SpoolTest, KnowsHowLongTheOldestHasWaited) {
    EXPECT_EQ(spool->oldest(), std::nullopt);
    auto before = clock.now();
    ASSERT_TRUE(add("acme"));
    auto after = clock.now();
    ASSERT_TRUE(add("acme"));
    EXPECT_GE(*spool->oldest(), before);
    EXPECT_LE(*spool->oldest(), after);
}

// ---- Handing out ----------------------------------------------------------------------------------------------------

TEST_F(SpoolTest, HandsOutOneOfEachTenantInOrder) {
    for (auto size : {1U, 2U, 3U}) ASSERT_TRUE(add("acme", size));
    ASSERT_TRUE(add("globex", 10));
    auto acme = take_now();
    auto globex = take_now();
    ASSERT_TRUE(acme && globex);
    EXPECT_EQ(acme->size, 1U);
    EXPECT_EQ(globex->size, 10U) << "a tenant with many does not hold up the others";
    EXPECT_FALSE(take_now()) << "one at a time";
    ASSERT_TRUE(spool->release(*acme));
    auto second = take_now();
    ASSERT_TRUE(second);
    EXPECT_EQ(second->size, 2U);
    spool->give_back(*second, 0ms);
    EXPECT_EQ(take_now()->size, 2U) << "what was given back comes first again";
}

TEST_F(SpoolTest, HoldsATenantsLaterSegmentsWhileItsOldestWaits) {
    ASSERT_TRUE(add("acme", 1));
    ASSERT_TRUE(add("acme", 2));
    ASSERT_TRUE(add("globex", 10));
    auto began = std::chrono::steady_clock::now();
    spool->give_back(*take_now(), 400ms);
    EXPECT_EQ(take_now()->size, 10U);
    std::stop_source never;
    auto again = spool->take(never.get_token());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->size, 1U);
    EXPECT_EQ(again->attempts, 1U);
    EXPECT_GE(std::chrono::steady_clock::now() - began, 400ms);
    spool->give_back(*again, 0ms);
    EXPECT_EQ(take_now()->attempts, 2U);
}

TEST_F(SpoolTest, WakesWhoWaitsWhenASegmentComes) {
    std::optional<Spooled> taken;
    std::jthread shipper{[&](std::stop_token stop) { taken = spool->take(std::move(stop)); }};
    std::this_thread::sleep_for(20ms);
    ASSERT_TRUE(add("acme", 5));
    shipper.join();
    EXPECT_EQ(taken->size, 5U);
}

TEST_F(SpoolTest, StopsWaitingWhenTold) {
    std::jthread shipper{[&](std::stop_token stop) { EXPECT_FALSE(spool->take(std::move(stop))); }};
    std::this_thread::sleep_for(20ms);
}

TEST_F(SpoolTest, KeepsADamagedSegmentForAPersonAndGoesOn) {
    ASSERT_TRUE(add("acme", 1));
    ASSERT_TRUE(add("acme", 2));
    auto damaged = *take_now();
    boatswain::testing::write(damaged.file, "?");
    ASSERT_TRUE(spool->quarantine(damaged));
    EXPECT_EQ(take_now()->size, 2U);
    EXPECT_THAT(names_in(state / "spool/quarantine"), ElementsAre("1.age"));
    EXPECT_EQ(spool->bytes(), 2U) << "it takes nobody's room";
    EXPECT_EQ(spool->aside_totals().bytes, 1U) << "but some on the disk";
    open();
    EXPECT_EQ(spool->count(), 1U) << "it is not offered again";
    EXPECT_THAT(names_in(state / "spool/quarantine"), ElementsAre("1.age")) << "nor removed";
    ASSERT_TRUE(spool->release(*take_now()));
    open();
    ASSERT_TRUE(add("acme", 3));
    EXPECT_THAT(files(), ElementsAre("2.age")) << "its own number is not given away again";
}

// A database that refuses is what a full disk looks like from here.
TEST_F(SpoolTest, OffersASegmentAgainWhoseReleaseFailed) {
    ASSERT_TRUE(add("acme", 1));
    auto taken = take_now();
    {
        auto other = Database::open(state / "state.sqlite");
        ASSERT_TRUE(other->session().execute(
            "CREATE TRIGGER full BEFORE DELETE ON segments BEGIN SELECT RAISE(ABORT, 'disk full'); END"));
    }
    EXPECT_FALSE(spool->release(*taken));
    EXPECT_EQ(spool->count(), 1U);
    spool->give_back(*taken, 0ms);
    auto again = take_now();
    ASSERT_TRUE(again) << "the tenant is not held up";
    {
        auto other = Database::open(state / "state.sqlite");
        ASSERT_TRUE(other->session().execute("DROP TRIGGER full"));
    }
    EXPECT_TRUE(spool->release(*again));
    EXPECT_THAT(files(), IsEmpty());
}

TEST_F(SpoolTest, ServesManyThreadsAtOnce) {
    constexpr int segments = 60;
    std::atomic<int> released{0};
    {
        std::vector<std::jthread> shippers;
        for (int i = 0; i < 3; ++i)
            shippers.emplace_back([&](std::stop_token stop) {
                while (auto segment = spool->take(stop)) {
                    if (segment->attempts == 0 && segment->size % 3 == 0)
                        spool->give_back(*segment, 1ms);
                    else if (spool->release(*segment))
                        ++released;
                }
            });
        std::jthread watcher{[&](std::stop_token stop) {
            while (!stop.stop_requested()) {
                (void)spool->has_room("acme");
                (void)spool->oldest();
                (void)spool->checkpoint("web");
                std::this_thread::sleep_for(1ms);
            }
        }};
        for (std::size_t i = 1; i <= segments; ++i) ASSERT_TRUE(add(i % 3 ? "acme" : "globex", i, {{"web", at(i, i)}}));
        for (int waited = 0; released < segments && waited < 10'000; ++waited) std::this_thread::sleep_for(1ms);
        for (auto& shipper : shippers) shipper.request_stop();
    }
    EXPECT_EQ(released, segments);
    EXPECT_EQ(spool->bytes(), 0U);
    EXPECT_EQ(spool->checkpoint("web"), at(segments, segments));
}

}  // namespace
}  // namespace boatswain::spool
