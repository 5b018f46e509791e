#include "intake/driver/hold_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "batch/rig_for_test.h"
#include "open/sealing_for_test.h"

namespace boatswain::intake::driver {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const HoldName name{.container = std::string(64, 'c'), .number = 1};

LogEntry entry(std::int64_t time, std::string_view line, std::string_view source = "stdout") {
    return {.source = source, .time_nano = time, .line = line};
}

LogEntry piece(std::int64_t time, std::string_view line, int ordinal, bool last, std::string_view source = "stdout") {
    return {.source = source,
            .time_nano = time,
            .line = line,
            .partial = true,
            .piece = LogEntry::Piece{.last = last, .id = "id", .ordinal = ordinal}};
}

class HoldReaderTest : public ::testing::Test {
  protected:
    void print(const std::vector<LogEntry>& entries) {
        std::string frames;
        for (const auto& one : entries) frames += to_frame(one);
        ASSERT_TRUE(hold.append(frames));
        hold.settle();
    }
    std::unique_ptr<HoldReader> reader(const Position& saved = NoPosition{}) {
        return std::move(*HoldReader::open(rig.directory.path(), name, saved, counters));
    }
    std::unique_ptr<batch::Feed> feed() {
        auto saved = rig.spool->checkpoint(name.container).value_or(Checkpoint{});
        return rig.batcher->open_feed(batch::testing::source(name.container), {identity.recipient()}, saved, false);
    }
    HoldReader::Step read_all(HoldReader& from, batch::Feed& into) {
        auto step = from.read_some(into, buffer);
        while (step && *step == HoldReader::Step::more) step = from.read_some(into, buffer);
        return step.value_or(HoldReader::Step::more);
    }
    Position saved() { return rig.spool->checkpoint(name.container).value_or(Checkpoint{}).position; }
    // The text of the open frame without its heading.
    static std::string text_of(batch::Feed& feed) {
        auto text = std::string{feed.text().text()};
        return text.substr(text.find('\n') + 1);
    }
    // stream, tag and message of each line
    static std::vector<std::string> lines_of(batch::Feed& feed) {
        std::vector<std::string> lines;
        auto text = text_of(feed);
        for (std::size_t at = 0; at < text.size();) {
            auto end = text.find('\n', at);
            auto line = text.substr(at, end - at);
            lines.push_back(line.starts_with("# ") ? line : line.substr(line.find(' ') + 1));
            at = end + 1;
        }
        return lines;
    }

    batch::testing::Rig rig;
    open::Identity identity = open::Identity::generate();
    Hold hold = std::move(*Hold::create(rig.directory / (name.str() + ".hold")));
    HoldCounters counters{rig.metrics};
    std::string buffer;
};

TEST_F(HoldReaderTest, MakesLinesOfFrames) {
    print({entry(1, "hello"), entry(2, "", "stderr"), entry(3, "\xff\r")});
    auto from = reader();
    auto into = feed();
    EXPECT_EQ(read_all(*from, *into), HoldReader::Step::at_end);
    EXPECT_THAT(lines_of(*into), ElementsAre("stdout F hello", "stderr F ", "stdout F \xff\r"));
}

TEST_F(HoldReaderTest, JoinsThePiecesOfALineOverLinesOfTheOtherStream) {
    std::string full(engine_piece_bytes, 'x');
    print({piece(1, full, 1, false), entry(2, "between", "stderr"), piece(1, "end", 2, true),
           piece(3, "no newline", 1, false)});
    hold.end();
    auto from = reader();
    auto into = feed();
    EXPECT_EQ(read_all(*from, *into), HoldReader::Step::finished);
    EXPECT_THAT(lines_of(*into), ElementsAre("stderr F between", "stdout F " + full + "end", "stdout P no newline"));
}

TEST_F(HoldReaderTest, GivesBackOnlyWhatIsDurable) {
    print({entry(1, "one"), entry(2, "two")});
    auto from = reader();
    auto into = feed();
    read_all(*from, *into);
    from->release(saved());
    EXPECT_GT(from->held_bytes(), 0U);
    into.reset();
    ASSERT_TRUE(rig.seal_all());
    from->release(saved());
    EXPECT_EQ(from->held_bytes(), 0U);
    EXPECT_FALSE(from->is_empty());  // more may come
}

TEST_F(HoldReaderTest, GoesOnBehindWhatIsSealedAndBeforeALineThatIsNotWholeYet) {
    std::string full(engine_piece_bytes, 'x');
    print({entry(1, "sealed"), piece(2, full, 1, false), entry(3, "sealed too", "stderr")});
    {
        auto from = reader();
        auto into = feed();
        read_all(*from, *into);
        into.reset();
        ASSERT_TRUE(rig.seal_all());
        from->release(saved());
    }
    rig.restart();  // as after a kill
    print({piece(2, "end", 2, true), entry(4, "new", "stderr")});
    auto from = reader(saved());
    auto into = feed();
    read_all(*from, *into);
    EXPECT_THAT(lines_of(*into), ElementsAre("stdout F " + full + "end", "stderr F new"));
    EXPECT_EQ(into->lines(), 2U);  // the ordinal of the next line goes on, too
}

TEST_F(HoldReaderTest, WritesGapsWhereTheyStand) {
    print({entry(1, "before")});
    hold.add_gap({.from = Timestamp{Nanoseconds{5}},
                  .to = Timestamp{Nanoseconds{6}},
                  .reason = "driver-overflow",
                  .lines_min = 7,
                  .bytes_min = 70});
    print({entry(9, "behind")});
    auto from = reader();
    auto into = feed();
    read_all(*from, *into);
    auto lines = lines_of(*into);
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(lines[0], "stdout F before");
    EXPECT_THAT(lines[1], ::testing::HasSubstr("\"reason\":\"driver-overflow\",\"lines_min\":7,\"bytes_min\":70"));
    EXPECT_EQ(lines[2], "stdout F behind");
}

TEST_F(HoldReaderTest, NamesAFrameThatIsNoEntry) {
    std::string strange{"\x00\x00\x00\x02\x0b\x0b", 6};
    ASSERT_TRUE(hold.append(strange + to_frame(entry(2, "good"))));
    hold.settle();
    auto from = reader();
    auto into = feed();
    read_all(*from, *into);
    auto lines = lines_of(*into);
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_THAT(lines[0], ::testing::HasSubstr("malformed"));
    EXPECT_EQ(lines[1], "stdout F good");
}

TEST_F(HoldReaderTest, DiscardsForNobodyAndGivesBackAtOnce) {
    print({entry(1, "one")});
    auto from = reader();
    EXPECT_EQ(*from->discard(buffer), HoldReader::Step::at_end);
    EXPECT_EQ(from->held_bytes(), 0U);
    hold.end();
    EXPECT_EQ(*from->discard(buffer), HoldReader::Step::finished);
    EXPECT_TRUE(from->is_empty());
    from->remove();
    EXPECT_FALSE(std::filesystem::exists(from->path()));
}

// Random frames, sealed and killed at random: every line once, in order.
TEST_F(HoldReaderTest, StoresEachLineOnceOverKillsAtAnyMoment) {
    std::mt19937 random{20'261'125};
    std::string full(engine_piece_bytes, 'y');
    std::vector<std::string> wanted_out, wanted_err;
    std::int64_t time = 1;
    auto from = reader();
    auto into = feed();
    for (int round = 0; round < 200; ++round) {
        auto number = std::to_string(round);
        switch (random() % 6) {
            case 0:
                print({entry(time++, "out " + number)});
                wanted_out.push_back("out " + number);
                break;
            case 1:
                print({entry(time++, "err " + number, "stderr")});
                wanted_err.push_back("err " + number);
                break;
            case 2:
                print({piece(time, full, 1, false), entry(time + 1, "mid " + number, "stderr")});
                wanted_err.push_back("mid " + number);
                if (random() % 2) read_all(*from, *into);
                print({piece(time, number, 2, true)});
                wanted_out.push_back(full + number);
                time += 2;
                break;
            case 3: read_all(*from, *into); break;
            case 4:
                read_all(*from, *into);
                rig.batcher->flush_all();
                ASSERT_TRUE(rig.drain());
                from->release(saved());
                break;
            case 5:
                into.reset();
                rig.restart();
                from = reader(saved());
                into = feed();
                break;
        }
    }
    hold.end();
    read_all(*from, *into);
    into.reset();
    ASSERT_TRUE(rig.seal_all());
    from->release(saved());
    EXPECT_TRUE(from->is_empty());
    std::vector<std::string> out, err;
    std::uint64_t next_ordinal = 0;
    for (const auto& object : rig.take_all())
        for (const auto& line : open::read_segment(object.bytes, identity).lines[name.container]) {
            (line.stream == Stream::out ? out : err).push_back(line.bytes);
            EXPECT_EQ(line.ordinal, next_ordinal++);
        }
    EXPECT_EQ(out, wanted_out);
    EXPECT_EQ(err, wanted_err);
}

}  // namespace
}  // namespace boatswain::intake::driver
