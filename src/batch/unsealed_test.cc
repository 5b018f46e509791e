// Batches that cannot be sealed, whatever is tried: what becomes of their lines, and of what comes behind them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "batch/rig_for_test.h"
#include "open/sealing_for_test.h"

namespace boatswain::batch {
namespace {

using batch::testing::Rig;
using batch::testing::source;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Timestamp ten = *parse_time("2026-11-23T10:20:00Z");

class Unsealed : public ::testing::Test {
  protected:
    // A feed without recipients can be sealed for nobody: the agent has none such, and this is what another cause would
    // look like.
    std::unique_ptr<Feed> feed(bool sealable, const std::string& id = "web") {
        std::vector<crypto::Recipient> recipients;
        if (sealable) recipients.push_back(identity.recipient());
        return rig.batcher->open_feed(source(id), recipients, rig.spool->checkpoint(id).value_or(Checkpoint{}), false);
    }
    void print(Feed& feed, const std::string& line) {
        feed.append(Line{.time = ten + std::chrono::seconds{++printed}, .bytes = line});
        feed.mark(FilePosition{.device = 1, .out_offset = static_cast<std::uint64_t>(printed)});
    }
    std::vector<std::string> stored(const std::string& id = "web") {
        std::vector<std::string> found;
        for (const auto& object : rig.take_all())
            for (const auto& line : open::read_segment(object.bytes, identity).lines[id])
                found.push_back(open::shown(line));
        return found;
    }
    double unsealed() { return rig.metrics.counter("boatswain_unsealed_lines_total", "").value(); }

    open::Identity identity = open::Identity::generate();
    Rig rig;
    int printed = 0;
};

TEST_F(Unsealed, IsNamedByAGapRecordWhenALaterBatchMovesThePlacePastIt) {
    auto web = feed(false);
    print(*web, "lost");
    print(*web, "lost too");
    ASSERT_TRUE(rig.seal_all());
    EXPECT_EQ(rig.spool->checkpoint("web"), std::nullopt) << "nothing is sealed, so all of it would be read again";
    EXPECT_EQ(unsealed(), 2);
    auto next = feed(true);
    web->hand_over(*next);
    web = std::move(next);
    print(*web, "kept");
    ASSERT_TRUE(rig.seal_all());
    EXPECT_THAT(stored(), ElementsAre("gap:unsealed", "kept"));
    EXPECT_EQ(rig.spool->checkpoint("web").value().lines, 3U);
    print(*web, "and more");
    ASSERT_TRUE(rig.seal_all());
    EXPECT_THAT(stored(), ElementsAre("and more")) << "told once";
}

TEST_F(Unsealed, AddsUpUntilSomethingIsSealed) {
    auto web = feed(false);
    for (int i = 0; i < 3; ++i) {
        print(*web, "lost");
        ASSERT_TRUE(rig.seal_all());
    }
    auto next = feed(true);
    web->hand_over(*next);
    print(*next, "kept");
    ASSERT_TRUE(rig.seal_all());
    web.reset();
    auto objects = rig.take_all();
    ASSERT_EQ(objects.size(), 1U);
    open::Object object{.bytes = objects[0].bytes};
    auto reader = open::SegmentReader::open(object.bytes.size(), object.fetch(), std::span{&identity, 1}).value();
    auto text = reader.frame_text(0).value();
    EXPECT_NE(text.find("\"from\":\"2026-11-23T10:20:01.000000000Z\",\"to\":\"2026-11-23T10:20:03.000000000Z\","
                        "\"reason\":\"unsealed\",\"lines_min\":3,\"bytes_min\":12"),
              std::string::npos)
        << text;
}

TEST_F(Unsealed, IsReadAgainWhenNothingWasSealedBehindIt) {
    auto web = feed(false);
    print(*web, "read again");
    ASSERT_TRUE(rig.seal_all());
    web.reset();
    rig.restart();
    EXPECT_EQ(rig.spool->checkpoint("web"), std::nullopt);
    web = feed(true);
    print(*web, "read again");
    ASSERT_TRUE(rig.seal_all());
    EXPECT_THAT(stored(), ElementsAre("read again"));
    web.reset();
}

TEST_F(Unsealed, SaysNothingOfSourcesThatLostNothing) {
    auto web = feed(false), db = feed(true, "db");
    print(*web, "lost");
    print(*db, "kept");
    ASSERT_TRUE(rig.seal_all());
    EXPECT_THAT(stored("db"), ElementsAre("kept"));
    EXPECT_THAT(stored(), IsEmpty());
    web.reset();
    db.reset();
}

TEST_F(Unsealed, IsNotPassedOverByTheNextBatchWhenItIsToldToStop) {
    auto web = feed(true);
    print(*web, "first");
    ASSERT_TRUE(rig.seal_all());
    // Without its directory the spool takes nothing. It comes back just while the sealing threads stop.
    auto spool = rig.directory / "state" / "spool", aside = rig.directory / "aside";
    std::filesystem::rename(spool, aside);
    for (int i = 0; i < 200; ++i) {
        print(*web, "second");
        rig.batcher->flush_all();
    }
    web.reset();
    while (rig.metrics.counter("boatswain_seal_failures_total", "").value() < 1) std::this_thread::yield();
    std::jthread healing{[&] {
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
        std::filesystem::rename(aside, spool);
    }};
    rig.stop();
    healing.join();
    rig.start();
    EXPECT_EQ(rig.spool->checkpoint("web").value().lines, 1U);
    EXPECT_THAT(stored(), ElementsAre("first"));
}

class Begun : public Unsealed {
  protected:
    // A state that takes no checkpoint, as on a full disk, and one that does again.
    void state_is_sick(bool sick) {
        auto state = spool::Database::open(rig.directory / "state" / "state.sqlite");
        ASSERT_TRUE(state);
        auto done = state->session().execute(sick ? "ALTER TABLE checkpoints RENAME TO aside"
                                                  : "ALTER TABLE aside RENAME TO checkpoints");
        ASSERT_TRUE(done) << done.error().what;
    }
    void begin(const Feed& feed) { rig.batcher->note_begun(feed, FilePosition{.device = 1, .fingerprint = 2}, ten); }
    double failures() { return rig.metrics.counter("boatswain_seal_failures_total", "").value(); }
    void until_it_failed_again() {
        auto seen = failures();
        auto end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
        while (failures() < seen + 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
        EXPECT_GE(failures(), seen + 2) << "it is not tried again";
    }
};

TEST_F(Begun, IsNotedAsSoonAsTheDiskTakesItThoughNothingElseComes) {
    auto web = feed(true);
    state_is_sick(true);
    begin(*web);
    until_it_failed_again();
    EXPECT_EQ(rig.spool->checkpoint("web"), std::nullopt);
    state_is_sick(false);
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (!rig.spool->checkpoint("web") && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    web.reset();
    rig.restart();
    EXPECT_EQ(rig.spool->known_sources().value().size(), 1U);
}

TEST_F(Begun, IsNotKeptOfASourceThatIsForgottenBeforeTheDiskTakesIt) {
    auto web = feed(true);
    state_is_sick(true);
    begin(*web);
    until_it_failed_again();
    web.reset();
    rig.batcher->forget_when_sealed("web");
    state_is_sick(false);
    ASSERT_TRUE(rig.drain());
    EXPECT_EQ(rig.spool->checkpoint("web"), std::nullopt);
    rig.restart();
    EXPECT_TRUE(rig.spool->known_sources().value().empty());
}

class Ended : public Unsealed {};

TEST_F(Ended, IsNotNotedBehindLinesThatNoSegmentHoldsAndNoGapNames) {
    auto web = feed(true);
    print(*web, "kept");
    ASSERT_TRUE(rig.seal_all());
    auto next = feed(false);
    web->hand_over(*next);
    print(*next, "lost");
    ASSERT_TRUE(rig.seal_all());
    next.reset();
    web.reset();
    rig.batcher->note_ended("web", true);
    ASSERT_TRUE(rig.drain());
    EXPECT_FALSE(rig.spool->ended("web"));
    rig.batcher->forget_when_sealed("web");
    ASSERT_TRUE(rig.drain());
    ASSERT_TRUE(rig.spool->checkpoint("web").has_value()) << "after a restart, it is found gone and named as such";
    EXPECT_EQ(rig.spool->checkpoint("web")->lines, 1U);
}

TEST_F(Ended, IsKnownToTheSpoolWithTheLastOfTheSourcesLines) {
    auto web = feed(true);
    print(*web, "last words");
    rig.batcher->note_ended("web", true);
    EXPECT_FALSE(rig.spool->ended("web"));
    ASSERT_TRUE(rig.seal_all());
    EXPECT_TRUE(rig.spool->ended("web"));
    auto known = rig.spool->known_sources().value();
    ASSERT_EQ(known.size(), 1U);
    EXPECT_EQ(known[0].known.value().source, source("web"));
    EXPECT_THAT(known[0].known->recipients, ElementsAre(identity.recipient()));
    EXPECT_EQ(known[0].known->last_time, ten + std::chrono::seconds{1});
    rig.batcher->note_ended("web", false);
    ASSERT_TRUE(rig.drain());
    EXPECT_FALSE(rig.spool->ended("web")) << "nothing of it was growing";
    print(*web, "and again");
    rig.batcher->note_ended("web", true);
    rig.batcher->note_ended("web", false);
    ASSERT_TRUE(rig.seal_all());
    EXPECT_FALSE(rig.spool->ended("web"));
    web.reset();
}

}  // namespace
}  // namespace boatswain::batch
