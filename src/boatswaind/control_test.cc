// What the agent answers about containers, as JSON, and over its socket's routes.
#include "boatswaind/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

namespace boatswain::boatswaind {
namespace {

using intake::Description;
using intake::Verdict;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view web_id = "aa11111111111111111111111111111111111111111111111111111111111111";
constexpr std::string_view db_id = "aa22222222222222222222222222222222222222222222222222222222222222";

Description collected() {
    Description one{.id = std::string{web_id},
                    .name = "web-1",
                    .former_names = {"web"},
                    .image = "nginx:1.25",
                    .log_driver = "json-file",
                    .running = true};
    one.created = parse_time("2026-11-23T10:00:00Z").value();
    one.verdict = Verdict::collected;
    one.reason = "tenant acme (env:BOATSWAIN_TENANT): sealed for its recipients of the keyring";
    one.whose = Attribution{.tenant = TenantId::parse("acme").value(),
                            .app = "shop/cart",
                            .component = "",
                            .instance = "",
                            .tenant_rule = "env:BOATSWAIN_TENANT"};
    one.reader = "json-file";
    one.reader_reason = "log driver json-file, and its directory can be read";
    one.file = {.path = "/x/web-json.log", .offset = 100, .size = 130, .lag_bytes = 30, .files_held = 2};
    one.lines_read = 12;
    one.lines_unsealed = 5;
    one.batch_age = std::chrono::milliseconds{1050};
    one.last_error = {.when = one.created, .what = "read \"x\": no"};
    return one;
}

simdjson::dom::element parsed(simdjson::dom::parser& parser, const std::string& json) {
    simdjson::dom::element element;
    EXPECT_EQ(parser.parse(json).get(element), simdjson::SUCCESS) << json;
    return element;
}

std::string text(simdjson::dom::element element, std::string_view pointer) {
    std::string_view value;
    return element.at_pointer(pointer).get(value) == simdjson::SUCCESS ? std::string{value} : "(none)";
}

class Control : public ::testing::Test {
  protected:
    Control()
        : routes_(
              control_routes({.all = [this] { return all_; },
                              .find =
                                  [this](std::string_view wanted) {
                                      asked_ = wanted;
                                      return found_;
                                  },
                              .tenant = [](const std::string&) { return spool::TenantSpoolStatus{}; },
                              .troubles = [] { return std::vector<std::string>{"the engine is not followed: \"no\""}; },
                              .status = [] { return AgentStatus{.version = "1", .host = "node-7"}; },
                              .spool = [this] { return spool_; },
                              .flush = [] { return 2U; },
                              .retry = [] { return 3U; },
                              .acknowledge = [] { return 2U; }})) {}

    http::Answer ask(const std::string& route, const std::string& path) {
        return routes_.at(route)({.method = "GET", .path = path, .query = ""});
    }

    std::vector<Description> all_{collected()}, found_;
    std::string asked_;
    SpoolStatus spool_;
    http::Routes routes_;
};

TEST(ControlJson, SaysWhoseAContainerIsHowItIsReadAndHowFar) {
    simdjson::dom::parser parser;
    spool::TenantSpoolStatus tenant{.last_key = "v1/tenant=acme/x.age",
                                    .last_added = parse_time("2026-11-23T10:01:00Z").value(),
                                    .waiting = 2,
                                    .waiting_bytes = 9};
    auto json = parsed(parser, to_json(collected(), tenant, {}));
    EXPECT_EQ(text(json, "/tenant"), "acme");
    EXPECT_EQ(text(json, "/former_names/0"), "web");
    EXPECT_EQ(text(json, "/rule"), "env:BOATSWAIN_TENANT");
    EXPECT_EQ(text(json, "/verdict"), "collected");
    EXPECT_EQ(text(json, "/state"), "running");
    EXPECT_EQ(text(json, "/last_segment/key"), "v1/tenant=acme/x.age");
    EXPECT_EQ(text(json, "/last_error/what"), "read \"x\": no");
    EXPECT_EQ(json.at_pointer("/position/lag_bytes").get_uint64().value(), 30U);
    EXPECT_EQ(json.at_pointer("/position/rotated_files_held").get_uint64().value(), 2U);
    EXPECT_EQ(json.at_pointer("/held_back/lines").get_uint64().value(), 5U);
    EXPECT_DOUBLE_EQ(json.at_pointer("/held_back/batch_age_seconds").get_double().value(), 1.05);
    EXPECT_EQ(json.at_pointer("/spooled/segments").get_uint64().value(), 2U);
    EXPECT_TRUE(json.at_pointer("/collected").get_bool().value());
}

TEST(ControlJson, HasNullForWhatIsNotKnown) {
    simdjson::dom::parser parser;
    auto json = parsed(parser, to_json(Description{.id = std::string{web_id}}, {}, {}));
    for (const char* pointer :
         {"/tenant", "/position", "/last_line", "/last_segment", "/last_error", "/ended", "/created"})
        EXPECT_TRUE(json.at_pointer(pointer).value().is_null()) << pointer;
    EXPECT_FALSE(json.at_pointer("/collected").get_bool().value());
}

TEST(ControlJson, TellsForEachReasonWhatToDo) {
    for (auto verdict : {Verdict::quarantined, Verdict::dropped, Verdict::held, Verdict::excluded, Verdict::own,
                         Verdict::unreadable, Verdict::not_inspected})
        EXPECT_NE(advice_for({.verdict = verdict}), "") << to_string(verdict);
    EXPECT_EQ(advice_for({.verdict = Verdict::collected}), "");
    Attribution forged{.tenant_rule = "forged: env MARATHON_APP_ID contradicts the path of its Mesos sandbox"};
    EXPECT_THAT(advice_for({.verdict = Verdict::quarantined, .whose = forged}), HasSubstr("tenancy.forged"));
    EXPECT_TRUE(is_collected(Verdict::quarantined));
    EXPECT_FALSE(is_collected(Verdict::held));
}

TEST(ControlJson, KeepsHostileNamesInsideTheirStrings) {
    simdjson::dom::parser parser;
    Description one{.id = std::string{web_id}, .name = "a\",\"collected\":true,\"x\":\"\xff\n"};
    auto json = parsed(parser, to_json(one, {}, {}));
    EXPECT_FALSE(json.at_pointer("/collected").get_bool().value());
}

TEST_F(Control, SaysWhatStandsAsideAndWhichKeysWereTaken) {
    simdjson::dom::parser parser;
    spool_ = {.totals = {.refused = 1, .unnamed = 2, .bytes = 9},
              .bytes_max = 100,
              .aside = {{.key = "v1/tenant=acme/a.age", .tenant = "acme", .size = 9, .reason = "413 \"too large\""}},
              .conflicts = {{.tenant = "globex", .key = "v1/tenant=globex/b.age", .count = 4}}};
    auto json = parsed(parser, ask("/v1/spool", "/v1/spool").body);
    EXPECT_EQ(json.at_pointer("/refused").get_uint64().value(), 1U);
    EXPECT_EQ(text(json, "/aside/0/kind"), "refused");
    EXPECT_EQ(text(json, "/aside/0/reason"), "413 \"too large\"");
    EXPECT_EQ(text(json, "/keys_taken/0/key"), "v1/tenant=globex/b.age");
    EXPECT_EQ(json.at_pointer("/keys_taken/0/times").get_uint64().value(), 4U);
    EXPECT_EQ(ask("POST /v1/flush", "/v1/flush").body, "{\"batches\":2}\n");
    EXPECT_EQ(ask("POST /v1/spool/retry", "/v1/spool/retry").body, "{\"offered\":3}\n");
    EXPECT_EQ(ask("POST /v1/spool/acknowledge", "/v1/spool/acknowledge").body, "{\"acknowledged\":2}\n");
}

TEST_F(Control, ListsEveryContainer) {
    simdjson::dom::parser parser;
    all_.push_back(
        {.id = std::string{db_id}, .name = "db-1", .verdict = Verdict::excluded, .reason = "exclude rule name:db"});
    auto answer = ask("/v1/containers", "/v1/containers");
    EXPECT_EQ(answer.status, 200);
    auto json = parsed(parser, answer.body);
    EXPECT_EQ(json["containers"].get_array().value().size(), 2U);
    EXPECT_EQ(text(json, "/containers/1/reason"), "exclude rule name:db");
    EXPECT_EQ(text(json, "/containers/0/agent_troubles/0"), "the engine is not followed: \"no\"");
}

TEST_F(Control, FindsOneByWhatStandsBehindTheSlash) {
    found_ = {collected()};
    EXPECT_EQ(ask("/v1/containers/", "/v1/containers/web%2D1").status, 200);
    EXPECT_EQ(asked_, "web-1");
    EXPECT_THAT(ask("/v1/containers/", "/v1/containers/web-1").body, HasSubstr("\"name\":\"web-1\""));
}

TEST_F(Control, SaysWhenItKnowsNoneAndWhatTroubleItHas) {
    auto answer = ask("/v1/containers/", "/v1/containers/nosuch");
    EXPECT_EQ(answer.status, 404);
    EXPECT_THAT(answer.body, HasSubstr("this agent knows no container \\\"nosuch\\\""));
    EXPECT_THAT(answer.body, HasSubstr("the engine is not followed"));
}

TEST_F(Control, ListsTheCandidatesWhenSeveralAreMeant) {
    found_ = {collected(), Description{.id = std::string{db_id}, .name = "db-1"}};
    auto answer = ask("/v1/containers/", "/v1/containers/aa");
    EXPECT_EQ(answer.status, 409);
    EXPECT_THAT(answer.body, HasSubstr(std::string{db_id}));
}

TEST_F(Control, TellsHowTheAgentStands) {
    simdjson::dom::parser parser;
    EXPECT_EQ(text(parsed(parser, ask("/v1/status", "/v1/status").body), "/host"), "node-7");
}

}  // namespace
}  // namespace boatswain::boatswaind
