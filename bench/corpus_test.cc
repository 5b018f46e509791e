#include "corpus.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace boatswain::bench {
namespace {

std::string json_file(std::string_view text, std::string_view time) {
    std::string out;
    append_json_file_line(out, {.time = *parse_time(time), .text = text});
    return out;
}

TEST(Corpus, IsTheSameForTheSameSeedAndAnotherForAnother) {
    Corpus one(7), again(7), other(8);
    bool differs = false;
    for (int i = 0; i < 1000; ++i) {
        std::string line(one.next().text);
        EXPECT_EQ(line, again.next().text);
        differs |= line != other.next().text;
    }
    EXPECT_TRUE(differs);
}

TEST(Corpus, HasLinesOfAbout158BytesWithRisingTimesOnBothStreams) {
    Corpus corpus(1);
    std::size_t bytes = 0;
    std::set<bool> streams;
    Timestamp last{};
    constexpr std::size_t lines = 200'000;
    for (std::size_t i = 0; i < lines; ++i) {
        auto line = corpus.next();
        bytes += line.text.size() + 1;
        ASSERT_LT(last, line.time);
        last = line.time;
        streams.insert(line.to_stderr);
        ASSERT_EQ(line.text.find('\n'), std::string_view::npos);
    }
    EXPECT_NEAR(static_cast<double>(bytes) / lines, 158, 8);
    EXPECT_EQ(streams.size(), 2U);
}

TEST(JsonFileLine, EscapesAsDockerDoes) {
    EXPECT_EQ(
        json_file("a \"b\" \\ <c> & \t\r\x01", "2026-11-22T10:00:00.123456789Z"),
        R"({"log":"a \"b\" \\ \u003cc\u003e \u0026 \u0009\r\u0001\n","stream":"stdout","time":"2026-11-22T10:00:00.123456789Z"})"
        "\n");
}

TEST(CriLine, IsWhatContainerdWrites) {
    std::string out;
    append_cri_line(out, {.time = *parse_time("2026-11-22T10:00:00.701773700Z"), .to_stderr = true, .text = "a \"b\""});
    EXPECT_EQ(out, "2026-11-22T10:00:00.7017737Z stderr F a \"b\"\n");
}

TEST(JsonFileLine, TrimsTheZerosOfTheTimeAsGoDoes) {
    EXPECT_NE(json_file("", "2026-11-22T10:00:00.701773700Z").find(R"("2026-11-22T10:00:00.7017737Z")"),
              std::string::npos);
    EXPECT_NE(json_file("", "2026-11-22T10:00:00.000000000Z").find(R"("2026-11-22T10:00:00Z")"), std::string::npos);
    EXPECT_NE(json_file("", "2026-11-22T10:00:00.000000010Z").find(R"("2026-11-22T10:00:00.00000001Z")"),
              std::string::npos);
}

}  // namespace
}  // namespace boatswain::bench
