#include "engine/json_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boatswain::engine {
namespace {

using testing::ElementsAre;

std::vector<std::string> drain(JsonSplitter& splitter) {
    std::vector<std::string> objects;
    for (;;) {
        auto next = splitter.next();
        if (!next) objects.push_back("error");
        if (!next || !*next) return objects;
        objects.push_back(**next);
    }
}

TEST(JsonSplitter, GivesWholeObjectsHoweverTheBytesAreCut) {
    const std::string text = "{\"a\":1}\n{\"b\":{\"c\":\"}{\\\"\\\\\"}}\r\n\n {} {\"d\":[{}]}\n";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        JsonSplitter splitter{1000};
        splitter.feed(text.substr(0, cut));
        auto objects = drain(splitter);
        splitter.feed(text.substr(cut));
        auto more = drain(splitter);
        objects.insert(objects.end(), more.begin(), more.end());
        EXPECT_THAT(objects, ElementsAre("{\"a\":1}", "{\"b\":{\"c\":\"}{\\\"\\\\\"}}", "{}", "{\"d\":[{}]}")) << cut;
        EXPECT_TRUE(splitter.at_object_start());
    }
}

TEST(JsonSplitter, RefusesWhatIsNoObjectForGood) {
    JsonSplitter splitter{1000};
    splitter.feed("{\"a\":1}\nnonsense");
    EXPECT_THAT(drain(splitter), ElementsAre("{\"a\":1}", "error"));
    splitter.feed("{}");
    EXPECT_THAT(drain(splitter), ElementsAre("error"));
}

TEST(JsonSplitter, RefusesAnObjectLongerThanItsBound) {
    JsonSplitter splitter{1000};
    splitter.feed("{\"a\":\"" + std::string(2000, 'x'));
    auto next = splitter.next();
    ASSERT_FALSE(next);
    EXPECT_EQ(next.error().remedy, Remedy::quarantine);
}

}  // namespace
}  // namespace boatswain::engine
