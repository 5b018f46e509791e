#include "engine/json_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace boatswain::engine {
namespace {

using testing::ElementsAre;

constexpr JsonSplitter::Bounds roomy{.bytes_max = 1000};
// As events are read, small.
constexpr JsonSplitter::Bounds deep{.bytes_max = 60, .deep = 3};

std::string shown(JsonSplitter& splitter, const Result<std::optional<std::string>>& next) {
    if (next) return (splitter.shortened() ? "short " : "") + **next;
    return next.error().remedy == Remedy::quarantine ? "too long" : "broken";
}

std::vector<std::string> drain(JsonSplitter& splitter) {
    std::vector<std::string> objects;
    for (;;) {
        auto next = splitter.next();
        if (next && !*next) return objects;
        objects.push_back(shown(splitter, next));
        if (objects.back() == "broken") return objects;
    }
}

// The same comes out wherever the text is cut in two.
std::vector<std::string> split(std::string_view text, JsonSplitter::Bounds bounds,
                               JsonSplitter::Shape shape = JsonSplitter::Shape::sequence) {
    std::vector<std::string> first;
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        JsonSplitter splitter{bounds, shape};
        splitter.feed(text.substr(0, cut));
        auto objects = drain(splitter);
        splitter.feed(text.substr(cut));
        auto more = drain(splitter);
        objects.insert(objects.end(), more.begin(), more.end());
        if (splitter.at_end()) objects.emplace_back("end");
        if (cut == 0) first = objects;
        EXPECT_EQ(objects, first) << cut;
    }
    return first;
}

TEST(JsonSplitter, GivesWholeObjectsHoweverTheBytesAreCut) {
    EXPECT_THAT(split("{\"a\":1}\n{\"b\":{\"c\":\"}{\\\"\\\\\"}}\r\n\n {} {\"d\":[{}]}\n", roomy),
                ElementsAre("{\"a\":1}", "{\"b\":{\"c\":\"}{\\\"\\\\\"}}", "{}", "{\"d\":[{}]}", "end"));
}

TEST(JsonSplitter, RefusesWhatIsNoObjectForGood) {
    JsonSplitter splitter{roomy};
    splitter.feed("{\"a\":1}\nnonsense");
    EXPECT_THAT(drain(splitter), ElementsAre("{\"a\":1}", "broken"));
    splitter.feed("{}");
    EXPECT_THAT(drain(splitter), ElementsAre("broken"));
    EXPECT_FALSE(splitter.at_end());
}

TEST(JsonSplitter, PassesOverAnObjectThatIsTooLongAndReadsTheNext) {
    auto too_long = "{\"a\":\"}\\\"" + std::string(2000, 'x') + "\\\\\",\"b\":{\"c\":[\"{\"]}}";
    JsonSplitter splitter{roomy};
    std::vector<std::string> objects;
    for (char c : "{\"a\":1}" + too_long + too_long + "{\"a\":2}") {
        splitter.feed({&c, 1});
        for (auto& object : drain(splitter)) objects.push_back(object);
    }
    EXPECT_THAT(objects, ElementsAre("{\"a\":1}", "too long", "too long", "{\"a\":2}"));
    EXPECT_TRUE(splitter.at_end());
}

TEST(JsonSplitter, HoldsNoMoreThanItsBoundOfAnObjectThatNeverEnds) {
    JsonSplitter splitter{roomy};
    splitter.feed("{\"a\":\"");
    for (int i = 0; i < 1000; ++i) {
        splitter.feed(std::string(10'000, 'x'));
        auto next = splitter.next();
        ASSERT_TRUE(next);
        ASSERT_FALSE(*next);
    }
    EXPECT_FALSE(splitter.at_end());
}

TEST(JsonSplitter, LeavesOutWhatLiesDeepWhenThereIsTooMuchOfIt) {
    auto event = [](const std::string& labels) {
        return R"({"Actor":{"ID":"c","Attributes":{)" + labels + R"(}},"time":7})";
    };
    EXPECT_THAT(
        split(event("") + event(R"("a":"}","b":{"c":"d")" + std::string(100, ' ') + "}") + event(R"("a":1)"), deep),
        ElementsAre(event(""), "short " + event(""), event(R"("a":1)"), "end"));
    EXPECT_THAT(split(event("\"a\":\"" + std::string(100, '\\') + "\"") + "{}", deep),
                ElementsAre("short " + event(""), "{}", "end"));
}

TEST(JsonSplitter, EmptiesTextsThatAreTooLong) {
    EXPECT_THAT(
        split(R"({"a":"123","1234":"12\"4","b":{"c":["12345"]}}{"a":"1"})", {.bytes_max = 100, .text_bytes_max = 3}),
        ElementsAre(R"(short {"a":"123","":"","b":{"c":[""]}})", R"({"a":"1"})", "end"));
}

TEST(JsonSplitter, TakesTheObjectsOutOfAnArray) {
    using enum JsonSplitter::Shape;
    EXPECT_THAT(split(R"( [{"a":[1]} , {"b":"]"},{}] )", roomy, array),
                ElementsAre(R"({"a":[1]})", R"({"b":"]"})", "{}", "end"));
    EXPECT_THAT(split("[]\n", roomy, array), ElementsAre("end"));
    EXPECT_THAT(split("null\n", roomy, array), ElementsAre("end"));
    EXPECT_THAT(split("[{}", roomy, array), ElementsAre("{}"));
    EXPECT_THAT(split("", roomy, array), ElementsAre());
    for (std::string_view text : {"{}", "nil!", "[1]", "[[]]", "[] []", "[]{}", "[]null"}) {
        JsonSplitter splitter{roomy, array};
        splitter.feed(text);
        EXPECT_THAT(drain(splitter), ElementsAre("broken")) << text;
    }
}

}  // namespace
}  // namespace boatswain::engine
