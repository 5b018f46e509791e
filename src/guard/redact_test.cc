#include "guard/redact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace boatswain::guard {
namespace {

using testing::HasSubstr;
using testing::Not;

Redactor redactor(Redaction level) {
    return {level, [](std::string_view name) { return name == "TENANT"; }};
}

TEST(Redactor, HidesTheValuesOfVariablesThatNoRuleReads) {
    auto hidden =
        redactor(Redaction::environment)
            .inspect(
                R"({"Id":"x","Config":{"Tty":false,"Env":["TENANT=acme","PASSWORD=hunter2","EMPTY=","NOEQ","A=b\nPASSWORD=c","=d"],"Labels":{"Env":"kept"}},"Env":["ROOT=kept"]})");
    ASSERT_TRUE(hidden) << hidden.error().what;
    EXPECT_EQ(
        *hidden,
        R"({"Id":"x","Config":{"Tty":false,"Env":["TENANT=acme","PASSWORD=***","EMPTY=***","***","A=***","=***"],"Labels":{"Env":"kept"}},"Env":["ROOT=kept"]})");
}

TEST(Redactor, HidesEveryOneOfRepeatedOrEscapedMembers) {
    auto hidden =
        redactor(Redaction::environment)
            .inspect(R"({"Config":{"Env":["A=secret"],"\u0045nv":["B=secret"]},"Config":{"Env":["C=secret"]}})");
    ASSERT_TRUE(hidden);
    EXPECT_THAT(*hidden, Not(HasSubstr("secret")));
}

TEST(Redactor, LeavesNumbersTextsAndOrderAsTheyAre) {
    std::string rest =
        R"("b":18446744073709551615,"a":-9223372036854775808,"f":1.5,"t":"<&>\"\\\n\u0001 é 日本","n":null,"e":{},"l":[])";
    auto hidden = redactor(Redaction::environment).inspect("{" + rest + R"(,"Config":{"Env":null}})");
    ASSERT_TRUE(hidden);
    EXPECT_EQ(*hidden, "{" + rest + R"(,"Config":{"Env":null}})");
}

TEST(Redactor, GivesOutOfAnImageWhatItSaysInItsStartersNameAndNothingElse) {
    constexpr std::string_view json =
        R"({"Id":"sha256:1","RepoTags":["private/name"],"Author":"me","ContainerConfig":{"Env":["P=secret"]},"Config":{"Cmd":["secret"],"Env":["TENANT=acme","P=secret","NOEQ"],"Labels":{"l":"kept"}}})";
    EXPECT_EQ(redactor(Redaction::environment).image(json).value(),
              R"({"Id":"sha256:1","Config":{"Env":["TENANT=acme","P=***","***"],"Labels":{"l":"kept"}}})");
    EXPECT_EQ(redactor(Redaction::none).image(json).value(),
              R"({"Id":"sha256:1","Config":{"Env":["TENANT=acme","P=secret","NOEQ"],"Labels":{"l":"kept"}}})");
    EXPECT_EQ(redactor(Redaction::all).image(R"({"Id":"x","Config":null})").value(), R"({"Id":"x","Config":null})");
    EXPECT_EQ(redactor(Redaction::all).image(R"({"Id":"x","Config":{"Env":null}})").value(),
              R"({"Id":"x","Config":{"Env":null,"Labels":null}})");
    for (std::string_view odd :
         {"[]", "{}", R"({"Id":1})", R"({"Id":"x","Config":[]})", R"({"Id":"x","Config":{"Env":{}}})",
          R"({"Id":"x","Config":{"Env":[1]}})", R"({"Id":"x","Config":{"Labels":[]}})"})
        EXPECT_FALSE(redactor(Redaction::none).image(odd)) << odd;
}

TEST(Redactor, GivesNothingOutOfAnAnswerWhoseShapeItDoesNotKnow) {
    for (std::string_view json :
         {"", "null", "[]", "1", "{", R"({"Id":"x"})", R"({"Config":null})", R"({"Config":[]})", R"({"Config":{}})",
          R"({"Config":{"Env":{}}})", R"({"Config":{"Env":"A=b"}})", R"({"Config":{"Env":[1]}})",
          R"({"Config":{"Env":[["A=b"]]}})", "{\"Config\":{\"Env\":[\"A=\xff\"]}}",
          R"({"Config":{"Env":[]}} {"Config":{"Env":["A=b"]}})", R"({"config":{"env":["A=b"]}})"}) {
        auto hidden = redactor(Redaction::environment).inspect(json);
        ASSERT_FALSE(hidden) << json;
        EXPECT_EQ(hidden.error().remedy, Remedy::quarantine);
        EXPECT_THAT(hidden.error().what, Not(HasSubstr("A=b")));
    }
}

TEST(Redactor, HidesCommandLinesAndOptionsToo) {
    constexpr std::string_view json =
        R"({"Path":"/bin/sh","Args":["-c","x --password=secret"],"State":{"Health":{"Log":[{"ExitCode":0,"Output":"secret"}]}},"HostConfig":{"LogConfig":{"Type":"splunk","Config":{"splunk-token":"secret","max-size":"10m"}},"Mounts":[{"Type":"volume","VolumeOptions":{"DriverConfig":{"Name":"local","Options":{"o":"password=secret"}}}}]},"Config":{"Cmd":["secret"],"Entrypoint":"secret","Healthcheck":{"Test":["CMD","secret"],"Interval":5},"Env":["P=secret"],"Labels":{"l":"kept"}}})";
    auto hidden = redactor(Redaction::all).inspect(json);
    ASSERT_TRUE(hidden) << hidden.error().what;
    EXPECT_EQ(
        *hidden,
        R"({"Path":"/bin/sh","Args":["***","***"],"State":{"Health":{"Log":[{"ExitCode":0,"Output":"***"}]}},"HostConfig":{"LogConfig":{"Type":"splunk","Config":{"splunk-token":"***","max-size":"10m"}},"Mounts":[{"Type":"volume","VolumeOptions":{"DriverConfig":{"Name":"local","Options":{"o":"***"}}}}]},"Config":{"Cmd":["***"],"Entrypoint":"***","Healthcheck":{"Test":["***","***"],"Interval":5},"Env":["P=***"],"Labels":{"l":"kept"}}})");
    auto less = redactor(Redaction::environment).inspect(json);
    ASSERT_TRUE(less);
    EXPECT_THAT(*less, HasSubstr(R"("Args":["-c","x --password=secret"])"));
    auto absent =
        redactor(Redaction::all)
            .inspect(
                R"({"Args":null,"State":{"Health":null},"HostConfig":{"Mounts":null},"Config":{"Env":[],"Cmd":null}})");
    ASSERT_TRUE(absent);
    EXPECT_EQ(*absent,
              R"({"Args":null,"State":{"Health":null},"HostConfig":{"Mounts":null},"Config":{"Env":[],"Cmd":null}})");
}

TEST(Redactor, HidesCommandsInTheListAndInEvents) {
    EXPECT_EQ(redactor(Redaction::all).list_entry(R"({"Id":"x","Command":"a secret"})").value(),
              R"({"Id":"x","Command":"***"})");
    EXPECT_FALSE(redactor(Redaction::all).list_entry("[]"));
    EXPECT_FALSE(redactor(Redaction::all).list_entry("1"));
    EXPECT_EQ(
        redactor(Redaction::environment)
            .event(R"({"status":"exec_start: sh -c secret","Action":"exec_create: secret","id":"x","timeNano":1})")
            .value(),
        R"({"status":"exec_start: ***","Action":"exec_create: ***","id":"x","timeNano":1})");
    EXPECT_EQ(redactor(Redaction::environment).event(R"({"status":"health_status: healthy","Action":"die"})").value(),
              R"({"status":"health_status: healthy","Action":"die"})");
    EXPECT_FALSE(redactor(Redaction::environment).event(R"({"Action":1})"));
}

TEST(Redactor, UnderstandsWhatARealEngineSaid) {
    for (const auto* name : {"inspect_json.json", "inspect_tty.json"}) {
        auto json = read_file(Path{BOATSWAIN_VECTORS} / "engine" / name, 1 << 20);
        ASSERT_TRUE(json) << json.error().what;
        for (auto level : {Redaction::environment, Redaction::all}) {
            auto hidden = redactor(level).inspect(*json);
            ASSERT_TRUE(hidden) << hidden.error().what;
            EXPECT_EQ(redactor(level).inspect(*hidden).value(), *hidden) << "hiding twice is hiding once";
        }
    }
}

}  // namespace
}  // namespace boatswain::guard
