#include "base/json_writer.h"

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>
#include <vector>

namespace boatswain {
namespace {

TEST(JsonWriter, WritesMembersInTheOrderOfTheCalls) {
    EXPECT_EQ(json_object().member("id", "a").member("lines", 12U).member("less", -3).member("ok", true).take(),
              R"({"id":"a","lines":12,"less":-3,"ok":true})");
}

TEST(JsonWriter, ClosesWhatIsOpenWhenTheTextIsTaken) {
    EXPECT_EQ(json_object().object("a").array("b").object().member("c", 1).take(), R"({"a":{"b":[{"c":1}]}})");
    EXPECT_EQ(json_object().array("a").value(1).end().object("b").end().member("c", 2).take(),
              R"({"a":[1],"b":{},"c":2})");
    EXPECT_EQ(json_array().take_line(), "[]\n");
}

TEST(JsonWriter, WritesListsMapsTimesAndNothing) {
    std::vector<std::string> texts{"a", "b\""};
    std::map<std::string, std::string> labels{{"x\"", "1"}, {"y", ""}};
    EXPECT_EQ(json_object().member("texts", texts).member("labels", labels).take(),
              R"({"texts":["a","b\""],"labels":{"x\"":"1","y":""}})");
    EXPECT_EQ(json_array().value(std::optional<int>{}).value(std::optional{7}).value(nullptr).take(), "[null,7,null]");
    EXPECT_EQ(json_array().value(Timestamp{}).take(), "[\"" + to_text(Timestamp{}) + "\"]");
}

TEST(JsonWriter, LeavesOutWhatThereIsNot) {
    EXPECT_EQ(json_object()
                  .member_unless_empty("a", "")
                  .member_unless_empty("b", "x")
                  .member_if_there("c", std::optional<int>{})
                  .member_if_there("d", std::optional{4})
                  .take(),
              R"({"b":"x","d":4})");
}

TEST(JsonWriter, FollowsTheTextThatItIsGiven) {
    JsonWriter json{"# gap "};
    json.object().member("lines", 1);
    EXPECT_EQ(json.take_line(), "# gap {\"lines\":1}\n");
}

TEST(JsonWriter, PutsNoCommaAfterATextThatEndsLikeABracket) {
    EXPECT_EQ(json_array().value("{").value("[").value(":").raw("1.5").take(), R"(["{","[",":",1.5])");
    EXPECT_EQ(json_object().member("{", ":").member("b", "").take(), R"({"{":":","b":""})");
}

TEST(JsonWriter, RefusesToNestDeeperThanItsBound) {
    JsonWriter json;
    for (std::size_t i = 0; i < json_depth_max; ++i) json.array();
    EXPECT_THROW(json.array(), std::logic_error);
    EXPECT_EQ(json.take(), std::string(json_depth_max, '[') + std::string(json_depth_max, ']'));
    EXPECT_THROW(JsonWriter{}.end(), std::logic_error);
}

TEST(JsonQuote, EscapesWhatJsonWantsEscaped) {
    EXPECT_EQ(json_quote("a\"b\\c\n\t\r\x01\x1f/"), R"("a\"b\\c\n\t\r\u0001\u001f/")");
    EXPECT_EQ(json_quote(std::string_view{"\0", 1}), R"("\u0000")");
    EXPECT_EQ(json_quote(""), "\"\"");
}

TEST(JsonQuote, EscapesWhatActsOnATerminalOrAPage) {
    EXPECT_EQ(json_quote("a\u202Eb\u2028c\u0085\x7f\U000E0041"), R"("a\u202eb\u2028c\u0085\u007f\udb40\udc41")");
}

TEST(JsonQuote, KeepsUtf8AndReplacesWhatIsNone) {
    EXPECT_EQ(json_quote("h\xC3\xB6\xE2\x82\xAC\xF0\x9F\x9A\xA2"), "\"h\xC3\xB6\xE2\x82\xAC\xF0\x9F\x9A\xA2\"");
    constexpr auto replaced = "\xEF\xBF\xBD";
    EXPECT_EQ(json_quote("a\xff"), std::string{"\"a"} + replaced + "\"");
    EXPECT_EQ(json_quote("\xC3"), std::string{"\""} + replaced + "\"") << "cut sequence";
    EXPECT_EQ(json_quote("\xED\xA0\x80"), std::string{"\""} + replaced + replaced + replaced + "\"") << "surrogate";
}

}  // namespace
}  // namespace boatswain
