// What people read of the agent's answers.
#include "boatswain/why_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boatswain::tool {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const Timestamp now = parse_time("2026-11-23T10:00:10Z").value();

constexpr std::string_view collected = R"({"id":"aa1111111111111111","name":"web-1","image":"nginx","state":"running",
    "created":"2026-11-23T09:00:00.000000000Z","collected":true,"verdict":"collected","reason":"tenant acme: sealed","advice":"",
    "tenant":"acme","app":"shop/cart","component":"","instance":"2","rule":"env:BOATSWAIN_TENANT","reader":"json-file",
    "reader_reason":"its directory can be read",
    "position":{"file":"/x/y-json.log","offset":100,"size":130,"lag_bytes":30,"rotated_files_held":1},
    "lines_read":12,"last_line":"2026-11-23T10:00:08.500000000Z","waits_for_room":true,
    "held_back":{"lines":5,"open_frame_bytes":10,"batch_lines":40,"batch_bytes":2048,"batch_age_seconds":3.250},
    "last_segment":{"key":"v1/tenant=acme/k.age","sealed":"2026-11-23T10:00:07.000000000Z"},
    "spooled":{"segments":2,"bytes":100},"last_error":{"time":"2026-11-23T09:55:00.000000000Z","what":"read: no"},
    "ended":null,"agent_troubles":["the store does not take segments: 503"]})";

TEST(WhyText, AnswersInItsFirstSentence) {
    auto told = explain_container(collected, now).value();
    EXPECT_THAT(
        told.text,
        StartsWith("web-1 is collected for tenant acme (rule env:BOATSWAIN_TENANT), read from its json-file log, "
                   "30 B behind; last segment 3 s ago\n"));
    EXPECT_TRUE(told.collected);
}

TEST(WhyText, NamesAReaderThatItDoesNotKnow) {
    std::string json{collected};
    json.replace(json.find("\"json-file\""), 11, "\"a-new-one\"");
    EXPECT_THAT(explain_container(json, now).value().text,
                StartsWith("web-1 is collected for tenant acme (rule env:BOATSWAIN_TENANT), read by \"a-new-one\", "
                           "30 B behind; last segment 3 s ago\n"));
}

TEST(WhyText, QuotesNamesWhoseEndsWouldNotBeSeen) {
    std::string json{collected};
    json.replace(json.find("\"acme\""), 6, "\"acme \"");
    json.replace(json.find("\"web-1\""), 7, "\"web 1\"");
    auto text = explain_container(json, now).value().text;
    EXPECT_THAT(text, StartsWith("\"web 1\" is collected for tenant \"acme \" (rule"));
    EXPECT_THAT(text, HasSubstr("\"acme \", app shop/cart"));
}

TEST(WhyText, GivesTheDetailsBelow) {
    auto text = explain_container(collected, now).value().text;
    for (const char* part : {"acme, app shop/cart, instance 2\n",
                             "byte 100 of 130, 30 B behind, 1 newer file held open and not read yet\n",
                             "/x/y-json.log\n", "12 lines read since the agent started, the last one printed 1 s ago\n",
                             "5 lines not sealed yet; the tenant's batch has 40 lines (2.0 KiB), for 3 s\n",
                             "reading pauses", "2 segments of the tenant (100 B) not yet in the store\n",
                             "5 min ago: read: no\n", "The agent has trouble: the store does not take segments: 503\n"})
        EXPECT_THAT(text, HasSubstr(part));
}

TEST(WhyText, SaysThatALogDriversContainerIsRead) {
    auto told = explain_container(R"({"name":"x","collected":true,"verdict":"collected","tenant":"acme","rule":"env:T",
        "reader":"driver","reason":"sealed"})",
                                  now)
                    .value();
    EXPECT_THAT(told.text, StartsWith("x is collected for tenant acme (rule env:T), read from the log driver"));
}

TEST(WhyText, GivesTheReasonAndWhatToDoForOneThatIsNotCollected) {
    auto told = explain_container(
                    R"({"id":"bb","name":"db","collected":false,"verdict":"excluded","reason":"exclude rule name:db",
        "advice":"change docker.exclude","state":"running"})",
                    now)
                    .value();
    EXPECT_THAT(told.text, StartsWith("db is not collected: exclude rule name:db\nTo do: change docker.exclude\n"));
    EXPECT_FALSE(told.collected);
}

TEST(WhyText, SaysOfAQuarantinedContainerThatTheOperatorHasIt) {
    auto told =
        explain_container(
            R"({"name":"x","collected":true,"verdict":"quarantined","reader":"logs","reason":"no tenant"})", now)
            .value();
    EXPECT_THAT(told.text, StartsWith("x is collected for the operator, in quarantine, read through the engine; no "
                                      "segment since the agent started\n"));
}

TEST(WhyText, RemembersOneThatIsGone) {
    auto told = explain_container(
                    R"({"name":"x","collected":true,"verdict":"collected","tenant":"acme","rule":"name","lines_read":1,
        "ended":"2026-11-23T10:00:00.000000000Z"})",
                    now)
                    .value();
    EXPECT_THAT(told.text, StartsWith("x was collected for tenant acme (rule name) to its end, 10 s ago: 1 line;"));
}

TEST(WhyText, KeepsAnAnswersControlCharactersAwayFromTheTerminal) {
    auto text = explain_container("{\"name\":\"\\u001b[31m\",\"reason\":\"\\u0007\"}", now).value().text;
    EXPECT_THAT(text, AllOf(HasSubstr("\\x1b[31m"), Not(HasSubstr("\x1b")), Not(HasSubstr("\x07"))));
}

TEST(WhyText, RefusesAnAnswerThatIsNone) {
    for (const char* odd : {"", "[]", "{", "null", "<html>"}) EXPECT_FALSE(explain_container(odd, now)) << odd;
    for (const char* odd : {"{}", R"({"name":7,"position":[],"agent_troubles":[1,{}],"last_error":"x"})"})
        EXPECT_TRUE(explain_container(odd, now)) << odd;
}

TEST(WhyText, NamesTheCandidatesOfAnAmbiguousName) {
    EXPECT_EQ(
        refusal_text(R"({"error":"\"aa\" may be any","candidates":[{"id":"aa1111111111111111","name":"web-1"}]})"),
        "\"aa\" may be any\n  aa1111111111  web-1");
}

TEST(WhyText, CutsTheListIntoLinesOfJson) {
    EXPECT_EQ(containers_as_lines(R"({"containers":[{"id":"a", "n":[1]}, {"id":"b"}]})").value(),
              "{\"id\":\"a\",\"n\":[1]}\n{\"id\":\"b\"}\n");
}

TEST(WhyText, SaysHowTheAgentStands) {
    auto told =
        explain_status(
            R"({"healthy":false,"reasons":[{"part":"spool","what":"the spool is full"}],"version":"1.0","host":"node-7","store":"dir:/s","uptime_seconds":7300.5,
        "spool":{"segments":3,"bytes":2048,"bytes_max":4096,"oldest":"2026-11-23T09:00:10.000000000Z"},"memory":{"bytes":0,"bytes_max":1048576,"waiting_tenants":12},
        "detail":{"containers":"5","reading":"4","engine":"followed","spool":"full","read_lag_bytes":"1024"}})",
            now)
            .value();
    EXPECT_THAT(told.text, StartsWith("boatswaind 1.0 on node-7 is NOT healthy: 4 of 5 containers read, up for 2 h\n"));
    EXPECT_THAT(told.text, HasSubstr("3 segments, 2.0 KiB of 4.0 KiB, the oldest sealed 60 min ago; full\n"));
    EXPECT_THAT(told.text, HasSubstr("0 B of 1.0 MiB; 12 tenants wait for their turn\n"));
    EXPECT_THAT(told.text, HasSubstr("  trouble      spool: the spool is full\n"));
    EXPECT_FALSE(told.healthy);
}

TEST(WhyText, AsksForHelpWhereTheAgentWorksAndContainersAreHeld) {
    auto told =
        explain_status(
            R"({"healthy":true,"reasons":[],"notes":[{"part":"held","what":"6 of 7 containers are held: no key"}],
        "version":"1.0","host":"node-7","detail":{"containers":"7","reading":"1"}})",
            now)
            .value();
    EXPECT_THAT(told.text, StartsWith("boatswaind 1.0 on node-7 works, but needs somebody: 1 of 7 containers read"));
    EXPECT_THAT(told.text, HasSubstr("  to do        held: 6 of 7 containers are held: no key\n"));
    EXPECT_FALSE(told.healthy);
}

TEST(WhyText, SaysWhatStandsAsideAndWhichKeysWereTaken) {
    auto told = explain_spool(
                    R"({"refused":1,"damaged":0,"unnamed_files":2,"bytes":2048,"bytes_max":1048576,"aside":[
        {"key":"v1/tenant=acme/a.age","tenant":"acme","bytes":1024,"sealed":"2026-11-23T09:00:10.000000000Z","kind":"refused","reason":"413\u001b[2J"}],
        "keys_taken":[{"tenant":"acme","key":"v1/tenant=acme/b.age","noticed":"2026-11-23T09:00:10.000000000Z","times":3}]})",
                    now)
                    .value();
    EXPECT_FALSE(told.clean);
    EXPECT_THAT(told.text, StartsWith("1 segment refused by the store, 0 damaged on disk, 2 files of a lost state: 2.0 "
                                      "KiB of 1.0 MiB\n  v1/tenant=acme/a.age (refused, 1.0 KiB, sealed 60 min ago): "
                                      "413\\x1b[2J\n"));
    EXPECT_THAT(told.text, HasSubstr("Keys of 1 tenant were taken"));
    EXPECT_THAT(told.text, HasSubstr("  v1/tenant=acme/b.age (3 times, the last 60 min ago)\n"));
    auto clean = explain_spool(R"({"refused":0,"damaged":0,"aside":[],"keys_taken":[]})", now).value();
    EXPECT_TRUE(clean.clean);
    EXPECT_EQ(clean.text, "No segment stands aside, and no key was taken.\n");
}

TEST(Ago, RoundsToOneUnit) {
    using namespace std::chrono_literals;
    EXPECT_EQ(ago(now + 5s, now), "now");
    EXPECT_EQ(ago(now - 900ms, now), "now");
    EXPECT_EQ(ago(now - 119s, now), "119 s ago");
    EXPECT_EQ(ago(now - 120s, now), "2 min ago");
    EXPECT_EQ(ago(now - 47h, now), "47 h ago");
    EXPECT_EQ(ago(now - 49h, now), "2 days ago");
}

}  // namespace
}  // namespace boatswain::tool
