// Pods that come and go, their logs rotated, on a real file system with the kernel's own news of it.
#include "intake/cri/cri_intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "batch/rig_for_test.h"
#include "intake/cri/cri_log_for_test.h"
#include "intake/pod_watch/api_server_for_test.h"
#include "net/run_for_test.h"
#include "open/sealing_for_test.h"
#include "tenancy/pod_words.h"

namespace boatswain::intake::cri {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Action = tenancy::Decision::Action;
using Lines = std::vector<std::string>;

constexpr auto uid = "11111111-2222-3333-4444-555555555555";

class CriIntakeTest : public ::testing::Test {
  protected:
    ~CriIntakeTest() override { stop(); }

    void start() {
        intake = std::make_unique<CriIntake>(io.get_executor(), options, assigner, *rig.batcher, *rig.spool, rig.clock,
                                             rig.metrics, rig.log);
        tasks.spawn("cri", intake->run());
    }
    // As SIGTERM would: everything that is there is read and sealed.
    void stop() {
        if (!intake) return;
        end_tasks();
        intake->finish(rig.clock.steady() + std::chrono::minutes{1});
        intake.reset();
    }
    // As kill -9 would: what was not sealed is forgotten.
    void crash() {
        end_tasks();
        intake.reset();
        rig.restart();
    }
    void end_tasks() {
        tasks.cancel();
        EXPECT_TRUE(net::testing::run_to_end(io, tasks.join()));
    }
    template <class Condition>
    void run_until(Condition condition) {
        EXPECT_TRUE(net::testing::run_until(io, condition));
    }
    void settle() { net::testing::run_for(io, std::chrono::milliseconds{100}); }

    Path directory_of(const std::string& space, const std::string& pod = "web-0", const std::string& of = uid) const {
        return options.pods / (space + "_" + pod + "_" + of);
    }
    Path path_of(const std::string& space, unsigned run = 0) const {
        return directory_of(space) / "app" / (std::to_string(run) + ".log");
    }
    static std::string id_of(unsigned run = 0) { return std::string{uid} + "/app/" + std::to_string(run); }

    // What was sealed so far of each tenant: "hello", "P hello" for a partial line, "gap:REASON".
    const std::map<std::string, Lines>& sealed() {
        EXPECT_TRUE(rig.seal_all());
        for (const auto& object : rig.take_all()) {
            auto segment = open::read_segment(object.bytes, identity);
            for (const auto& [source, lines] : segment.lines)
                for (const auto& line : lines) found_[object.key.tenant.str()].push_back(open::shown(line));
        }
        return found_;
    }
    std::uint64_t lines_read(unsigned run = 0) const {
        auto told = find_described(intake->describe_all(), id_of(run));
        return told.empty() ? 0 : told.front().lines_read;
    }
    bool is_gone(unsigned run = 0) const {
        auto told = find_described(intake->describe_all(), id_of(run));
        return !told.empty() && told.front().ended.has_value();
    }

    boost::asio::io_context io;
    batch::testing::Rig rig;
    open::Identity identity = open::Identity::generate();
    Options options{.pods = rig.directory / "pods", .written_on_max = std::chrono::milliseconds{0}};
    bool has_key = true;
    tenancy::Lack lack = tenancy::Lack::key;  // without it
    // The tenant is the namespace, as the preset "kubernetes" has it.
    Assigner assigner{.assign = [this](const SourceFacts& facts) {
        auto tenant = TenantId::parse(facts.labels.at("io.kubernetes.pod.namespace")).value();
        Assignment assignment{.whose = {.tenant = tenant, .app = facts.name, .tenant_rule = "label"}};
        if (has_key)
            assignment.decision = {.action = Action::seal, .recipients = {identity.recipient()}};
        else
            assignment.decision = {.action = Action::hold, .lack = lack, .reason = "no key"};
        return assignment;
    }};
    net::TaskGroup tasks{io.get_executor(), rig.log};
    std::unique_ptr<CriIntake> intake;

  private:
    std::map<std::string, Lines> found_;
};

TEST_F(CriIntakeTest, ReadsWhatIsThereAndWhatComesEachForItsTenant) {
    CriLog acme{path_of("acme")};
    acme.print("early");
    start();
    run_until([&] { return intake->health().follows && lines_read() == 1; });
    CriLog late{directory_of("umbrella", "db-0", "u2") / "main/0.log"};
    late.print("later", Stream::err);
    acme.print("more");
    run_until([&] { return lines_read() == 2 && intake->health().reading.reading == 2; });
    stop();
    EXPECT_THAT(sealed().at("acme"), ElementsAre("early", "more"));
    EXPECT_THAT(sealed().at("umbrella"), ElementsAre("later"));
}

TEST_F(CriIntakeTest, GoesOnWhereItStoodAfterACrash) {
    CriLog log{path_of("acme")};
    log.print("one");
    start();
    run_until([&] { return lines_read() == 1; });
    EXPECT_THAT(sealed().at("acme"), ElementsAre("one"));
    log.print("two");
    run_until([&] { return lines_read() == 2; });
    crash();
    log.rotate();
    log.print("three");
    start();
    run_until([&] { return lines_read() == 2; });
    stop();
    EXPECT_THAT(sealed().at("acme"), ElementsAre("one", "two", "three"));
}

TEST_F(CriIntakeTest, APieceGoesOnInTheNextFile) {
    CriLog log{path_of("acme")};
    start();
    run_until([&] { return intake->health().reading.reading == 1; });
    log.piece("half a ", Stream::out, "P");
    log.print("whole", Stream::err);
    log.rename();
    log.piece("li", Stream::out, "P");
    log.reopen();
    log.piece("ne", Stream::out, "F");
    run_until([&] { return lines_read() == 2; });
    stop();
    EXPECT_THAT(sealed().at("acme"), ElementsAre("whole", "half a line"));
}

// containerd hands a log over while lines wait in a buffer of its own.
TEST_F(CriIntakeTest, WhatIsWrittenToAFileAfterTheNextOneWasBegunIsRead) {
    options.written_on_max = std::chrono::milliseconds{1'000};
    CriLog log{path_of("acme")};
    log.print("one");
    start();
    run_until([&] { return lines_read() == 1; });
    auto old = path_of("acme").string() + ".20261129-100001";
    std::filesystem::rename(log.path(), old);
    boatswain::testing::write(log.path(), "2026-11-29T10:00:03Z stdout F three\n");
    settle();
    EXPECT_EQ(lines_read(), 1U) << "the old file may be written to";
    boatswain::testing::append(old, "2026-11-29T10:00:02Z stdout F two\n");
    run_until([&] { return lines_read() == 2; });
    rig.clock.advance(std::chrono::milliseconds{500});
    settle();
    EXPECT_EQ(lines_read(), 2U);
    rig.clock.advance(std::chrono::milliseconds{1'000});
    run_until([&] { return lines_read() == 3; });
    stop();
    EXPECT_THAT(sealed().at("acme"), ElementsAre("one", "two", "three"));
}

// Its pod may be deleted soon.
TEST_F(CriIntakeTest, ALogThatItsWriterHasClosedIsSealedAtOnce) {
    CriLog log{path_of("acme")};
    start();
    run_until([&] { return intake->health().reading.reading == 1; });
    {
        std::ofstream writer{log.path(), std::ios::app};
        writer << "2026-11-29T10:00:00Z stdout F still open\n" << std::flush;
        run_until([&] { return lines_read() == 1; });
        settle();
        rig.batcher->tick();
        EXPECT_EQ(rig.batcher->open_batches(), 1U);
    }
    run_until([&] {
        rig.batcher->tick();
        return rig.batcher->open_batches() == 0;
    });
    stop();
    EXPECT_THAT(sealed().at("acme"), ElementsAre("still open"));
}

TEST_F(CriIntakeTest, ADeletedPodIsReadToItsEndAndClosed) {
    CriLog log{path_of("acme")};
    start();
    run_until([&] { return intake->health().reading.reading == 1; });
    log.print("last words");
    std::filesystem::remove_all(directory_of("acme"));
    run_until([&] { return is_gone(); });
    EXPECT_THAT(sealed().at("acme"), ElementsAre("last words"));
    settle();
    EXPECT_FALSE(rig.spool->checkpoint(id_of())) << "nothing is kept of it";
}

TEST_F(CriIntakeTest, APodThatLivesAMomentIsWhole) {
    std::filesystem::create_directories(options.pods);
    CriLog other{directory_of("acme", "other", "u2") / "app/0.log"};
    start();
    run_until([&] { return intake->health().follows; });
    CriLog log{path_of("acme")};
    for (int i = 0; i < 100; ++i) log.print("line " + std::to_string(i));
    run_until([&] { return intake->health().reading.containers == 2; });
    std::filesystem::remove_all(directory_of("acme"));
    run_until([&] { return is_gone(); });
    EXPECT_EQ(sealed().at("acme").size(), 100U);
}

TEST_F(CriIntakeTest, ARunThatIsOverIsSettled) {
    CriLog first{path_of("acme", 0)};
    start();
    run_until([&] { return intake->health().reading.reading == 1; });
    first.piece("no newline", Stream::out, "P");
    CriLog second{path_of("acme", 1)};
    second.print("again");
    run_until([&] { return lines_read(1) == 1 && lines_read(0) == 1; });
    EXPECT_THAT(sealed().at("acme"), ::testing::UnorderedElementsAre("P no newline", "again"));
    // The kubelet keeps the last runs only.
    std::filesystem::remove(first.path());
    run_until([&] { return is_gone(0); });
    EXPECT_FALSE(is_gone(1));
    std::filesystem::remove(second.path());
    settle();
    EXPECT_FALSE(is_gone(1)) << "its runtime writes on";
    stop();
}

TEST_F(CriIntakeTest, WhatWentWhileNoAgentRanIsNamed) {
    CriLog log{path_of("acme")};
    CriLog other{directory_of("acme", "other", "u2") / "app/0.log"};
    log.print("one");
    start();
    run_until([&] { return lines_read() == 1; });
    EXPECT_THAT(sealed().at("acme"), ElementsAre("one"));
    stop();
    std::filesystem::remove_all(directory_of("acme"));
    start();
    run_until([&] { return intake->health().follows; });
    settle();
    EXPECT_THAT(sealed().at("acme"), ElementsAre("one", "gap:removed-while-away"));
}

TEST_F(CriIntakeTest, NothingIsForgottenWhileNoPodsAreMounted) {
    CriLog log{path_of("acme")};
    log.print("one");
    start();
    run_until([&] { return lines_read() == 1; });
    EXPECT_THAT(sealed().at("acme"), ElementsAre("one"));
    stop();
    auto away = rig.directory / "unmounted";
    std::filesystem::rename(options.pods, away);
    start();
    settle();
    EXPECT_FALSE(intake->health().follows);
    EXPECT_THAT(intake->health().troubles, ElementsAre(::testing::HasSubstr("No such file")));
    std::filesystem::rename(away, options.pods);
    log.print("two");
    run_until([&] { return lines_read() == 1; });
    stop();
    EXPECT_THAT(sealed().at("acme"), ElementsAre("one", "two"));
}

TEST_F(CriIntakeTest, WhatWaitsForAKeyIsReadOnceItIsThere) {
    has_key = false;
    CriLog log{path_of("acme")};
    log.print("early");
    start();
    run_until([&] { return intake->health().reading.held[tenancy::Lack::key] == 1; });
    EXPECT_THAT(sealed(), IsEmpty());
    log.rotate();
    has_key = true;
    intake->reassign();
    run_until([&] { return lines_read() == 1; });
    stop();
    EXPECT_THAT(sealed().at("acme"), ElementsAre("early"));
}

TEST_F(CriIntakeTest, OwnAndExcludedPodsAreNotRead) {
    options.own_pods = pods_in_mountinfo(
        "36 35 8:1 /var/lib/kubelet/pods/u3/etc-hosts /etc/hosts rw - ext4 /dev/sda1 rw\n"
        "37 35 8:1 /var/lib/kubelet/pods/u4/volumes/x /var/log/pods/u5 rw - ext4 /dev/sda1 rw\n");
    EXPECT_THAT(options.own_pods, ElementsAre("u3"));
    options.excluded_namespaces = {"kube-system"};
    CriLog own{directory_of("boatswain", "agent", "u3") / "app/0.log"};
    CriLog excluded{directory_of("kube-system", "dns", "u4") / "app/0.log"};
    CriLog log{path_of("acme")};
    own.print("my own log");
    start();
    run_until([&] { return intake->health().follows; });
    EXPECT_EQ(intake->health().reading.containers, 1U);
}

TEST_F(CriIntakeTest, MorePodsThanAreLookedAtAreTold) {
    CriLog log{path_of("acme")};
    for (std::size_t i = 0; i < entries_max; ++i)
        std::filesystem::create_directories(options.pods / ("no-pod-" + std::to_string(i)));
    start();
    run_until([&] { return intake->health().follows; });
    EXPECT_THAT(intake->health().troubles, ElementsAre(::testing::HasSubstr("the rest is not read")));
}

TEST_F(CriIntakeTest, ALinkInADirectorysPlaceShowsNoOtherPod) {
    CriLog other{directory_of("umbrella", "db-0", "u2") / "app/0.log"};
    other.print("of another tenant");
    std::filesystem::create_directories(directory_of("acme"));
    std::filesystem::create_directory_symlink(directory_of("umbrella", "db-0", "u2") / "app",
                                              directory_of("acme") / "app");
    std::filesystem::create_directory_symlink(directory_of("umbrella", "db-0", "u2"),
                                              directory_of("acme", "web-1", "u3"));
    std::filesystem::create_directories(directory_of("acme", "web-2", "u4") / "app");
    std::filesystem::create_symlink(other.path(), directory_of("acme", "web-2", "u4") / "app/0.log");
    start();
    run_until([&] { return intake->health().follows; });
    settle();
    stop();
    EXPECT_FALSE(sealed().contains("acme"));
}

TEST_F(CriIntakeTest, ALinkInPlaceOfADirectoryThatIsReadIsNotFollowed) {
    CriLog other{directory_of("umbrella", "db-0", "u2") / "app/0.log"};
    CriLog own{path_of("acme")};
    own.print("one");
    start();
    run_until([&] { return lines_read() == 1; });
    auto place = directory_of("acme") / "app", away = directory_of("acme") / "away";
    other.raw("2026-11-29T10:00:01Z stdout F of another tenant\n");  // as if it followed
    std::filesystem::rename(place, away);
    std::filesystem::create_directory_symlink(other.path().parent_path(), place);
    boatswain::testing::append(away / "0.log", "2026-11-29T10:00:00.5Z stdout F two\n");
    settle();
    intake->progressed();
    settle();
    stop();
    for (const auto& line : sealed().at("acme")) EXPECT_NE(line, "of another tenant");
}

TEST_F(CriIntakeTest, AKeyThatIsRemovedStopsTheReadingUntilItIsBack) {
    CriLog log{path_of("acme")};
    log.print("one");
    start();
    run_until([&] { return lines_read() == 1; });
    has_key = false;
    lack = tenancy::Lack::removed_key;
    intake->reassign();
    log.print("two");
    settle();
    EXPECT_EQ(lines_read(), 1U);
    EXPECT_EQ(find_described(intake->describe_all(), id_of()).at(0).verdict, Verdict::held);
    has_key = true;
    intake->reassign();
    run_until([&] { return lines_read() == 2; });
    stop();
    EXPECT_THAT(sealed().at("acme"), ElementsAre("one", "two"));
}

TEST_F(CriIntakeTest, APodThatGoesWhileItWaitsForAKeyIsCounted) {
    has_key = false;
    CriLog log{path_of("acme")};
    CriLog other{directory_of("acme", "other", "u2") / "app/0.log"};
    start();
    run_until([&] { return intake->health().reading.held[tenancy::Lack::key] == 2; });
    std::filesystem::remove_all(directory_of("acme"));
    run_until([&] { return is_gone(); });
    EXPECT_THAT(rig.metrics.text(), ::testing::HasSubstr("boatswain_containers_unread_total{action=\"hold\"} 1\n"));
}

TEST_F(CriIntakeTest, ADeletedFileOfARunningContainerIsNoDeletedPod) {
    CriLog log{path_of("acme")};
    CriLog other{directory_of("acme", "other", "u2") / "app/0.log"};
    log.print("one");
    start();
    run_until([&] { return lines_read() == 1; });
    log.rename();
    log.print("two");
    std::filesystem::remove_all(directory_of("acme") / "app");
    std::filesystem::create_directories(directory_of("acme") / "app");
    settle();
    log.reopen();
    log.print("three");
    run_until([&] { return lines_read() >= 3 || is_gone(); });
    stop();
    auto lines = sealed().at("acme");
    EXPECT_THAT(lines, ::testing::IsSupersetOf({"one", "two", "three"}));
}

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

}  // namespace
}  // namespace boatswain::intake::cri
