#include "engine/multiplexed.h"

#include <gtest/gtest.h>

#include <random>

namespace boatswain::engine {
namespace {

std::string frame(int type, std::string_view payload) {
    auto size = static_cast<std::uint32_t>(payload.size());
    std::string bytes;
    bytes += static_cast<char>(type);
    bytes += std::string(3, '\0');
    for (int shift : {24, 16, 8, 0}) bytes += static_cast<char>(size >> shift & 255);
    return bytes + std::string{payload};
}

// What a parser gives out, as text: "out<payload>|err<payload>|engine<message>|".
struct Collector {
    std::string text;
    bool in_frame = false;

    void take(std::string_view kind, std::string_view bytes, bool end) {
        if (!in_frame) text += kind;
        in_frame = !end;
        text += bytes;
        if (end) text += "|";
    }
    Result<void> feed(MultiplexedParser& parser, std::string_view bytes) {
        return parser.feed(
            bytes, [&](Stream stream, std::string_view piece, bool end) { take(to_string(stream), piece, end); },
            [&](std::string_view piece, bool end) { take("engine", piece, end); });
    }
};

TEST(Multiplexed, TellsTheStreamsApart) {
    MultiplexedParser parser;
    Collector seen;
    ASSERT_TRUE(seen.feed(parser, frame(1, "one") + frame(2, "two") + frame(0, "zero") + frame(3, "oops")));
    EXPECT_EQ(seen.text, "stdoutone|stderrtwo|stdoutzero|engineoops|");
    EXPECT_TRUE(parser.at_frame_start());
}

TEST(Multiplexed, CallsBackForAnEmptyPayload) {
    MultiplexedParser parser;
    Collector seen;
    ASSERT_TRUE(seen.feed(parser, frame(1, "") + frame(2, "x")));
    EXPECT_EQ(seen.text, "stdout|stderrx|");
}

TEST(Multiplexed, PassesOverTheEnginesMessagesWhenNobodyWantsThem) {
    MultiplexedParser parser;
    std::string text;
    ASSERT_TRUE(
        parser.feed(frame(3, "oops") + frame(1, "x"), [&](Stream, std::string_view bytes, bool) { text += bytes; }));
    EXPECT_EQ(text, "x");
}

TEST(Multiplexed, GivesTheSameHoweverTheBytesAreCut) {
    auto bytes =
        frame(1, "hello\n") + frame(2, std::string(300, 'e')) + frame(1, "") + frame(3, "m") + frame(1, "\x01\x02");
    Collector whole;
    MultiplexedParser parser;
    ASSERT_TRUE(whole.feed(parser, bytes));
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        Collector seen;
        MultiplexedParser cut_parser;
        ASSERT_TRUE(seen.feed(cut_parser, bytes.substr(0, cut)));
        ASSERT_TRUE(seen.feed(cut_parser, bytes.substr(cut)));
        ASSERT_EQ(seen.text, whole.text) << "cut at " << cut;
    }
    std::mt19937 random{1};
    for (int round = 0; round < 200; ++round) {
        Collector seen;
        MultiplexedParser cut_parser;
        for (std::size_t at = 0; at < bytes.size();) {
            auto size = random() % 12;
            ASSERT_TRUE(seen.feed(cut_parser, std::string_view{bytes}.substr(at, size)));
            at += size;
        }
        ASSERT_EQ(seen.text, whole.text) << "round " << round;
        EXPECT_TRUE(cut_parser.at_frame_start());
    }
}

TEST(Multiplexed, RefusesAHeaderThatIsNoneAndAllThatFollows) {
    for (std::string_view header : {std::string_view{"\4\0\0\0\0\0\0\1x", 9}, std::string_view{"\1\1\0\0\0\0\0\1x", 9},
                                    std::string_view{"\1\0\0\1\0\0\0\1x", 9}, std::string_view{"plain text"}}) {
        MultiplexedParser parser;
        Collector seen;
        auto fed = seen.feed(parser, frame(1, "good") + std::string{header});
        ASSERT_FALSE(fed);
        EXPECT_EQ(fed.error().remedy, Remedy::quarantine);
        EXPECT_EQ(seen.text, "stdoutgood|") << "what came before is given out";
        EXPECT_FALSE(seen.feed(parser, frame(1, "more")));
        EXPECT_EQ(seen.text, "stdoutgood|");
    }
}

TEST(Multiplexed, PassesAFrameOfFourGibibytesThroughWithoutGatheringIt) {
    MultiplexedParser parser;
    std::uint64_t got = 0;
    bool ended = false;
    auto count = [&](Stream, std::string_view bytes, bool end) {
        got += bytes.size();
        ended = end;
    };
    ASSERT_TRUE(parser.feed(std::string_view{"\1\0\0\0\xff\xff\xff\xff", 8}, count));
    std::string piece(1 << 20, 'x');
    for (int i = 0; i < 4095; ++i) ASSERT_TRUE(parser.feed(piece, count));
    EXPECT_FALSE(ended);
    EXPECT_FALSE(parser.at_frame_start());
    ASSERT_TRUE(parser.feed(std::string_view{piece}.substr(0, piece.size() - 1), count));
    EXPECT_TRUE(ended);
    EXPECT_EQ(got, 0xffffffffU);
}

TEST(Multiplexed, KnowsAnEndInTheMiddleOfAFrame) {
    auto bytes = frame(1, "abc");
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
        MultiplexedParser parser;
        Collector seen;
        ASSERT_TRUE(seen.feed(parser, bytes.substr(0, cut)));
        EXPECT_FALSE(parser.at_frame_start()) << cut;
    }
}

}  // namespace
}  // namespace boatswain::engine
