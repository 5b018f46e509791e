#include "intake/log_file/log_file_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "intake/json_file/json_file_reader_for_test.h"

namespace boatswain::intake {
namespace {

using batch::testing::Rig;
using boatswain::testing::append;
using boatswain::testing::contents;
using boatswain::testing::write;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Step = LogFileReader::Step;

TEST_F(LogFileReaderTest, ReadsWhatIsThereAndWhatComes) {
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

TEST_F(LogFileReaderTest, WaitsForALogThatIsNotThereYet) {
    std::filesystem::create_directories(directory);
    Reading reading{rig, directory / "c-json.log", identity.recipient()};
    EXPECT_EQ(reading.read_to_end(), Step::at_end);
    DockerLog log{directory / "c-json.log"};
    print(log, "one");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one"));
}

TEST_F(LogFileReaderTest, IsFinishedWhenTheDirectoryIsGoneBeforeItWasOpened) {
    Reading reading{rig, rig.directory / "no-such/c-json.log", identity.recipient()};
    EXPECT_EQ(reading.read_to_end(), Step::finished);
}

TEST_F(LogFileReaderTest, TakesATornLineOnlyWhenItIsWhole) {
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

TEST_F(LogFileReaderTest, SplitsARecordThatHoldsSeveralLines) {
    DockerLog log{directory / "c-json.log"};
    log.raw(json_record(Stream::out, next(), "a\n\nb\n"));
    log.raw(json_record(Stream::out, next(), "c\nd"));
    auto reading = read(log);
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("a", "", "b", "c", "P d"));
}

// The position after each line is one from which reading goes on exactly.
TEST_F(LogFileReaderTest, ResumesBehindEveryRecord) {
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

TEST_F(LogFileReaderTest, ReadsOnOverRotationWhateverBecomesOfTheOldFiles) {
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

// A power cut of the host must not find what one rotation more takes unsealed.
TEST_F(LogFileReaderTest, ARotatedLogDoesNotLetItsBatchWait) {
    batch::testing::Rig patient{{.flush_after = std::chrono::seconds{60}, .flush_after_max = std::chrono::hours{1}}};
    DockerLog log{directory / "c-json.log", {}};
    Reading reading{patient, directory / "c-json.log", identity.recipient(), {.files_kept = 3}};
    reading.feed->set_patient(reading.reader->outlives_rotation());
    print(log, "one");
    reading.read_to_end();
    patient.clock.advance(std::chrono::minutes{5});
    patient.batcher->tick();
    EXPECT_EQ(patient.batcher->open_batches(), 1U);
    log.rotate();
    print(log, "two");
    reading.read_to_end();
    patient.batcher->tick();
    EXPECT_EQ(patient.batcher->open_batches(), 0U);
    EXPECT_FALSE(
        (Reading{patient, directory / "d", identity.recipient(), {.files_kept = 1}}.reader->outlives_rotation()));
}

TEST_F(LogFileReaderTest, FindsItsPlaceAgainInACompressedFile) {
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
TEST_F(LogFileReaderTest, DoesNotReadTheOldFileAgainWhenTheNewOneWasEmptyAtTheCrash) {
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

TEST_F(LogFileReaderTest, LosesNothingToDeletionWhenItSawEachBirth) {
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

TEST_F(LogFileReaderTest, DoesNotTakeARecycledInodeForItsFile) {
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

TEST_F(LogFileReaderTest, ReadsTheRestFromTheCopyThatLogrotateMade) {
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

TEST_F(LogFileReaderTest, NamesTheGapWhenTheLogWasTruncatedWithoutACopy) {
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

TEST_F(LogFileReaderTest, SeesATruncationThatIsFilledBeyondItsPlace) {
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

TEST_F(LogFileReaderTest, ReadsNothingTwiceWhenAPowerCutTookTheEndOfTheLog) {
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

TEST_F(LogFileReaderTest, ReadsARemovedLogToItsEnd) {
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
TEST_F(LogFileReaderTest, ReadsNothingTwiceWhenTheNewestFileIsRemovedFirst) {
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

TEST_F(LogFileReaderTest, ReadsNothingTwiceWhenTheNewestFileIsRemovedFirstAfterARestart) {
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

TEST_F(LogFileReaderTest, GivesTheTornEndOfARotatedFileAsItIs) {
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

TEST_F(LogFileReaderTest, KeepsAMalformedLineAsItIsAndGoesOn) {
    DockerLog log{directory / "c-json.log"};
    print(log, "one");
    log.raw(std::string(50, '\0') + "garbage\n");
    log.raw("\n");
    print(log, "two");
    auto reading = read(log);
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "gap:malformed", std::string(50, '\0') + "garbage", "two"));
}

TEST_F(LogFileReaderTest, PassesOverALineThatNoEngineWritesAndNamesTheGap) {
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
    EXPECT_THAT(sealed(), ElementsAre("one", "gap:too-long", "two"));
}

TEST_F(LogFileReaderTest, IsNotHeldUpByAnArchiveThatCannotBeRead) {
    DockerLog log{directory / "c-json.log"};
    write(log.path().string() + ".3.gz", "\x1f\x8b\x08 this is no archive");
    print(log, "one");
    log.rotate();
    print(log, "two");
    auto reading = read(log);
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("gap:unreadable", "one", "two"));
}

TEST_F(LogFileReaderTest, LeavesAnArchiveThatIsTornInItsMiddle) {
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

TEST_F(LogFileReaderTest, JoinsALongLineOverARotation) {
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

TEST_F(LogFileReaderTest, ReadsALongLineAgainThatWasPendingAtTheCrash) {
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

TEST_F(LogFileReaderTest, PutsALongLineDownInPiecesWhereMemoryIsWanted) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    auto time = next();
    std::string piece(engine_piece_bytes, 'x');
    log.piece(Stream::out, time, piece, false);
    reading.read_to_end();
    EXPECT_GE(rig.budget.used("acme"), piece.size()) << "it is charged while it is pending";
    EXPECT_FALSE(reading.feed->should_put_down());
    {
        batch::Charge everything{rig.budget, "globex", rig.budget.bytes_max()};
        EXPECT_TRUE(reading.feed->should_put_down());
        reading.reader->put_down(*reading.feed);
    }
    EXPECT_THAT(sealed(), ElementsAre("P " + piece));
    EXPECT_EQ(rig.budget.used("acme"), 0U);
    reading.crash();
    log.piece(Stream::out, time, "end", true);
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("P " + piece, "end")) << "each piece once";
}

TEST_F(LogFileReaderTest, ReadsOneLineWhereItMayReadLess) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    std::string message(200'000, 'x');
    log.raw(json_record(Stream::out, next(), message + "\n"));
    print(log, "next");
    ReadBuffer buffer;
    for (int i = 0; i < 3; ++i) (void)reading.reader->read_some(*reading.feed, buffer, 1000).value();
    EXPECT_THAT(sealed(), ElementsAre(message, "next"));
}

TEST_F(LogFileReaderTest, SettlesAPendingLineWhenItsContainerHasEnded) {
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

TEST_F(LogFileReaderTest, FollowsManyFilesWithBoundedDescriptors) {
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

}  // namespace
}  // namespace boatswain::intake
