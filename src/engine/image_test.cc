#include "engine/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/container.h"

namespace boatswain::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

const WordFilter keep{.environment = [](std::string_view key) { return key == "TENANT" || key == "APP"; },
                      .label = [](std::string_view key) { return key.size() <= 2; },
                      .more_labels = [](std::string_view) { return true; },
                      .mount = {}};

TEST(Image, SaysItsLabelsAndTheVariablesThatAreKept) {
    auto facts = parse_image(
        R"({"Id":"sha256:1","Config":{"Env":["TENANT=acme","SECRET=hush","NOEQ","=x","TENANT=globex"],"Labels":{"a":"1","b":2}}})",
        keep);
    ASSERT_TRUE(facts) << facts.error().what;
    EXPECT_THAT(facts->labels, ElementsAre(Pair("a", "1")));
    EXPECT_THAT(facts->environment, ElementsAre(Pair("TENANT", "globex"))) << "the last of repeated ones wins";
}

TEST(Image, SaysNothingWhereItHasNoConfiguration) {
    for (const auto* json :
         {R"({"Id":"x"})", R"({"Id":"x","Config":null})", R"({"Id":"x","Config":{"Env":null,"Labels":null}})",
          R"({"Id":"x","Config":{"Env":{},"Labels":[]}})"})
        EXPECT_EQ(parse_image(json, keep).value(), ImageFacts{}) << json;
}

TEST(Image, IsRefusedWhenTheAnswerIsOfSomethingElseOrTooLong) {
    for (const std::string json : {"", "[]", "{}", R"({"Id":1})", "{\"Id\":\"\xff\"}"})
        EXPECT_EQ(parse_image(json, keep).error().remedy, Remedy::quarantine) << json;
    std::string long_label(word_bytes_max - 2, 'x'), labels, longest(image_words_bytes_max, 'x');
    for (char name = 'a'; name <= 'q'; ++name)
        labels += (labels.empty() ? "\"" : ",\"") + std::string{name} + "\":\"" + long_label + '"';
    EXPECT_FALSE(parse_image(R"({"Id":"x","Config":{"Labels":{)" + labels + "}}}", keep));
    EXPECT_TRUE(parse_image(R"({"Id":"x","Config":{"Env":["SECRET=)" + longest + R"("]}})", keep)) << "not kept";
}

TEST(Image, KeepsAWordThatIsTooLongAsThatOfItsContainer) {
    std::string longer(word_bytes_max, 'x');
    auto words = R"("Config":{"Env":["TENANT=)" + longer + R"("],"Labels":{"a":")" + longer + R"(","beside":"b"}}})";
    auto image = parse_image(R"({"Id":"x",)" + words, keep);
    auto container = parse_inspect("{\"Id\":\"" + std::string(container_id_size, 'a') + "\"," + words, keep);
    ASSERT_TRUE(image && container);
    EXPECT_THAT(image->labels, ElementsAre(Pair("a", word_too_long))) << "none that decides nothing";
    auto left = without_words_of(*image, *container);
    EXPECT_THAT(left.environment, IsEmpty());
    EXPECT_THAT(left.labels, ElementsAre(Pair("beside", "b")));
}

TEST(Image, TakesItsWordsOutOfAContainer) {
    ContainerFacts container;
    container.labels = {{"of.image", "1"}, {"changed", "by starter"}, {"of.starter", "1"}};
    container.environment = {{"TENANT", "acme"}, {"APP", "by starter"}};
    ImageFacts image{.labels = {{"of.image", "1"}, {"changed", "by image"}, {"taken.away", "1"}},
                     .environment = {{"TENANT", "acme"}, {"APP", "by image"}}};
    auto left = without_words_of(image, container);
    EXPECT_THAT(left.labels, ElementsAre(Pair("changed", "by starter"), Pair("of.starter", "1")));
    EXPECT_THAT(left.environment, ElementsAre(Pair("APP", "by starter")));
    EXPECT_THAT(without_words(container).labels, IsEmpty());
    EXPECT_THAT(without_words(container).environment, IsEmpty());
}

TEST(Image, HasAnIdOfSha256) {
    EXPECT_TRUE(is_image_id("sha256:" + std::string(64, 'a')));
    for (const auto& text :
         {std::string{}, std::string{"busybox"}, std::string(64, 'a'), "sha256:" + std::string(63, 'a'),
          "sha256:" + std::string(64, 'A'), "sha256:" + std::string(63, 'a') + "/"})
        EXPECT_FALSE(is_image_id(text)) << text;
}

}  // namespace
}  // namespace boatswain::engine
