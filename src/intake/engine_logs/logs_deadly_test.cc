// Logs of which the engine dies.
#include <gmock/gmock.h>

#include "intake/engine_logs/logs_reader_for_test.h"

namespace boatswain::intake {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LogsDeadlyTest : public LogsReaderTest {
  protected:
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
    void start_again(Timestamp when) {
        suspects.started(id, when);
        life->running = true;
        ++life->starts;
        life->changed.notify();
    }
    int deaths = 0;
};

TEST_F(LogsDeadlyTest, IsLeftAloneWhenTheEngineDiedTwiceOverRestartsToo) {
    print(100);
    // What it answers in between says nothing.
    let_it_die_of([](const engine::LogsQuery& query) { return !query.tail || *query.tail >= 64; });
    running = false;
    start();
    run_until([&] { return reader->refused(); });
    EXPECT_EQ(deaths, 2);
    EXPECT_THAT(reader->trouble()->what, HasSubstr("died 2 times"));
    EXPECT_EQ(rig.metrics.gauge("boatswain_logs_left_alone", "").value(), 1);
    EXPECT_THAT(sealed(), ElementsAre("gap:unreadable"));
    kill();
    rig.restart();
    Suspects remembered{saved_suspects, [](const std::string&) {}, rig.clock, rig.metrics, rig.log};
    EXPECT_TRUE(remembered.left(id));
    start();
    run_until([&] { return reader->refused(); });
    EXPECT_EQ(deaths, 2);
    EXPECT_THAT(sealed(), ElementsAre("gap:unreadable"));
}

TEST_F(LogsDeadlyTest, IsLeftAloneThoughTheEngineAnswersOtherQuestionsForIt) {
    print(100);
    read();
    sealed();
    restart();
    print(10);
    int questions = 0;
    let_it_die_of([&](const engine::LogsQuery& query) { return query.tail == 1024 && ++questions > 0; });
    log.end_streams(true);
    run_until([&] { return suspects.left(id); });
    EXPECT_EQ(deaths, 2);
    EXPECT_EQ(questions, 2);
}

TEST_F(LogsDeadlyTest, IsAskedForAgainWhenItsContainerStartsAndOnceMoreIsEnough) {
    print(100);
    let_it_die_of([](const engine::LogsQuery&) { return true; });
    start();
    run_until([&] { return reader->refused(); });
    EXPECT_EQ(deaths, 2);
    start_again(rig.clock.now());  // told again, of before
    run_until([&] { return !life->running; });
    EXPECT_EQ(deaths, 2);
    rig.clock.advance(std::chrono::seconds{1});
    start_again(rig.clock.now());
    run_until([&] { return deaths == 3 && suspects.left(id); });
    // Started by the engine that died of it: that does not go on.
    rig.clock.advance(std::chrono::seconds{1});
    suspects.started(id, rig.clock.now());
    EXPECT_TRUE(suspects.left(id));
    rig.clock.advance(Suspects::pardon_after);
    log.dies_of = {};
    start_again(rig.clock.now());
    settle();
    wanted.insert(wanted.begin(), "gap:unreadable");
    EXPECT_EQ(sealed(), wanted);
    log.end_streams(false);
    run_until([&] { return !suspects.suspected(id); });
}

TEST_F(LogsDeadlyTest, IsNoneWhereTheEngineEndsByItself) {
    print(3000);
    int questions = 0;
    let_it_die_of([&](const engine::LogsQuery&) { return ++questions == 1 || questions == 40; });
    read();
    print(100);
    settle();
    EXPECT_EQ(sealed(), wanted);
    EXPECT_EQ(deaths, 1);
    EXPECT_FALSE(suspects.left(id));
    // Followed for a while, when the engine is started again.
    rig.clock.advance(Suspects::young_max);
    suspects.engine_followed(false);
    EXPECT_FALSE(suspects.suspected(id));
}

TEST_F(LogsDeadlyTest, IsNoneThatHasServedWhatWasPrintedSinceItWasAskedFor) {
    print(100);
    read();
    now = rig.clock.now();
    print(10);
    settle();
    suspects.engine_followed(false);
    EXPECT_FALSE(suspects.suspected(id)) << "all that was there before has been served";
    EXPECT_EQ(sealed(), wanted);
}

TEST_F(LogsDeadlyTest, SuspectsAreAskedForOneAtATimeAndNobodyBesides) {
    std::vector<std::string> order;
    auto ask = [&](std::string whose, std::chrono::milliseconds takes, bool answered) -> boost::asio::awaitable<void> {
        auto question = co_await suspects.ask(whose, false);
        order.push_back("+" + whose);
        co_await net::sleep_for(takes);
        order.push_back("-" + whose);
        if (answered) question->harmless(), suspects.absolve(whose);
    };
    for (const auto* whose : {"a", "b", "c"}) tasks.spawn(whose, ask(whose, std::chrono::hours{1}, false));
    run_until([&] { return order.size() == 3; });
    suspects.engine_followed(false);
    tasks.cancel();
    EXPECT_TRUE(net::testing::run_to_end(io, tasks.join()));
    for (const auto* whose : {"a", "b", "c"}) EXPECT_TRUE(suspects.suspected(whose) && !suspects.left(whose));
    order.clear();
    suspects.engine_followed(true);
    for (const auto* whose : {"a", "b"}) tasks.spawn(whose, ask(whose, std::chrono::milliseconds{30}, true));
    run_until([&] { return order.size() == 1; });
    tasks.spawn("d", ask("d", std::chrono::milliseconds{30}, true));
    run_until([&] { return order.size() == 6; });
    for (std::size_t i = 0; i < 6; i += 2) EXPECT_EQ(order[i].substr(1), order[i + 1].substr(1));
    EXPECT_FALSE(suspects.suspected("a") || suspects.suspected("b"));
    EXPECT_TRUE(suspects.suspected("c"));
}

TEST_F(LogsDeadlyTest, NonsenseInWhatIsKeptOfSuspectsIsPassedOver) {
    for (auto text : {" ", "a", "a b c", "a 2", "a -1 5", "a 2 x b 1 0", "\n\n"}) {
        Suspects nonsense{text, [](const std::string&) {}, rig.clock, rig.metrics, rig.log};
        EXPECT_FALSE(nonsense.suspected("a")) << text;
    }
}

}  // namespace
}  // namespace boatswain::intake
