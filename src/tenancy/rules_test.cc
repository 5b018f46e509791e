#include "tenancy/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "tenancy/mesos_sandbox.h"
#include "tenancy/pod_words.h"

namespace boatswain::tenancy {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const std::string sandbox_path =
    "/var/lib/mesos/slaves/20f1e1a2-S3/frameworks/20f1e1a2-0001/executors/"
    "acme_shop_web.5f0c9a1e-1234-11ee-8c99-0242ac120002/runs/"
    "d2c1b0a9-3b5e-4f2e-9f0a-1d2e3f4a5b6c";

SourceFacts facts() {
    return {.id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            .name = "shop-web-1",
            .image = "registry.example/acme/web:1.4",
            .labels = {{"team", "blue"}, {"com.example.tenant", "acme"}, {"empty", ""}},
            .environment = {{"TENANT", "acme"}, {"EMPTY", ""}, {"PATHLIKE", "/acme/shop/web"}, {"LINES", "one\ntwo"}},
            .attributes = sandbox_attributes({{"/data", "/data"}, {sandbox_path, "/mnt/mesos/sandbox"}}, read_link)};
}

RuleSet tenant_rules(std::vector<std::string> rules) {
    auto parsed = parse_rules({.tenant = std::move(rules)});
    EXPECT_TRUE(parsed) << parsed.error().what;
    return std::move(*parsed);
}

TEST(Rules, AnswerFromEachSource) {
    struct Case {
        std::string rule;
        std::optional<std::string> answer;
    };
    for (const auto& [rule, answer] : std::vector<Case>{
             {"env:TENANT", "acme"},
             {"env:MISSING", std::nullopt},
             {"env:EMPTY", std::nullopt},
             {"label:com.example.tenant", "acme"},
             {"label:missing", std::nullopt},
             {"label:empty", std::nullopt},
             {"name", "shop-web-1"},
             {"image", "registry.example/acme/web:1.4"},
             {"const:acme", "acme"},
             {"const:two words: and a colon", "two words: and a colon"},
             {"mesos:task", "acme_shop_web.5f0c9a1e-1234-11ee-8c99-0242ac120002"},
             {"mesos:framework", "20f1e1a2-0001"},
             {"mesos:agent", "20f1e1a2-S3"},
             {"  env:TENANT \t", "acme"},
             {"name ~ /web/", "web"},          // no group: the whole match, found anywhere
             {"name ~ /^([a-z]+)-/", "shop"},  // the first group
             {"name ~ /(shop)-(web)/", "shop"},
             {"name ~ /(?:shop)-(web)/", "web"},  // a group that does not capture is not the first
             {"name~/shop/", "shop"},             // spaces around ~ are not needed
             {"name ~ /nothing like it/", std::nullopt},
             {"name ~ /(x)?shop/", std::nullopt},            // a group that took no part is no answer
             {"env:PATHLIKE ~ /^/([^/]+)/./", "acme"},       // slashes within the expression
             {"env:PATHLIKE ~ /^\\/([^\\/]+)\\//", "acme"},  // or escaped, as some write it
             {"env:LINES ~ /^(.*)$/", std::nullopt},         // '.' passes no line end, '$' is the end of the text
             {"env:LINES ~ /(?m)^(two)$/", "two"},
             {"image ~ /(?i)ACME/", "acme"},
             {"const:a~b", "a~b"},  // '~' alone is an ordinary character
         }) {
        auto parsed = Rule::parse(rule);
        ASSERT_TRUE(parsed) << parsed.error().what;
        EXPECT_EQ(parsed->answer(facts()), answer) << rule;
    }
}

TEST(Rules, SayWhatIsWrongWithThem) {
    for (const auto& [rule, sentence] : std::vector<std::pair<std::string, std::string>>{
             {"evn:TENANT", R"(evn:TENANT: unknown source "evn", did you mean "env"?)"},
             {"lable:x", R"(lable:x: unknown source "lable", did you mean "label"?)"},
             {"marathn", R"(marathn: unknown source or preset "marathn", did you mean "marathon"?)"},
             {"nmae", R"(nmae: unknown source or preset "nmae", did you mean "name"?)"},
             {"http://x",
              "http://x: unknown source \"http\"; known are env:KEY, label:KEY, name, image, const:TEXT, mesos:task, "
              "mesos:framework, mesos:agent, pod-label:KEY, pod-annotation:KEY, namespace"},
             {"pod-lable:x", R"(pod-lable:x: unknown source "pod-lable", did you mean "pod-label"?)"},
             {"namespace:x", R"(namespace:x: "namespace" takes no key)"},
             {"pod-annotation:", R"(pod-annotation:: "pod-annotation" needs a key: pod-annotation:KEY)"},
             {"", "is empty; write for example env:TENANT"},
             {"   ", "is empty; write for example env:TENANT"},
             {"env", R"(env: "env" needs a key: env:KEY)"},
             {"env:", R"(env:: "env" needs a key: env:KEY)"},
             {"const:", R"(const:: "const" needs a key: const:TEXT)"},
             {"env:A=B", "env:A=B: the name of an environment variable holds no '='"},
             {"name:web", R"(name:web: "name" takes no key)"},
             {"mesos:slave", R"(mesos:slave: mesos has mesos:task, mesos:framework and mesos:agent, not "slave")"},
             {"env:A ~ x", "env:A ~ x: a regular expression is written between slashes: env:A ~ /REGEX/"},
             {"env:A ~ /x", "env:A ~ /x: a regular expression is written between slashes: env:A ~ /REGEX/"},
             {"env:A ~ //", "env:A ~ //: the regular expression is empty"},
             {"env:A ~ /a(b/", "env:A ~ /a(b/: column 10: the regular expression is not one: missing ): a(b"},
             {"env:A ~ /a[z-a]/",
              "env:A ~ /a[z-a]/: column 12: the regular expression is not one: invalid character class range: z-a"},
             {"env:A ~ /(?=x)/",
              "env:A ~ /(?=x)/: column 10: the regular expression is not one: invalid perl operator: (?="},
         }) {
        auto parsed = Rule::parse(rule);
        ASSERT_FALSE(parsed) << rule;
        EXPECT_EQ(parsed.error().remedy, Remedy::stop);
        EXPECT_EQ(parsed.error().what, sentence);
    }
}

TEST(Rules, AreBoundedInLengthAndInTheMemoryOfTheirExpressions) {
    EXPECT_THAT(Rule::parse("const:" + std::string(2000, 'x')).error().what, EndsWith("is longer than 1024 bytes"));
    auto greedy = Rule::parse("name ~ /((((a{100}){100}){100}){100})/");
    ASSERT_FALSE(greedy);
    EXPECT_THAT(greedy.error().what, HasSubstr("the regular expression is not one"));
}

TEST(Rules, AreReportedAllAtOnceWithListAndPlace) {
    auto parsed = parse_rules({.tenant = {"env:TENANT", "evn:X"}, .app = {"nmae"}, .labels = {"a.*", "*.b"}});
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().what,
              "tenancy.tenant, rule 2: evn:X: unknown source \"evn\", did you mean \"env\"?\n"
              "tenancy.app, rule 1: nmae: unknown source or preset \"nmae\", did you mean \"name\"?\n"
              "tenancy.labels, rule 2: *.b: '*' stands only at the end: prefix.*");
    EXPECT_THAT(parse_rules({.tenant = std::vector<std::string>(101, "name")}).error().what,
                HasSubstr("at most 100 are allowed"));
}

TEST(Rules, NameExactlyTheEnvironmentThatIsKept) {
    auto rules = parse_rules(
        {.tenant = {"env:A ~ /x/", "label:l", "marathon"}, .app = {"env:B", "env:A"}, .recipient = {"env:SECRET"}});
    ASSERT_TRUE(rules) << rules.error().what;
    EXPECT_THAT(rules->environment_keys(),
                ElementsAre("A", "B", "MARATHON_APP_ID", "MARATHON_APP_LABEL_TENANT", "SECRET"));
}

TEST(Attribute, TakesTheFirstRuleThatAnswersAndNamesIt) {
    auto whose =
        attribute(tenant_rules({"env:MISSING", "env:EMPTY", "label:com.example.tenant", "const:other"}), facts());
    EXPECT_EQ(whose.tenant.str(), "acme");
    EXPECT_EQ(whose.tenant_rule, "label:com.example.tenant");
}

TEST(Attribute, LeavesUnassignedWhomNoRuleKnowsAndSaysWhichWereAsked) {
    auto whose = attribute(tenant_rules({"env:MISSING", "label:missing"}), facts());
    EXPECT_EQ(whose.tenant, TenantId::unassigned());
    EXPECT_EQ(whose.tenant_rule, "no rule answered: env:MISSING, label:missing");
    EXPECT_EQ(attribute({}, facts()).tenant_rule, "no tenant rule is configured");
}

// To pass on to a weaker rule after a strange answer would be to guess.
TEST(Attribute, LeavesHostileTenantNamesUnassignedAndAsksNoFurtherRule) {
    for (const auto& [name, why] : std::vector<std::pair<std::string, std::string>>{
             {"a/b", "contains '/'"},
             {"..", "starts with '.'"},
             {"../../etc/passwd", "starts with '.'"},
             {"_unassigned", "kept for Boatswain itself"},
             {"_break-glass", "kept for Boatswain itself"},
             {"acme\nglobex", "control character"},
             {"acme\r", "control character"},
             {std::string("ac\0me", 5), "control character"},
             {"\xff\xfe", "is not UTF-8"},
             {std::string(10'000, 'a'), "has 10000 bytes"},
             {std::string(1 << 20, 'a'), "at most 128"},
             {"acme\\x", "contains '\\'"},
             {"\x1b[31mred", "control character"},
         }) {
        auto container = facts();
        container.environment["TENANT"] = name;
        auto whose = attribute(tenant_rules({"env:TENANT", "const:weaker"}), container);
        EXPECT_EQ(whose.tenant, TenantId::unassigned());
        EXPECT_THAT(whose.tenant_rule, StartsWith("env:TENANT: tenant name \""));
        EXPECT_THAT(whose.tenant_rule, HasSubstr(why));
        EXPECT_LE(whose.tenant_rule.size(), reason_bytes_max);
        EXPECT_EQ(whose.tenant_rule, printable(whose.tenant_rule, 10'000)) << "must be printable";
    }
}

TEST(Attribute, TakesTenantNamesAsTheyAreSpaceAndCaseIncluded) {
    auto container = facts();
    container.environment["TENANT"] = "Müller & Söhne ";
    EXPECT_EQ(attribute(tenant_rules({"env:TENANT"}), container).tenant.str(), "Müller & Söhne ");
}

TEST(Attribute, NeverLeavesTheAppEmpty) {
    auto rules = *parse_rules({.app = {"env:MISSING"}});
    EXPECT_EQ(attribute(rules, facts()).app, "shop-web-1");
    EXPECT_EQ(attribute(rules, {.id = facts().id}).app, "0123456789ab");
    EXPECT_EQ(attribute(rules, {}).app, "unnamed");
}

TEST(Attribute, BoundsAppComponentAndInstanceAndMakesThemPrintable) {
    auto container = facts();
    container.environment = {{"A", "red\x1b[0m\n"}, {"C", std::string(100'000, '\xff')}, {"I", std::string(300, 'i')}};
    auto whose = attribute(*parse_rules({.app = {"env:A"}, .component = {"env:C"}, .instance = {"env:I"}}), container);
    EXPECT_EQ(whose.app, "red\\x1b[0m\\x0a");
    EXPECT_LE(whose.component.size(), text_bytes_max);
    EXPECT_THAT(whose.component, EndsWith("..."));
    EXPECT_LE(whose.instance.size(), text_bytes_max);
    EXPECT_THAT(whose.instance, EndsWith("iii..."));
}

TEST(KeptLabels, AreThoseNamedAndThoseWithAPrefix) {
    SourceFacts container{
        .labels = {
            {"team", "blue"}, {"com.example.a", "1"}, {"com.example.b", "2"}, {"com.examples", "3"}, {"z", "4"}}};
    auto kept = [&](std::vector<std::string> patterns) {
        return kept_labels(*parse_rules({.labels = std::move(patterns)}), container);
    };
    using Labels = std::map<std::string, std::string>;
    EXPECT_EQ(kept({}), Labels{});
    EXPECT_EQ(kept({"team", "missing"}), (Labels{{"team", "blue"}}));
    EXPECT_EQ(kept({"com.example.*"}), (Labels{{"com.example.a", "1"}, {"com.example.b", "2"}}));
    EXPECT_EQ(kept({"*"}).size(), 5U);
}

TEST(Attribute, TakesTheTenantFromTheStarterAndTheRestFromTheImageToo) {
    auto rules = *parse_rules({.tenant = {"label:tenant", "env:TENANT"}, .app = {"env:APP"}});
    SourceFacts container, starter;
    container.name = starter.name = "web";
    container.environment = {{"TENANT", "globex"}, {"APP", "shop"}};
    EXPECT_TRUE(reads_words(rules, container));
    EXPECT_FALSE(reads_words(rules, starter));
    auto whose = attribute(rules, container, starter);
    EXPECT_EQ(whose.tenant, TenantId::unassigned());
    EXPECT_THAT(whose.tenant_rule, StartsWith("env:TENANT is set by the image, which does not count"));
    EXPECT_EQ(whose.app, "shop");
    starter.labels = {{"tenant", "acme"}};
    container.labels = {{"tenant", "acme"}};
    EXPECT_EQ(attribute(rules, container, starter).tenant.str(), "acme");
}

TEST(KeptLabels, AreBoundedInNumberAndLengthAndPrintable) {
    SourceFacts container;
    for (int i = 0; i < 500; ++i) container.labels["key" + std::to_string(i)] = std::string(5000, '\n');
    auto kept = kept_labels(*parse_rules({.labels = {"*"}}), container);
    EXPECT_EQ(kept.size(), kept_labels_max);
    EXPECT_LE(kept.begin()->second.size(), label_bytes_max);
    EXPECT_THAT(kept.begin()->second, StartsWith("\\x0a\\x0a"));
}

TEST(Rules, FindNoAnswerInAWordThatIsTooLong) {
    SourceFacts container;
    container.labels = {{"team", std::string{word_too_long}}};
    container.environment = {{"TEAM", "victim"}};
    auto rules =
        *parse_rules({.tenant = {"label:team ~ /(.*)/", "env:TEAM"}, .recipient = {"secret:label:team ~ /o+/"}});
    EXPECT_EQ(attribute(rules, container).tenant, TenantId::unassigned()) << "and no weaker rule is asked";
    auto carried = carried_text(rules, container);
    ASSERT_TRUE(carried);
    EXPECT_EQ(read_carried(*carried).is, CarriedMeaning::Is::refused) << "nobody derives a key from it";
}

SourceFacts pod_facts() {
    SourceFacts pod;
    pod.name = "shop/web-0/app";
    pod.labels = {{"pod-label:team", "forged"}, {"namespace", "forged"}};
    pod.attributes = {{"namespace", "shop"}, {"pod-label:team", "blue"}, {"pod-annotation:example.com/app", "cart"}};
    return pod;
}

TEST(Rules, ReadWhatAPodsPlatformSaysAndNoLabelThatIsCalledSo) {
    auto rules = *parse_rules({.tenant = {"pod-label:missing", "pod-label:team ~ /^bl(.*)/"},
                               .app = {"pod-annotation:example.com/app"},
                               .instance = {"namespace"},
                               .labels = {"pod-label:*", "namespace"}});
    auto pod = pod_facts();
    auto whose = attribute(rules, pod);
    EXPECT_EQ(whose.tenant.str(), "ue");
    EXPECT_EQ(whose.app, "cart");
    EXPECT_EQ(whose.instance, "shop");
    EXPECT_EQ(kept_labels(rules, pod),
              (std::map<std::string, std::string>{{"namespace", "shop"}, {"pod-label:team", "blue"}}));
    EXPECT_TRUE(rules.label_keys().contains("pod-label:team"));
    EXPECT_TRUE(rules.label_keys().contains("pod-annotation:example.com/app"));
    pod.attributes.clear();
    EXPECT_EQ(attribute(rules, pod).tenant, TenantId::unassigned());
    EXPECT_EQ(attribute(rules, pod).instance, "");
    EXPECT_THAT(kept_labels(rules, pod), IsEmpty());
    EXPECT_THAT((*parse_rules({.tenant = {"const:pod-label:x"}})).label_keys(), IsEmpty());
}

// To pass on to a weaker rule would be to guess.
TEST(Rules, AskNoWeakerRuleWhileAPodsWordsAreNotKnown) {
    auto pod = pod_facts();
    pod.attributes.erase("pod-label:team");
    pod.attributes.emplace(pod_not_known, "no such pod");
    auto rules = *parse_rules({.tenant = {"pod-label:team ~ /.*/", "namespace"},
                               .app = {"pod-label:app"},
                               .recipient = {"secret:pod-annotation:key ~ /o+/"},
                               .labels = {"*"}});
    auto whose = attribute(rules, pod);
    EXPECT_EQ(whose.tenant, TenantId::unassigned());
    EXPECT_EQ(whose.tenant_rule, "pod-label:team ~ /.*/ could not be asked: no such pod");
    EXPECT_EQ(whose.app, "shop/web-0/app");
    EXPECT_EQ(read_carried(*carried_text(rules, pod)).is, CarriedMeaning::Is::refused)
        << "nobody derives a key from it";
    EXPECT_EQ(kept_labels(rules, pod).size(), 2U) << "not the reason";
    auto stronger = *parse_rules({.tenant = {"namespace ~ /^shop$/", "pod-label:team"}});
    EXPECT_EQ(attribute(stronger, pod).tenant.str(), "shop") << "its words are not needed";
    SourceFacts task;
    task.name = "web";
    auto variables = *parse_rules({.tenant = {"env:TENANT", "const:weaker"}});
    EXPECT_EQ(attribute(variables, task).tenant.str(), "weaker");
    task.attributes.emplace(environment_not_known, "its task has gone");
    EXPECT_EQ(attribute(variables, task).tenant_rule, "env:TENANT could not be asked: its task has gone");
}

TEST(CarriedText, IsWhatTheFirstRecipientRuleSaysByteForByte) {
    auto rules = *parse_rules({.recipient = {"env:MISSING", "env:LINES"}});
    auto carried = carried_text(rules, facts());
    ASSERT_TRUE(carried);
    EXPECT_EQ(carried->text, "one\ntwo");
    EXPECT_FALSE(carried->secret);
    EXPECT_EQ(carried->rule, "env:LINES");
    EXPECT_FALSE(carried_text({}, facts()));
}

TEST(CarriedText, IsASecretOnlyWhereTheRuleSaysSo) {
    auto rules = *parse_rules({.recipient = {"secret:env:LINES ~ /^(o.e)/"}});
    auto carried = carried_text(rules, facts());
    ASSERT_TRUE(carried);
    EXPECT_EQ(carried->text, "one");
    EXPECT_TRUE(carried->secret);
    EXPECT_EQ(carried->rule, "secret:env:LINES ~ /^(o.e)/");
    EXPECT_TRUE(rules.environment_keys().contains("LINES"));
    EXPECT_EQ(
        parse_rules({.tenant = {"secret:env:LINES"}}).error().what,
        "tenancy.tenant, rule 1: secret:env:LINES: a rule is \"secret:\" in tenancy.recipient only: this list is no "
        "secret");
    EXPECT_FALSE(parse_rules({.recipient = {"secret:"}}));
    EXPECT_FALSE(parse_rules({.recipient = {"secret:secret:env:LINES"}}));
}

}  // namespace
}  // namespace boatswain::tenancy
