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
            died = rig.clock.now();
            suspects.engine_followed(false);
            tasks.spawn("start the engine", [](auto* test) -> boost::asio::awaitable<void> {
                co_await net::sleep_for(std::chrono::milliseconds{20});
                test->log.dead = false;
                test->suspects.engine_followed(true);
                test->rig.clock.advance(Suspects::quiet);
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
    Timestamp died{};
};

TEST_F(LogsDeadlyTest, IsLeftAloneWhenTheEngineDiedThreeTimesOverRestartsToo) {
    print(100);
    // What it answers in between says nothing.
    let_it_die_of([](const engine::LogsQuery& query) { return !query.tail || *query.tail >= 64; });
    running = false;
    start();
    run_until([&] { return reader->refused(); });
    EXPECT_EQ(deaths, 3);
    EXPECT_THAT(reader->trouble()->what, HasSubstr("died 3 times"));
    EXPECT_EQ(rig.metrics.gauge("boatswain_logs_left_alone", "").value(), 1);
    EXPECT_THAT(sealed(), ElementsAre("gap:unreadable"));
    kill();
    rig.restart();
    Suspects remembered{saved_suspects, [](const std::string&) {}, rig.clock, rig.metrics, rig.log};
    EXPECT_TRUE(remembered.left(id));
    start();
    run_until([&] { return reader->refused(); });
    EXPECT_EQ(deaths, 3);
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
    EXPECT_EQ(deaths, 3);
    EXPECT_EQ(questions, 3);
}

TEST_F(LogsDeadlyTest, IsAskedForAgainWhenItsContainerStartsAndOnceMoreIsEnough) {
    print(100);
    let_it_die_of([](const engine::LogsQuery&) { return true; });
    start();
    run_until([&] { return reader->refused(); });
    EXPECT_EQ(deaths, 3);
    start_again(died);  // told again, of before
    io.restart();
    io.poll();
    EXPECT_EQ(deaths, 3);
    rig.clock.advance(std::chrono::seconds{1});
    start_again(rig.clock.now());
    run_until([&] { return deaths == 4 && suspects.left(id); });
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

// Each step: "a" asks for a log (and "A" has it served to its end), "-" the engine vanishes, "+" it is back, "." three
// seconds go by. In "a!" the log may not be asked for. Then: who is suspected, who is left alone.
TEST_F(LogsDeadlyTest, ALogIsToldFromAnEngineThatCrashesOfItsOwn) {
    struct Case {
        std::string steps, suspected, left;
    };
    for (const auto& [steps, suspected, left] : std::initializer_list<Case>{
             {"a-+", "a", ""},
             {"a-+a-+", "a", ""},            // two restarts within moments: doubted, and kept
             {"a-+a-+a!b!.a!.a-", "", "a"},  // nothing is asked for until it is seen that the engine lives without
             {"a-+a-+.-", "a", ""},          // it does not
             {"a-+a-+.-+a-+.-+a-+.-", "a", ""},
             {"a-+a-+-+a-+a!", "a", ""},  // again and again before anybody asks
             {"a-+a-+..aA", "", ""},
             {"a-+a-+..ab!-", "", "a"},  // nobody beside a suspect that is asked for
             {"ab-+aA..b-+..b-", "", "b"},
             {"a.-", "", ""},  // the question was old
             {"-+-+-+a-", "a", ""},
         }) {
        SCOPED_TRACE(steps);
        Suspects these{{}, [](const std::string&) {}, rig.clock, rig.metrics, rig.log};
        std::map<char, std::optional<Suspects::Question>> open;
        auto ask = [&](char whose) {
            tasks.spawn("ask", [](auto* of, char id, auto* questions) -> boost::asio::awaitable<void> {
                if (auto question = co_await of->ask({id}, false)) questions->emplace(id, std::move(question));
            }(&these, whose, &open));
            io.restart();
            io.poll();
            tasks.cancel("ask");
            EXPECT_TRUE(net::testing::run_to_end(io, tasks.join()));
            return open.contains(whose);
        };
        for (std::size_t at = 0; at < steps.size(); ++at) {
            bool refused = steps.substr(at + 1, 1) == "!";
            switch (auto step = steps[at]) {
                case '-': open.clear(), these.engine_followed(false); break;
                case '+': these.engine_followed(true); break;
                case '.': rig.clock.advance(std::chrono::seconds{3}); break;
                case '!': break;
                case 'A': open.find('a')->second->harmless(), these.absolve("a"); break;
                default: EXPECT_EQ(ask(step), !refused) << at;
            }
        }
        for (std::string id : {"a", "b"}) {
            EXPECT_EQ(these.left(id), left == id) << id;
            EXPECT_EQ(these.suspected(id) && !these.left(id), suspected == id) << id;
        }
    }
}

TEST_F(LogsDeadlyTest, NonsenseInWhatIsKeptOfSuspectsIsPassedOver) {
    for (auto text : {" ", "a", "a b c", "a 2", "a -1 5", "a 2 x b 1 0", "\n\n"}) {
        Suspects nonsense{text, [](const std::string&) {}, rig.clock, rig.metrics, rig.log};
        EXPECT_FALSE(nonsense.suspected("a")) << text;
    }
}

}  // namespace
}  // namespace boatswain::intake
