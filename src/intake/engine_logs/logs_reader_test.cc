#include <gmock/gmock.h>
#include <random>

#include "base/seed_for_test.h"

#include "intake/engine_logs/logs_reader_for_test.h"

namespace boatswain::intake {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;

TEST_F(LogsReaderTest, TakesWhatIsThereAndWhatComes) {
    print(10);
    read();
    print(5);
    settle();
    EXPECT_EQ(sealed(), wanted);
}

TEST_F(LogsReaderTest, FindsItsPlaceInALargeLogFromItsEndWithoutReadingTheRest) {
    print(20'000);
    read();
    EXPECT_EQ(sealed(), wanted);
    auto before = log.bytes_served;
    restart();
    print(3);
    settle();
    EXPECT_EQ(sealed(), wanted);
    // The last 64 entries, and the followed stream's first 1024.
    EXPECT_LT(log.bytes_served - before, 1200U * 60U);
    for (const auto& request : log.requests) EXPECT_FALSE(request.since);
}

TEST_F(LogsReaderTest, TakesALongBacklogOnce) {
    print(100);
    read();
    EXPECT_EQ(sealed(), wanted);
    kill();
    print(5'000);
    rig.restart();
    auto before = log.requests.size();
    read();
    EXPECT_EQ(sealed(), wanted);
    // 64, 128, ... 8192 entries, then followed.
    EXPECT_LE(log.requests.size() - before, 9U);
}

TEST_F(LogsReaderTest, TakesWhatWasNotSealedAgainAfterAKill) {
    print(1000);
    read();
    EXPECT_EQ(sealed(), wanted);
    print(700);
    settle();
    restart();
    settle();
    EXPECT_EQ(sealed(), wanted);
}

TEST_F(LogsReaderTest, GoesOnWhenTheEngineBreaksTheStreamOff) {
    print(300);
    read();
    log.end_streams(true);
    print(300);
    settle();
    EXPECT_EQ(sealed(), wanted);
}

TEST_F(LogsReaderTest, DropsWhatTheEngineServesAgainAtARotation) {
    read();
    for (int i = 0; i < 20; ++i) {
        print(200);
        settle();
        log.rotate(150, 40);
        settle();
    }
    EXPECT_EQ(sealed(), wanted);
    EXPECT_GE(repeated(), 20 * 40);
}

TEST_F(LogsReaderTest, DropsMoreThanItRemembersWhenTheEngineServesAWholeFileAgain) {
    print(8'000);
    read();
    log.rotate(100, 7'000);
    print(10);
    settle();
    EXPECT_EQ(sealed(), wanted);
    EXPECT_EQ(counters.clock_steps.value(), 0U);
}

TEST_F(LogsReaderTest, KeepsEveryLineOfAClockThatStepsBackUnderALiveStream) {
    print(500);
    read();
    now -= std::chrono::hours{1};
    print(500);
    settle();
    now -= std::chrono::seconds{1};  // into times that were there before
    print(3'000);
    settle();
    EXPECT_EQ(sealed(), wanted);
    EXPECT_GE(counters.clock_steps.value(), 2U);
}

TEST_F(LogsReaderTest, KeepsEveryLineWhenTheClockStepsBackWhileNobodyReads) {
    print(500);
    read();
    EXPECT_EQ(sealed(), wanted);
    kill();
    now -= std::chrono::minutes{5};
    print(400);
    rig.restart();
    read();
    EXPECT_EQ(sealed(), wanted);
}

TEST_F(LogsReaderTest, TellsARotationFromAClockThatStepsBackInTheSameMoment) {
    read();
    print(400);
    settle();
    now -= std::chrono::minutes{1};
    print(50);
    log.rotate(100, 300);
    print(50);
    settle();
    EXPECT_EQ(sealed(), wanted);
}

TEST_F(LogsReaderTest, KeepsAllLinesOfOneEntry) {
    log.print({.time = next(), .bytes = "one\ntwo\ntwo\nthree\n"});
    read();
    log.print({.time = next(), .bytes = "four\nfour\n"});
    settle();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "two", "three", "four", "four"));
    restart();
    settle();
    EXPECT_THAT(sealed(), SizeIs(6));
}

TEST_F(LogsReaderTest, JoinsALongLineOverARestartThoughTheOtherStreamWentOnMeanwhile) {
    const std::string piece(engine_piece_bytes, 'x');
    print(10);
    auto start_of_line = next();
    log.print({.time = start_of_line, .bytes = piece});
    log.print({.time = start_of_line, .bytes = piece});
    for (int i = 0; i < 5; ++i) log.print("err " + std::to_string(i), next(), Stream::err);
    read();
    sealed();
    restart();
    log.print({.time = start_of_line, .bytes = piece});
    log.print({.time = start_of_line, .bytes = "end\n"});
    settle();
    log.end_streams(true);
    settle();
    for (int i = 0; i < 5; ++i) wanted.push_back("err " + std::to_string(i));
    wanted.push_back(piece + piece + piece + "end");
    EXPECT_EQ(sealed(), wanted);
}

// The engine serves such a piece without its newline, so nothing but its time says that it ends a line.
TEST_F(LogsReaderTest, EndsALongLineThatWasPutDownInTheMiddle) {
    const std::string piece(engine_piece_bytes, 'x');
    for (bool killed : {false, true}) {
        auto start_of_line = next();
        log.print({.time = start_of_line, .bytes = piece});
        killed ? settle() : read();
        log.print("other", next(), Stream::err);
        settle();
        put_down();
        sealed();
        if (killed) restart(), settle();
        log.print({.time = start_of_line, .bytes = "end"});
        log.print("next", next());
        settle();
        for (const auto* line : {"other", "P ", "end", "next"}) wanted.emplace_back(line);
        wanted[wanted.size() - 3] += piece;
        EXPECT_EQ(sealed(), wanted) << (killed ? "killed" : "");
    }
    EXPECT_FALSE(log.requests.back().tail == std::nullopt);
}

TEST_F(LogsReaderTest, ALastLineWithoutNewlineGetsNone) {
    log.print({.time = next(), .bytes = std::string(engine_piece_bytes, 'x')});  // of a run that was broken off
    log.print({.time = next(), .bytes = "end"});
    read();
    EXPECT_THAT(sealed(), ElementsAre("P " + std::string(engine_piece_bytes, 'x'), "P end"));
}

TEST_F(LogsReaderTest, FindsItsPlaceBehindALongLineWhosePiecesAreAlike) {
    const std::string piece(engine_piece_bytes, 'x'), rest(2000, 'x');
    print(3);
    auto start_of_line = next();
    for (int i = 0; i < 5; ++i) log.print({.time = start_of_line, .bytes = piece});
    log.print({.time = start_of_line, .bytes = rest + "\n"});
    wanted.push_back(piece + piece + piece + piece + piece + rest);
    read();
    EXPECT_EQ(sealed(), wanted);
    restart();
    settle();
    print(2);
    settle();
    EXPECT_EQ(sealed(), wanted);
}

TEST_F(LogsReaderTest, JoinsALongLineWithWhichTheLogBeginsOverARestart) {
    const std::string piece(engine_piece_bytes, 'x');
    auto start_of_line = next();
    log.print({.time = start_of_line, .bytes = piece});
    for (int i = 0; i < 5; ++i) log.print("err " + std::to_string(i), next(), Stream::err);
    for (int i = 0; i < 5; ++i) wanted.push_back("err " + std::to_string(i));
    read();
    EXPECT_EQ(sealed(), wanted);
    restart();
    settle();
    log.print({.time = start_of_line, .bytes = "end\n"});
    settle();
    wanted.push_back(piece + "end");
    EXPECT_EQ(sealed(), wanted);
    log.end_streams(true);
    print(1);
    settle();
    EXPECT_EQ(sealed(), wanted);
}

TEST_F(LogsReaderTest, NamesWhatWasRotatedAwayWhileNobodyRead) {
    print(100);
    read();
    EXPECT_EQ(sealed(), wanted);
    kill();
    print(500);
    log.rotate(400, 0);
    rig.restart();
    read();
    wanted.erase(wanted.begin() + 100, wanted.begin() + 400);
    wanted.insert(wanted.begin() + 100, "gap:rotated-away");
    EXPECT_EQ(sealed(), wanted);
}

TEST_F(LogsReaderTest, GoesOnFromTheTimesThatAnOlderVersionSaved) {
    print(2'000);
    auto feed = rig.batcher->open_feed(batch::testing::source(id), {identity.recipient()}, {}, false);
    feed->append(Line{.time = now, .bytes = "until here"});
    feed->mark(TimePosition{.out = log.entries[1'399].time, .err = log.entries[1'397].time});
    feed.reset();
    EXPECT_THAT(sealed(), ElementsAre("until here"));
    auto taken = static_cast<std::ptrdiff_t>(1'400);
    wanted.erase(wanted.begin(), wanted.begin() + taken);
    wanted.insert(wanted.begin(), "until here");
    read();
    print(10);
    settle();
    EXPECT_EQ(sealed(), wanted);
}

// Podman's API serves times of whole seconds, so equal lines are equal entries.
TEST_F(LogsReaderTest, TakesEachOfManyEqualLinesOfOneSecondOverAKill) {
    for (std::string of : {"local", "json-file", "k8s-file"}) {
        driver = of;
        for (int i = 0; i < 150; ++i) log.print("again", now), wanted.push_back("again");
        start();
        run_until([&] { return log.idle(); });
        for (int i = 0; i < 4; ++i) log.print("again", now), wanted.push_back("again");
        settle();
        EXPECT_EQ(sealed(), wanted) << of;
        for (int i = 0; i < 346; ++i) log.print("again", now), wanted.push_back("again");
        restart();
        settle();
        EXPECT_EQ(sealed(), wanted) << of;
        kill();
        rig.restart();
        now += std::chrono::seconds{1};
    }
}

TEST_F(LogsReaderTest, TakesEqualLinesThatWerePrintedWhileNobodyReadInTheSecondOfTheLastOne) {
    print(100);
    for (int i = 0; i < 3; ++i) log.print("again", now), wanted.push_back("again");
    read();
    EXPECT_EQ(sealed(), wanted);
    kill();
    for (int i = 0; i < 1000; ++i) log.print("again", now), wanted.push_back("again");
    rig.restart();
    read();
    EXPECT_EQ(sealed(), wanted);
}

TEST_F(LogsReaderTest, GoesOnFromTheMarkThatAnOlderVersionSaved) {
    print(200);
    auto feed = rig.batcher->open_feed(batch::testing::source(id), {identity.recipient()}, {}, false);
    feed->append(Line{.time = now, .bytes = "until here"});
    const auto& last = log.entries[99];
    auto bytes = std::string_view{last.bytes}.substr(0, last.bytes.size() - 1);
    feed->mark(TimePosition{.out = last.time,
                            .err = log.entries[98].time,
                            .mark_time = last.time,
                            .mark = fingerprint_of({.stream = last.stream, .time = last.time, .bytes = bytes}, true),
                            .newest = last.time});
    feed.reset();
    EXPECT_THAT(sealed(), ElementsAre("until here"));
    wanted.erase(wanted.begin(), wanted.begin() + 100);
    wanted.insert(wanted.begin(), "until here");
    read();
    print(10);
    settle();
    EXPECT_EQ(sealed(), wanted);
}

TEST_F(LogsReaderTest, NamesWhatWasRotatedAwayAmongLinesOfOneSecond) {
    for (int i = 0; i < 200; ++i) log.print("again", now), wanted.push_back("again");
    read();
    EXPECT_EQ(sealed(), wanted);
    kill();
    now += std::chrono::seconds{1};
    for (int i = 0; i < 300; ++i) log.print("later", now);
    log.rotate(250, 0);
    rig.restart();
    read();
    wanted.push_back("gap:rotated-away");
    for (int i = 0; i < 250; ++i) wanted.push_back("later");
    EXPECT_EQ(sealed(), wanted);
}

TEST_F(LogsReaderTest, NamesWhatWasRotatedAwayWhereTheLogBeginsAlikeAfterwards) {
    for (int i = 0; i < 100; ++i) log.print("again", now), wanted.push_back("again");
    read();
    EXPECT_EQ(sealed(), wanted);
    kill();
    now += std::chrono::seconds{1};
    wanted.push_back("gap:rotated-away");
    for (int i = 0; i < 300; ++i) log.print("later", now), wanted.push_back("later");
    log.rotate(50, 0);
    rig.restart();
    read();
    EXPECT_EQ(sealed(), wanted);
}

TEST_F(LogsReaderTest, LosesAndDoublesNothingOfWholeSecondsOverRandomKillsRotationsAndSteps) {
    auto seed = boatswain::testing::test_seed();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random{seed};
    if (random() % 3 == 0) driver = "k8s-file";
    const std::vector<std::string> words{"one", "two", "one and two"};
    auto print_some = [&](unsigned count) {
        for (unsigned i = 0; i < count; ++i) {
            const auto& word = words[random() % words.size()];
            log.print(word, now, random() % 4 == 0 ? Stream::err : Stream::out);
            wanted.push_back(word);
            if (random() % 40 == 0) now += std::chrono::seconds{1};
        }
    };
    read();
    for (int round = 0; round < 12; ++round) {
        print_some(random() % 200);
        switch (random() % 5) {
            case 0: settle(), restart(); break;
            case 1: log.end_streams(random() % 2 == 0); break;
            case 2: settle(), sealed(); break;
            case 3:
                settle(), sealed(), now += std::chrono::seconds{1};
                // Where nothing is left of an earlier second, nobody knows what is missing of the last one.
                if (driver != "k8s-file" && !log.entries.empty() &&
                    log.entries[log.entries.size() / 2].time < log.entries.back().time)
                    log.rotate(log.entries.size() / 2, random() % (log.entries.size() / 2 + 1));
                break;
            default: settle(); break;
        }
    }
    settle();
    EXPECT_EQ(sealed(), wanted);
}

TEST_F(LogsReaderTest, LosesAndDoublesNothingOverRandomKillsRotationsAndSteps) {
    auto seed = boatswain::testing::test_seed();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random{seed};
    read();
    std::size_t kept = 0;
    for (int round = 0; round < 60; ++round) {
        print(static_cast<int>(random() % 300));
        switch (random() % 6) {
            case 0: settle(), restart(); break;
            case 1: log.end_streams(random() % 2 == 0); break;
            case 2: settle(), sealed(); break;
            case 3:
                settle(), sealed();
                kept = log.entries.size() / 2;
                log.rotate(log.entries.size() - kept, random() % (std::min(kept, LogsPlace::recent_max) + 1));
                break;
            case 4: now -= std::chrono::milliseconds{random() % 1000}; break;
            default: settle(); break;
        }
    }
    settle();
    EXPECT_EQ(sealed(), wanted);
}

}  // namespace
}  // namespace boatswain::intake
