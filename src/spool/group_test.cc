// Many additions at once: all of them or none, in their order, for the syncs of one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/bytes.h"
#include "base/directory_for_test.h"
#include "spool/segments_for_test.h"
#include "spool/spool.h"
#include "spool/sqlite.h"

namespace {
std::atomic<unsigned> syncs{0};
}

// In place of the C library's, for all of this program: SQLite's too.
extern "C" int fsync(int fd) {
    ++syncs;
    return static_cast<int>(::syscall(SYS_fsync, fd));
}
extern "C" int fdatasync(int fd) {
    ++syncs;
    return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

namespace boatswain::spool {
namespace {

using boatswain::testing::names_in;

class Group : public ::testing::Test {
  protected:
    Group() { open(); }
    void open() {
        spool.reset();
        spool = std::move(*Spool::open({.state_dir = state, .host = "node-7"}, clock, log, metrics));
    }
    static std::string tenant(int number) { return "tenant-" + std::to_string(number); }
    Addition addition(const std::string& tenant, std::uint64_t lines) {
        return {.segment = next_segment(*spool, tenant, 100),
                .checkpoints = {{"source of " + tenant, {FilePosition{.out_offset = lines}, lines}}}};
    }
    std::vector<Addition> many(int count) {
        std::vector<Addition> additions;
        for (int i = 0; i < count; ++i) additions.push_back(addition(tenant(i), 1));
        return additions;
    }
    std::optional<Checkpoint> checkpoint(int number) { return spool->checkpoint("source of " + tenant(number)); }

    boatswain::testing::TestDirectory directory;
    Path state = directory / "state";
    SystemClock clock;
    Log log{clock, -1, LogFormat::text, LogLevel::error};
    Metrics metrics;
    std::unique_ptr<Spool> spool;
};

TEST_F(Group, IsInTheSpoolWholeAndStaysOverARestart) {
    ASSERT_TRUE(spool->add(many(100)));
    open();
    EXPECT_EQ(spool->count(), 100U);
    std::stop_source stop;
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(checkpoint(i).value().lines, 1U);
        EXPECT_EQ(spool->chain_head(TenantId::parse(tenant(i)).value())->sequence, 2U);
        auto taken = spool->take(stop.get_token()).value();
        EXPECT_EQ(taken.tenant, tenant(i)) << "in the order of the group";
        EXPECT_EQ(to_hex(taken.sha256), spool->chain_head(TenantId::parse(tenant(i)).value())->previous_sha256);
    }
}

// Each file is synced for itself, and the disk has begun with all of them by then; what costs a wait is the rest.
TEST_F(Group, CostsTheSyncsOfOneBesideThoseOfItsFiles) {
    auto additions = many(100);
    auto before = syncs.load();
    ASSERT_TRUE(spool->add(additions));
    EXPECT_LE(syncs - before, 100U + 4U);
    EXPECT_GE(syncs - before, 100U + 2U) << "the directory's and the database's";
}

TEST_F(Group, LeavesNothingOfItWhenTheStateTakesNotAll) {
    {
        auto other = Database::open(state / "state.sqlite").value();
        ASSERT_TRUE(
            other.session().execute("CREATE TRIGGER full BEFORE INSERT ON segments WHEN NEW.tenant = 'tenant-7' "
                                    "BEGIN SELECT RAISE(ABORT, 'disk full'); END"));
    }
    auto additions = many(10);
    EXPECT_FALSE(spool->add(additions));
    EXPECT_EQ(spool->count(), 0U);
    EXPECT_FALSE(checkpoint(0));
    EXPECT_EQ(spool->chain_head(TenantId::parse(tenant(0)).value())->sequence, 1U);
    {
        auto other = Database::open(state / "state.sqlite").value();
        ASSERT_TRUE(other.session().execute("DROP TRIGGER full"));
    }
    ASSERT_TRUE(spool->add(additions));
    open();
    EXPECT_EQ(spool->count(), 10U);
    EXPECT_EQ(names_in(state / "spool").size(), 10U + 1U) << "the numbers of the first try are used again";
}

TEST_F(Group, HoldsWhatALaterAdditionSaysOfASource) {
    ResumeRecord web{
        .source = {.id = "web", .kind = "docker", .name = "web"},
        .recipients = {
            crypto::Recipient::parse("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p").value()}};
    Checkpoint beginning{FilePosition{.device = 1}, 0};
    std::vector<Addition> additions(4);
    additions[0].begun = {{beginning, web}};
    additions[1] = addition("acme", 3);
    additions[1].checkpoints = {{"web", {FilePosition{.out_offset = 9}, 3}}};
    additions[1].bookkeeping.known = {{"web", web}};
    additions[2].ended = {{"web", true}};
    ASSERT_TRUE(spool->add(std::span{additions}.first(3)));
    for (int restarted = 0; restarted < 2; ++restarted, open()) {
        EXPECT_EQ(spool->checkpoint("web").value().lines, 3U);
        EXPECT_TRUE(spool->ended("web"));
    }
    additions[3].bookkeeping.forget = {"web"};
    ASSERT_TRUE(spool->add(std::span{additions}.last(1)));
    for (int restarted = 0; restarted < 2; ++restarted, open()) EXPECT_FALSE(spool->checkpoint("web"));
}

TEST_F(Group, WhatIsReleasedSoonCostsOneSyncTogetherWhenNothingElseWaits) {
    ASSERT_TRUE(spool->add(many(20)));
    std::stop_source stop;
    auto bytes = spool->bytes();
    syncs = 0;
    for (int i = 0; i < 20; ++i) spool->release_soon(spool->take(stop.get_token()).value());
    EXPECT_EQ(syncs, 0U);
    EXPECT_EQ(spool->count(), 0U);
    EXPECT_EQ(spool->bytes(), bytes) << "they take room";
    EXPECT_EQ(names_in(state / "spool").size(), 21U);
    std::jthread uploader{[&] { (void)spool->take(stop.get_token()); }};
    while (spool->bytes() > 0) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    EXPECT_EQ(syncs, 1U);
    EXPECT_EQ(names_in(state / "spool"), std::vector<std::string>{"quarantine"});
    stop.request_stop();
}

TEST_F(Group, WhatIsReleasedSoonIsGoneWhenThereAreMany) {
    ASSERT_TRUE(spool->add(many(static_cast<int>(Spool::released_max) + 1)));
    std::stop_source stop;
    for (std::size_t i = 0; i < Spool::released_max; ++i) spool->release_soon(spool->take(stop.get_token()).value());
    EXPECT_EQ(names_in(state / "spool").size(), 2U) << "the last one, and quarantine";
}

TEST_F(Group, WhatWasToBeReleasedSoonIsOfferedOnceMoreAfterAKill) {
    ASSERT_TRUE(spool->add(many(3)));
    std::stop_source stop;
    spool->release_soon(spool->take(stop.get_token()).value());
    std::filesystem::copy(state, directory / "killed", std::filesystem::copy_options::recursive);
    open();
    EXPECT_EQ(spool->count(), 2U) << "an orderly end leaves nothing to be done";
    spool.reset();
    std::filesystem::remove_all(state);
    std::filesystem::rename(directory / "killed", state);
    open();
    EXPECT_EQ(spool->count(), 3U);
}

}  // namespace
}  // namespace boatswain::spool
