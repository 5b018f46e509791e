// What the spool does when a key is taken, and with segments that the store refuses.
#include "spool/taken_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/directory_for_test.h"
#include "spool/segments_for_test.h"
#include "spool/spool.h"

namespace boatswain::spool {
namespace {

using namespace std::chrono_literals;
using boatswain::testing::names_in;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TakenKeyTest : public ::testing::Test {
  protected:
    TakenKeyTest() { open(); }

    void open(std::uint64_t bytes_max = 1U << 30, std::uint64_t aside_max = 1U << 20) {
        spool.reset();
        auto opened = Spool::open(
            {.state_dir = directory / "state", .host = "node-7", .bytes_max = bytes_max, .aside_max = aside_max}, clock,
            log, metrics);
        ASSERT_TRUE(opened) << opened.error().what;
        spool = std::move(*opened);
    }
    segment::ObjectKey add(const std::string& tenant, std::size_t bytes = 100) {
        auto segment = next_segment(*spool, tenant, bytes);
        EXPECT_TRUE(spool->add(segment, {}));
        return segment.key;
    }
    ChainHead head(const std::string& tenant) { return spool->chain_head(TenantId::parse(tenant).value()).value(); }
    // All keys that are handed out now, of whatever tenant; each is released.
    std::vector<segment::ObjectKey> take_all() {
        std::vector<segment::ObjectKey> keys;
        while (auto segment = take()) {
            keys.push_back(segment::parse_object_key(segment->key).value());
            EXPECT_TRUE(spool->release(*segment));
        }
        return keys;
    }
    std::optional<Spooled> take() { return take_now(*spool); }

    boatswain::testing::TestDirectory directory;
    SimulatedClock clock{parse_time("2026-11-23T10:20:00Z").value()};
    Log log{clock, -1, LogFormat::text, LogLevel::error};
    Metrics metrics;
    std::unique_ptr<Spool> spool;
};

TEST_F(TakenKeyTest, GivesAllThatWaitsBehindATakenKeyItsSecondForm) {
    auto stored = add("acme");
    ASSERT_TRUE(spool->release(*take()));
    auto taken = add("acme"), behind = add("acme"), other = add("globex");
    ASSERT_TRUE(spool->give_second_key(*take(), true));
    open();
    auto keys = take_all();
    ASSERT_EQ(keys.size(), 3U);
    EXPECT_EQ(keys[0].first_form(), taken);
    EXPECT_NE(keys[0], taken);
    EXPECT_EQ(keys[1].first_form(), behind);
    EXPECT_NE(keys[1], behind);
    EXPECT_EQ(keys[2], other) << "another chain is none of it";
}

TEST_F(TakenKeyTest, GivesOneSegmentAloneTheSecondFormWhereNobodyMayLook) {
    auto unseen = add("acme"), behind = add("acme");
    auto epoch = spool->epoch();
    ASSERT_TRUE(spool->give_second_key(*take(), false));
    auto keys = take_all();
    EXPECT_EQ(keys[0].first_form(), unseen);
    EXPECT_EQ(keys[0].hash.size(), segment::key_hash_digits);
    EXPECT_EQ(keys[1], behind);
    EXPECT_EQ(head("acme").epoch, epoch);
    EXPECT_THAT(spool->conflicts(), IsEmpty());
}

TEST_F(TakenKeyTest, BeginsANewEpochForWhatIsSealedAfterwards) {
    auto began = spool->state_began();
    auto first = add("acme");
    add("globex");
    clock.advance(1h);
    ASSERT_TRUE(spool->give_second_key(*take(), true));
    auto next = head("acme");
    EXPECT_NE(next.epoch, first.epoch);
    EXPECT_EQ(next.sequence, 1U);
    EXPECT_EQ(next.previous_sha256, "");
    EXPECT_TRUE(next.key_was_taken);
    EXPECT_EQ(head("globex").sequence, 1U);
    EXPECT_FALSE(head("globex").key_was_taken) << "its log has nothing to tell";
    EXPECT_EQ(spool->epoch(), next.epoch);
    EXPECT_EQ(spool->state_began(), began) << "the state directory is as old as it was";
    EXPECT_EQ(add("acme").sequence, 1U);
    open();
    EXPECT_EQ(spool->epoch(), next.epoch);
    EXPECT_EQ(head("acme").sequence, 2U);
    EXPECT_EQ(spool->state_began(), began);
}

TEST_F(TakenKeyTest, BeginsAnEpochNoMoreOftenThanOnceAMinute) {
    std::set<std::string> epochs;
    for (int seconds = 0; seconds < 300; seconds += 10) {
        add("acme");
        epochs.insert(head("acme").epoch);
        auto segment = take();
        ASSERT_TRUE(spool->give_second_key(*segment, true));
        ASSERT_TRUE(spool->release(*take()));
        clock.advance(10s);
    }
    EXPECT_GE(epochs.size(), 5U);
    EXPECT_LE(epochs.size(), 6U);
}

TEST_F(TakenKeyTest, BeginsTheEpochAfterACrashThatCameBetween) {
    auto key = add("acme");
    ASSERT_TRUE(spool->give_second_key(*take(), true));
    open();
    EXPECT_NE(head("acme").epoch, key.epoch);
    EXPECT_TRUE(head("acme").key_was_taken);
}

TEST_F(TakenKeyTest, LeavesTheEpochThatFollowedAlone) {
    add("acme");
    auto left_over = add("globex");
    auto acme = take();
    ASSERT_TRUE(spool->give_second_key(*acme, true));
    auto epoch = head("acme").epoch;
    ASSERT_TRUE(spool->release(*take()));
    clock.advance(1h);
    auto old = take();
    ASSERT_EQ(old->key, left_over.str());
    ASSERT_TRUE(spool->give_second_key(*old, true));
    EXPECT_EQ(head("globex").epoch, epoch) << "it was another epoch's key";
    EXPECT_TRUE(head("globex").key_was_taken);
}

TEST_F(TakenKeyTest, AsksForARecordUntilASegmentHoldsOne) {
    add("acme");
    ASSERT_TRUE(spool->give_second_key(*take(), true));
    add("acme");
    EXPECT_TRUE(head("acme").key_was_taken) << "that segment held none";
    ASSERT_TRUE(spool->add(next_segment(*spool, "acme", 10), {}, {.tells_key_was_taken = true}));
    EXPECT_FALSE(head("acme").key_was_taken);
    open();
    EXPECT_FALSE(head("acme").key_was_taken);
}

TEST_F(TakenKeyTest, KeepsAConflictUntilItIsAcknowledgedOrADayOld) {
    add("acme");
    ASSERT_TRUE(spool->give_second_key(*take(), true));
    open();
    ASSERT_EQ(spool->conflicts().size(), 1U);
    EXPECT_TRUE(spool->standing("acme").conflict);
    EXPECT_EQ(spool->acknowledge_conflicts(), 1U);
    EXPECT_THAT(spool->conflicts(), IsEmpty());
    (void)head("acme");
    open();
    EXPECT_THAT(spool->conflicts(), IsEmpty());

    add("globex");
    while (auto segment = take()) {
        bool conflicts = segment->tenant == "globex" && spool->conflicts().empty();
        ASSERT_TRUE(conflicts ? spool->give_second_key(*segment, true) : spool->release(*segment));
    }
    ASSERT_EQ(spool->conflicts().size(), 1U);
    clock.advance(conflict_stands);
    EXPECT_THAT(spool->conflicts(), IsEmpty());
}

TEST_F(TakenKeyTest, KnowsTheEndsOfItsChainsAsTheyWereAtTheStart) {
    add("acme"), add("acme"), add("globex");
    EXPECT_EQ(spool->head_at_start("acme"), std::nullopt);
    open();
    add("acme");
    ASSERT_TRUE(spool->head_at_start("acme"));
    EXPECT_EQ(spool->head_at_start("acme")->sequence, 2U);
    EXPECT_EQ(spool->head_at_start("acme")->moved, clock.now());
    spool->forget_head_at_start("acme");
    EXPECT_EQ(spool->head_at_start("acme"), std::nullopt);
    EXPECT_TRUE(spool->head_at_start("globex"));
}

TEST_F(TakenKeyTest, TakesNoNumberForFreeBehindTheEndOfAnOldState) {
    auto sealed_before = add("acme");
    open();
    auto sealed_after = add("acme");
    ASSERT_TRUE(spool->found_behind("acme", *spool->head_at_start("acme"), "v1/tenant=acme/found"));
    auto keys = take_all();
    EXPECT_EQ(keys[0], sealed_before) << "the store has it, or nothing, under this key";
    EXPECT_EQ(keys[1].first_form(), sealed_after);
    EXPECT_NE(keys[1], sealed_after);
    EXPECT_NE(head("acme").epoch, sealed_after.epoch);
}

TEST_F(TakenKeyTest, LetsARefusedSegmentHoldUpNobody) {
    auto refused = add("acme"), next = add("acme");
    ASSERT_TRUE(spool->set_aside(*take(), "413 EntityTooLarge"));
    EXPECT_EQ(spool->count(), 1U);
    EXPECT_EQ(take()->key, next.str());
    auto aside = spool->aside();
    ASSERT_EQ(aside.size(), 1U);
    EXPECT_EQ(aside[0].key, refused.str());
    EXPECT_EQ(aside[0].reason, "413 EntityTooLarge");
    EXPECT_EQ(spool->aside_totals().refused, 1U);
    EXPECT_EQ(spool->standing("acme").aside, 1U);
    EXPECT_FALSE(spool->waits(refused.str()));
    EXPECT_EQ(spool->oldest(), clock.now());
}

TEST_F(TakenKeyTest, OffersARefusedSegmentAgainEachHourAtTheStartAndWhenTold) {
    auto refused = add("acme");
    ASSERT_TRUE(spool->set_aside(*take(), "413"));
    EXPECT_FALSE(take());
    clock.advance(aside_pause);
    auto again = take();
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->aside);
    ASSERT_TRUE(spool->set_aside(*again, "413"));
    EXPECT_FALSE(take());
    EXPECT_EQ(spool->offer_again(), 1U);
    again = take();
    ASSERT_TRUE(again);
    ASSERT_TRUE(spool->set_aside(*again, "413"));
    open();
    again = take();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->key, refused.str());
    ASSERT_TRUE(spool->release(*again));
    EXPECT_EQ(spool->aside_totals(), AsideTotals{});
    EXPECT_EQ(spool->bytes(), 0U);
    EXPECT_THAT(names_in(directory / "state/spool"), ElementsAre("quarantine"));
}

TEST_F(TakenKeyTest, CountsWhatIsRefusedAgainstNobodysRoomUpToABoundOfItsOwn) {
    open(1000, 800);
    add("acme", 700);
    ASSERT_TRUE(spool->set_aside(*take(), "413"));
    EXPECT_EQ(spool->bytes(), 0U);
    EXPECT_EQ(spool->aside_totals().bytes, 700U);
    EXPECT_TRUE(spool->has_room("globex"));
    add("acme", 700);
    ASSERT_TRUE(spool->set_aside(*take(), "413"));
    EXPECT_EQ(spool->bytes(), 600U) << "what exceeds it counts as if it waited: the disk is bounded";
    EXPECT_TRUE(spool->has_room("globex"));
    add("acme", 500);
    EXPECT_FALSE(spool->has_room("globex"));
    open(1000, 800);
    EXPECT_EQ(spool->bytes(), 1100U) << "after a restart, too";
    EXPECT_EQ(spool->aside_totals().bytes, 1400U);
}

TEST_F(TakenKeyTest, OffersAgainWhatLiesInQuarantineAndIsWhole) {
    auto whole = add("acme");
    auto damaged = add("acme");
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(spool->quarantine(*take()));
    boatswain::testing::write(directory / "state/spool/quarantine/2.age", std::string(100, 'y'));
    EXPECT_EQ(spool->aside_totals().damaged, 2U);
    EXPECT_EQ(spool->count(), 0U);
    open();
    EXPECT_EQ(spool->count(), 1U);
    EXPECT_EQ(take()->key, whole.str());
    EXPECT_EQ(spool->aside_totals().damaged, 1U);
    ASSERT_EQ(spool->aside().size(), 1U);
    EXPECT_EQ(spool->aside()[0].key, damaged.str());
    EXPECT_THAT(names_in(directory / "state/spool/quarantine"), ElementsAre("2.age"));
}

TEST_F(TakenKeyTest, LosesNoSegmentToACrashOnItsWayOutOfQuarantine) {
    auto key = add("acme");
    ASSERT_TRUE(spool->quarantine(*take()));
    spool.reset();
    // The row came first, and the file was not renamed any more.
    auto state = Database::open(directory / "state/state.sqlite");
    ASSERT_TRUE(state->session().execute("UPDATE segments SET quarantined = 0"));
    open();
    open();
    auto taken = take();
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->key, key.str());
}

}  // namespace
}  // namespace boatswain::spool
