// Logs of which the engine cannot serve every record, and logs of which it dies.
#include <gmock/gmock.h>

#include <random>

#include "intake/docker/logs_reader_for_test.h"

namespace boatswain::intake::docker {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using AtBroken = ServedLog::AtBroken;

class LogsDamagedTest : public LogsReaderTest {
  protected:
    void print_broken(int records = 1) {
        for (int i = 0; i < records; ++i) log.entries.push_back({.broken = true});
        if (wanted.empty() || wanted.back() != "gap:unreadable") wanted.push_back("gap:unreadable");
    }
    // A stopped container's log, read to its end.
    void read_whole() {
        running = false;
        start();
        bool whole = false;
        life->read_whole = [&] { whole = true; };
        run_until([&] { return whole; });
        life->read_whole = [] {};
    }
    // The engine answers again a moment after it died; how often that happened.
    void let_it_die_of(std::function<bool(const engine::LogsQuery&)> question) {
        log.dies_of = std::move(question);
        log.on_death = [this] {
            ++deaths;
            suspects.engine_followed(false);
            tasks.spawn("start the engine", [](auto* test) -> boost::asio::awaitable<void> {
                co_await net::sleep_for(std::chrono::milliseconds{20});
                test->log.dead = false;
                test->suspects.engine_followed(true);
            }(this));
        };
    }
    int deaths = 0;
};

TEST_F(LogsDamagedTest, ReadsOnBehindABrokenRecordOfAStoppedContainer) {
    for (std::string of : {"json-file", "local"})
        for (auto at : {AtBroken::end, AtBroken::trouble}) {
            driver = of;
            log.at_broken = at;
            print(202);
            print_broken();
            print(2);
            read_whole();
            EXPECT_EQ(sealed(), wanted) << of << static_cast<int>(at);
            next_container();
        }
}

TEST_F(LogsDamagedTest, ReadsOnBehindBrokenRecordsWhereverTheyAre) {
    for (auto at : {AtBroken::end, AtBroken::leap, AtBroken::trouble})
        for (int first : {0, 1, 120})
            for (int between : {0, 2})
                for (int last : {0, 1, 90}) {
                    SCOPED_TRACE(::testing::Message()
                                 << static_cast<int>(at) << " " << first << " " << between << " " << last);
                    if (first + between + last == 0) continue;
                    driver = "json-file";
                    log.at_broken = at;
                    print(first);
                    print_broken();
                    print(between);
                    print_broken();
                    print(last);
                    read_whole();
                    EXPECT_EQ(sealed(), wanted);
                    next_container();
                    if (HasFailure()) return;
                }
}

TEST_F(LogsDamagedTest, NamesABrokenLastRecordOnceOverRestarts) {
    print(100);
    print_broken();
    read_whole();
    EXPECT_EQ(sealed(), wanted);
    kill();
    rig.restart();
    read_whole();
    EXPECT_EQ(sealed(), wanted);
}

TEST_F(LogsDamagedTest, FindsItsPlaceBehindABrokenRecordAfterARestart) {
    for (int behind : {1, 2, 5, 100}) {
        print(150);
        print_broken();
        print(behind);
        running = false;
        read_whole();
        EXPECT_EQ(sealed(), wanted) << behind;
        kill();
        rig.restart();
        read_whole();
        EXPECT_EQ(sealed(), wanted) << behind;
        kill();
        rig.restart();
        print(3);
        read_whole();
        EXPECT_EQ(sealed(), wanted) << behind;
        next_container();
    }
}

TEST_F(LogsDamagedTest, FollowsARunningContainerBehindABrokenRecord) {
    for (auto at : {AtBroken::end, AtBroken::leap, AtBroken::trouble}) {
        driver = "json-file";
        log.at_broken = at;
        running = true;
        print(120);
        print_broken();
        print(10);
        read();
        EXPECT_EQ(sealed(), wanted) << static_cast<int>(at);
        print(20);
        settle();
        EXPECT_EQ(sealed(), wanted);
        restart();
        settle();
        print(20);
        settle();
        EXPECT_EQ(sealed(), wanted);
        next_container();
    }
}

TEST_F(LogsDamagedTest, ReadsOnBehindRecordsThatBrokeWhileNobodyRead) {
    print(300);
    read();
    EXPECT_EQ(sealed(), wanted);
    kill();
    print(50);
    print_broken(3);
    print(70);
    rig.restart();
    read();
    EXPECT_EQ(sealed(), wanted);
}

TEST_F(LogsDamagedTest, NamesNothingInALogThatIsWhole) {
    driver = "json-file";
    print(500);
    read_whole();
    EXPECT_EQ(sealed(), wanted);
    kill();
    rig.restart();
    running = true;
    print(500);
    read();
    print(10);
    settle();
    log.end_streams(false);
    settle();
    EXPECT_EQ(sealed(), wanted);
    EXPECT_EQ(counters.unreadable.value(), 0U);
}

TEST_F(LogsDamagedTest, NamesNothingOfAContainerThatPrintedNothing) {
    read_whole();
    EXPECT_THAT(sealed(), ElementsAre());
}

TEST_F(LogsDamagedTest, LosesAndDoublesNothingAroundBrokenRecordsOverRandomRestarts) {
    auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random{seed};
    driver = random() % 2 ? "json-file" : "local";
    log.at_broken = random() % 2 ? AtBroken::end : AtBroken::trouble;
    for (int round = 0; round < 10; ++round) {
        print(static_cast<int>(random() % 150) + 1);
        if (random() % 3 == 0) print_broken(static_cast<int>(random() % 3) + 1);
        print(static_cast<int>(random() % 20) + 1);
        read_whole();
        if (random() % 2 == 0) EXPECT_EQ(sealed(), wanted);
        kill();
        rig.restart();
    }
    read_whole();
    EXPECT_EQ(sealed(), wanted);
}

TEST_F(LogsDamagedTest, LeavesALogAloneThatTheEngineDiedOfTwice) {
    print(100);
    let_it_die_of([](const engine::LogsQuery& query) { return !query.tail || *query.tail >= 64; });
    running = false;
    start();
    run_until([&] { return reader->refused(); });
    EXPECT_EQ(deaths, 2);
    EXPECT_THAT(reader->trouble()->what, HasSubstr("died 2 times"));
    EXPECT_EQ(rig.metrics.gauge("boatswain_logs_left_alone", "").value(), 1);
    EXPECT_THAT(sealed(), ElementsAre("gap:unreadable"));
    // Nor after a restart, for which it is kept.
    kill();
    rig.restart();
    Suspects remembered{saved_suspects, [](const std::string&) {}, rig.clock, rig.metrics, rig.log};
    EXPECT_TRUE(remembered.left(id));
    start();
    run_until([&] { return reader->refused(); });
    EXPECT_EQ(deaths, 2);
    EXPECT_THAT(sealed(), ElementsAre("gap:unreadable"));
}

TEST_F(LogsDamagedTest, AsksAgainWhenTheContainerStartsAndOnceMoreIsEnough) {
    print(100);
    let_it_die_of([](const engine::LogsQuery&) { return true; });
    start();
    run_until([&] { return reader->refused(); });
    EXPECT_EQ(deaths, 2);
    auto start_again = [&](Timestamp when) {
        suspects.started(id, when);
        life->running = true;
        ++life->starts;
        life->changed.notify();
    };
    start_again(rig.clock.now());  // told again, of before
    run_until([&] { return !life->running; });
    EXPECT_EQ(deaths, 2);
    rig.clock.advance(std::chrono::seconds{1});
    start_again(rig.clock.now());
    run_until([&] { return deaths == 3 && suspects.left(id); });
    // Started by the engine that died of it: that goes on no longer.
    rig.clock.advance(std::chrono::seconds{1});
    suspects.started(id, rig.clock.now());
    EXPECT_TRUE(suspects.left(id));
    rig.clock.advance(Suspects::pardon_after);
    log.dies_of = {};
    start_again(rig.clock.now());
    settle();
    wanted.insert(wanted.begin(), "gap:unreadable");
    EXPECT_EQ(sealed(), wanted);
    EXPECT_FALSE(suspects.suspected(id));
}

TEST_F(LogsDamagedTest, BlamesNoLogForAnEngineThatEndsByItself) {
    print(3000);
    int questions = 0;
    let_it_die_of([&](const engine::LogsQuery&) { return ++questions == 1 || questions == 40; });
    read();
    print(100);
    settle();
    EXPECT_EQ(sealed(), wanted);
    EXPECT_GE(deaths, 1);
    EXPECT_FALSE(suspects.suspected(id));
}

TEST_F(LogsDamagedTest, AsksSuspectsOneAtATimeAndNobodyBeside) {
    std::vector<std::string> order;
    auto ask = [&](std::string whose, std::chrono::milliseconds takes, bool answered) -> boost::asio::awaitable<void> {
        auto question = co_await suspects.ask(whose, false);
        order.push_back("+" + whose);
        co_await net::sleep_for(takes);
        order.push_back("-" + whose);
        if (answered) question.answered();
    };
    for (const auto* whose : {"a", "b", "c"}) tasks.spawn(whose, ask(whose, std::chrono::milliseconds{10'000}, false));
    run_until([&] { return order.size() == 3; });
    suspects.engine_followed(false);
    tasks.cancel();
    EXPECT_TRUE(net::testing::run_to_end(io, tasks.join()));
    for (const auto* whose : {"a", "b", "c"}) EXPECT_TRUE(suspects.suspected(whose) && !suspects.left(whose));
    order.clear();
    suspects.engine_followed(true);
    rig.clock.advance(Suspects::young_max);
    for (const auto* whose : {"a", "b"}) tasks.spawn(whose, ask(whose, std::chrono::milliseconds{30}, true));
    run_until([&] { return order.size() == 1; });
    tasks.spawn("d", ask("d", std::chrono::milliseconds{30}, true));
    run_until([&] { return order.size() == 6; });
    for (std::size_t i = 0; i < 6; i += 2) EXPECT_EQ(order[i].substr(1), order[i + 1].substr(1));
    EXPECT_FALSE(suspects.suspected("a") || suspects.suspected("b"));
    EXPECT_TRUE(suspects.suspected("c"));
}

TEST_F(LogsDamagedTest, PassesOverNonsenseInWhatIsKeptOfSuspects) {
    for (auto text : {" ", "a", "a b c", "a 2", "a -1 5", "a 2 x b 1 0", "\n\n"}) {
        Suspects suspects{text, [](const std::string&) {}, rig.clock, rig.metrics, rig.log};
        EXPECT_FALSE(suspects.suspected("a")) << text;
    }
}

}  // namespace
}  // namespace boatswain::intake::docker
