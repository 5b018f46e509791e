#include "intake/json_file/json_line.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <memory>
#include <optional>
#include <random>

#include "base/json_writer.h"

namespace boatswain::intake {
namespace {

struct Scanned {
    LogRecord line;
    std::string message;
};

// Line and output at their exact sizes, so that the address sanitizer sees every byte too far.
std::optional<Scanned> scan(JsonLineScanner& scanner, std::string_view text) {
    auto line = std::make_unique<char[]>(text.size());
    std::ranges::copy(text, line.get());
    auto output = std::make_unique<char[]>(text.size() + JsonLineScanner::slack);
    Scanned scanned;
    if (!scanner.scan({line.get(), text.size()}, output.get(), scanned.line)) return std::nullopt;
    EXPECT_LE(scanned.line.message_bytes, text.size());
    scanned.message.assign(output.get(), scanned.line.message_bytes);
    return scanned;
}

std::optional<Scanned> scan(std::string_view text) {
    JsonLineScanner scanner;
    return scan(scanner, text);
}

std::string line_of(std::string_view log, std::string_view stream = "stdout",
                    std::string_view time = "2026-11-23T00:14:35.375600667Z", std::string_view attrs = {}) {
    std::string text = "{\"log\":\"" + std::string{log} + "\",\"stream\":\"" + std::string{stream} + "\",";
    if (!attrs.empty()) text += "\"attrs\":" + std::string{attrs} + ",";
    return text + "\"time\":\"" + std::string{time} + "\"}";
}

TEST(LogRecord, TakesTheEnginesShapeWithoutTheGeneralParser) {
    JsonLineScanner scanner;
    auto found = scan(scanner, line_of(R"(GET / \u003cb\u003e\n)"));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->message, "GET / <b>");
    EXPECT_EQ(found->line.time, *parse_time("2026-11-23T00:14:35.375600667Z"));
    EXPECT_EQ(found->line.stream, Stream::out);
    EXPECT_TRUE(found->line.newline);
    EXPECT_FALSE(found->line.inner_newline);
    auto error = scan(scanner, line_of("oops", "stderr"));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->line.stream, Stream::err);
    EXPECT_FALSE(error->line.newline);
    EXPECT_EQ(scanner.general_lines(), 0U);
}

TEST(LogRecord, TellsNewlinesApart) {
    EXPECT_EQ(scan(line_of(""))->message, "");
    EXPECT_FALSE(scan(line_of(""))->line.newline);
    EXPECT_EQ(scan(line_of("\\n"))->message, "");
    EXPECT_TRUE(scan(line_of("\\n"))->line.newline);
    auto two = scan(line_of("a\\n\\n"));
    EXPECT_EQ(two->message, "a\n");
    EXPECT_TRUE(two->line.newline);
    EXPECT_TRUE(two->line.inner_newline);
    EXPECT_TRUE(scan(line_of("a\\nb"))->line.inner_newline);
    EXPECT_FALSE(scan(line_of("a\\nb"))->line.newline);
    EXPECT_FALSE(scan(line_of("a\\r\\n"))->line.inner_newline);
}

// Go trims zeros at the end of the fraction, and all of it when it is zero.
TEST(LogRecord, ReadsTimesOfEveryPrecisionQuickly) {
    JsonLineScanner scanner;
    for (std::string_view time : {"2026-11-23T00:14:35Z", "2026-11-23T00:14:35.3Z", "2026-11-23T00:14:35.37Z",
                                  "2026-11-23T00:14:35.000000001Z", "2026-11-23T00:14:35.12345678Z",
                                  "2026-11-23T23:59:59.999999999Z", "1999-12-31T00:00:00Z", "2024-02-29T01:02:03.4Z"}) {
        auto found = scan(scanner, line_of("x", "stdout", time));
        ASSERT_TRUE(found) << time;
        EXPECT_EQ(found->line.time, *parse_time(time)) << time;
    }
    EXPECT_EQ(scanner.general_lines(), 0U);
}

TEST(LogRecord, ReadsOddButValidTimesThroughTheGeneralParser) {
    JsonLineScanner scanner;
    for (std::string_view time : {"2026-11-23T01:14:35.5+01:00", "2026-11-23T00:14:35.1234567891Z"}) {
        auto found = scan(scanner, line_of("x", "stdout", time));
        ASSERT_TRUE(found) << time;
        EXPECT_EQ(found->line.time, *parse_time(time)) << time;
    }
    EXPECT_EQ(scanner.general_lines(), 2U);
}

TEST(LogRecord, RefusesTimesThatAreNone) {
    for (std::string_view time : {"", "Z", "2026-11-23", "2026-11-23T00:14:35", "2026-11-23T00:14:35.Z",
                                  "2026-11-23T00:14:3xZ", "2026-11-23T00:14:99Z", "2026-13-23T00:14:35Z",
                                  "2026-11-23T00:14:35.12x4Z", "0001-01-01T00:00:00Z", "2026-11-23T25:14:35Z"})
        EXPECT_FALSE(scan(line_of("x", "stdout", time))) << time;
    EXPECT_FALSE(scan(line_of("x", "stdout", std::string(17, '\0') + "35Z"))) << "no minute is known before the first";
    JsonLineScanner scanner;
    EXPECT_FALSE(scan(scanner, line_of("x", "stdout", "2026-99-23T00:14:35Z")));
    EXPECT_FALSE(scan(scanner, line_of("x", "stdout", "2026-99-23T00:14:35Z"))) << "a refused minute is not remembered";
    EXPECT_TRUE(scan(scanner, line_of("x")));
}

TEST(LogRecord, LearnsTheAttrsThatLinesOfAContainerShare) {
    JsonLineScanner scanner;
    constexpr std::string_view attrs = R"({"TENANT":"acme","attrs":"y","tag":"na\"me","x":",\"time\":\""})";
    constexpr std::string_view time = "2026-11-23T00:14:35Z";
    for (int i = 0; i < 3; ++i) {
        auto found = scan(scanner, line_of("hello\\n", "stderr", time, R"({"tag":"web"})"));
        ASSERT_TRUE(found);
        EXPECT_EQ(found->message, "hello");
        EXPECT_EQ(found->line.stream, Stream::err);
    }
    EXPECT_EQ(scanner.general_lines(), 1U) << "the second line of the same attrs is of the fixed shape";
    EXPECT_EQ(scan(scanner, line_of("a", "stdout", time, attrs))->message, "a");
    EXPECT_EQ(scan(scanner, line_of("b", "stdout", time, attrs))->message, "b");
    EXPECT_EQ(scan(scanner, line_of("c", "stdout", time, R"({"tag":"other"})"))->message, "c");
    EXPECT_EQ(scan(scanner, line_of("d", "stdout", time))->message, "d") << "none at all";
}

TEST(LogRecord, LooksAtNothingBehindALineThatEndsInItsAttrs) {
    JsonLineScanner scanner;
    auto whole = line_of("hello", "stdout", "2026-11-23T00:14:35Z", R"({"tag":"web"})");
    ASSERT_TRUE(scan(scanner, whole));
    for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(scan(scanner, whole.substr(0, size))) << size;
    auto no_comma = whole;
    no_comma.replace(no_comma.find("},\"time"), 2, "}x");
    EXPECT_FALSE(scan(scanner, no_comma));
}

TEST(LogRecord, TakesOtherShapesThroughTheGeneralParser) {
    JsonLineScanner scanner;
    const std::pair<std::string_view, std::string_view> lines[] = {
        {R"({"stream":"stdout","log":"a\n","time":"2026-11-23T00:14:35Z"})", "a"},
        {R"( { "log" : "b" , "stream" : "stderr" , "time" : "2026-11-23T00:14:35Z" } )", "b"},
        {R"({"stream":"stdout","time":"2026-11-23T00:14:35Z"})", ""},
        {R"({"log":"c","stream":"stdout","time":"2026-11-23T00:14:35Z","new":{"deep":[1,2]}})", "c"},
        {R"({"log":null,"stream":"stdout","time":"2026-11-23T00:14:35Z"})", ""},
        {R"({"log":"d\u0000\ud83d\udea2","new":1,"stream":"stdout","time":"2026-11-23T00:14:35Z"})",
         {"d\0\xF0\x9F\x9A\xA2", 6}},
    };
    for (const auto& [text, message] : lines) {
        auto found = scan(scanner, text);
        ASSERT_TRUE(found) << text;
        EXPECT_EQ(found->message, message) << text;
    }
    EXPECT_EQ(scanner.general_lines(), std::size(lines));
}

TEST(LogRecord, RefusesWhatTheEngineCannotHaveWritten) {
    for (
        std::string_view text :
        {"", "{", "{}", "[]", "null", "hello", "{\"log\":\"", R"({"log":"a"})", R"({"log":"a","stream":"stdout"})",
         R"({"log":"a","stream":"stdin","time":"2026-11-23T00:14:35Z"})",
         R"({"log":"a","stream":1,"time":"2026-11-23T00:14:35Z"})", R"({"log":"a","stream":"stdout","time":5})",
         R"({"log":"a\x","stream":"stdout","time":"2026-11-23T00:14:35Z"})",
         R"({"log":"a","stream":"stdout","time":"2026-11-23T00:14:35Z"}x)",
         R"({"log":"a","stream":"stdout","time":"2026-11-23T00:14:35Z"}{"log":"b","stream":"stdout","time":"2026-11-23T00:14:35Z"})"})
        EXPECT_FALSE(scan(text)) << text;
    EXPECT_FALSE(scan(std::string(100, '\0'))) << "what a power cut leaves";
    EXPECT_FALSE(scan(std::string(5000, '[')));
}

TEST(LogRecord, RefusesEveryLineCutShort) {
    auto whole = line_of(R"(a long message with \"quotes\" and \ud83d\udea2\n)");
    ASSERT_TRUE(scan(whole));
    for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(scan(whole.substr(0, size))) << size;
}

// What a container printed, through an encoder of the engine's kind, comes back byte for byte.
TEST(LogRecord, GivesBackWhatWasPrinted) {
    constexpr unsigned seed = 7;
    std::mt19937 random{seed};
    JsonLineScanner scanner;
    for (int round = 0; round < 5'000; ++round) {
        std::string printed;
        for (auto n = random() % 100; n > 0; --n)
            printed += static_cast<char>(random() % (round % 2 ? 128 : 32 + round % 90));
        auto quoted = json_quote(printed);
        auto found = scan(scanner, line_of(std::string_view{quoted}.substr(1, quoted.size() - 2)));
        ASSERT_TRUE(found) << "seed " << seed;
        ASSERT_EQ(found->message + (found->line.newline ? "\n" : ""), printed) << "seed " << seed;
    }
    EXPECT_EQ(scanner.general_lines(), 0U);
}

}  // namespace
}  // namespace boatswain::intake
