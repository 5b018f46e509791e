#include "intake/driver/plugin_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boatswain::intake::driver {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string id(64, 'a');
const WordFilter keep{.environment = [](std::string_view key) { return key == "BOATSWAIN_TENANT"; },
                      .label = [](std::string_view key) { return key == "app"; },
                      .more_labels = {},
                      .mount = {}};

std::string start_json() {
    return R"({"File":"/run/docker/logging/)" + id +
           R"(","Info":{"Config":{"require-key":"true","tag":"x"},"ContainerID":")" + id +
           R"(","ContainerName":"/web","ContainerEntrypoint":"sh","ContainerArgs":["-c","true"],"ContainerImageID":"sha256:1",)"
           R"("ContainerImageName":"nginx:1.25","ContainerCreated":"2026-11-23T00:14:35.5Z",)"
           R"("ContainerEnv":["BOATSWAIN_TENANT=acme=1","SECRET=hush","NOEQ","=x"],"ContainerLabels":{"app":"shop","other":"hush"},)"
           R"("LogPath":"","DaemonName":"docker"}})";
}

TEST(StartLogging, SaysWhatTheContainerIs) {
    auto request = parse_start(start_json(), keep);
    ASSERT_TRUE(request) << request.error().what;
    EXPECT_EQ(request->fifo, "/run/docker/logging/" + id);
    EXPECT_EQ(request->facts.id, id);
    EXPECT_EQ(request->facts.name, "web");
    EXPECT_EQ(request->facts.image, "nginx:1.25");
    EXPECT_EQ(request->facts.labels.at("app"), "shop");
    EXPECT_EQ(request->facts.log_options.at("require-key"), "true");
    EXPECT_EQ(request->facts.words_too_long, 0U);
}

TEST(StartLogging, KeepsOnlyTheWordsThatRulesName) {
    auto request = parse_start(start_json(), keep);
    ASSERT_TRUE(request);
    EXPECT_THAT(request->facts.environment, testing::ElementsAre(testing::Pair("BOATSWAIN_TENANT", "acme=1")));
    EXPECT_THAT(request->facts.labels, testing::ElementsAre(testing::Pair("app", "shop")));
    EXPECT_THAT(describe(*request), Not(HasSubstr("hush")));
}

TEST(StartLogging, OfAStrangeFileOrContainerIsRefused) {
    auto refused = [](std::string json, std::string_view what, std::string_view by) {
        json.replace(json.find(what), what.size(), by);
        return !parse_start(json, keep);
    };
    EXPECT_TRUE(refused(start_json(), "/run/docker/logging", "run/docker/logging"));
    EXPECT_TRUE(refused(start_json(), "/run/docker/logging", "/run/../etc"));
    EXPECT_TRUE(refused(start_json(), "\"ContainerID\":\"aa", "\"ContainerID\":\"/a"));
    EXPECT_FALSE(parse_start("{}", keep));
    EXPECT_FALSE(parse_start("[]", keep));
    EXPECT_FALSE(parse_start("{\"File\":\"/x\",\"Info\":null}", keep));
}

TEST(StartLogging, WithNullsIsUnderstood) {
    auto request = parse_start(R"({"File":"/x","Info":{"ContainerID":")" + id +
                                   R"(","ContainerEnv":null,"ContainerLabels":null,"Config":null}})",
                               keep);
    ASSERT_TRUE(request) << request.error().what;
    EXPECT_THAT(request->facts.environment, testing::IsEmpty());
}

TEST(StartLogging, WithAnOptionThatIsNotUnderstoodIsRefused) {
    auto with = [](const std::string& options) {
        auto request =
            parse_start(R"({"File":"/x","Info":{"ContainerID":")" + id + R"(","Config":{)" + options + "}}}", keep);
        return request ? "none" : request.error().what;
    };
    EXPECT_EQ(with(R"("requir-key":"true")"), "unknown log option \"requir-key\", did you mean require-key?");
    EXPECT_THAT(with(R"("require-key":true)"), HasSubstr("neither true nor false"));
    EXPECT_THAT(with(R"("require-key":")" + std::string(10'000, 't') + "\""), HasSubstr("neither true nor false"));
    EXPECT_EQ(with(R"("tag":")" + std::string(10'000, 't') + "\""), "none");
}

TEST(StartLogging, KeepsNoWordThatIsTooLongForADescription) {
    auto with = [](const std::string& labels) {
        return R"({"File":"/x","Info":{"ContainerID":")" + id + R"(","ContainerEnv":["BOATSWAIN_TENANT=acme"],)" +
               R"("ContainerLabels":{)" + labels + "}}}";
    };
    auto long_one = parse_start(with("\"app\":\"" + std::string(5'000'000, 'x') + "\""), keep);
    ASSERT_TRUE(long_one) << long_one.error().what;
    EXPECT_THAT(long_one->facts.labels, testing::ElementsAre(testing::Pair("app", word_too_long)));
    EXPECT_EQ(long_one->facts.words_too_long, 1U);
    auto again = parse_description(describe(*long_one));
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ(again->facts.labels, long_one->facts.labels);

    std::string many, six_bytes_each;
    for (int i = 0; i < 600; ++i) six_bytes_each += "\\u0001";
    for (int i = 0; i < 1000; ++i) many += (i ? ",\"" : "\"") + std::to_string(i) + "\":\"" + six_bytes_each + "\"";
    auto all = [](std::string_view) { return true; };
    auto parsed = parse_start(with(many), {.environment = all, .label = {}, .more_labels = all, .mount = {}});
    ASSERT_TRUE(parsed) << parsed.error().what;
    EXPECT_EQ(parsed->facts.environment.at("BOATSWAIN_TENANT"), "acme");
    EXPECT_LE(describe(*parsed).size(), description_bytes_max);
    auto named = parse_start(with(many), {.environment = all, .label = all, .more_labels = {}, .mount = {}});
    ASSERT_FALSE(named);
    EXPECT_THAT(named.error().what, HasSubstr("too long together"));
}

TEST(Descriptions, AreReadAsTheyWereWritten) {
    auto request = parse_start(start_json(), keep);
    ASSERT_TRUE(request);
    auto again = parse_description(describe(*request));
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ(again->fifo, request->fifo);
    EXPECT_EQ(again->facts.id, request->facts.id);
    EXPECT_EQ(again->facts.created, request->facts.created);
    EXPECT_EQ(again->facts.environment, request->facts.environment);
    EXPECT_EQ(again->facts.log_options, request->facts.log_options);
}

TEST(ReadLogs, AsksForAStretch) {
    auto request = parse_read(
        R"({"Info":{"ContainerID":")" + id +
        R"("},"Config":{"Since":"0001-01-01T00:00:00Z","Until":"2026-11-23T00:00:00Z","Tail":5,"Follow":true}})");
    ASSERT_TRUE(request) << request.error().what;
    EXPECT_EQ(request->container, id);
    EXPECT_TRUE(request->follow);
    EXPECT_EQ(request->tail, 5);
    EXPECT_FALSE(request->since);
    EXPECT_TRUE(request->until);
}

}  // namespace
}  // namespace boatswain::intake::driver
