#include "intake/json_file/json_string.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace boatswain::intake {
namespace {

// Input and output at their exact sizes, so that the address sanitizer sees every byte too far.
std::optional<std::string> unescape(std::string_view escaped, std::string_view behind = {}) {
    auto size = escaped.size() + behind.size();
    auto input = std::make_unique<char[]>(size);
    std::ranges::copy(escaped, input.get());
    std::ranges::copy(behind, input.get() + escaped.size());
    auto output = std::make_unique<char[]>(size + 16);
    auto found = unescape_json_string(input.get(), input.get() + size, output.get());
    if (!found.input_end) return std::nullopt;
    EXPECT_LE(found.input_end, input.get() + size);
    EXPECT_EQ(found.input_end[-1], '"');
    return std::string{output.get(), found.output_end};
}

TEST(JsonString, KnowsEveryEscapeAtEveryOffset) {
    const std::pair<std::string_view, std::string_view> escapes[] = {
        {R"(\n)", "\n"},
        {R"(\t)", "\t"},
        {R"(\r)", "\r"},
        {R"(\b)", "\b"},
        {R"(\f)", "\f"},
        {R"(\")", "\""},
        {R"(\\)", "\\"},
        {R"(\/)", "/"},
        {R"(\u0000)", std::string_view{"\0", 1}},
        {R"(\u001b)", "\x1b"},
        {R"(\u003c\u003E)", "<>"},
        {R"(\u007f\u0080)", "\x7f\xC2\x80"},
        {R"(\u07ff\u0800)", "\xDF\xBF\xE0\xA0\x80"},
        {R"(\u2028\u2029)", "\xE2\x80\xA8\xE2\x80\xA9"},
        {R"(\ufffd\uFFFF)", "\xEF\xBF\xBD\xEF\xBF\xBF"},
        {R"(\ud83d\udea2)", "\xF0\x9F\x9A\xA2"},
        {R"(\uD800\uDC00)", "\xF0\x90\x80\x80"},
        {R"(\udbff\udfff)", "\xF4\x8F\xBF\xBF"},
        {R"(\\\"\\)", "\\\"\\"},
    };
    for (const auto& [escape, meaning] : escapes)
        for (std::size_t before = 0; before <= 40; ++before)
            for (std::size_t after : {0, 1, 15, 16, 17}) {
                auto text = std::string(before, 'a') + std::string{escape} + std::string(after, 'z') + "\"";
                EXPECT_EQ(unescape(text), std::string(before, 'a') + std::string{meaning} + std::string(after, 'z'))
                    << text;
            }
}

TEST(JsonString, EndsAtTheFirstQuoteAtEveryOffset) {
    for (std::size_t before = 0; before <= 40; ++before)
        for (std::size_t behind = 0; behind <= 40; ++behind)
            EXPECT_EQ(unescape(std::string(before, 'a') + "\"", std::string(behind, '"')), std::string(before, 'a'));
}

TEST(JsonString, MakesLoneSurrogatesReplacementCharacters) {
    constexpr std::string_view replaced = "\xEF\xBF\xBD";
    auto r = std::string{replaced};
    EXPECT_EQ(unescape(R"(\ud83d")"), r);
    EXPECT_EQ(unescape(R"(\ud83dx")"), r + "x");
    EXPECT_EQ(unescape(R"(\udea2")"), r) << "a second half first";
    EXPECT_EQ(unescape(R"(\ud83d\n")"), r + "\n");
    EXPECT_EQ(unescape(R"(\ud83d\u0041")"), r + "A");
    EXPECT_EQ(unescape(R"(\ud83d\ud83d\udea2")"), r + "\xF0\x9F\x9A\xA2");
}

TEST(JsonString, RefusesBrokenEscapesAtEveryOffset) {
    for (std::size_t before = 0; before <= 40; ++before)
        for (auto broken : {R"(\)", R"(\x")", R"(\u")", R"(\u12")", R"(\u123)", R"(\u12g4")", R"(\ud83d\u12")",
                            R"(\ud83d\)", R"(\')"})
            EXPECT_EQ(unescape(std::string(before, 'a') + broken), std::nullopt) << before << broken;
}

TEST(JsonString, RefusesAStringWithoutAnEnd) {
    for (std::size_t size = 0; size <= 40; ++size) {
        EXPECT_EQ(unescape(std::string(size, 'a')), std::nullopt);
        EXPECT_EQ(unescape(std::string(size, 'a') + R"(\")"), std::nullopt) << "an escaped quote is none";
    }
}

TEST(JsonString, KeepsRawBytesAsTheyAre) {
    std::string all;
    for (int i = 0; i < 256; ++i)
        if (i != '"' && i != '\\') all += static_cast<char>(i);
    EXPECT_EQ(unescape(all + "\""), all);
}

// Random strings of the characters that matter, against a general parser, wherever that accepts them.
TEST(JsonString, AgreesWithAGeneralParser) {
    constexpr unsigned seed = 20261123;
    std::mt19937 random{seed};
    const std::string_view parts[] = {"\\n",
                                      "\\\"",
                                      "\\\\",
                                      "\\/",
                                      "\\u0000",
                                      "\\ud83d\\udea2",
                                      "\\u00e9",
                                      "\xC3\xA9",
                                      "\xF0\x9F\x9A\xA2",
                                      "a",
                                      "plain text of more than sixteen bytes",
                                      " ",
                                      "\\ud83d",
                                      "\\uDEA2",
                                      "\"",
                                      "\\",
                                      "u12"};
    simdjson::dom::parser parser;
    int agreed = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (auto n = random() % 12; n > 0; --n) text += parts[random() % (std::size(parts) - (round % 2 ? 5 : 0))];
        auto ours = unescape(text + "\"");
        std::string_view theirs;
        bool accepted = parser.parse("\"" + text + "\"").get_string().get(theirs) == simdjson::SUCCESS;
        if (!accepted) continue;
        ++agreed;
        ASSERT_EQ(ours, std::string{theirs}) << "seed " << seed << ", text " << text;
    }
    EXPECT_GT(agreed, 9'000);
}

}  // namespace
}  // namespace boatswain::intake
