#include "batch/batcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>

#include "batch/rig_for_test.h"
#include "open/sealing_for_test.h"

namespace boatswain::batch {
namespace {

// A checkpoint as far as positions and ordinals go: its bytes are closing_test.cc's matter.
std::optional<Checkpoint> reach(std::optional<Checkpoint> checkpoint) {
    if (checkpoint) checkpoint->bytes = Checkpoint{}.bytes;
    return checkpoint;
}

using namespace std::chrono_literals;
using batch::testing::Rig;
using batch::testing::SealedObject;
using batch::testing::source;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Timestamp ten = *parse_time("2026-11-23T10:20:00Z");

class BatcherTest : public ::testing::Test {
  protected:
    std::unique_ptr<Feed> feed(Rig& rig, const std::string& id, std::string_view tenant = "acme",
                               bool unreplayable = false) {
        return rig.batcher->open_feed(source(id, tenant), {identity.recipient()},
                                      rig.spool->checkpoint(id).value_or(Checkpoint{}), unreplayable);
    }
    static FilePosition place(std::uint64_t offset) {
        return {.device = 1, .inode = 2, .fingerprint = 3, .out_offset = offset, .err_offset = offset};
    }
    // Lines until frames and batches of some size have come about.
    void fill(Feed& feed, std::size_t bytes, bool compressible = false) {
        std::string message(1000, 'x');
        for (std::size_t n = 0; n < bytes; n += message.size()) {
            if (!compressible)
                for (char& c : message) c = static_cast<char>(random() % 255 == 10 ? 11 : random() % 255 + 11);
            feed.append(Line{.time = ten, .bytes = message});
            feed.mark(place(++offset));
        }
    }
    std::vector<std::string> lines(const SealedObject& object, const std::string& id) {
        std::vector<std::string> found;
        for (const auto& line : open::read_segment(object.bytes, identity).lines[id])
            found.push_back(line.gap.empty() ? line.bytes : "gap:" + line.gap);
        return found;
    }

    open::Identity identity = open::Identity::generate();
    std::mt19937 random{1};
    std::uint64_t offset = 0;
};

TEST_F(BatcherTest, SealsWhatWasMarkedWithItsPosition) {
    Rig rig;
    auto web = feed(rig, "web");
    web->append(Line{.time = ten, .bytes = "one"});
    web->append(Gap{.from = ten, .to = ten + 1s, .reason = "rotated-away"});
    web->append(Line{.time = ten + 1s, .stream = Stream::err, .bytes = "two"});
    web->mark(place(70));
    EXPECT_EQ(rig.spool->checkpoint("web"), std::nullopt) << "nothing is durable yet";
    ASSERT_TRUE(rig.seal_all());
    EXPECT_EQ(reach(rig.spool->checkpoint("web")), (Checkpoint{place(70), 2}));
    auto objects = rig.take_all();
    ASSERT_THAT(objects, SizeIs(1));
    EXPECT_EQ(objects[0].key.tenant.str(), "acme");
    EXPECT_EQ(objects[0].key.host, "node-7");
    EXPECT_EQ(objects[0].key.sequence, 1U);
    EXPECT_THAT(lines(objects[0], "web"), ElementsAre("one", "gap:rotated-away", "two"));
    EXPECT_EQ(
        rig.metrics.counter("boatswain_read_lines_total", "", {{"tenant", "acme"}, {"reader", "json-file"}}).value(),
        2);
    EXPECT_EQ(rig.metrics.counter("boatswain_gap_records_total", "", {{"reason", "rotated-away"}}).value(), 1);
    EXPECT_EQ(rig.metrics.counter("boatswain_tenant_gap_records_total", "", {{"tenant", "acme"}}).value(), 1);
    EXPECT_THAT(rig.metrics.text(), HasSubstr("boatswain_gap_records_total{reason=\"truncated\"} 0\n"));
}

TEST_F(BatcherTest, SealsNothingWhenNothingWasPrinted) {
    Rig rig;
    auto web = feed(rig, "web");
    web->mark(place(70));
    web->text();
    ASSERT_TRUE(rig.seal_all());
    EXPECT_EQ(rig.spool->count(), 0U);
    EXPECT_EQ(rig.batcher->open_batches(), 0U);
}

TEST_F(BatcherTest, KeepsTenantsAndRecipientsApart) {
    Rig rig;
    auto other = open::Identity::generate();
    auto acme = feed(rig, "a", "acme");
    auto globex = feed(rig, "g", "globex");
    auto rekeyed = rig.batcher->open_feed(source("r", "acme"), {other.recipient()}, {}, false);
    auto both = rig.batcher->open_feed(source("b", "acme"), {identity.recipient(), other.recipient()}, {}, false);
    for (auto* feed : {acme.get(), globex.get(), rekeyed.get(), both.get()}) {
        feed->append(Line{.time = ten, .bytes = "of " + feed->source().id});
        feed->mark(place(1));
    }
    ASSERT_TRUE(rig.seal_all());
    auto objects = rig.take_all();
    ASSERT_THAT(objects, SizeIs(4));
    for (const auto& object : objects) {
        open::Object fetched{.bytes = object.bytes};
        std::vector<open::Identity> identities{identity, other};
        auto segment = open::SegmentReader::open(object.bytes.size(), fetched.fetch(), identities).value();
        ASSERT_THAT(segment.footer().sources, SizeIs(1));
        const auto& only = segment.footer().sources[0];
        EXPECT_EQ(segment.footer().tenant, only.id == "g" ? "globex" : "acme");
        bool mine =
            open::SegmentReader::open(object.bytes.size(), fetched.fetch(), std::span{&identity, 1}).has_value();
        bool others = open::SegmentReader::open(object.bytes.size(), fetched.fetch(), std::span{&other, 1}).has_value();
        EXPECT_EQ(mine, only.id != "r") << only.id;
        EXPECT_EQ(others, only.id == "r" || only.id == "b") << only.id;
    }
}

TEST_F(BatcherTest, GroupsFramesBySource) {
    Rig rig;
    auto web = feed(rig, "web"), db = feed(rig, "db");
    for (int i = 0; i < 3; ++i)
        for (auto* feed : {web.get(), db.get()}) {
            feed->append(Line{.time = ten, .bytes = feed->source().id + std::to_string(i)});
            feed->mark(place(1));
        }
    ASSERT_TRUE(rig.seal_all());
    auto objects = rig.take_all();
    ASSERT_THAT(objects, SizeIs(1));
    EXPECT_THAT(lines(objects[0], "web"), ElementsAre("web0", "web1", "web2"));
    EXPECT_THAT(lines(objects[0], "db"), ElementsAre("db0", "db1", "db2"));
    EXPECT_THAT(open::read_segment(objects[0].bytes, identity).footer.frames, SizeIs(2));
}

TEST_F(BatcherTest, FlushesABatchWhenItIsOld) {
    Rig rig{{.flush_after = 60s}};
    auto web = feed(rig, "web");
    web->append(Line{.time = ten, .bytes = "one"});
    web->mark(place(1));
    rig.clock.advance(59s);
    rig.batcher->tick();
    EXPECT_EQ(rig.batcher->open_batches(), 1U);
    rig.clock.advance(1s);
    rig.batcher->tick();
    EXPECT_EQ(rig.batcher->open_batches(), 0U);
    ASSERT_TRUE(rig.drain());
    EXPECT_EQ(rig.spool->count(), 1U);
    rig.clock.advance(120s);
    rig.batcher->tick();
    ASSERT_TRUE(rig.drain());
    EXPECT_EQ(rig.spool->count(), 1U) << "an idle source makes no segments";
}

TEST_F(BatcherTest, DoesNotAgeByTheWallClock) {
    Rig rig{{.flush_after = 60s}};
    auto web = feed(rig, "web");
    web->append(Line{.time = ten, .bytes = "one"});
    rig.clock.step_wall(24h);
    rig.batcher->tick();
    EXPECT_EQ(rig.batcher->open_batches(), 1U);
}

TEST_F(BatcherTest, FlushesWhatCannotBeReadAgainMuchSooner) {
    Rig rig{{.flush_after = 60s, .fleeting_flush_after = 1s}};
    auto pipe = feed(rig, "pipe", "acme", true);
    pipe->append(Line{.time = ten, .bytes = "one"});
    pipe->mark(NoPosition{});
    rig.clock.advance(1s);
    rig.batcher->tick();
    ASSERT_TRUE(rig.drain());
    EXPECT_EQ(rig.spool->count(), 1U);
    EXPECT_EQ(reach(rig.spool->checkpoint("pipe")), (Checkpoint{NoPosition{}, 1}));
}

TEST_F(BatcherTest, SealsWhatWillBeGoneAtOnceButNotInManySmallSegments) {
    Rig rig{{.flush_after = 60s, .fleeting_flush_after = 1s}};
    auto job = feed(rig, "job");
    auto print = [&](std::uint64_t lines) {
        job->append(Line{.time = ten, .bytes = "one"});
        job->mark(place(lines));
        rig.batcher->seal_soon("job");
        rig.batcher->seal_soon("job");
        rig.batcher->tick();
    };
    print(1);
    EXPECT_EQ(rig.batcher->open_batches(), 0U) << "at once";
    rig.clock.advance(300ms);
    print(2);
    rig.clock.advance(600ms);
    print(3);
    EXPECT_EQ(rig.batcher->open_batches(), 1U) << "one of this tenant was sealed less than a second ago";
    rig.clock.advance(100ms);
    rig.batcher->tick();
    EXPECT_EQ(rig.batcher->open_batches(), 0U);
    rig.clock.advance(2s);
    rig.batcher->tick();
    print(4);
    EXPECT_EQ(rig.batcher->open_batches(), 0U);
    ASSERT_TRUE(rig.drain());
    EXPECT_EQ(rig.spool->count(), 3U);
}

TEST_F(BatcherTest, ASmallBatchWhoseLinesStayInTheirLogsWaitsLonger) {
    Rig rig{{.flush_after = 60s, .flush_after_max = 15min}};
    auto web = feed(rig, "web");
    web->set_patient(true);
    web->append(Line{.time = ten, .bytes = "one"});
    web->mark(place(1));
    rig.clock.advance(15min - 1s);
    rig.batcher->tick();
    EXPECT_EQ(rig.batcher->open_batches(), 1U);
    rig.clock.advance(1s);
    rig.batcher->tick();
    EXPECT_EQ(rig.batcher->open_batches(), 0U);
}

TEST_F(BatcherTest, ABatchThatIsWorthAnObjectWaitsForNoMore) {
    Rig rig{{.flush_after = 60s, .flush_after_max = 15min, .worth_bytes = 200'000, .frame_bytes = 50'000}};
    auto web = feed(rig, "web");
    web->set_patient(true);
    fill(*web, 400'000);
    rig.clock.advance(59s);
    rig.batcher->tick();
    EXPECT_EQ(rig.batcher->open_batches(), 1U) << "flush_after has not come";
    rig.clock.advance(1s);
    auto deadline = std::chrono::steady_clock::now() + 60s;  // frames are compressed by other threads
    while (rig.batcher->open_batches() > 0 && std::chrono::steady_clock::now() < deadline) rig.batcher->tick();
    EXPECT_EQ(rig.batcher->open_batches(), 0U);
}

TEST_F(BatcherTest, OneSourceThatCannotWaitTakesTheBatchAlong) {
    Rig rig{{.flush_after = 60s, .flush_after_max = 15min}};
    auto web = feed(rig, "web");
    auto driver = feed(rig, "driver");
    web->set_patient(true);
    for (auto* one : {web.get(), driver.get()}) {
        one->append(Line{.time = ten, .bytes = "one"});
        one->mark(place(1));
    }
    rig.clock.advance(60s);
    rig.batcher->tick();
    EXPECT_EQ(rig.batcher->open_batches(), 0U);
}

TEST_F(BatcherTest, ABatchWaitsNoLongerWhenItsLogIsRotatedOrItsSourceEnds) {
    Rig rig{{.flush_after = 60s, .flush_after_max = 15min}};
    auto web = feed(rig, "web");
    web->set_patient(true);
    for (bool rotated : {true, false}) {
        web->append(Line{.time = ten, .bytes = "one"});
        web->mark(place(rotated ? 1 : 2));
        rig.clock.advance(5min);
        rig.batcher->tick();
        ASSERT_EQ(rig.batcher->open_batches(), 1U);
        if (rotated)
            web->end_patience();
        else
            rig.batcher->note_ended("web", true);
        rig.batcher->tick();
        EXPECT_EQ(rig.batcher->open_batches(), 0U) << rotated;
    }
}

TEST_F(BatcherTest, FlushesABatchThatIsFull) {
    Rig rig{{.flush_bytes = 300'000, .frame_bytes = 50'000}};
    auto web = feed(rig, "web");
    for (int i = 0; i < 40; ++i) {
        fill(*web, 50'000);
        rig.batcher->tick();
    }
    ASSERT_TRUE(rig.seal_all());
    auto objects = rig.take_all();
    EXPECT_GE(objects.size(), 3U);
    std::uint64_t lines_found = 0;
    for (std::size_t i = 0; i < objects.size(); ++i) {
        EXPECT_EQ(objects[i].key.sequence, i + 1);
        for (const auto& frame : open::read_segment(objects[i].bytes, identity).footer.frames) {
            EXPECT_EQ(frame.first_ordinal, lines_found) << "ordinals go on over segments";
            lines_found += frame.counts.lines;
        }
    }
    EXPECT_EQ(lines_found, 2000U);
    EXPECT_EQ(reach(rig.spool->checkpoint("web")), (Checkpoint{place(offset), 2000}));
}

TEST_F(BatcherTest, GoesOnWithOrdinalsAfterARestart) {
    Rig rig;
    for (int round = 0; round < 3; ++round) {
        auto web = feed(rig, "web");
        web->append(Line{.time = ten, .bytes = std::to_string(round)});
        web->mark(place(static_cast<std::uint64_t>(round)));
        ASSERT_TRUE(rig.seal_all());
        web.reset();
        rig.restart();
    }
    std::uint64_t ordinal = 0;
    std::string previous;
    for (const auto& object : rig.take_all()) {
        auto segment = open::read_segment(object.bytes, identity);
        EXPECT_EQ(segment.footer.frames[0].first_ordinal, ordinal++);
        EXPECT_EQ(segment.footer.previous_sha256.empty(), ordinal == 1);
    }
    EXPECT_EQ(ordinal, 3U);
}

TEST_F(BatcherTest, SealsOnlyWhatItCoversWhenAFrameIsStillOpen) {
    Rig rig;
    auto web = feed(rig, "web");
    web->append(Line{.time = ten, .bytes = "one"});
    web->mark(place(10));
    ASSERT_TRUE(rig.seal_all());
    web->append(Line{.time = ten, .bytes = "two"});
    web->mark(place(20));
    EXPECT_EQ(reach(rig.spool->checkpoint("web")), (Checkpoint{place(10), 1}));
    web.reset();
    rig.restart();
    EXPECT_EQ(reach(rig.spool->checkpoint("web")), (Checkpoint{place(10), 1})) << "what was not sealed is read again";
}

TEST_F(BatcherTest, NamesASegmentThatSpansHours) {
    Rig rig;
    auto web = feed(rig, "web");
    auto seal = [&](Timestamp first, Timestamp last) {
        web->append(Line{.time = first, .bytes = "first"});
        web->append(Line{.time = last, .bytes = "last"});
        web->mark(place(++offset));
        EXPECT_TRUE(rig.seal_all());
        return rig.take_all().at(0).key.str();
    };
    auto hour = *parse_time("2026-11-23T10:00:00Z");
    EXPECT_THAT(seal(hour, hour + 2h - 1ns), HasSubstr("/hour=2026-11-23T10/"));
    EXPECT_THAT(seal(hour, hour + 2h), HasSubstr("/span=2026-11-23T10/"));
    EXPECT_THAT(seal(hour + 59min, hour + 100 * 24h), HasSubstr("/span=2026-11-23T10/"));
    EXPECT_THAT(seal(hour + 100 * 24h, hour), HasSubstr("/span=2026-11-23T10/"))
        << "the hour is that of the earliest record";
}

TEST_F(BatcherTest, HandsASourceOverToOtherKeysInOrder) {
    Rig rig{{.frame_bytes = 1}};
    auto other = open::Identity::generate();
    auto before = feed(rig, "web", "acme");
    before->append(Line{.time = ten, .bytes = "of acme"});
    before->mark(place(10));
    before->append(Line{.time = ten, .bytes = "of acme too"});
    before->mark(place(20));
    auto after = rig.batcher->open_feed(source("web", "globex"), {other.recipient()}, before->handover(), false);
    EXPECT_EQ(reach(before->handover()), (Checkpoint{place(20), 2}));
    before.reset();
    after->append(Line{.time = ten, .bytes = "of globex"});
    after->mark(place(30));
    // The newer batch is flushed alone; the older one has gone first.
    after.reset();
    ASSERT_TRUE(rig.seal_all());
    auto objects = rig.take_all();
    ASSERT_THAT(objects, SizeIs(2));
    EXPECT_EQ(reach(rig.spool->checkpoint("web")), (Checkpoint{place(30), 3}));
    EXPECT_EQ(open::read_segment(objects[1].bytes, other).footer.frames[0].first_ordinal, 2U);
}

// Sources whose keys change back and forth while batches are flushed by size, age and memory: no checkpoint steps back,
// and none is ahead of what is sealed.
TEST_F(BatcherTest, NeverSealsLinesOfASourceOutOfOrder) {
    constexpr unsigned seed = 4;
    std::mt19937 dice{seed};
    Rig rig{{.flush_bytes = 20'000, .frame_bytes = 500}};
    auto other = open::Identity::generate();
    struct OneSource {
        std::string id;
        std::unique_ptr<Feed> feed;
        std::uint64_t lines = 0;
        bool at_other = false;
    };
    std::map<std::string, OneSource> sources;
    for (auto id : {"a", "b", "c", "d"}) sources[id] = {.id = id, .feed = feed(rig, id)};
    for (int i = 0; i < 3000; ++i) {
        auto& one = sources[std::string(1, static_cast<char>('a' + dice() % 4))];
        if (dice() % 40 == 0) {
            auto& keys = (one.at_other = !one.at_other) ? other : identity;
            one.feed = rig.batcher->open_feed(source(one.id, one.at_other ? "globex" : "acme"), {keys.recipient()},
                                              one.feed->handover(), false);
        }
        one.feed->append(Line{.time = ten, .bytes = std::to_string(one.lines++) + std::string(dice() % 200, 'x')});
        one.feed->mark(place(one.lines));
        if (dice() % 100 == 0) {
            ASSERT_TRUE(rig.drain());  // the sealing threads look at the clock
            rig.clock.advance(dice() % 2 ? 61s : 1s);
            rig.batcher->tick();
            ASSERT_TRUE(rig.drain());
        }
    }
    for (auto& [id, one] : sources) one.feed.reset();
    ASSERT_TRUE(rig.seal_all());

    // Spool files are numbered in the order in which they were sealed, over all tenants.
    std::map<std::string, std::uint64_t> next;
    std::map<std::uint64_t, std::string> by_number;
    for (const auto& name : boatswain::testing::names_in(rig.directory / "state/spool"))
        if (name.ends_with(".age"))
            by_number[std::stoull(name)] = boatswain::testing::contents(rig.directory / "state/spool" / name);
    for (const auto& [number, bytes] : by_number) {
        open::Object object{.bytes = bytes};
        std::vector<open::Identity> both{identity, other};
        auto segment = open::SegmentReader::open(bytes.size(), object.fetch(), both).value();
        for (const auto& frame : segment.footer().frames) {
            auto& expected = next[segment.footer().sources[frame.source].id];
            ASSERT_EQ(frame.first_ordinal, expected) << "seed " << seed << ", spool file " << number;
            expected += frame.counts.lines;
        }
    }
    for (auto& [id, one] : sources) {
        EXPECT_EQ(next[id], one.lines);
        EXPECT_EQ(reach(rig.spool->checkpoint(id)), (Checkpoint{place(one.lines), one.lines}));
    }
}

TEST_F(BatcherTest, ForgetsASourceOnlyBehindItsLastLines) {
    Rig rig;
    auto web = feed(rig, "web"), db = feed(rig, "db");
    for (auto* feed : {web.get(), db.get()}) {
        feed->append(Line{.time = ten, .bytes = "last words"});
        feed->mark(place(1));
    }
    web.reset();
    rig.batcher->forget_when_sealed("web");
    ASSERT_TRUE(rig.seal_all());
    EXPECT_EQ(rig.spool->checkpoint("web"), std::nullopt);
    EXPECT_NE(rig.spool->checkpoint("db"), std::nullopt);
    EXPECT_THAT(rig.take_all(), SizeIs(1)) << "its lines are sealed all the same";
    db.reset();
    rig.batcher->forget_when_sealed("db");
    ASSERT_TRUE(rig.drain());
    EXPECT_EQ(rig.spool->checkpoint("db"), std::nullopt) << "nothing of it was growing";
    rig.restart();
    EXPECT_EQ(rig.spool->checkpoint("db"), std::nullopt);
}

// A reader as the pump has it: it looks for room before each read.
struct Reader {
    Feed* feed;
    std::uint64_t read = 0;
    bool turn(BatcherTest&, const std::string& message, std::size_t read_bytes) {
        read_bytes = std::min(read_bytes, feed->ask_room());
        if (read_bytes == 0) return false;
        for (std::size_t n = 0; n < read_bytes; n += message.size()) feed->append(Line{.time = ten, .bytes = message});
        feed->mark(FilePosition{.out_offset = ++read});
        return true;
    }
};

TEST_F(BatcherTest, HoldsItsMemoryBoundUnderAFloodAndStaysFair) {
    constexpr std::size_t memory_max = 8U << 20, read_bytes = 512U << 10;
    Rig rig{{.flush_bytes = 1ULL << 30}, memory_max};
    auto flood_feed = feed(rig, "flood", "flood"), quiet_feed = feed(rig, "quiet", "quiet");
    Reader flood{flood_feed.get()}, quiet{quiet_feed.get()};
    std::string noise(100'000, 'x');
    for (char& c : noise) c = static_cast<char>(random() % 200 + 20);
    std::uint64_t refused = 0;
    auto began = std::chrono::steady_clock::now();
    auto longest_wait = 0ns;
    while (flood.read < 200 && std::chrono::steady_clock::now() - began < 60s) {
        while (flood.turn(*this, noise, read_bytes)) {
        }
        ++refused;
        // The flood has taken all it may. The other tenant has room as soon as the queue before the workers has.
        auto asked = std::chrono::steady_clock::now();
        while (!quiet.turn(*this, "a quiet line", 10)) {
            rig.batcher->tick();
            std::this_thread::sleep_for(1ms);
        }
        longest_wait = std::max(longest_wait, std::chrono::nanoseconds{std::chrono::steady_clock::now() - asked});
        rig.batcher->tick();
    }
    EXPECT_GT(refused, 10U) << "the flood was held back";
    EXPECT_GE(flood.read, 200U) << "and went on";
    EXPECT_LT(longest_wait, 10s);
    // Above the bound: memory that goes from a frame to those kept for reuse counts twice for a moment.
    EXPECT_LE(rig.budget.peak(), memory_max + TextMemory::piece_bytes_max);
    flood_feed.reset();
    quiet_feed.reset();
    ASSERT_TRUE(rig.seal_all());
    EXPECT_EQ(rig.budget.held(), 0U) << "everything is given back";
}

TEST_F(BatcherTest, HoldsItsMemoryBoundWithManyTenantsWhoTakeTurns) {
    constexpr std::size_t memory_max = 8U << 20, tenants = 400;
    constexpr std::uint64_t reads = 2;
    Rig rig{{.flush_after = 1h}, memory_max};
    std::vector<std::unique_ptr<Feed>> feeds;
    std::vector<Reader> readers;
    for (std::size_t n = 0; n < tenants; ++n) {
        feeds.push_back(feed(rig, "c-" + std::to_string(n), "t-" + std::to_string(n)));
        readers.push_back({.feed = feeds.back().get()});
    }
    std::string message(1000, 'x');
    for (char& c : message) c = static_cast<char>(random() % 200 + 20);
    std::size_t waiting = 0;
    auto done = [&] { return std::ranges::all_of(readers, [&](const auto& reader) { return reader.read >= reads; }); };
    auto began = std::chrono::steady_clock::now();
    while (!done() && std::chrono::steady_clock::now() - began < 120s) {
        for (auto& reader : readers)
            if (reader.read < reads) reader.turn(*this, message, 40'000);
        waiting = std::max(waiting, rig.budget.waiting());
        rig.batcher->tick();
        std::this_thread::sleep_for(1ms);
    }
    EXPECT_TRUE(done()) << "all of them had their turns";
    EXPECT_GT(waiting, 0U);
    EXPECT_LE(rig.budget.peak(), memory_max + TextMemory::piece_bytes_max);
    EXPECT_THAT(rig.metrics.text(), HasSubstr("boatswain_memory_waiting_tenants"));
    feeds.clear();
    ASSERT_TRUE(rig.seal_all());
    EXPECT_EQ(rig.budget.held(), 0U);
}

TEST_F(BatcherTest, ChargesLongLinesThatAreNotCompleteToTheirTenant) {
    Rig rig;
    auto web = feed(rig, "web");
    web->note_pending(1U << 20);
    EXPECT_EQ(rig.budget.used("acme"), 1U << 20);
    web->note_pending(0);
    EXPECT_EQ(rig.budget.used("acme"), 0U);
}

TEST_F(BatcherTest, FlushesTheBatchOfATenantWithoutRoom) {
    Rig rig{{.flush_after = 1h, .flush_bytes = 1ULL << 30}, 2U << 20};
    auto web = feed(rig, "web"), db = feed(rig, "db", "globex");
    fill(*web, 3U << 20);
    fill(*db, 1000);
    rig.batcher->tick();
    ASSERT_TRUE(rig.drain());
    EXPECT_EQ(rig.spool->count(), 1U);
    EXPECT_EQ(rig.batcher->open_batches(), 1U) << "the other tenant's is not in the way";
    EXPECT_TRUE(web->has_room());
}

TEST_F(BatcherTest, PausesReadingWhileTheSpoolIsFull) {
    Rig rig;
    rig.batcher.reset();
    rig.sealing.reset();
    rig.spool.reset();
    rig.spool = std::move(*spool::Spool::open(
        {.state_dir = rig.directory / "state", .host = "node-7", .bytes_max = 1000}, rig.clock, rig.log, rig.metrics));
    rig.sealing = std::make_unique<Sealing>(1, 1, *rig.spool, rig.budget, rig.clock, rig.metrics, rig.log, [] {});
    rig.batcher = std::make_unique<Batcher>(Options{}, *rig.sealing, *rig.spool, rig.budget, rig.clock, rig.metrics);
    auto web = feed(rig, "web");
    EXPECT_TRUE(web->has_room());
    fill(*web, 5000);
    ASSERT_TRUE(rig.seal_all());
    EXPECT_FALSE(web->has_room());
    rig.take_all();
    EXPECT_TRUE(web->has_room());
}

TEST_F(BatcherTest, KeepsASegmentThatTheSpoolCannotTakeUntilItCan) {
    Rig rig;
    auto web = feed(rig, "web");
    web->append(Line{.time = ten, .bytes = "kept"});
    web->mark(place(10));
    // The directory is gone for a while, as on a disk that went away.
    auto spool = rig.directory / "state/spool";
    std::filesystem::rename(spool, rig.directory / "away");
    rig.batcher->flush_all();
    EXPECT_FALSE(rig.sealing->drain(std::chrono::steady_clock::now() + 500ms));
    ASSERT_TRUE(rig.sealing->trouble());
    EXPECT_THAT(*rig.sealing->trouble(), HasSubstr("spool"));
    EXPECT_GT(rig.budget.used("acme"), 0U) << "its memory stays charged";
    EXPECT_EQ(rig.spool->checkpoint("web"), std::nullopt);
    std::filesystem::rename(rig.directory / "away", spool);
    ASSERT_TRUE(rig.drain());
    EXPECT_EQ(rig.sealing->trouble(), std::nullopt);
    EXPECT_EQ(reach(rig.spool->checkpoint("web")), (Checkpoint{place(10), 1}));
    EXPECT_EQ(rig.budget.held(), 0U);
    EXPECT_THAT(lines(rig.take_all().at(0), "web"), ElementsAre("kept"));
}

TEST_F(BatcherTest, DoesNotForgetASourceWhoseLastLinesCouldNotBeSpooled) {
    Rig rig;
    {
        auto web = feed(rig, "web");
        web->append(Line{.time = ten, .bytes = "first"});
        web->mark(place(10));
        ASSERT_TRUE(rig.seal_all());
        web->append(Line{.time = ten, .bytes = "last"});
        web->mark(place(20));
    }
    std::filesystem::rename(rig.directory / "state/spool", rig.directory / "away");
    rig.batcher->forget_when_sealed("web");
    rig.batcher->flush_all();
    EXPECT_FALSE(rig.sealing->drain(std::chrono::steady_clock::now() + 300ms));
    rig.stop();
    std::filesystem::rename(rig.directory / "away", rig.directory / "state/spool");
    rig.start();
    EXPECT_EQ(reach(rig.spool->checkpoint("web")), (Checkpoint{place(10), 1})) << "so that the rest is read again";
}

TEST_F(BatcherTest, EndsWhileWorkIsWaiting) {
    Rig rig;
    auto web = feed(rig, "web");
    fill(*web, 3U << 20);
    rig.batcher->flush_all();
    fill(*web, 1U << 20);
    web.reset();
    rig.stop();
    EXPECT_EQ(rig.budget.used(), 0U);
}

// Also what `valgrind --tool=callgrind` is run on, to see what a call costs beside 2,000 tenants.
TEST_F(BatcherTest, FindsTheBatchOfEachOfTwoThousandTenants) {
    Rig rig;
    constexpr std::size_t tenants = 2'000;
    std::vector<std::unique_ptr<Feed>> feeds;
    auto name = [](std::size_t n) { return "c" + std::to_string(n); };
    for (std::size_t n = 0; n < tenants; ++n) {
        feeds.push_back(feed(rig, name(n), "tenant" + std::to_string(n)));
        feeds.back()->append(Line{.time = ten, .bytes = "a line"});
        feeds.back()->mark(place(1));
    }
    EXPECT_EQ(rig.batcher->open_batches(), tenants);
    for (std::size_t n = 0; n < tenants; n += 2) rig.batcher->seal_soon(name(n));
    rig.clock.advance(1s);
    rig.batcher->tick();
    EXPECT_EQ(rig.batcher->open_batches(), tenants / 2);
    for (std::size_t n = 1; n < tenants; n += 4) rig.batcher->seal_now(name(n));
    EXPECT_EQ(rig.batcher->open_batches(), tenants / 4);
    for (std::size_t n = 0; n < tenants; ++n) rig.batcher->note_ended(name(n), true);
    feeds.clear();
    for (std::size_t n = 0; n < tenants; ++n) rig.batcher->forget_when_sealed(name(n));
    ASSERT_TRUE(rig.seal_all());
    for (std::size_t n = 0; n < tenants; ++n) EXPECT_FALSE(rig.spool->checkpoint(name(n))) << name(n);
    EXPECT_EQ(rig.spool->count(), tenants);
}

}  // namespace
}  // namespace boatswain::batch
