// Logs that wait for what their pods are called, or for their containers' variables.
#include <functional>
#include <memory>
#include <string>

#include "intake/cri/cri_intake_for_test.h"
#include "intake/pod_watch/api_server_for_test.h"
#include "tenancy/pod_words.h"

namespace boatswain::intake::cri {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Action = tenancy::Decision::Action;

// Pods whose tenant is their label "team", as an API server says it.
class PodLabelsTest : public CriIntakeTest {
  protected:
    PodLabelsTest() {
        assigner.keep.label = [](std::string_view key) { return key == "pod-label:team"; };
        assigner.assign = [this](const SourceFacts& facts) {
            Assignment made{.whose = {.app = facts.name}};
            made.decision = {.action = Action::quarantine, .recipients = {identity.recipient()}};
            auto team = facts.attributes.find("pod-label:team");
            if (team == facts.attributes.end()) return made;
            made.whose.tenant = TenantId::parse(team->second).value();
            made.decision.action = Action::seal;
            return made;
        };
    }
    void serve(const std::function<void(testing::ApiServer&)>& prepare = [](testing::ApiServer&) {}) {
        server = std::make_unique<testing::ApiServer>(std::deque<testing::Said>{});
        prepare(*server);
        options.api = ApiWatchOptions{.url = server->url(),
                                      .node = "node-1",
                                      .retry_first = std::chrono::milliseconds{5},
                                      .retry_max = std::chrono::milliseconds{20}};
        start();
    }
    static std::string added(const std::string& team, const std::string& type = "ADDED") {
        return testing::event(type, "shop", "web-0", uid, R"(,"labels":{"team":")" + team + "\"}");
    }
    std::string reason(unsigned run = 0) const {
        auto told = find_described(intake->describe_all(), id_of(run));
        return told.empty() ? "" : told.front().reason;
    }
    Verdict verdict(unsigned run = 0) const { return find_described(intake->describe_all(), id_of(run)).at(0).verdict; }
    std::size_t held() const {
        auto all = intake->health().reading.held;
        return all[tenancy::Lack::pod];
    }

    std::unique_ptr<testing::ApiServer> server;
};

TEST_F(PodLabelsTest, AreWaitedForAndThenTheTenantsOfAllThatWasPrinted) {
    CriLog log{path_of("shop")};
    log.print("early");
    serve();
    run_until([&] { return reason().starts_with("waits for its pod's labels"); });
    EXPECT_EQ(verdict(), Verdict::deriving);
    EXPECT_EQ(lines_read(), 0U);
    server->say(added("blue"));
    log.print("late");
    run_until([&] { return lines_read() == 2; });
    EXPECT_EQ(held(), 0U);
    stop();
    EXPECT_THAT(sealed().at("blue"), ElementsAre("early", "late"));
}

TEST_F(PodLabelsTest, AreThoseOfTheMomentInWhichALogWasAssigned) {
    CriLog log{path_of("shop")};
    serve();
    server->say(added("blue"));
    log.print("one");
    run_until([&] { return lines_read() == 1; });
    server->say(added("green", "MODIFIED"));
    server->say(testing::event("ADDED", "shop", "other", "u2"));
    run_until([&] { return rig.metrics.text().contains("boatswain_api_pods 2"); });
    log.print("two");
    run_until([&] { return lines_read() == 2; });
    CriLog again{path_of("shop", 1)};
    again.print("three");
    run_until([&] { return lines_read(1) == 1; });
    stop();
    EXPECT_THAT(sealed().at("blue"), ElementsAre("one", "two"));
    EXPECT_THAT(sealed().at("green"), ElementsAre("three"));
}

TEST_F(PodLabelsTest, OfAServerThatIsAwayHoldTheLogAlsoOfAPodThatIsDeleted) {
    CriLog log{path_of("shop")};
    log.print("kept");
    serve([](testing::ApiServer& api) { api.refuse(403, R"({"message":"pods is forbidden"})"); });
    run_until([&] { return reason().ends_with("cannot be followed: HTTP 403: pods is forbidden"); });
    EXPECT_EQ(held(), 0U);
    rig.clock.advance(options.words_wait);
    run_until([&] { return held() == 1; });
    EXPECT_EQ(verdict(), Verdict::held);
    EXPECT_THAT(intake->health().troubles, ElementsAre("labels of pods are not followed: HTTP 403: pods is forbidden"));
    std::filesystem::remove_all(directory_of("shop"));
    run_until([&] { return held() == 0; });
    server->refuse(0);
    server->say(added("blue"));
    run_until([&] { return is_gone(); });
    stop();
    EXPECT_THAT(sealed().at("blue"), ElementsAre("kept"));
}

TEST_F(PodLabelsTest, AreNotGuessedOfAPodThatTheServerDoesNotKnow) {
    CriLog log{path_of("shop")};
    log.print("whose");
    serve();
    server->say(testing::event("BOOKMARK", "", "", ""));
    run_until([&] { return rig.metrics.text().contains("boatswain_api_watch_up 1"); });
    settle();
    rig.clock.advance(options.words_wait);
    settle();
    EXPECT_EQ(lines_read(), 0U) << "it may still be said";
    server->say(testing::event("BOOKMARK", "", "", ""));
    run_until([&] { return lines_read() == 1; });
    EXPECT_EQ(verdict(), Verdict::quarantined);
    log.print("known late");
    run_until([&] { return lines_read() == 2; });
    EXPECT_THAT(sealed().at("_unassigned"), ElementsAre("whose", "known late"));
    server->say(added("blue"));
    run_until([&] { return verdict() == Verdict::collected; });
    log.print("mine");
    run_until([&] { return lines_read() == 3; });
    stop();
    EXPECT_THAT(sealed().at("blue"), ElementsAre("mine"));
}

// What happened while the server was away is said when it is back, and its first words are of something else.
TEST_F(PodLabelsTest, AreStillWaitedForWhenTheServerIsBack) {
    CriLog log{path_of("shop")};
    log.print("kept");
    serve([](testing::ApiServer& api) { api.refuse(503); });
    run_until([&] { return reason().ends_with("cannot be followed: HTTP 503"); });
    rig.clock.advance(options.words_wait * 2);
    server->refuse(0);
    server->say(testing::event("ADDED", "shop", "other", "u2"));
    run_until([&] { return rig.metrics.text().contains("boatswain_api_pods 1"); });
    settle();
    EXPECT_EQ(lines_read(), 0U);
    server->say(added("blue"));
    run_until([&] { return lines_read() == 1; });
    stop();
    EXPECT_THAT(sealed().at("blue"), ElementsAre("kept"));
}

TEST_F(PodLabelsTest, AreAskedForAgainWhenRulesReadOthers) {
    CriLog log{path_of("shop")};
    serve();
    server->say(added("blue"));
    log.print("one");
    run_until([&] { return lines_read() == 1; });
    intake->learn_again();
    intake->reassign();
    run_until([&] { return server->requests().size() == 2; });
    EXPECT_EQ(verdict(), Verdict::collected) << "by what was known";
    server->say(added("green"));
    run_until([&] { return find_described(intake->describe_all(), id_of()).at(0).whose->tenant.str() == "green"; });
    log.print("two");
    run_until([&] { return lines_read() == 2; });
    stop();
    EXPECT_THAT(sealed().at("blue"), ElementsAre("one"));
    EXPECT_THAT(sealed().at("green"), ElementsAre("two"));
}

class PodVariablesTest : public CriIntakeTest {
  protected:
    PodVariablesTest() {
        options.tasks = rig.directory / "tasks";
        options.words_wait = std::chrono::milliseconds{1'000};
        std::filesystem::create_directories(options.tasks);
        assigner.keep.environment = [](std::string_view key) { return key == "TEAM"; };
        assigner.assign = [this](const SourceFacts& facts) {
            Assignment made{.whose = {.app = facts.name}};
            made.decision = {.action = Action::quarantine, .recipients = {identity.recipient()}};
            auto team = facts.environment.find("TEAM");
            if (team == facts.environment.end()) return made;
            made.whose.tenant = TenantId::parse(team->second).value();
            made.decision.action = Action::seal;
            return made;
        };
    }
    void begin_task(const std::string& team, const std::string& task = "task1") {
        std::filesystem::create_directories(options.tasks / task);
        boatswain::testing::write(
            options.tasks / task / "config.json",
            R"({"process":{"env":["TEAM=)" + team +
                R"("]},"annotations":{"io.kubernetes.cri.container-type":)"
                R"("container","io.kubernetes.cri.container-name":"app","io.kubernetes.cri.sandbox-namespace":"acme",)"
                R"("io.kubernetes.cri.sandbox-name":"web-0","io.kubernetes.cri.sandbox-uid":")" +
                std::string{uid} + "\"}}");
    }
    void end_task(const std::string& task = "task1") { std::filesystem::remove_all(options.tasks / task); }
};

TEST_F(PodVariablesTest, AreWaitedForAndThoseOfTheRunThatBeganLast) {
    CriLog first{path_of("acme", 0)};
    first.print("one");
    start();
    settle();
    EXPECT_EQ(lines_read(), 0U);
    begin_task("red");
    run_until([&] { return lines_read() == 1; });
    end_task();
    CriLog second{path_of("acme", 1)};
    second.print("two");
    settle();
    EXPECT_EQ(lines_read(1), 0U) << "the variables of the run before are not its own";
    begin_task("blue", "task2");
    run_until([&] { return lines_read(1) == 1; });
    stop();
    EXPECT_THAT(sealed().at("red"), ElementsAre("one"));
    EXPECT_THAT(sealed().at("blue"), ElementsAre("two"));
}

TEST_F(PodVariablesTest, ThatNobodySaysAreNotGuessedAndOfOneThatEndedAreThoseOfBefore) {
    CriLog log{path_of("acme")};
    CriLog other{directory_of("acme", "other", "u2") / "app/0.log"};
    log.print("one");
    other.print("whose");
    start();
    begin_task("red");
    run_until([&] { return lines_read() == 1; });
    EXPECT_THAT(sealed().at("red"), ElementsAre("one"));
    end_task();
    log.print("two");
    crash();
    start();
    settle();
    EXPECT_EQ(lines_read(), 0U);
    rig.clock.advance(std::chrono::milliseconds{1'000});
    run_until([&] { return lines_read() == 1; });
    run_until([&] { return intake->health().reading.reading == 2; });
    stop();
    EXPECT_THAT(sealed().at("red"), ElementsAre("one", "two"));
    EXPECT_THAT(sealed().at("_unassigned"), ElementsAre("whose"));
}

}  // namespace
}  // namespace boatswain::intake::cri
