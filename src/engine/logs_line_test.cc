#include "engine/logs_line.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boatswain::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Shape = LogsLineSplitter::Shape;

constexpr const char* one = "2026-11-22T10:00:00.000000001Z ";
constexpr const char* two = "2026-11-22T10:00:00.000000002Z ";

std::string frame(int type, std::string_view payload) {
    auto size = static_cast<std::uint32_t>(payload.size());
    std::string bytes{static_cast<char>(type), 0, 0, 0};
    for (int shift : {24, 16, 8, 0}) bytes += static_cast<char>(size >> shift & 255);
    return bytes + std::string{payload};
}

// What a splitter gives out. A record reads "stdout 1 bytes" with the nanoseconds of its time, and a '$' for its
// newline.
struct Collector {
    std::vector<std::string> records;
    std::vector<std::string> messages;
    LogsLineSplitter splitter;

    explicit Collector(Shape shape) : splitter(shape) {}

    LogsLineSplitter::OnRecord on_record = [this](const LogsRecord& record) {
        EXPECT_EQ(record.bytes.find('\n'), record.bytes.npos);
        records.push_back(std::string{to_string(record.stream)} + " " +
                          std::to_string(record.time.time_since_epoch().count() % 1'000'000'000) + " " +
                          std::string{record.bytes} + (record.ended_by_newline ? "$" : ""));
    };
    LogsLineSplitter::OnMessage on_message = [this](std::string_view message) { messages.emplace_back(message); };
    Result<void> feed(std::string_view bytes) { return splitter.feed(bytes, on_record, on_message); }
    Result<void> end() { return splitter.end(on_record, on_message); }
};

TEST(LogsLine, MakesARecordOfEachFrame) {
    Collector seen{Shape::frames};
    using namespace std::string_literals;
    ASSERT_TRUE(seen.feed(frame(1, one + "hello\n"s) + frame(2, two + "err\n"s) + frame(1, two + "\n"s) +
                          frame(1, two + "rest"s) + frame(1, two)));
    ASSERT_TRUE(seen.end());
    EXPECT_THAT(seen.records,
                ElementsAre("stdout 1 hello$", "stderr 2 err$", "stdout 2 $", "stdout 2 rest", "stdout 2 "));
    EXPECT_THAT(seen.messages, IsEmpty());
}

TEST(LogsLine, KeepsCarriageReturnsAndNulBytes) {
    Collector seen{Shape::frames};
    using namespace std::string_literals;
    ASSERT_TRUE(seen.feed(frame(1, one + "a\0b\r\n"s)));
    EXPECT_THAT(seen.records, ElementsAre("stdout 1 a\0b\r$"s));
}

TEST(LogsLine, NeverGivesAMessageOfTheEngineOutAsOutput) {
    Collector seen{Shape::frames};
    using namespace std::string_literals;
    ASSERT_TRUE(seen.feed(frame(1, "Error grabbing logs: no such file or directory\n") + frame(3, "broken") +
                          frame(1, "") + frame(1, "2026-11-22T10:00:00.000000001Zno blank") + frame(1, one + "x\n"s)));
    EXPECT_THAT(seen.records, ElementsAre("stdout 1 x$"));
    EXPECT_THAT(seen.messages, ElementsAre("Error grabbing logs: no such file or directory\n", "broken",
                                           "2026-11-22T10:00:00.000000001Zno blank"));
}

TEST(LogsLine, SplitsAtNewlinesInsideAnEntry) {
    Collector seen{Shape::frames};
    using namespace std::string_literals;
    ASSERT_TRUE(seen.feed(frame(1, one + "a\nb\n\nc"s)));
    EXPECT_THAT(seen.records, ElementsAre("stdout 1 a$", "stdout 1 b$", "stdout 1 $", "stdout 1 c"));
}

TEST(LogsLine, GivesTheSameHoweverTheBytesAreCut) {
    using namespace std::string_literals;
    auto framed =
        frame(1, one + "hello\n"s) + frame(3, "m") + frame(2, two + "err"s) + frame(1, "oops") + frame(1, two + "\n"s);
    auto terminal = one + "hello\r\n"s + "oops\n" + two + "last"s;
    for (auto [shape, bytes] : {std::pair{Shape::frames, framed}, {Shape::terminal, terminal}}) {
        Collector whole{shape};
        ASSERT_TRUE(whole.feed(bytes));
        ASSERT_TRUE(whole.end());
        for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
            Collector seen{shape};
            ASSERT_TRUE(seen.feed(bytes.substr(0, cut)));
            ASSERT_TRUE(seen.feed(bytes.substr(cut)));
            ASSERT_TRUE(seen.end());
            EXPECT_EQ(seen.records, whole.records) << cut;
            EXPECT_EQ(seen.messages, whole.messages) << cut;
        }
    }
}

TEST(LogsLine, RefusesAFrameLongerThanItsBound) {
    using namespace std::string_literals;
    Collector seen{Shape::frames};
    auto fed = seen.feed(frame(1, one + std::string(logs_record_bytes_max, 'x')));
    ASSERT_FALSE(fed);
    EXPECT_EQ(fed.error().remedy, Remedy::quarantine);
    EXPECT_FALSE(seen.feed(frame(1, one + "x\n"s)));
    EXPECT_THAT(seen.records, IsEmpty());

    Collector lying{Shape::frames};
    ASSERT_TRUE(lying.feed(std::string_view{"\1\0\0\0\xff\xff\xff\xff", 8}));
    std::string piece(64 << 10, 'x');
    int pieces = 0;
    while (lying.feed(piece)) ASSERT_LT(++pieces, 20) << "a lying header is found out within the bound";
}

TEST(LogsLine, BoundsAMessageOfTheEngine) {
    Collector seen{Shape::frames};
    ASSERT_TRUE(seen.feed(frame(3, std::string(3 << 20, 'm'))));
    ASSERT_EQ(seen.messages.size(), 1U);
    EXPECT_EQ(seen.messages[0].size(), 64U << 10);
}

TEST(LogsLine, KnowsAnEndInTheMiddleOfAFrame) {
    Collector seen{Shape::frames};
    using namespace std::string_literals;
    auto bytes = frame(1, one + "x\n"s);
    ASSERT_TRUE(seen.feed(bytes.substr(0, bytes.size() - 1)));
    auto ended = seen.end();
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().remedy, Remedy::back_off);
    EXPECT_THAT(seen.records, IsEmpty());
}

TEST(LogsLine, ReadsATerminalsLines) {
    Collector seen{Shape::terminal};
    using namespace std::string_literals;
    ASSERT_TRUE(seen.feed(one + "a\r\n"s + two + "\r\n"s + "Error grabbing logs: x\n" + two + "prompt> "s));
    EXPECT_THAT(seen.records, ElementsAre("stdout 1 a\r$", "stdout 2 \r$"));
    ASSERT_TRUE(seen.end());
    EXPECT_THAT(seen.records, ElementsAre("stdout 1 a\r$", "stdout 2 \r$", "stdout 2 prompt> "));
    EXPECT_THAT(seen.messages, ElementsAre("Error grabbing logs: x"));
}

TEST(LogsLine, TakesTheRepeatedTimeOutOfATerminalsLongLine) {
    Collector seen{Shape::terminal};
    std::string a(logs_piece_bytes, 'a'), b(logs_piece_bytes, 'b'), c(100, 'c');
    ASSERT_TRUE(seen.feed(one + a + one + b + one + c + "\r\n" + two + "next\r\n"));
    EXPECT_THAT(seen.records, ElementsAre("stdout 1 " + a + b + c + "\r$", "stdout 2 next\r$"));
}

TEST(LogsLine, LeavesOtherTimesInATerminalsLineAlone) {
    Collector seen{Shape::terminal};
    using namespace std::string_literals;
    std::string a(logs_piece_bytes, 'a');
    ASSERT_TRUE(seen.feed(one + a + two + "x\r\n"s + one + one + "y\r\n"s));
    EXPECT_THAT(seen.records, ElementsAre("stdout 1 " + a + two + "x\r$", "stdout 1 "s + one + "y\r$"));
}

TEST(LogsLine, GivesATerminalsEndlessLineOutInPiecesAndLosesNothing) {
    Collector seen{Shape::terminal};
    std::string text = one, wanted;
    for (int i = 0; i < 200; ++i) {
        std::string piece(logs_piece_bytes, static_cast<char>('a' + i % 26));
        if (i > 0) text += one;
        text += piece;
        wanted += piece;
    }
    text += "\r\n" + std::string{two} + "next\r\n";
    for (std::size_t at = 0; at < text.size(); at += 5000)
        ASSERT_TRUE(seen.feed(std::string_view{text}.substr(at, 5000)));
    std::string got;
    ASSERT_GT(seen.records.size(), 3U);
    EXPECT_EQ(seen.records.back(), "stdout 2 next\r$");
    seen.records.pop_back();
    for (const auto& record : seen.records) {
        EXPECT_LE(record.size(), logs_record_bytes_max + 20);
        got += record.substr(9);
    }
    EXPECT_EQ(got, wanted + "\r$");
}

}  // namespace
}  // namespace boatswain::engine
