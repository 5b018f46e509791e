// What was gone before it was read: named in its place, once, and nothing else with it.
#include <thread>

#include "intake/json_file/json_file_reader_for_test.h"

namespace boatswain::intake {
namespace {

using ::testing::ElementsAre;
using Step = LogFileReader::Step;

TEST_F(LogFileReaderTest, NamesTheGapWhenFilesWereRotatedAwayUnseen) {
    DockerLog log{directory / "c-json.log", {.files_max = 2}};
    auto reading = read(log);
    print(log, "one");
    reading.read_to_end();
    for (auto message : {"two", "three", "four", "five"}) {
        log.rotate();
        print(log, message);
    }
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "gap:rotated-away", "four", "five"));
}

// The pieces of a long line share its time: where it is not known whether a file is older than what was read, they look
// as if they had been read.
TEST_F(LogFileReaderTest, TakesTheRestOfALineBehindALineOfTheOtherStreamInFilesThatFollowAGap) {
    DockerLog log{directory / "c-json.log", {.files_max = 3}};
    auto reading = read(log);
    print(log, "one");
    reading.read_to_end();
    for (auto message : {"two", "three", "four"}) {
        log.rotate();
        print(log, message);
    }
    auto time = next();
    std::string begun(engine_piece_bytes, 'x');
    log.piece(Stream::err, time, begun, false);
    log.rotate();
    print(log, "between");
    log.piece(Stream::err, time, "the rest", true);
    print(log, "five");
    reading.read_to_end();
    EXPECT_THAT(sealed(),
                ElementsAre("one", "gap:rotated-away", "three", "four", "P " + begun, "between", "the rest", "five"));
}

TEST_F(LogFileReaderTest, NamesTheGapWhenItsPlaceIsGoneAfterARestart) {
    DockerLog log{directory / "c-json.log", {.files_max = 2}};
    auto reading = read(log);
    print(log, "one");
    reading.read_to_end();
    sealed();
    for (auto message : {"two", "three", "four"}) {
        log.rotate();
        print(log, message);
    }
    reading.crash();
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "gap:rotated-away", "three", "four"));
}

// Its record is in no frame while no line followed: a crash then must not lose it.
TEST_F(LogFileReaderTest, NamesTheGapOnceEvenWhenACrashCameBeforeItsRecord) {
    DockerLog log{directory / "c-json.log", {.files_max = 1}};
    auto reading = read(log);
    print(log, "one");
    reading.read_to_end();
    for (auto message : {"two", "three"}) {
        log.rotate();
        print(log, message);
    }
    log.rotate();
    std::filesystem::remove(log.path().string() + ".1");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one"));
    reading.crash();
    reading.read_to_end();
    print(log, "four");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "gap:rotated-away", "four"));
}

// ---- A log that nobody read from its first line on

struct UnreadBefore : LogFileReaderTest {
    // Where `rotations` of them came before the reader did.
    DockerLog printed(unsigned rotations, bool compress = false) {
        DockerLog log{directory / "c-json.log", {.files_max = 3, .compress = compress}};
        started = SystemClock{}.now();
        // Files are dated by a clock that stands still for some milliseconds.
        std::this_thread::sleep_for(std::chrono::milliseconds{30});
        print(log, "in file 0");
        for (unsigned file = 1; file <= rotations; ++file) {
            log.rotate();
            print(log, "in file " + std::to_string(file));
        }
        return log;
    }
    std::vector<std::string> found(const DockerLog& log, std::optional<LogBirth> birth) {
        auto reading = Reading{rig, log.path(), identity.recipient(), {.birth = birth}};
        EXPECT_EQ(reading.read_to_end(), Step::at_end);
        return sealed();
    }
    LogBirth birth() const { return {.started = started, .files_max = 3}; }

    Timestamp started{};
};

TEST_F(UnreadBefore, ThatIsThereFromItsFirstFileOnIsWhole) {
    EXPECT_THAT(found(printed(2), birth()), ElementsAre("in file 0", "in file 1", "in file 2"));
}

TEST_F(UnreadBefore, WhoseFirstFileWasRotatedAwayBeginsWithAGap) {
    EXPECT_THAT(found(printed(3), birth()), ElementsAre("gap:rotated-away", "in file 1", "in file 2", "in file 3"));
}

// Docker 28 says that a container started milliseconds before its log was made.
TEST_F(UnreadBefore, WhoseFirstFileWasMadeAMomentAfterTheStartIsWhole) {
    auto log = printed(1);
    started -= first_file_made_max / 2;
    EXPECT_THAT(found(log, birth()), ElementsAre("in file 0", "in file 1"));
}

TEST_F(UnreadBefore, WhoseFirstFileWasRotatedAwayAtOnceBeginsWithAGap) {
    auto log = printed(3);
    started -= first_file_made_max / 2;
    EXPECT_THAT(found(log, birth()), ElementsAre("gap:rotated-away", "in file 1", "in file 2", "in file 3"));
}

TEST_F(UnreadBefore, WhoseOldestFileWasMadeLongAfterTheStartBeginsWithAGap) {
    auto log = printed(1);
    started -= first_file_made_max * 2;
    EXPECT_THAT(found(log, birth()), ElementsAre("gap:rotated-away", "in file 0", "in file 1"));
}

TEST_F(UnreadBefore, ThatNobodyPromisedBeginsWithWhatIsThere) {
    EXPECT_THAT(found(printed(3), std::nullopt), ElementsAre("in file 1", "in file 2", "in file 3"));
}

TEST_F(UnreadBefore, WhoseCompressedFilesDoNotTellIsWholeAsLongAsThereIsRoomForMoreOfThem) {
    EXPECT_THAT(found(printed(1, true), birth()), ElementsAre("in file 0", "in file 1"));
}

TEST_F(UnreadBefore, WhoseCompressedFilesDoNotTellIsNotCalledWholeWhenThereMayHaveBeenMore) {
    auto log = printed(3, true);
    log.compress_now();
    EXPECT_THAT(found(log, birth()), ElementsAre("gap:rotated-away", "in file 1", "in file 2", "in file 3"));
}

TEST_F(UnreadBefore, OfAContainerThatRanBeforeIsNotCalledWholeWhenThereMayHaveBeenMore) {
    auto log = printed(2);
    auto again = LogBirth{.started = SystemClock{}.now(), .started_before = true, .files_max = 3};
    EXPECT_THAT(found(log, again), ElementsAre("gap:rotated-away", "in file 0", "in file 1", "in file 2"));
}

TEST_F(UnreadBefore, IsNamedFromTheContainersStartToTheFirstLineThatIsThere) {
    auto log = printed(3);
    now = started + std::chrono::hours{1};
    log.rotate();
    log.rotate();
    log.rotate();
    print(log, "late");
    auto reading = Reading{rig, log.path(), identity.recipient(), {.birth = birth()}};
    EXPECT_EQ(reading.read_to_end(), Step::at_end);
    ASSERT_TRUE(rig.seal_all());
    auto objects = rig.take_all();
    ASSERT_EQ(objects.size(), 1U);
    auto lines = open::read_segment(objects[0].bytes, identity).lines[Reading::id];
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].gap, gap_rotated_away);
    EXPECT_EQ(lines[0].time, started);
}

TEST_F(UnreadBefore, IsNamedOnceThoughTheAgentIsKilledBeforeItIsSealed) {
    auto log = printed(3);
    auto reading = Reading{rig, log.path(), identity.recipient(), {.birth = birth()}};
    EXPECT_EQ(reading.read_to_end(), Step::at_end);
    auto beginning = reading.reader->take_beginning();
    ASSERT_TRUE(beginning);
    rig.batcher->note_begun(*reading.feed, *beginning, started);
    ASSERT_TRUE(rig.drain());
    reading.crash();
    EXPECT_EQ(reading.read_to_end(), Step::at_end);
    EXPECT_THAT(sealed(), ElementsAre("gap:rotated-away", "in file 1", "in file 2", "in file 3"));
    reading.crash();
    print(log, "after");
    EXPECT_EQ(reading.read_to_end(), Step::at_end);
    EXPECT_THAT(sealed(), ElementsAre("gap:rotated-away", "in file 1", "in file 2", "in file 3", "after"));
}

}  // namespace
}  // namespace boatswain::intake
