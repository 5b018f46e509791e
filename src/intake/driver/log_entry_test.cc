#include "intake/driver/log_entry.h"

#include <gtest/gtest.h>

namespace boatswain::intake::driver {
namespace {

using namespace std::string_literals;

// The example of docs/intake/driver.md.
const auto of_the_engine = "\x00\x00\x00\x19\x0a\x06stdout\x10\x8f\x96\xf3\xd2\xb6\xcc\xc2\xd3\x18\x1a\x05hello"s;

TEST(LogEntry, IsReadAsTheEngineWroteIt) {
    auto frame = first_frame(of_the_engine);
    ASSERT_EQ(frame.kind, Frame::Kind::entry);
    EXPECT_EQ(frame.size, of_the_engine.size());
    auto entry = parse_log_entry(frame.payload);
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->source, "stdout");
    EXPECT_EQ(entry->line, "hello");
    EXPECT_EQ(entry->time_nano, 1776400000123456271);
    EXPECT_TRUE(entry->ends_line());
    EXPECT_FALSE(entry->piece);
}

TEST(LogEntry, IsWrittenAsTheEngineWritesIt) {
    EXPECT_EQ(to_frame({.source = "stdout", .time_nano = 1776400000123456271, .line = "hello"}), of_the_engine);
}

TEST(LogEntry, HoldsEveryByteAndAnEmptyLine) {
    std::string every;
    for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
    for (const auto& line : {every, ""s}) {
        auto frame = to_frame({.source = "stderr", .time_nano = 1, .line = line});
        auto entry = parse_log_entry(first_frame(frame).payload);
        ASSERT_TRUE(entry);
        EXPECT_EQ(entry->line, line);
        EXPECT_TRUE(entry->is_error_stream());
    }
}

TEST(LogEntry, OfAPieceSaysWhetherItIsTheLast) {
    for (bool last : {false, true}) {
        auto frame = to_frame({.source = "stdout",
                               .time_nano = 5,
                               .line = "x",
                               .partial = true,
                               .piece = LogEntry::Piece{.last = last, .id = "abc", .ordinal = 7}});
        auto entry = parse_log_entry(first_frame(frame).payload);
        ASSERT_TRUE(entry && entry->piece);
        EXPECT_EQ(entry->ends_line(), last);
        EXPECT_EQ(entry->piece->id, "abc");
        EXPECT_EQ(entry->piece->ordinal, 7);
    }
}

TEST(LogEntry, PassesOverFieldsOfALaterEngine) {
    auto payload =
        "\x0a\x06stdout\x30\x05\x39\x01\x02\x03\x04\x05\x06\x07\x08\x45\x01\x02\x03\x04\x4a\x03new\x1a\x02hi"s;
    auto entry = parse_log_entry(payload);
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->line, "hi");
}

TEST(LogEntry, ThatIsTornOrStrangeIsRefused) {
    EXPECT_FALSE(parse_log_entry("\x0a\x06std"s));                                   // a text longer than the message
    EXPECT_FALSE(parse_log_entry("\x10\xff\xff"s));                                  // a number without an end
    EXPECT_FALSE(parse_log_entry("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"s));  // more than 64 bits
    EXPECT_FALSE(parse_log_entry("\x0b"s));                                          // a group
    EXPECT_FALSE(parse_log_entry("\x02\x00"s));                                      // field 0
    EXPECT_FALSE(parse_log_entry("\x2a\x02\x12\x09"s));  // a piece's id longer than the piece
}

TEST(Frames, AreCutWhereTheyEnd) {
    auto two = of_the_engine + to_note("gap");
    EXPECT_EQ(whole_frames(two), two.size());
    EXPECT_EQ(first_frame(std::string_view{two}.substr(of_the_engine.size())).kind, Frame::Kind::note);
    for (std::size_t size = 0; size < of_the_engine.size(); ++size)
        EXPECT_EQ(first_frame(std::string_view{of_the_engine}.substr(0, size)).kind, Frame::Kind::incomplete);
    EXPECT_EQ(whole_frames(two.substr(0, two.size() - 1)), of_the_engine.size());
}

TEST(Frames, OfNoLengthThatTheEngineWritesAreMalformed) {
    EXPECT_EQ(first_frame("\x00\x00\x00\x00"s).kind, Frame::Kind::malformed);
    EXPECT_EQ(first_frame("\x00\x00\xff\xff"s).kind, Frame::Kind::malformed);
    EXPECT_EQ(first_frame("\xff\xff\xff\xff"s).kind, Frame::Kind::malformed);
}

}  // namespace
}  // namespace boatswain::intake::driver
