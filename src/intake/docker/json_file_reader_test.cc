#include "intake/docker/json_file_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "intake/docker/docker_log_for_test.h"
#include "intake/docker/reading_for_test.h"
#include "open/test_support.h"

namespace boatswain::intake::docker {
namespace {

using batch::testing::Rig;
using boatswain::testing::append;
using boatswain::testing::contents;
using boatswain::testing::write;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Step = JsonFileReader::Step;

class JsonFileReaderTest : public ::testing::Test {
  protected:
    Timestamp next() { return now += Nanoseconds{1000}; }
    void print(DockerLog& log, std::string_view message, Stream stream = Stream::out) {
        log.print(stream, next(), message);
    }
    Reading read(const DockerLog& log) { return {rig, log.path(), identity.recipient()}; }

    // What was sealed so far: "hello", "P hello" for a partial line, "gap:REASON".
    std::vector<std::string> sealed() {
        EXPECT_TRUE(rig.seal_all());
        for (const auto& object : rig.take_all()) {
            auto segment = open::read_segment(object.bytes, identity);
            for (const auto& line : segment.lines[Reading::id]) {
                found_.push_back(!line.gap.empty() ? "gap:" + line.gap : (line.partial ? "P " : "") + line.bytes);
            }
        }
        return found_;
    }

    open::Identity identity = open::Identity::generate();
    Rig rig;
    Path directory = rig.directory / "containers/c0ffee";
    Timestamp now = *parse_time("2026-11-23T10:00:00Z");

  private:
    std::vector<std::string> found_;
};

TEST_F(JsonFileReaderTest, ReadsWhatIsThereAndWhatComes) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    EXPECT_EQ(reading.read_to_end(), Step::at_end);
    print(log, "one");
    print(log, "");
    print(log, "two", Stream::err);
    EXPECT_EQ(reading.reader->lag_bytes(), contents(log.path()).size());
    EXPECT_EQ(reading.read_to_end(), Step::at_end);
    EXPECT_EQ(reading.reader->lag_bytes(), 0U);
    print(log, "three");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "", "two", "three"));
}

TEST_F(JsonFileReaderTest, WaitsForALogThatIsNotThereYet) {
    std::filesystem::create_directories(directory);
    Reading reading{rig, directory / "c-json.log", identity.recipient()};
    EXPECT_EQ(reading.read_to_end(), Step::at_end);
    DockerLog log{directory / "c-json.log"};
    print(log, "one");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one"));
}

TEST_F(JsonFileReaderTest, IsFinishedWhenTheDirectoryIsGoneBeforeItWasOpened) {
    Reading reading{rig, rig.directory / "no/such/c-json.log", identity.recipient()};
    EXPECT_EQ(reading.read_to_end(), Step::finished);
}

TEST_F(JsonFileReaderTest, TakesATornLineOnlyWhenItIsWhole) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    auto record = json_record(Stream::out, next(), "whole\n");
    for (char c : record) {
        log.raw({&c, 1});
        if (c != '\n') {
            EXPECT_EQ(reading.read_to_end(), Step::at_end);
        }
    }
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("whole"));
    EXPECT_EQ(reading.malformed(), 0U);
}

TEST_F(JsonFileReaderTest, SplitsARecordThatHoldsSeveralLines) {
    DockerLog log{directory / "c-json.log"};
    log.raw(json_record(Stream::out, next(), "a\n\nb\n"));
    log.raw(json_record(Stream::out, next(), "c\nd"));
    auto reading = read(log);
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("a", "", "b", "c", "P d"));
}

// The position after each line is one from which reading goes on exactly.
TEST_F(JsonFileReaderTest, ResumesBehindEveryRecord) {
    auto message = [](int i) {
        return i % 7 == 3 ? std::string(40'000, static_cast<char>('a' + i % 26)) : "line " + std::to_string(i);
    };
    constexpr int lines = 30;
    std::string whole;
    {
        DockerLog log{rig.directory / "model/c-json.log"};
        for (int i = 0; i < lines; ++i) print(log, message(i), i % 3 == 0 ? Stream::err : Stream::out);
        whole = contents(log.path());
    }
    std::vector<std::string> expected;
    for (int i = 0; i < lines; ++i) expected.push_back(message(i));
    for (std::size_t cut = 0; cut != std::string::npos; cut = whole.find('\n', cut + 1)) {
        Rig fresh;
        std::filesystem::create_directories(fresh.directory / "c");
        write(fresh.directory / "c/c-json.log", whole.substr(0, cut == 0 ? 0 : cut + 1));
        Reading reading{fresh, fresh.directory / "c/c-json.log", identity.recipient()};
        reading.read_to_end();
        ASSERT_TRUE(fresh.seal_all());
        reading.crash();
        append(fresh.directory / "c/c-json.log", whole.substr(cut == 0 ? 0 : cut + 1));
        reading.read_to_end();
        ASSERT_TRUE(fresh.seal_all());
        std::vector<std::string> found;
        for (const auto& object : fresh.take_all())
            for (const auto& line : open::read_segment(object.bytes, identity).lines[Reading::id])
                found.push_back(line.bytes);
        ASSERT_EQ(found, expected) << "stopped at byte " << cut;
    }
}

TEST_F(JsonFileReaderTest, ReadsOnOverRotationWhateverBecomesOfTheOldFiles) {
    for (bool compress : {false, true}) {
        std::string name = compress ? "z" : "c";
        DockerLog log{directory / (name + "-json.log"), {.compress = compress}};
        auto reading = read(log);
        print(log, name + " one");
        reading.read_to_end();
        print(log, name + " two");
        log.rotate();
        print(log, name + " three");
        log.rotate();
        log.compress_now();
        print(log, name + " four");
        reading.read_to_end();
    }
    EXPECT_THAT(sealed(), ::testing::UnorderedElementsAre("c one", "c two", "c three", "c four", "z one", "z two",
                                                          "z three", "z four"));
}

TEST_F(JsonFileReaderTest, FindsItsPlaceAgainInACompressedFile) {
    DockerLog log{directory / "c-json.log", {.compress = true}};
    auto reading = read(log);
    print(log, "one");
    reading.read_to_end();
    sealed();
    print(log, "two");
    log.rotate();
    log.compress_now();
    print(log, "three");
    reading.crash();
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "three"));
}

// A file without a line has no fingerprint: a position in it could not be found again.
TEST_F(JsonFileReaderTest, DoesNotReadTheOldFileAgainWhenTheNewOneWasEmptyAtTheCrash) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    print(log, "one");
    log.rotate();
    reading.read_to_end();
    sealed();
    reading.crash();
    reading.read_to_end();
    print(log, "two");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two"));
}

TEST_F(JsonFileReaderTest, LosesNothingToDeletionWhenItSawEachBirth) {
    DockerLog log{directory / "c-json.log", {.files_max = 1}};
    auto reading = read(log);
    print(log, "one");
    ASSERT_EQ(*reading.step(), Step::more);
    for (auto message : {"two", "three", "four"}) {
        log.rotate();
        reading.reader->notice_births(1);
        print(log, message);
    }
    EXPECT_GT(reading.reader->lag_bytes(), 0U);
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "three", "four"));
}

TEST_F(JsonFileReaderTest, NamesTheGapWhenFilesWereRotatedAwayUnseen) {
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
TEST_F(JsonFileReaderTest, TakesTheRestOfALineBehindALineOfTheOtherStreamInFilesThatFollowAGap) {
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

TEST_F(JsonFileReaderTest, NamesTheGapWhenItsPlaceIsGoneAfterARestart) {
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
TEST_F(JsonFileReaderTest, NamesTheGapOnceEvenWhenACrashCameBeforeItsRecord) {
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

TEST_F(JsonFileReaderTest, DoesNotTakeARecycledInodeForItsFile) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    print(log, "old");
    print(log, "old too");
    reading.read_to_end();
    sealed();
    auto place = *reading.reader->position();
    reading.reader.reset();
    reading.feed.reset();
    // The same file, rewritten: device and inode stay, and it is as long as before.
    write(log.path(), json_record(Stream::out, next(), "new\n") + json_record(Stream::out, next(), "new too\n"));
    struct stat now_there{};
    ASSERT_EQ(::stat(log.path().c_str(), &now_there), 0);
    ASSERT_EQ(now_there.st_ino, place.inode);
    reading.open();
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("old", "old too", "gap:rotated-away", "new", "new too"));
}

TEST_F(JsonFileReaderTest, ReadsTheRestFromTheCopyThatLogrotateMade) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    print(log, "one");
    reading.read_to_end();
    print(log, "two");
    std::filesystem::copy_file(log.path(), log.path().string() + ".1");
    std::filesystem::resize_file(log.path(), 0);
    print(log, "three");
    reading.read_to_end();
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "three"));
}

TEST_F(JsonFileReaderTest, NamesTheGapWhenTheLogWasTruncatedWithoutACopy) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    print(log, "one");
    reading.read_to_end();
    std::filesystem::resize_file(log.path(), 0);
    reading.read_to_end();
    print(log, "two");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "gap:truncated", "two"));
}

TEST_F(JsonFileReaderTest, SeesATruncationThatIsFilledBeyondItsPlace) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    print(log, "one");
    reading.read_to_end();
    std::filesystem::resize_file(log.path(), 0);
    print(log, "two");
    print(log, "three");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "gap:truncated", "two", "three"));
}

TEST_F(JsonFileReaderTest, ReadsNothingTwiceWhenAPowerCutTookTheEndOfTheLog) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    print(log, "one");
    auto kept = contents(log.path()).size();
    print(log, "two");
    reading.read_to_end();
    sealed();
    std::filesystem::resize_file(log.path(), kept);
    reading.crash();
    reading.read_to_end();
    reading.read_to_end();
    print(log, "three");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "gap:truncated", "three"));
}

TEST_F(JsonFileReaderTest, ReadsARemovedLogToItsEnd) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    print(log, "one");
    ASSERT_EQ(*reading.step(), Step::more);
    print(log, "two");
    log.raw(R"({"log":"torn)");
    std::filesystem::remove_all(directory);
    EXPECT_EQ(reading.read_to_end(), Step::finished);
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "gap:malformed", R"({"log":"torn)"));
}

// A container's directory is removed file by file, in any order.
TEST_F(JsonFileReaderTest, ReadsNothingTwiceWhenTheNewestFileIsRemovedFirst) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    print(log, "one");
    print(log, "one", Stream::err);
    log.rotate();
    print(log, "two");
    reading.read_to_end();
    std::filesystem::remove(log.path());
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "one", "two"));
}

TEST_F(JsonFileReaderTest, ReadsNothingTwiceWhenTheNewestFileIsRemovedFirstAfterARestart) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    print(log, "one");
    log.rotate();
    print(log, "two");
    print(log, "two", Stream::err);
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "two"));
    reading.crash();
    EXPECT_EQ(reading.read_to_end(), Step::at_end);
    std::filesystem::remove(log.path());
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "two"));
}

TEST_F(JsonFileReaderTest, GivesTheTornEndOfARotatedFileAsItIs) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    print(log, "one");
    log.raw(R"({"log":"to)");
    log.rotate();
    print(log, "two");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "gap:malformed", R"({"log":"to)", "two"));
    EXPECT_EQ(reading.malformed(), 1U);
}

TEST_F(JsonFileReaderTest, KeepsAMalformedLineAsItIsAndGoesOn) {
    DockerLog log{directory / "c-json.log"};
    print(log, "one");
    log.raw(std::string(50, '\0') + "garbage\n");
    log.raw("\n");
    print(log, "two");
    auto reading = read(log);
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "gap:malformed", std::string(50, '\0') + "garbage", "two"));
}

TEST_F(JsonFileReaderTest, PassesOverALineThatNoEngineWritesAndNamesTheGap) {
    DockerLog log{directory / "c-json.log"};
    print(log, "one");
    auto reading = read(log);
    reading.read_to_end();
    log.raw(std::string(3 * read_bytes_max / 2, 'x'));
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one"));
    reading.crash();
    reading.read_to_end();
    log.raw(std::string(read_bytes_max, 'x') + "\n");
    print(log, "two");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "gap:malformed", "two"));
}

TEST_F(JsonFileReaderTest, IsNotHeldUpByAnArchiveThatCannotBeRead) {
    DockerLog log{directory / "c-json.log"};
    write(log.path().string() + ".3.gz", "\x1f\x8b\x08 this is no archive");
    print(log, "one");
    log.rotate();
    print(log, "two");
    auto reading = read(log);
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("gap:unreadable", "one", "two"));
}

TEST_F(JsonFileReaderTest, LeavesAnArchiveThatIsTornInItsMiddle) {
    DockerLog log{directory / "c-json.log", {.compress = true}};
    unsigned noise = 1;
    for (int i = 0; i < 20'000; ++i) print(log, "line " + std::to_string(noise = noise * 1'103'515'245U + 12'345U));
    log.rotate();
    log.compress_now();
    auto archive = contents(log.path().string() + ".1.gz");
    ASSERT_GT(archive.size(), 100'000U);
    for (std::size_t at = archive.size() / 2; at < archive.size() / 2 + 2000; ++at)
        archive[at] = static_cast<char>(at * 7);
    write(log.path().string() + ".1.gz", archive);
    print(log, "after");
    auto reading = read(log);
    reading.read_to_end();
    auto found = sealed();
    ASSERT_GE(found.size(), 2U);
    EXPECT_EQ(found[found.size() - 2], "gap:unreadable");
    EXPECT_EQ(found.back(), "after");
    reading.crash();
    reading.read_to_end();
    EXPECT_EQ(sealed().size(), found.size()) << "nothing twice";
}

TEST_F(JsonFileReaderTest, JoinsALongLineOverARotation) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    auto time = next();
    std::string piece(engine_piece_bytes, 'x');
    log.piece(Stream::out, time, piece, false);
    reading.read_to_end();
    log.rotate();
    log.piece(Stream::out, time, piece, false);
    reading.read_to_end();
    EXPECT_THAT(sealed(), IsEmpty());
    log.piece(Stream::out, time, "end", true);
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre(piece + piece + "end"));
}

TEST_F(JsonFileReaderTest, ReadsALongLineAgainThatWasPendingAtTheCrash) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    auto time = next();
    std::string piece(engine_piece_bytes, 'x');
    log.piece(Stream::out, time, piece, false);
    print(log, "between", Stream::err);
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("between"));
    reading.crash();
    log.rotate();
    reading.read_to_end();
    log.piece(Stream::out, time, "end", true);
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("between", piece + "end")) << "the line of the other stream is not taken twice";
}

TEST_F(JsonFileReaderTest, SettlesAPendingLineWhenItsContainerHasEnded) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    log.piece(Stream::out, next(), std::string(engine_piece_bytes, 'x'), false);
    reading.read_to_end();
    reading.settle();
    EXPECT_THAT(sealed(), ElementsAre("P " + std::string(engine_piece_bytes, 'x')));
    reading.crash();
    reading.read_to_end();
    reading.settle();
    EXPECT_EQ(sealed().size(), 1U);
}

TEST_F(JsonFileReaderTest, FollowsManyFilesWithBoundedDescriptors) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    print(log, "0");
    ASSERT_EQ(*reading.step(), Step::more);
    std::vector<std::string> expected{"0"};
    for (std::size_t i = 1; i <= 2 * successors_max; ++i) {
        log.rotate();
        reading.reader->notice_births(1);
        print(log, std::to_string(i));
        expected.push_back(std::to_string(i));
    }
    reading.read_to_end();
    EXPECT_EQ(sealed(), expected) << "those beyond the bound were found later by their names";
}

// ---- A log that nobody read from its first line on

struct UnreadBefore : JsonFileReaderTest {
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
        auto reading = Reading{rig, log.path(), identity.recipient(), birth};
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
    auto reading = Reading{rig, log.path(), identity.recipient(), birth()};
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
    auto reading = Reading{rig, log.path(), identity.recipient(), birth()};
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
}  // namespace boatswain::intake::docker
