// What the engine says late, and what it says twice.
#include "intake/docker/discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <fstream>
#include <map>

#include "base/directory_for_test.h"
#include "batch/rig_for_test.h"
#include "intake/engine_logs/served_log_for_test.h"
#include "net/run_for_test.h"
#include "net/task_group.h"
#include "open/sealing_for_test.h"

namespace boatswain::intake::docker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Action = engine::Event::Action;

const std::string id(engine::container_id_size, 'c');

// An engine with one container whose answers are made when they are asked for, and arrive when the test lets them.
class SlowEngine final : public ServedLog {
  public:
    explicit SlowEngine(boost::asio::io_context& io) : ServedLog(io), io_(io) {}

    void tell(Action action, std::optional<int> exit_code = {}) {
        events_.push_back(
            engine::Event{.action = action, .id = id, .time = now += Nanoseconds{1000}, .exit_code = exit_code});
        event_.notify();
    }
    void tell_too_much() {
        events_.push_back(fail(Remedy::quarantine, "an object is longer than it may be"));
        event_.notify();
    }
    engine::Task<engine::EngineInfo> negotiate() override { co_return engine::EngineInfo{.id = engine_id}; }
    engine::Task<std::unique_ptr<engine::EventStream>> events(std::optional<Timestamp>) override {
        ++subscriptions;
        co_return std::make_unique<Events>(*this);
    }
    engine::Task<engine::ContainerList> list() override {
        engine::ContainerList answer{.whole = !list_is_odd};
        if (there && !list_is_odd && empty_lists == 0)
            answer.containers.push_back({.id = id, .state = running ? "running" : "exited"});
        if (empty_lists > 0) --empty_lists;
        ++lists;
        while (hold_lists) co_await net::sleep_for(std::chrono::milliseconds{1});
        co_return answer;
    }
    engine::Task<engine::ContainerFacts> inspect(std::string, WordFilter) override {
        bool was_there = there;
        engine::ContainerFacts answer;
        std::tie(answer.id, answer.name, answer.running, answer.log_driver, answer.labels, answer.mounts) =
            std::tie(id, name, running, driver, labels, mounts);
        answer.created = answer.started_at.emplace(*parse_time("2026-11-23T10:00:00Z"));
        ++inspections;
        while (hold_inspections) co_await net::sleep_for(std::chrono::milliseconds{1});
        if (wedged) co_return fail(Remedy::back_off, "no answer in time");
        if (!was_there) co_return fail(Remedy::re_resolve, "404 No such container");
        co_return answer;
    }
    engine::Task<std::unique_ptr<engine::ByteStream>> logs(std::string which, engine::LogsQuery query) override {
        ++log_requests;
        if (!there || refuses) co_return fail(Remedy::re_resolve, "404 No such container");
        co_return co_await ServedLog::logs(std::move(which), query);
    }
    engine::Task<std::vector<engine::Event>> past_events(Timestamp) override { co_return std::vector<engine::Event>{}; }

    bool there = false, running = true, hold_inspections = false, hold_lists = false, refuses = false, wedged = false;
    bool list_is_odd = false;
    int empty_lists = 0;  // so many are wrong
    std::string engine_id, name = "web", driver = "local";
    std::map<std::string, std::string> labels;
    std::vector<std::pair<std::string, std::string>> mounts;
    int inspections = 0, lists = 0, subscriptions = 0, log_requests = 0;
    Timestamp now = *parse_time("2026-11-23T10:00:00Z");

  private:
    struct Events final : engine::EventStream {
        explicit Events(SlowEngine& o) : owner(o) {}
        engine::Task<engine::Event> next() override {
            while (owner.events_.empty()) co_await owner.event_.wait();
            auto event = owner.events_.front();
            owner.events_.pop_front();
            co_return event;
        }
        SlowEngine& owner;
    };
    boost::asio::io_context& io_;
    std::deque<Result<engine::Event>> events_;
    net::Event event_{io_.get_executor()};
};

class DiscoveryTest : public ::testing::Test {
  protected:
    void SetUp() override { tasks.spawn("follow the engine", discovery.run()); }
    ~DiscoveryTest() override {
        tasks.cancel();
        EXPECT_TRUE(net::testing::run_to_end(io, [](DiscoveryTest& test) -> boost::asio::awaitable<void> {
            co_await test.tasks.join();
            co_await test.discovery.end();
            co_await test.containers.end_readers();
        }(*this)));
        containers.finish(rig.clock.steady());
    }
    template <class Condition>
    void run_until(Condition condition) {
        EXPECT_TRUE(net::testing::run_until(io, condition));
    }
    // Everything that can happen by itself has happened.
    void settle() { net::testing::run_for(io, std::chrono::milliseconds{100}); }
    void be_born() {
        run_until([&] { return engine.lists > 0; });
        engine.there = true;
        engine.tell(Action::create);
        engine.tell(Action::start);
    }
    void be_removed() {
        engine.running = engine.there = false;
        engine.tell(Action::die);
        engine.end_streams(false);
        engine.tell(Action::destroy);
    }
    void print(const std::string& line) { engine.print(line, engine.now += Nanoseconds{1000}); }
    std::vector<std::string> sealed() {
        EXPECT_TRUE(rig.seal_all());
        for (const auto& object : rig.take_all())
            for (const auto& line : open::read_segment(object.bytes, identity).lines[id])
                found_.push_back(open::shown(line));
        return found_;
    }
    bool reading() const { return containers.standing().reading == 1; }
    bool nothing_left() const { return containers.standing().containers == 0; }

    boost::asio::io_context io;
    batch::testing::Rig rig;
    open::Identity identity = open::Identity::generate();
    SlowEngine engine{io};
    Assigner assigner{.assign =
                          [this](const SourceFacts&) {
                              return Assignment{.decision = {.action = tenancy::Decision::Action::seal,
                                                             .recipients = {identity.recipient()}},
                                                .whose = batch::testing::source(id).whose};
                          },
                      .keep = {}};
    net::TaskGroup tasks{io.get_executor(), rig.log};
    bool driver_reads = false;
    bool by_starter = false;
    ReadPolicy terms{.elsewhere = {.reads = [this](const std::string&) { return driver_reads; }}};
    Containers containers{io.get_executor(), terms,     engine,      assigner, *rig.batcher,
                          *rig.spool,        rig.clock, rig.metrics, rig.log};
    DirectoryNews news{io.get_executor(), containers, assigner, rig.metrics, rig.log, std::chrono::milliseconds{20}};
    Discovery discovery{io.get_executor(), "/nonexistent", engine,  assigner,
                        containers,        news,           tasks,   *rig.spool,
                        rig.clock,         rig.metrics,    rig.log, std::chrono::milliseconds{20}};

  private:
    std::vector<std::string> found_;
};

TEST_F(DiscoveryTest, WhatIsMissingOfOneThatWasRemovedIsNamedFromItsLastLineOnThoughTheClockSteppedBack) {
    auto last_line = rig.clock.now() + std::chrono::hours{2};
    auto feed = rig.batcher->open_feed(batch::testing::source(id), {identity.recipient()}, Checkpoint{}, false);
    feed->append(Line{.time = last_line, .bytes = "last words"});
    feed->mark(TimePosition{.out = last_line});
    EXPECT_THAT(sealed(), ElementsAre("last words"));
    feed.reset();
    run_until([&] { return engine.lists > 0; });
    settle();
    ASSERT_TRUE(rig.seal_all());
    auto objects = rig.take_all();
    ASSERT_EQ(objects.size(), 1U);
    EXPECT_EQ(open::read_segment(objects[0].bytes, identity).lines[id].at(0).gap, gap_removed_while_away);
    EXPECT_EQ(objects[0].key.hour, std::chrono::floor<std::chrono::hours>(last_line));
}

// Attack of old: 330 held containers wrote 55,277 lines of the agent's log.
TEST_F(DiscoveryTest, TellsADecisionOnceAndMakesItAgainOnlyForTheContainersThatAreNamed) {
    int asked = 0;
    std::string reason = "a key is being derived";
    assigner.assign = [&](const SourceFacts&) {
        ++asked;
        return Assignment{.decision = {.action = tenancy::Decision::Action::hold, .reason = reason}, .soon = true};
    };
    auto told = [&] {
        auto log = boatswain::testing::contents(rig.directory / "log");
        int times = 0;
        for (auto at = log.find("container found"); at != log.npos; at = log.find("container found", at + 1)) ++times;
        return times;
    };
    be_born();
    run_until([&] { return asked > 0; });
    settle();
    EXPECT_EQ(told(), 1);
    auto before = asked;
    containers.reassign({std::string(engine::container_id_size, 'd')});
    EXPECT_EQ(asked, before) << "another one's key";
    for (int i = 0; i < 5; ++i) containers.reassign({id});
    EXPECT_EQ(asked, before + 5);
    EXPECT_EQ(told(), 1) << "nothing new";
    reason = "the key is no key";
    containers.reassign();
    EXPECT_EQ(told(), 2);
}

TEST_F(DiscoveryTest, RulesSeeTheMesosTaskThatTheSandboxOfAContainerNames) {
    engine.mounts = {{"/var/lib/mesos/slaves/S1/frameworks/F/executors/acme_web.1/runs/C", "/mnt/mesos/sandbox"}};
    std::string task;
    assigner.assign = [&, answer = assigner.assign](const SourceFacts& facts) {
        if (auto found = facts.attributes.find("mesos:task"); found != facts.attributes.end()) task = found->second;
        return answer(facts);
    };
    be_born();
    run_until([&] { return reading(); });
    EXPECT_EQ(task, "acme_web.1");
}

TEST_F(DiscoveryTest, APassthroughContainerIsUnreadableAndItsLogIsNotAskedFor) {
    engine.driver = "passthrough";
    be_born();
    run_until([&] { return containers.standing().containers == 1; });
    settle();
    auto told = find_described(containers.describe_all(), "web").at(0);
    EXPECT_EQ(told.verdict, Verdict::unreadable);
    EXPECT_EQ(told.reader_reason, "log driver passthrough keeps nothing to read");
    EXPECT_EQ(engine.log_requests, 0);
    be_removed();
    run_until([&] { return nothing_left(); });
}

TEST_F(DiscoveryTest, StopsReadingWhenAKeyFileIsRemovedAndGoesOnWhereItStoodWhenItIsBack) {
    auto with_key = assigner.assign;
    be_born();
    run_until([&] { return reading(); });
    print("before");
    settle();
    assigner.assign = [&](const SourceFacts&) {
        return Assignment{.decision = {.action = tenancy::Decision::Action::hold,
                                       .lack = tenancy::Lack::removed_key,
                                       .reason = "its key file was removed"},
                          .whose = batch::testing::source(id).whose};
    };
    containers.reassign();
    EXPECT_EQ(find_described(containers.describe_all(), "web").at(0).verdict, Verdict::held);
    EXPECT_EQ(containers.standing().held[tenancy::Lack::removed_key], 1U);
    EXPECT_EQ(containers.standing().reading, 0U);
    print("while it was away");
    settle();
    EXPECT_THAT(sealed(), ElementsAre("before"));
    // Gone on purpose, and nobody else to seal for: it does not go on for the key of before.
    assigner.assign = [&](const SourceFacts&) {
        return Assignment{.decision = {.action = tenancy::Decision::Action::hold, .lack = tenancy::Lack::key},
                          .whose = batch::testing::source(id).whose};
    };
    containers.reassign();
    settle();
    EXPECT_THAT(sealed(), ElementsAre("before"));
    assigner.assign = with_key;
    containers.reassign();
    EXPECT_EQ(find_described(containers.describe_all(), "web").at(0).verdict, Verdict::collected);
    run_until([&] { return find_described(containers.describe_all(), "web").at(0).lines_read == 2; });
    EXPECT_THAT(sealed(), ElementsAre("before", "while it was away"));
}

TEST_F(DiscoveryTest, ARemovedContainerWhoseKeyFileStaysAwayIsGivenUpWhenTheHoldIsOver) {
    be_born();
    run_until([&] { return reading(); });
    print("before");
    settle();
    auto action = tenancy::Decision::Action::hold;
    assigner.assign = [&](const SourceFacts&) {
        return Assignment{.decision = {.action = action, .lack = tenancy::Lack::removed_key},
                          .whose = batch::testing::source(id).whose};
    };
    containers.reassign();
    engine.there = engine.running = false;
    engine.tell(Action::die);
    engine.tell(Action::destroy);
    run_until([&] {
        return find_described(containers.describe_all(), "web").empty() ||
               find_described(containers.describe_all(), "web").at(0).removed;
    });
    settle();
    action = tenancy::Decision::Action::drop;
    containers.reassign();
    run_until([&] { return nothing_left(); });
    EXPECT_THAT(sealed(), ElementsAre("before"));
}

// Attack of old: LABEL boatswain.exclude=true in an image hid its containers, and nothing counted them.
TEST_F(DiscoveryTest, ExcludesByTheStartersLabelAloneOnceItIsKnownWhoseItIs) {
    engine.labels = {{"boatswain.exclude", "True"}};
    Starter answer{.is = Starter::Is::asked, .facts = {}, .why = "the engine is being asked"};
    assigner.starter = [&](const SourceFacts& facts) {
        auto starter = answer;
        if (starter.is == Starter::Is::known && !by_starter) starter.facts = engine::without_words(facts);
        if (starter.is == Starter::Is::known && by_starter) starter.facts = facts;
        return starter;
    };
    be_born();
    run_until([&] { return containers.contains(id); });
    settle();
    EXPECT_FALSE(reading()) << "it may yet be excluded";
    EXPECT_THAT(find_described(containers.describe_all(), "web").at(0).reason,
                ::testing::HasSubstr("whether its image set that"));
    answer.is = Starter::Is::known;
    by_starter = true;
    containers.reassign({id});
    EXPECT_EQ(find_described(containers.describe_all(), "web").at(0).verdict, Verdict::excluded);
    (void)containers.standing();
    EXPECT_EQ(rig.metrics.gauge("boatswain_containers_excluded", "", {{"by", "label"}}).value(), 1);
    EXPECT_TRUE(nothing_left());
    be_removed();
    run_until([&] { return find_described(containers.describe_all(), "web").empty(); });

    engine.running = true;
    answer.is = Starter::Is::asked;
    be_born();
    run_until([&] { return containers.contains(id); });
    answer.is = Starter::Is::known;
    by_starter = false;
    containers.reassign({id});
    run_until([&] { return reading(); });
    (void)containers.standing();
    EXPECT_EQ(rig.metrics.gauge("boatswain_containers_excluded", "", {{"by", "label"}}).value(), 0);
}

TEST_F(DiscoveryTest, AnAnswerThatComesLateBringsNoContainerBackThatWasReadToItsEnd) {
    be_born();
    run_until([&] { return reading() && engine.idle(); });
    print("the only line");
    run_until([&] { return engine.idle(); });
    engine.hold_inspections = true;
    auto asked = engine.inspections;
    engine.tell(Action::rename);
    run_until([&] { return engine.inspections > asked; });
    be_removed();
    run_until([&] { return nothing_left(); });
    engine.hold_inspections = false;
    settle();
    EXPECT_TRUE(nothing_left());
    EXPECT_THAT(sealed(), ElementsAre("the only line", "gap:removed-unread"));
}

TEST_F(DiscoveryTest, ARenamedOneGoesOnUnderItsNewNameAndIsFoundByBoth) {
    be_born();
    print("before");
    run_until([&] { return reading() && !find_described(containers.describe_all(), "web").empty(); });
    run_until([&] { return find_described(containers.describe_all(), "web").at(0).lines_read == 1; });
    engine.name = "shop";
    engine.tell(Action::rename);
    run_until([&] { return !find_described(containers.describe_all(), "shop").empty(); });
    EXPECT_EQ(find_described(containers.describe_all(), "shop").at(0).id, id);
    EXPECT_THAT(find_described(containers.describe_all(), "web").at(0).former_names, ElementsAre("web"));
    print("after");
    run_until([&] { return find_described(containers.describe_all(), "shop").at(0).lines_read == 2; });
    ASSERT_TRUE(rig.seal_all());
    std::vector<std::string> found;
    for (const auto& object : rig.take_all()) {
        auto segment = open::read_segment(object.bytes, identity);
        for (const auto& line : segment.lines[id])
            found.push_back(segment.footer.sources.at(0).name + ": " + line.bytes);
    }
    EXPECT_THAT(found, ElementsAre("web: before", "shop: after"));
    EXPECT_EQ(find_described(containers.describe_all(), "shop").at(0).whose->app, batch::testing::source(id).whose.app);
}

TEST_F(DiscoveryTest, OneThatIsRemovedWhileTheEngineIsAskedIsNamedAndNotAskedForForEver) {
    engine.hold_inspections = true;
    be_born();
    run_until([&] { return engine.inspections > 0; });
    be_removed();
    settle();
    engine.hold_inspections = false;
    run_until([&] { return engine.log_requests > 0 && nothing_left(); });
    auto requests = engine.log_requests;
    settle();
    EXPECT_EQ(engine.log_requests, requests);
    EXPECT_THAT(sealed(), ElementsAre("gap:removed-unread"));
}

TEST_F(DiscoveryTest, OneThatEndsWhileTheEngineIsAskedAboutItHasItsExitCode) {
    engine.hold_inspections = true;
    be_born();
    run_until([&] { return engine.inspections > 0; });
    engine.running = false;
    engine.tell(Action::die, 7);
    settle();
    engine.hold_inspections = false;
    run_until([&] { return engine.log_requests > 0; });
    settle();
    engine.there = false;
    engine.end_streams(false);
    engine.tell(Action::destroy);
    run_until([&] { return nothing_left(); });
    ASSERT_TRUE(rig.seal_all());
    std::optional<int> exit_code;
    for (const auto& object : rig.take_all())
        for (const auto& frame : open::read_segment(object.bytes, identity).footer.frames)
            if (frame.counts.end) exit_code = frame.counts.end->exit_code;
    EXPECT_EQ(exit_code, 7);
}

TEST_F(DiscoveryTest, OneThatIsBornWhileTheEngineMakesItsListIsReadOn) {
    engine.hold_lists = true;
    be_born();
    run_until([&] { return reading() && engine.idle(); });
    engine.hold_lists = false;
    settle();
    engine.end_streams(true);
    run_until([&] { return engine.idle(); });
    print("after the list");
    settle();
    EXPECT_TRUE(reading());
    EXPECT_THAT(sealed(), ElementsAre("after the list"));
}

TEST_F(DiscoveryTest, OneThatWasReadToItsEndWhileTheEngineMadeItsListIsNotNamedAsRemovedWhileNobodyRead) {
    engine.hold_lists = true;
    be_born();
    run_until([&] { return reading() && engine.idle(); });
    print("all there is");
    run_until([&] { return engine.idle(); });
    settle();
    EXPECT_THAT(sealed(), ElementsAre("all there is"));
    engine.running = false;
    engine.tell(Action::die);
    engine.end_streams(false);
    engine.tell(Action::destroy);
    run_until([&] { return nothing_left(); });
    engine.there = false;
    engine.hold_lists = false;
    settle();
    EXPECT_THAT(sealed(), ElementsAre("all there is")) << "and a closing record, one";
    for (std::string outcome : {"gap", "read-whole", "unnamed"})
        EXPECT_EQ(
            rig.metrics.counter("boatswain_containers_removed_while_away_total", "", {{"outcome", outcome}}).value(),
            0);
}

TEST_F(DiscoveryTest, ALogThatIsRefusedIsNotAskedForWheneverThereIsRoom) {
    engine.refuses = true;
    be_born();
    run_until([&] { return engine.log_requests > 0; });
    settle();
    auto requests = engine.log_requests;
    for (int i = 0; i < 10; ++i) {
        containers.progressed();
        settle();
    }
    EXPECT_EQ(engine.log_requests, requests);
    engine.refuses = false;
    print("now it is served");
    engine.tell(Action::start);
    run_until([&] { return engine.idle(); });
    EXPECT_THAT(sealed(), ElementsAre("now it is served"));
}

TEST_F(DiscoveryTest, AnExitedContainersLogIsReadOnceAndAgainOnlyWhenItStarts) {
    print("of the first run");
    engine.running = false;
    be_born();
    run_until([&] { return engine.log_requests > 0; });
    engine.tell(Action::die);
    settle();
    auto requests = engine.log_requests;
    for (int i = 0; i < 5; ++i) {
        containers.progressed();
        settle();
    }
    EXPECT_EQ(engine.log_requests, requests);
    EXPECT_THAT(sealed(), ElementsAre("of the first run"));
}

class EmptyLists : public DiscoveryTest {
  protected:
    // Of an earlier run of the agent.
    void seal_something() {
        auto feed = rig.batcher->open_feed(batch::testing::source(id), {identity.recipient()}, Checkpoint{}, false);
        feed->append(Line{.time = rig.clock.now(), .bytes = "sealed before"});
        feed->mark(TimePosition{.out = rig.clock.now()});
        EXPECT_THAT(sealed(), ElementsAre("sealed before"));
    }
    void see_some_lists() {
        auto lists = engine.lists;
        run_until([&] { return engine.lists > lists + 4 && engine.empty_lists == 0; });
    }
    double told_of_removed() {
        double sum = 0;
        for (std::string outcome : {"gap", "read-whole", "unnamed"})
            sum += rig.metrics.counter("boatswain_containers_removed_while_away_total", "", {{"outcome", outcome}})
                       .value();
        return sum;
    }
};

TEST_F(EmptyLists, TakeNoContainerAwayThatTheEngineDescribes) {
    be_born();
    run_until([&] { return reading() && engine.idle(); });
    engine.empty_lists = 10;
    see_some_lists();
    EXPECT_TRUE(reading());
    print("still there");
    run_until([&] { return engine.idle(); });
    settle();
    EXPECT_THAT(sealed(), ElementsAre("still there"));
    EXPECT_GE(rig.metrics.counter("boatswain_engine_lists_doubted_total", "").value(), 1);
}

TEST_F(EmptyLists, AtTheStartForgetNothing) {
    seal_something();
    engine.there = true;
    engine.empty_lists = 10;
    see_some_lists();
    EXPECT_EQ(told_of_removed(), 0);
    EXPECT_TRUE(rig.spool->checkpoint(id));
    run_until([&] { return reading(); });
}

TEST_F(EmptyLists, AtTheStartAreBelievedWhenTheEngineDoesNotKnowTheContainer) {
    seal_something();
    see_some_lists();
    EXPECT_EQ(told_of_removed(), 1) << "once";
    EXPECT_THAT(sealed(), ElementsAre("sealed before", "gap:removed-while-away"));
}

TEST_F(EmptyLists, OfAnotherEngineForgetNothing) {
    ASSERT_TRUE(rig.spool->set_note("engine.id", "the former"));
    engine.engine_id = "another";
    seal_something();
    see_some_lists();
    EXPECT_EQ(told_of_removed(), 0);
    EXPECT_TRUE(rig.spool->checkpoint(id));
    EXPECT_THAT(discovery.other_engine(), ::testing::HasSubstr("the former"));
}

class EventsThatAreLost : public DiscoveryTest {
  protected:
    double untold() { return rig.metrics.counter("boatswain_containers_untold_total", "").value(); }
};

TEST_F(EventsThatAreLost, OfABirthAreMadeUpForByTheNextList) {
    run_until([&] { return engine.lists > 0; });
    engine.there = true;
    run_until([&] { return reading() && engine.idle(); });
    print("nobody told");
    run_until([&] { return engine.idle(); });
    settle();
    EXPECT_THAT(sealed(), ElementsAre("nobody told"));
    EXPECT_EQ(untold(), 1);
}

TEST_F(EventsThatAreLost, OfAnEndAndARemovalAreMadeUpForByTheNextList) {
    be_born();
    run_until([&] { return reading() && engine.idle(); });
    print("last words");
    settle();
    engine.running = false;
    run_until([&] { return untold() == 1; });
    engine.end_streams(false);
    settle();
    engine.there = false;
    run_until([&] { return nothing_left(); });
    EXPECT_THAT(sealed(), ElementsAre("last words"));
    EXPECT_EQ(untold(), 2);
}

TEST_F(EventsThatAreLost, OfOneThatIsNotDescribedAreToldOnceAndItIsReadAsSoonAsItIs) {
    engine.wedged = true;
    run_until([&] { return engine.lists > 0; });
    engine.there = true;
    run_until([&] { return engine.inspections > 3; });
    EXPECT_EQ(untold(), 1);
    EXPECT_EQ(rig.metrics.counter("boatswain_containers_missed_total", "").value(), 1);
    engine.wedged = false;
    run_until([&] { return reading() && engine.idle(); });
}

TEST_F(EventsThatAreLost, ForTheirLengthEndNoStreamAndTheListMakesUpForThem) {
    run_until([&] { return engine.lists > 0; });
    auto lists = engine.lists;
    engine.there = true;
    engine.tell_too_much();
    engine.tell_too_much();
    run_until([&] { return engine.lists > lists && reading() && engine.idle(); });
    be_removed();
    run_until([&] { return nothing_left(); });
    EXPECT_EQ(engine.subscriptions, 1);
    auto unread = rig.metrics.counter("boatswain_engine_odd_events_total", "", {{"outcome", "passed-over"}}).value();
    EXPECT_EQ(unread, 2);
}

TEST_F(EventsThatAreLost, AreNotTakenForARemovalWhenTheListIsNotWhole) {
    be_born();
    run_until([&] { return reading() && engine.idle(); });
    engine.list_is_odd = true;
    auto lists = engine.lists;
    run_until([&] { return engine.lists > lists + 3; });
    EXPECT_TRUE(reading() && engine.idle());
    engine.list_is_odd = false;
}

TEST_F(EventsThatAreLost, AreNoneWhenEachIsTold) {
    be_born();
    run_until([&] { return reading() && engine.idle(); });
    auto lists = engine.lists;
    run_until([&] { return engine.lists > lists + 3; });
    be_removed();
    run_until([&] { return nothing_left(); });
    lists = engine.lists;
    run_until([&] { return engine.lists > lists + 3; });
    EXPECT_EQ(untold(), 0);
}

TEST_F(EventsThatAreLost, OfOneThatTheLogDriverReadsAreNoneThoughTheEngineNeverDescribesIt) {
    engine.wedged = driver_reads = true;
    run_until([&] { return engine.lists > 0; });
    engine.there = true;
    run_until([&] { return engine.inspections > 3; });
    EXPECT_EQ(untold(), 0);
    EXPECT_EQ(rig.metrics.counter("boatswain_containers_missed_total", "").value(), 0);
}

// The engine's data directory, on a disk that comes and goes.
class LateDirectoryTest : public DiscoveryTest {
  protected:
    LateDirectoryTest() {
        engine.driver = "json-file";
        news.watch(*layout_at(root), tasks);
        tasks.spawn("read log files", containers.read_files());
    }
    void append_to(const Path& containers_directory, const std::string& line) {
        std::filesystem::create_directories(containers_directory / id);
        std::ofstream file{containers_directory / id / (id + "-json.log"), std::ios::app};
        file << R"({"log":")" << line << R"(\n","stream":"stdout","time":")" << to_text(engine.now) << "\"}\n";
        lines.push_back(line);
    }
    void print_and_append(int count) {
        for (int i = 0; i < count; ++i) {
            print("line " + std::to_string(lines.size()));
            append_to(disk / "containers", "line " + std::to_string(lines.size()));
        }
    }
    void be_read_by(const std::string& reader) {
        run_until([&] {
            auto found = find_described(containers.describe_all(), "web");
            return !found.empty() && found[0].reader == reader && found[0].lines_read == lines.size();
        });
    }
    double unseen() { return rig.metrics.gauge("boatswain_containers_directory_unseen", "").value(); }

    boatswain::testing::TestDirectory place;
    Path disk = place / "disk", root = place / "docker";
    std::vector<std::string> lines;
};

TEST_F(LateDirectoryTest, IsTakenUpInItsFilesWhereTheEngineStood) {
    be_born();
    print_and_append(200);
    be_read_by("logs");
    EXPECT_EQ(unseen(), 1);
    EXPECT_FALSE(news.trouble().empty());
    std::filesystem::create_directory_symlink(disk, root);
    be_read_by("json-file");
    EXPECT_EQ(unseen(), 0);
    print_and_append(10);
    be_read_by("json-file");
    EXPECT_EQ(sealed(), lines);
}

TEST_F(LateDirectoryTest, ThatGoesAwayStopsNoLogAndComesBackAsAnother) {
    std::filesystem::create_directories(disk / "containers");
    std::filesystem::create_directory_symlink(disk, root);
    be_born();
    print_and_append(5);
    be_read_by("json-file");
    std::filesystem::remove(root);
    run_until([&] { return unseen() == 1; });
    print_and_append(5);
    be_read_by("json-file");
    // Another one: its containers are found, and what is held open of the first is read on.
    auto other = place / "other";
    std::filesystem::create_directories(other / "containers" / id);
    std::filesystem::copy(disk / "containers" / id, other / "containers" / id,
                          std::filesystem::copy_options::recursive);
    std::filesystem::create_directory_symlink(other, root);
    run_until([&] { return unseen() == 0; });
    print_and_append(5);
    be_read_by("json-file");
    EXPECT_EQ(sealed(), lines);
}

TEST_F(LateDirectoryTest, ALogWhosePlaceIsNotInItsFilesIsReadThroughTheEngineOn) {
    be_born();
    print_and_append(5);
    be_read_by("logs");
    std::filesystem::remove_all(disk);
    append_to(disk / "containers", "of nobody");
    lines.pop_back();
    std::filesystem::create_directory_symlink(disk, root);
    run_until([&] { return unseen() == 0; });
    settle();
    print("line 5");
    lines.push_back("line 5");
    be_read_by("logs");
    EXPECT_EQ(sealed(), lines);
}

}  // namespace
}  // namespace boatswain::intake::docker
