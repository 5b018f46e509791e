// Logs that the engine does not serve for now: they are asked for again, ever more rarely.
#include <gmock/gmock.h>

#include "intake/engine_logs/logs_reader_for_test.h"

namespace boatswain::intake {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

// Shorter ones end with let_it_be().
constexpr milliseconds first_named = LogsReader::unserved_pause_min * 8;

class LogsUnservedTest : public LogsReaderTest {
  protected:
    // Everything that happens without time going by has happened.
    void let_it_be() {
        for (int turns = 0; turns < 20; ++turns) {
            life->changed.notify();  // as of room, which is no reason to ask
            io.restart();
            io.poll();
        }
    }
    std::size_t asked_after(milliseconds time) {
        auto before = log.requests.size();
        rig.clock.advance(time);
        let_it_be();
        return log.requests.size() - before;
    }
    // The pauses between questions are these, to the millisecond; then the longest one, for ever.
    void expect_pauses(milliseconds first, milliseconds longest) {
        for (auto pause = first; pause < longest; pause *= 2) {
            ASSERT_EQ(asked_after(pause - milliseconds{1}), 0U) << pause.count();
            ASSERT_GT(asked_after(milliseconds{1}), 0U) << pause.count();
        }
        for (int again = 0; again < 3; ++again) {
            ASSERT_EQ(asked_after(longest - milliseconds{1}), 0U);
            ASSERT_GT(asked_after(milliseconds{1}), 0U);
        }
    }
    int said(std::string_view event) const {
        auto text = boatswain::testing::contents(rig.directory / "log");
        int times = 0;
        for (auto at = text.find(event); at != text.npos; at = text.find(event, at + 1)) ++times;
        return times;
    }
    void break_off() { log.print({.time = next(), .bytes = {}, .broken = true}); }
    void stop() {
        life->running = false;
        life->changed.notify();
    }
};

TEST_F(LogsUnservedTest, AsksAgainForOneThatIsRefusedWhileItsContainerRuns) {
    print(10);
    log.refusal = Error{.remedy = Remedy::stop, .what = "400 not now", .cause = {}};
    start();
    run_until([&] { return reader->refused(); });
    EXPECT_EQ(log.requests.size(), 1U);
    expect_pauses(LogsReader::named_pause_min, LogsReader::refused_pause_max);
    EXPECT_EQ(reader->trouble()->what, "400 not now; asked again after 600 s");
    EXPECT_TRUE(life->running) << "the engine says whether it runs";
    EXPECT_LE(said("logs of a container not served"), 4);
    EXPECT_EQ(said("a log is not served"), 1);
    log.refusal = {};
    EXPECT_GT(asked_after(LogsReader::refused_pause_max), 0U);
    settle();
    EXPECT_FALSE(reader->refused());
    EXPECT_EQ(sealed(), wanted);
    // Refused once more, it begins with short pauses.
    log.refusal = Error{.remedy = Remedy::re_resolve, .what = "409 not now", .cause = {}};
    log.end_streams(false);
    run_until([&] { return reader->refused(); });
    expect_pauses(LogsReader::named_pause_min, LogsReader::refused_pause_max);
}

TEST_F(LogsUnservedTest, AsksAtOnceForOneThatWasRefusedWhenItsContainerStopsOrStarts) {
    log.refusal = Error{.remedy = Remedy::stop, .what = "400 not now", .cause = {}};
    start();
    run_until([&] { return reader->refused(); });
    expect_pauses(LogsReader::named_pause_min, LogsReader::refused_pause_max);
    stop();
    EXPECT_GT(asked_after({}), 0U);
    EXPECT_EQ(asked_after(LogsReader::refused_pause_max), 0U) << "what does not run prints nothing";
    log.refusal = {};
    print(5);
    life->running = true;
    ++life->starts;
    life->changed.notify();
    settle();
    EXPECT_EQ(sealed(), wanted);
}

TEST_F(LogsUnservedTest, AsksMoreAndMoreRarelyForADamagedLogWhoseContainerRuns) {
    print(10);
    break_off();
    start();
    run_until([&] { return sealed() == wanted; });
    let_it_be();
    expect_pauses(first_named, LogsReader::damaged_pause_max);
    EXPECT_THAT(reader->trouble()->what, HasSubstr("damaged; asked again after 60 s"));
    EXPECT_EQ(said("a log is not served"), 1);
    wanted.emplace_back("gap:unreadable");
    print(5);
    stop();
    run_until([&] { return sealed() == wanted; });
}

TEST_F(LogsUnservedTest, BeginsWithShortPausesWhenSomethingNewCame) {
    print(10);
    break_off();
    start();
    run_until([&] { return sealed() == wanted; });
    let_it_be();
    expect_pauses(first_named, LogsReader::damaged_pause_max);
    log.entries.pop_back();  // rotated away
    print(5);
    EXPECT_GT(asked_after(LogsReader::damaged_pause_max), 0U);
    settle();
    EXPECT_EQ(sealed(), wanted);
    break_off();
    log.end_streams(false);
    let_it_be();
    expect_pauses(first_named, LogsReader::damaged_pause_max);
}

// As 26.1 does, of a container that runs and of one that does not.
TEST_F(LogsUnservedTest, AsksMoreAndMoreRarelyForALogInWhichTheEngineReportsTrouble) {
    log.reports_trouble = true;
    for (bool runs : {true, false}) {
        running = runs;
        print(10);
        break_off();
        start();
        run_until([&] { return sealed() == wanted; });
        let_it_be();
        expect_pauses(first_named, LogsReader::damaged_pause_max);
        EXPECT_THAT(reader->trouble()->what, HasSubstr("reports trouble inside the log stream"));
        EXPECT_THAT(reader->trouble()->what, HasSubstr("asked again after 60 s"));
        EXPECT_LE(said("the engine reports trouble"), 8);
        kill();
        rig.restart();
        log.entries.pop_back();
    }
}

}  // namespace
}  // namespace boatswain::intake
