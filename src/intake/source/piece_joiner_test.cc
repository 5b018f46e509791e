#include "intake/source/piece_joiner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "open/segment_reader.h"

namespace boatswain::intake {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Timestamp one = *parse_time("2026-11-23T10:00:00.000000001Z");
const Timestamp two = *parse_time("2026-11-23T10:00:00.000000002Z");
const std::string piece(engine_piece_bytes, 'x');

class PieceJoinerTest : public ::testing::Test {
  protected:
    bool add(Stream stream, Timestamp time, std::string_view bytes, bool newline) {
        return joiner.add(frame, stream, time, bytes, newline);
    }

    // "stdout F 5 abcde"; of long messages the length alone.
    std::vector<std::string> lines() {
        std::vector<std::string> found;
        auto walked = open::for_each_entry(frame.text(), [&](const open::TextEntry& entry) {
            if (entry.kind != open::TextEntry::Kind::line) return true;
            const auto& line = entry.line;
            found.push_back(std::string{to_string(line.stream)} + (line.partial ? " P " : " F ") +
                            (line.time == one ? "1 " : "2 ") +
                            (line.bytes.size() > 10 ? std::to_string(line.bytes.size()) : std::string{line.bytes}));
            return true;
        });
        EXPECT_TRUE(walked);
        return found;
    }

    segment::FrameText frame{
        Source{.id = "c0ffee", .kind = "docker", .name = "web", .image = {}, .reader = {}, .whose = {}, .labels = {}}};
    PieceJoiner joiner;
};

TEST_F(PieceJoinerTest, JoinsPiecesOfOneTime) {
    EXPECT_TRUE(add(Stream::out, one, piece, false)) << "pending begins with this piece";
    EXPECT_FALSE(add(Stream::out, one, piece, false));
    EXPECT_THAT(lines(), IsEmpty()) << "what is pending is in no frame";
    EXPECT_TRUE(joiner.pending());
    EXPECT_FALSE(add(Stream::out, one, "end", true));
    EXPECT_THAT(lines(), ElementsAre("stdout F 1 32771"));
    EXPECT_FALSE(joiner.pending());
}

TEST_F(PieceJoinerTest, EndsALineOfExactlyTwoPiecesAtItsNewline) {
    add(Stream::out, one, piece, false);
    add(Stream::out, one, piece, true);
    add(Stream::err, one, piece, false);
    add(Stream::err, one, "", true);
    EXPECT_THAT(lines(), ElementsAre("stdout F 1 32768", "stderr F 1 16384"));
}

TEST_F(PieceJoinerTest, KeepsInterleavedStreamsApart) {
    EXPECT_TRUE(add(Stream::out, one, piece, false));
    EXPECT_TRUE(add(Stream::err, one, piece, false)) << "the same time is no bond between streams";
    add(Stream::err, one, "E", true);
    EXPECT_TRUE(joiner.pending(Stream::out));
    EXPECT_FALSE(joiner.pending(Stream::err));
    add(Stream::err, two, "short", true);
    add(Stream::out, one, "O", true);
    EXPECT_THAT(lines(), ElementsAre("stderr F 1 16385", "stderr F 2 short", "stdout F 1 16385"));
}

TEST_F(PieceJoinerTest, EndsAPendingLineAsPartialWhenAnotherTimeComes) {
    add(Stream::out, one, piece, false);
    EXPECT_FALSE(add(Stream::out, two, "next", true));
    EXPECT_THAT(lines(), ElementsAre("stdout P 1 16384", "stdout F 2 next"));
    add(Stream::out, one, piece, false);
    EXPECT_TRUE(add(Stream::out, two, piece, false)) << "the new pending line begins here";
}

TEST_F(PieceJoinerTest, TakesAShortPieceWithoutNewlineForTheEndOfAStream) {
    add(Stream::out, one, "no newline", false);
    EXPECT_THAT(lines(), ElementsAre("stdout P 1 no newline"));
    EXPECT_FALSE(joiner.pending());
    add(Stream::out, one, piece, false);
    add(Stream::out, one, "end", false);
    EXPECT_THAT(lines(), ElementsAre("stdout P 1 no newline", "stdout P 1 16387"));
}

TEST_F(PieceJoinerTest, JoinsPiecesThatReplacementCharactersMadeLonger) {
    std::string inflated;
    for (std::size_t i = 0; i < engine_piece_bytes; ++i) inflated += "\xEF\xBF\xBD";
    add(Stream::out, one, inflated, false);
    add(Stream::out, one, inflated, false);
    add(Stream::out, one, "end", true);
    EXPECT_THAT(lines(), ElementsAre("stdout F 1 98307"));
}

TEST_F(PieceJoinerTest, StoresALineOverTheBoundInPartsCutBetweenPieces) {
    std::size_t pieces = line_bytes_max / engine_piece_bytes * 2 + 3, starts = 0;
    for (std::size_t i = 0; i < pieces; ++i) starts += add(Stream::out, one, piece, false) ? 1 : 0;
    add(Stream::out, one, "end", true);
    EXPECT_EQ(starts, 3U) << "each part begins with a piece that can be read again";
    EXPECT_THAT(lines(), ElementsAre("stdout P 1 1048576", "stdout P 1 1048576", "stdout F 1 49155"));
}

TEST_F(PieceJoinerTest, NeverHoldsMoreThanTheBound) {
    std::string odd(200'000, 'y');
    for (int i = 0; i < 50; ++i) add(Stream::out, one, odd, false);
    joiner.end(frame);
    auto walked = open::for_each_entry(frame.text(), [](const open::TextEntry& entry) {
        EXPECT_LE(entry.line.bytes.size(), line_bytes_max);
        return true;
    });
    EXPECT_TRUE(walked);
}

TEST_F(PieceJoinerTest, EndsOneStreamOrBothAsPartial) {
    add(Stream::out, one, piece, false);
    add(Stream::err, two, piece, false);
    joiner.end(frame, Stream::err);
    EXPECT_THAT(lines(), ElementsAre("stderr P 2 16384"));
    joiner.end(frame);
    joiner.end(frame);
    EXPECT_THAT(lines(), ElementsAre("stderr P 2 16384", "stdout P 1 16384"));
}

TEST_F(PieceJoinerTest, ForgetsWhatWillBeReadAgain) {
    add(Stream::out, one, piece, false);
    joiner.forget();
    EXPECT_FALSE(joiner.pending());
    add(Stream::out, one, "end", true);
    EXPECT_THAT(lines(), ElementsAre("stdout F 1 end"));
}

TEST_F(PieceJoinerTest, LetsTheCallerWriteWholeLinesItself) {
    EXPECT_TRUE(joiner.is_whole(Stream::out, true, 100'000));
    EXPECT_TRUE(joiner.is_whole(Stream::out, false, engine_piece_bytes - 1));
    EXPECT_FALSE(joiner.is_whole(Stream::out, false, engine_piece_bytes));
    add(Stream::out, one, piece, false);
    EXPECT_FALSE(joiner.is_whole(Stream::out, true, 1)) << "it is the end of what is pending";
    EXPECT_TRUE(joiner.is_whole(Stream::err, true, 1));
}

}  // namespace
}  // namespace boatswain::intake
