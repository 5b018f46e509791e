// Logs of which the engine does not serve all, because a record in them is broken.
#include <gmock/gmock.h>

#include "intake/engine_logs/logs_reader_for_test.h"

namespace boatswain::intake {
namespace {

using ::testing::HasSubstr;

class LogsDamagedTest : public LogsReaderTest {
  protected:
    void break_off() { log.print({.time = next(), .bytes = {}, .broken = true}); }
    void expect_gap() { wanted.emplace_back("gap:unreadable"); }
    // All of a container that does not run.
    void read_stopped() {
        running = false;
        start();
        auto before = log.requests.size();
        read_whole = false;
        life->read_whole = [this] { read_whole = true; };
        run_until([&] { return read_whole; });
        questions = log.requests.size() - before;
    }
    bool read_whole = false;
    std::size_t questions = 0;
};

TEST_F(LogsDamagedTest, WhatLiesBehindABrokenRecordIsReadOnceAndTheGapNamed) {
    print(202);
    break_off();
    expect_gap();
    print(777);
    read_stopped();
    EXPECT_EQ(sealed(), wanted);
    EXPECT_THAT(reader->trouble()->what, HasSubstr("damaged"));
    // 777 is found by doubling and halving.
    EXPECT_LE(questions, 25U);
    for (int again = 0; again < 2; ++again) {
        kill();
        rig.restart();
        read_stopped();
        EXPECT_EQ(sealed(), wanted);
    }
    running = true;
    restart();
    for (int more = 0; more < 3; ++more) {
        print(10);
        run_until([&] { return sealed().size() == wanted.size(); });
        EXPECT_EQ(sealed(), wanted);
    }
}

TEST_F(LogsDamagedTest, OneEntryBehindABrokenRecordIsReadOnce) {
    print(5);
    break_off();
    expect_gap();
    print(1);
    for (int again = 0; again < 3; ++again) {
        read_stopped();
        EXPECT_EQ(sealed(), wanted);
        kill();
        rig.restart();
    }
}

TEST_F(LogsDamagedTest, ALogThatBeginsWithABrokenRecordIsReadOnce) {
    break_off();
    expect_gap();
    print(100);
    for (int again = 0; again < 3; ++again) {
        read_stopped();
        EXPECT_EQ(sealed(), wanted);
        kill();
        rig.restart();
    }
}

TEST_F(LogsDamagedTest, WhatTheEngineLeavesOutIsNamedOnce) {
    log.left_out = 50;
    print(202);
    break_off();
    print(50);
    wanted.resize(202);
    print(500);
    expect_gap();
    for (int again = 0; again < 3; ++again) {
        read_stopped();
        EXPECT_EQ(sealed(), wanted);
        kill();
        rig.restart();
    }
}

TEST_F(LogsDamagedTest, OfTwoBrokenRecordsWhatLiesBehindTheLastIsRead) {
    print(100);
    break_off();
    print(100);
    wanted.resize(100);
    break_off();
    expect_gap();
    print(100);
    read_stopped();
    EXPECT_EQ(sealed(), wanted);
}

// As after an engine that was started again: it writes what it had not written yet when its container had ended.
TEST_F(LogsDamagedTest, WhatIsWrittenAfterTheLogWasReadIsNoDamage) {
    print(100);
    int asked = 0;
    log.dies_of = [&](const engine::LogsQuery& query) {
        if (query.tail == 1 && ++asked == 1) print(7);
        return false;
    };
    read_stopped();
    EXPECT_EQ(sealed(), wanted);
    EXPECT_EQ(asked, 2);
}

TEST_F(LogsDamagedTest, AWholeLogCostsTwoMoreQuestionsAndHasNoGap) {
    for (int count : {0, 1, 2, 63, 64, 65, 3000}) {
        print(count);
        if (count == 65) log.rotate(100, 0);
        read_stopped();
        EXPECT_EQ(sealed(), wanted) << count;
        kill();
        rig.restart();
        read_stopped();
        EXPECT_EQ(sealed(), wanted) << count;
        kill();
        rig.restart();
    }
}

TEST_F(LogsDamagedTest, LongLinesAndEntriesWithNewlinesAreCountedAsTheEngineCountsThem) {
    const std::string piece(engine_piece_bytes, 'x');
    for (int i = 0; i < 40; ++i) {
        auto time = next();
        log.print({.time = time, .bytes = piece});
        log.print({.time = time, .bytes = "end"});
        wanted.push_back(piece + "end");
        log.print({.time = next(), .bytes = "one\ntwo\n"});
        wanted.insert(wanted.end(), {"one", "two"});
    }
    read_stopped();
    EXPECT_EQ(sealed(), wanted);
}

}  // namespace
}  // namespace boatswain::intake
