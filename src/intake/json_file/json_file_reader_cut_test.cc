// A place is more than an offset: a file can lose its end, by a power cut or by a person, and grow past the place
// again.
#include "intake/json_file/json_file_reader_for_test.h"

namespace boatswain::intake {
namespace {

using boatswain::testing::contents;
using boatswain::testing::write;
using ::testing::ElementsAre;
using Step = LogFileReader::Step;

struct CutLog : LogFileReaderTest {
    // Prints `lines` lines with numbers that go on.
    void print_numbered(DockerLog& log, int lines) {
        for (int i = 0; i < lines; ++i) print(log, "line " + std::to_string(printed++));
    }
    static void cut(const DockerLog& log, std::uintmax_t bytes) {
        std::filesystem::resize_file(log.path(), std::filesystem::file_size(log.path()) - bytes);
    }
    // Every line from 0 on, once and in order; gaps are left out and returned.
    std::vector<std::string> gaps_between_whole_lines() {
        std::vector<std::string> gaps;
        int next = 0;
        for (const auto& line : sealed()) {
            if (line.starts_with("gap:")) {
                gaps.push_back(line);
                continue;
            }
            EXPECT_EQ(line, "line " + std::to_string(next));
            ++next;
        }
        EXPECT_EQ(next, printed);
        return gaps;
    }
    // Cuts `bytes` of 200 lines that are stored, and prints `more`; the agent runs again after that.
    std::vector<std::string> gaps_after_a_power_cut(std::uintmax_t bytes, int more) {
        DockerLog log{directory / "c-json.log"};
        auto reading = read(log);
        print_numbered(log, 200);
        reading.read_to_end();
        sealed();
        cut(log, bytes);
        reading.crash();
        print_numbered(log, more);
        reading.read_to_end();
        reading.crash();
        reading.read_to_end();
        print_numbered(log, 1);
        reading.read_to_end();
        return gaps_between_whole_lines();
    }

    int printed = 0;
};

TEST_F(CutLog, IsReadFromItsFirstNewRecordWhenItIsLongerThanBefore) {
    EXPECT_THAT(gaps_after_a_power_cut(4000, 150), ElementsAre("gap:truncated"));
}

TEST_F(CutLog, IsReadFromItsFirstNewRecordWhenItIsShorterThanBefore) {
    EXPECT_THAT(gaps_after_a_power_cut(4000, 1), ElementsAre("gap:truncated"));
}

TEST_F(CutLog, IsReadOnWhenNothingNewCame) {
    EXPECT_THAT(gaps_after_a_power_cut(4000, 0), ElementsAre("gap:truncated"));
}

TEST_F(CutLog, IsReadFromItsFirstNewRecordWhenRecordsHaveTheSameLength) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    for (int i = 100; i < 200; ++i) print(log, std::to_string(i));
    auto record = contents(log.path()).size() / 100;
    reading.read_to_end();
    sealed();
    cut(log, 3 * record);
    reading.crash();
    // It ends where it ended, with another record before the place.
    for (int i = 200; i < 203; ++i) print(log, std::to_string(i));
    reading.read_to_end();
    auto found = sealed();
    ASSERT_EQ(found.size(), 104U);
    EXPECT_THAT(std::vector(found.begin() + 100, found.end()), ElementsAre("gap:truncated", "200", "201", "202"));
}

TEST_F(CutLog, IsReadFromItsFirstNewRecordWhereverTheCutIs) {
    // Up to the first record, by which a file is known.
    for (std::uintmax_t bytes = 1; bytes < 140; bytes += 7) {
        SCOPED_TRACE(bytes);
        batch::testing::Rig fresh;
        DockerLog log{fresh.directory / "c/c-json.log"};
        Reading reading{fresh, log.path(), identity.recipient()};
        print(log, "one");
        print(log, "two", Stream::err);
        print(log, "three");
        reading.read_to_end();
        ASSERT_TRUE(fresh.seal_all());
        cut(log, bytes);
        reading.crash();
        log.raw(json_record(Stream::err, next(), "four\n"));
        log.raw(json_record(Stream::out, next(), "five\n"));
        reading.read_to_end();
        ASSERT_TRUE(fresh.seal_all());
        std::vector<std::string> found;
        for (const auto& object : fresh.take_all())
            for (const auto& line : open::read_segment(object.bytes, identity).lines[Reading::id])
                found.push_back(open::shown(line));
        EXPECT_THAT(found, ElementsAre("one", "two", "three", "gap:truncated", "four", "five"));
    }
}

TEST_F(CutLog, IsReadFromItsFirstNewRecordWhileTheAgentRuns) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    print_numbered(log, 50);
    reading.read_to_end();
    for (std::uintmax_t bytes : {1000U, 100U, 50U}) {
        cut(log, bytes);
        print_numbered(log, 30);
        reading.read_to_end();
        reading.read_to_end();
    }
    EXPECT_THAT(gaps_between_whole_lines(), ElementsAre("gap:truncated", "gap:truncated", "gap:truncated"));
}

TEST_F(CutLog, ThatIsEmptiedAndFilledFurtherThanItWasReadIsReadFromItsStart) {
    DockerLog log{directory / "c-json.log"};
    for (int i = 0; i < 100; ++i) print(log, "before");
    auto reading = read(log);
    ReadBuffer buffer;
    ASSERT_EQ(*reading.reader->read_some(*reading.feed, buffer, 1000), Step::more) << "it lags";
    std::filesystem::resize_file(log.path(), 0);
    for (int i = 0; i < 100; ++i) print(log, "after");
    reading.read_to_end();
    auto found = sealed();
    EXPECT_EQ(std::ranges::count(found, "after"), 100);
    EXPECT_EQ(std::ranges::count(found, "gap:truncated"), 1);
}

TEST_F(CutLog, KeepsALongLineThatWasNotCompleteBeforeTheCut) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    std::string piece(engine_piece_bytes, 'x');
    print(log, "one");
    auto time = next();
    log.piece(Stream::out, time, piece, false);
    print(log, "two", Stream::err);
    print(log, "three", Stream::err);
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "three"));
    cut(log, 30);
    reading.crash();
    log.raw("\n");
    log.piece(Stream::out, time, "end", true);
    print(log, "four", Stream::err);
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("one", "two", "three", "gap:truncated", piece + "end", "four"));
}

TEST_F(CutLog, FromWhichLinesInItsMiddleWereTakenLosesNothing) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    print_numbered(log, 100);
    reading.read_to_end();
    sealed();
    auto text = contents(log.path());
    auto second = text.find('\n') + 1;
    text.erase(second, text.find('\n', second) + 1 - second);
    write(log.path(), text);
    reading.crash();
    print_numbered(log, 2);
    reading.read_to_end();
    EXPECT_THAT(gaps_between_whole_lines(), ElementsAre());
}

// As versions before this one stored it: without times.
TEST_F(CutLog, OfAPlaceWithoutTimesIsReadOnBehindWhatIsLeft) {
    DockerLog log{directory / "c-json.log"};
    print(log, "one");
    auto kept = contents(log.path()).size();
    print(log, "two");
    auto reading = read(log);
    reading.read_to_end();
    auto place = *reading.reader->position();
    EXPECT_TRUE(place.has_times());
    place.out_time = place.err_time = place.end_time = {};
    std::filesystem::resize_file(log.path(), kept);
    print(log, "three, which is longer");
    batch::testing::Rig fresh;
    Reading again{fresh, log.path(), identity.recipient()};
    again.reader = std::make_unique<LogFileReader>(json_form, log.path(), place, LogTerms{}, fresh.clock,
                                                   again.counters(), fresh.log);
    again.read_to_end();
    ASSERT_TRUE(fresh.seal_all());
    std::vector<std::string> found;
    for (const auto& object : fresh.take_all())
        for (const auto& line : open::read_segment(object.bytes, identity).lines[Reading::id])
            found.push_back(open::shown(line));
    EXPECT_EQ(found.front(), "gap:truncated");
}

}  // namespace
}  // namespace boatswain::intake
