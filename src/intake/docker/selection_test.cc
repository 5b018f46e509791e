#include "intake/docker/selection.h"

#include <gtest/gtest.h>

namespace boatswain::intake::docker {
namespace {

SourceFacts container() {
    SourceFacts facts;
    facts.name = "web-1";
    facts.image = "registry/nginx:1.27";
    facts.labels = {{"tier", "front"}, {"empty", ""}};
    return facts;
}

bool reads(const std::vector<std::string>& include, const std::vector<std::string>& exclude,
           const SourceFacts& facts = container()) {
    auto selection = Selection::parse(include, exclude);
    EXPECT_TRUE(selection);
    return !selection->reason_against(facts, facts);
}

TEST(Selection, ReadsEverythingWithoutRules) { EXPECT_TRUE(reads({}, {})); }

TEST(Selection, ReadsWhatAnyIncludeRuleMatches) {
    EXPECT_TRUE(reads({"label:nothing", "label:tier"}, {}));
    EXPECT_TRUE(reads({"label:tier=front"}, {}));
    EXPECT_TRUE(reads({"label:empty="}, {}));
    EXPECT_TRUE(reads({"name:^web-"}, {}));
    EXPECT_TRUE(reads({"image:nginx"}, {}));
    EXPECT_FALSE(reads({"label:tier=back", "name:^db", "image:^nginx", "label:tie"}, {}));
}

TEST(Selection, ExcludeWinsAndSaysWhy) {
    auto selection = *Selection::parse({"name:web"}, {"label:nothing", "image:nginx:1\\."});
    EXPECT_EQ(selection.reason_against(container(), container()), "exclude rule image:nginx:1\\.");
    EXPECT_EQ(Selection::parse({"name:db"}, {})->reason_against(container(), container()), "no include rule matches");
}

TEST(Selection, NeverReadsAContainerThatAsksNotTo) {
    auto facts = container();
    facts.labels["boatswain.exclude"] = "true";
    EXPECT_FALSE(reads({"name:web"}, {}, facts));
    facts.labels["boatswain.exclude"] = "false";
    EXPECT_TRUE(reads({"name:web"}, {}, facts));
}

TEST(Selection, TakesOurLabelsInEveryFormThatDockerTakes) {
    auto facts = container();
    for (const auto* yes : {"1", "t", "T", "true", "TRUE", "True"}) {
        facts.labels["boatswain.exclude"] = yes;
        EXPECT_EQ(Selection{}.reason_against(facts, facts), "label boatswain.exclude=true") << yes;
        EXPECT_TRUE(labels_not_understood(facts).empty());
    }
    for (const auto* no : {"0", "f", "F", "false", "FALSE", "False"}) {
        facts.labels["boatswain.exclude"] = no;
        EXPECT_EQ(Selection{}.reason_against(facts, facts), std::nullopt) << no;
        EXPECT_TRUE(labels_not_understood(facts).empty());
    }
    for (const auto* odd : {"", "yes", " true", "tRue"}) {
        facts.labels["boatswain.exclude"] = odd;
        EXPECT_EQ(Selection{}.reason_against(facts, facts), std::nullopt) << odd;
        EXPECT_EQ(labels_not_understood(facts), std::vector<std::string_view>{"boatswain.exclude"}) << "not in silence";
    }
}

TEST(Selection, DoesNotTakeAnImagesLabelForAWishOfTheStarter) {
    auto facts = container();
    auto starter = facts;
    facts.labels["boatswain.exclude"] = "true";
    facts.labels["io.kubernetes.docker.type"] = "podsandbox";
    auto selection = *Selection::parse({}, {"label:io.kubernetes.docker.type=podsandbox"});
    EXPECT_TRUE(selection.hangs_on_a_label(facts));
    EXPECT_FALSE(selection.hangs_on_a_label(starter));
    EXPECT_EQ(selection.reason_against(facts, starter), std::nullopt);
    starter.labels["io.kubernetes.docker.type"] = "podsandbox";
    EXPECT_EQ(selection.reason_against(facts, starter), std::nullopt) << "not of the kubelet's making";
    starter.labels["io.kubernetes.pod.uid"] = "5f0c";
    EXPECT_EQ(selection.reason_against(facts, starter), "exclude rule label:io.kubernetes.docker.type=podsandbox");
    auto by_image = *Selection::parse({}, {"image:nginx"});
    EXPECT_FALSE(by_image.hangs_on_a_label(starter));
    EXPECT_EQ(by_image.reason_against(facts, starter), "exclude rule image:nginx");
}

TEST(Selection, NamesTheRuleThatIsWrong) {
    for (auto rule : {"", "web", "label:", "colour:red", "name:(", "image:[", ":x", "name:"}) {
        auto selection = Selection::parse({}, {rule});
        ASSERT_FALSE(selection) << rule;
        EXPECT_EQ(selection.error().remedy, Remedy::stop);
        EXPECT_NE(selection.error().what.find("\"" + std::string{rule} + "\""), std::string::npos)
            << selection.error().what;
    }
}

TEST(Selection, MatchesHostileNamesInBoundedTime) {
    auto facts = container();
    facts.name = std::string(100'000, 'a');
    EXPECT_FALSE(reads({"name:(a*)*b$"}, {}, facts));
}

}  // namespace
}  // namespace boatswain::intake::docker
