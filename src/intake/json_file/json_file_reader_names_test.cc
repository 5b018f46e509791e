// A name says little of a log file: deleted and renamed by people and by logrotate, while the engine writes on into the
// file that it has open.
#include "intake/json_file/json_file_reader_for_test.h"

namespace boatswain::intake {
namespace {

using boatswain::testing::append;
using boatswain::testing::contents;
using boatswain::testing::write;
using ::testing::ElementsAre;
using Step = LogFileReader::Step;

// The file that the engine has open, whatever becomes of its name.
class EngineFile {
  public:
    explicit EngineFile(const Path& path) : file_(std::fopen(path.c_str(), "a")) {}
    void print(Timestamp time, std::string_view line) {
        auto record = json_record(Stream::out, time, std::string{line} + "\n");
        ASSERT_EQ(std::fwrite(record.data(), 1, record.size(), file_.get()), record.size());
        ASSERT_EQ(std::fflush(file_.get()), 0);
    }

  private:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    std::unique_ptr<std::FILE, Close> file_;
};

struct LogNames : LogFileReaderTest {
    LogNames() { write_new_log(); }
    void write_new_log() {
        std::filesystem::create_directories(directory);
        write(path, "");
        engine.emplace(path);
    }
    void print(std::string_view line) { engine->print(next(), line); }
    void print(std::initializer_list<std::string_view> lines) {
        for (auto line : lines) print(line);
    }
    Path named(std::string_view suffix) const { return path.string() + std::string{suffix}; }
    void rename_log(std::string_view suffix) { std::filesystem::rename(path, named(suffix)); }
    void touch() { write(path, ""); }
    Reading read(std::size_t kept = files_kept_all) { return {rig, path, identity.recipient(), {.files_kept = kept}}; }
    void container_starts_again() { engine.emplace(path); }

    Path path = directory / "c-json.log";
    std::optional<EngineFile> engine;
};

// ---- Deleted by a person

TEST_F(LogNames, ADeletedLogIsReadOnAsLongAsItsContainerIsThere) {
    auto reading = read();
    print("one");
    reading.read_to_end();
    std::filesystem::remove(path);
    EXPECT_EQ(reading.read_to_end(), Step::at_end) << "the engine has the container, and the file open";
    print("two");
    EXPECT_EQ(reading.read_to_end(), Step::at_end);
    container_starts_again();
    reading.reader->notice_births(1);
    EXPECT_EQ(reading.read_to_end(), Step::at_end);
    print({"three", "four"});
    EXPECT_EQ(reading.read_to_end(), Step::at_end);
    std::filesystem::remove_all(directory);
    EXPECT_EQ(reading.read_to_end(), Step::finished);
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "three", "four"));
}

TEST_F(LogNames, ADeletedLogEndsWithTheEnginesWord) {
    auto reading = read();
    print("one");
    reading.read_to_end();
    std::filesystem::remove(path);
    print("two");
    EXPECT_EQ(reading.read_to_end(), Step::at_end);
    reading.reader->notice_removal();
    EXPECT_EQ(reading.read_to_end(), Step::finished);
    EXPECT_THAT(sealed(), ElementsAre("one", "two"));
}

TEST_F(LogNames, ALogIsNotGoneWithADataDirectoryThatIsAway) {
    auto reading = read();
    print("one");
    reading.read_to_end();
    std::filesystem::rename(directory.parent_path(), rig.directory / "elsewhere");
    EXPECT_EQ(reading.read_to_end(), Step::at_end);
}

TEST_F(LogNames, ADeletedLogWithOlderFilesIsReadOnAndTheyAreNotReadAgain) {
    print("one");
    rename_log(".1");
    write_new_log();
    print("two");
    auto reading = read(3);
    reading.read_to_end();
    std::filesystem::remove(path);
    print("three");
    reading.read_to_end();
    container_starts_again();
    print("four");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "three", "four"));
}

TEST_F(LogNames, ADeletedLogIsFollowedByAGapWhereFilesMayHaveComeAndGone) {
    auto reading = read(2);
    print("one");
    reading.read_to_end();
    std::filesystem::remove(path);
    container_starts_again();
    print("lost");
    rename_log(".1");
    write_new_log();
    print("lost, too");
    rename_log(".1");
    write_new_log();
    print("two");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "gap:rotated-away", "lost, too", "two"));
}

// Of the two files that the engine keeps one is not there in between, and the one that is lost follows it in silence.
TEST_F(LogNames, ARotationThatIsNotOverHidesNoLoss) {
    auto reading = read(2);
    print("one");
    reading.read_to_end();
    rename_log(".1");
    write_new_log();
    print("lost");
    rename_log(".1");
    write_new_log();
    print("two");
    rename_log(".1");
    reading.read_to_end();
    write_new_log();
    print("three");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "gap:rotated-away", "two", "three"));
}

TEST_F(LogNames, AnOldFileThatIsDeletedTakesNothingAway) {
    auto reading = read();
    print("one");
    reading.read_to_end();
    rename_log(".1");
    write_new_log();
    print("two");
    reading.read_to_end();
    std::filesystem::remove(named(".1"));
    print("three");
    reading.read_to_end();
    sealed();
    reading.crash();
    print("four");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "three", "four"));
}

TEST_F(LogNames, WhatWasWrittenToADeletedLogWhileNobodyReadIsNamed) {
    print("one");
    rename_log(".1");
    write_new_log();
    print("two");
    auto reading = read(3);
    reading.read_to_end();
    sealed();
    std::filesystem::remove(path);
    reading.crash();
    print("lost");
    EXPECT_EQ(reading.read_to_end(), Step::at_end);
    EXPECT_THAT(sealed(), ElementsAre("one", "two")) << "what is older is not read again";
    container_starts_again();
    print("three");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "gap:rotated-away", "three"));
}

TEST_F(LogNames, ADeletedLogOfAContainerThatGoesWithItIsNamed) {
    auto reading = read();
    print("one");
    reading.read_to_end();
    sealed();
    std::filesystem::remove(path);
    reading.crash();
    print("lost");
    EXPECT_EQ(reading.read_to_end(), Step::at_end);
    reading.settle();
    std::filesystem::remove_all(directory);
    EXPECT_EQ(reading.read_to_end(), Step::finished);
    EXPECT_THAT(sealed(), ElementsAre("one", "gap:rotated-away"));
}

TEST_F(LogNames, ALogThatIsAwayForAWhileHasNoGap) {
    auto reading = read();
    print("one");
    reading.read_to_end();
    sealed();
    std::filesystem::rename(path, rig.directory / "away");
    reading.crash();
    reading.read_to_end();
    print("two");
    std::filesystem::rename(rig.directory / "away", path);
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two"));
}

// ---- Renamed: logrotate without copytruncate

struct RenamedLog : LogNames, ::testing::WithParamInterface<std::string> {};

TEST_P(RenamedLog, IsReadOnUntilTheEngineWritesToTheNext) {
    auto reading = read();
    print({"one", "two"});
    reading.read_to_end();
    rename_log(GetParam());
    touch();
    reading.reader->notice_births(1);
    for (int look = 0; look < 3; ++look) EXPECT_EQ(reading.read_to_end(), Step::at_end);
    print({"three", "four"});
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "three", "four"));
    reading.crash();
    print("five");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "three", "four", "five")) << "found again by whatever name";
    print("six");
    container_starts_again();
    print("seven");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "three", "four", "five", "six", "seven"));
}

TEST_P(RenamedLog, IsReadOnWhereTheAgentCameLate) {
    print("one");
    rename_log(GetParam());
    touch();
    print("two");
    auto reading = read();
    reading.read_to_end();
    print("three");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "three"));
}

INSTANTIATE_TEST_SUITE_P(Names, RenamedLog, ::testing::Values(".1", "-20261129", "-20261129-1796000000", "-2026-11-29"),
                         [](const auto& info) { return "As" + std::to_string(info.index); });

TEST_F(LogNames, ARenamedLogIsReadOnWithNothingInItsPlace) {
    auto reading = read();
    print("one");
    reading.read_to_end();
    rename_log(".bak");
    print("two");
    EXPECT_EQ(reading.read_to_end(), Step::at_end);
    container_starts_again();
    print("three");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "three"));
}

TEST_F(LogNames, ALogThatIsRenamedAgainAndAgainIsReadOn) {
    auto reading = read();
    print("one");
    reading.read_to_end();
    rename_log(".1");
    touch();
    reading.read_to_end();
    print("two");
    std::filesystem::rename(named(".1"), named(".2"));
    rename_log(".1");
    touch();
    reading.read_to_end();
    print("three");
    reading.read_to_end();
    sealed();
    reading.crash();
    print("four");
    reading.read_to_end();
    container_starts_again();
    print("five");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "three", "four", "five"));
}

TEST_F(LogNames, ALogThatIsCompressedWhileTheEngineHasItOpenIsReadOn) {
    auto reading = read();
    print("one");
    reading.read_to_end();
    rename_log(".1");
    touch();
    auto file = ::gzopen(named(".1.gz").c_str(), "wb1");
    auto bytes = contents(named(".1"));
    ::gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    ::gzclose(file);
    std::filesystem::remove(named(".1"));
    reading.read_to_end();
    print("two");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two"));
    reading.crash();
    print("lost");
    reading.read_to_end();
    container_starts_again();
    print("three");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "gap:truncated", "three"));
}

TEST_F(LogNames, WhatIsWrittenToALogThatWasLeftIsNamed) {
    auto reading = read();
    print("one");
    reading.read_to_end();
    rename_log(".1");
    write(path, json_record(Stream::out, next(), "by a person\n"));
    reading.read_to_end();
    print("lost");
    reading.read_to_end();
    append(path, json_record(Stream::out, next(), "by a person again\n"));
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "by a person", "gap:unreadable", "by a person again"));
}

// ---- Years of old lines, before the agent came

struct OldLog : LogFileReaderTest {
    DockerLog printed() {
        DockerLog log{directory / "c-json.log"};
        print(log, "oldest");
        log.rotate();
        // More than one look takes in.
        for (int i = 0; i < 5000; ++i) print(log, "old");
        came = now;
        for (auto line : {"new", "newer"}) print(log, line);
        return log;
    }
    std::vector<std::string> found(const DockerLog& log, Timestamp until) {
        auto reading = Reading{rig, log.path(), identity.recipient(), {.passed_over_until = until}};
        reading.read_to_end();
        reading.crash();
        reading.read_to_end();
        sealed();
        reading.crash();
        reading.read_to_end();
        return sealed();
    }
    Timestamp came{};
};

TEST_F(OldLog, IsPassedOverUntilTheAgentCameAndThatIsNamed) {
    auto log = printed();
    EXPECT_THAT(found(log, came), ElementsAre("gap:passed-over", "new", "newer"));
}

TEST_F(OldLog, IsPassedOverWholeWhereAllOfItIsOld) {
    auto log = printed();
    EXPECT_THAT(found(log, now), ElementsAre("gap:passed-over"));
}

TEST_F(OldLog, IsReadFromItsBeginningWhereAllOfItIsLater) {
    DockerLog log{directory / "c-json.log"};
    auto before = next();
    print(log, "one");
    EXPECT_THAT(found(log, before), ElementsAre("one"));
}

TEST_F(OldLog, IsPassedOverInACompressedFile) {
    DockerLog log{directory / "c-json.log", {.compress = true}};
    print(log, "old");
    auto until = now;
    print(log, "new");
    log.rotate();
    log.compress_now();
    EXPECT_THAT(found(log, until), ElementsAre("gap:passed-over", "new"));
}

// ---- Copied there and back

TEST_F(LogNames, ACopyInThePlaceOfTheLogIsReadFromWhereTheEngineGoesOnInIt) {
    auto reading = read();
    print({"one", "two"});
    reading.read_to_end();
    std::filesystem::copy_file(path, named(".copy"));
    std::filesystem::rename(named(".copy"), path);
    reading.read_to_end();
    print("three");
    reading.read_to_end();
    container_starts_again();
    print("four");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "three", "four"));
}

TEST_F(LogNames, ACopyInThePlaceOfTheLogIsReadOnAfterARestart) {
    auto reading = read();
    print({"one", "two"});
    reading.read_to_end();
    sealed();
    std::filesystem::copy_file(path, named(".copy"));
    std::filesystem::rename(named(".copy"), path);
    reading.crash();
    container_starts_again();
    print("three");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "three"));
}

}  // namespace
}  // namespace boatswain::intake
