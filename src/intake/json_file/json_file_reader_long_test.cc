// Records that are longer than one read, and what a power cut leaves before a record.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "intake/json_file/json_file_reader_for_test.h"
#include "intake/log_file/log_file_reader.h"

namespace boatswain::intake {
namespace {

using batch::testing::Rig;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Step = LogFileReader::Step;

// As --log-opt env=... makes it.
std::string with_attrs(std::string record, std::size_t bytes) {
    auto attrs = R"("attrs":{"A":")" + std::string(bytes, 'a') + R"(","B":"\",\"time\":\"}"},)";
    return record.insert(record.rfind("\"time\":"), attrs);
}

class LongRecords : public LogFileReaderTest {
  protected:
    std::string record(std::string_view message, std::size_t attrs_bytes, Stream stream = Stream::out) {
        return with_attrs(json_record(stream, next(), std::string{message} + "\n"), attrs_bytes);
    }
};

TEST_F(LongRecords, AreReadWholeAndAtOnce) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    print(log, "before");
    log.raw(record("of 540 kB", 540'000));
    log.raw(record("of 5 MB", 5'000'000, Stream::err));
    log.raw(record(std::string(engine_piece_bytes - 1, '\x01'), 1'000'000));
    EXPECT_EQ(reading.read_to_end(), Step::at_end);
    EXPECT_THAT(sealed(), ElementsAre("before", "of 540 kB", "of 5 MB", std::string(engine_piece_bytes - 1, '\x01')));
    EXPECT_EQ(reading.malformed(), 0U);
    print(log, "after");
    reading.read_to_end();
    EXPECT_EQ(sealed().back(), "after");
}

TEST_F(LongRecords, AreReadAgainFromTheirStartAfterACrashWithinOne) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    print(log, "before");
    auto whole = record("long", 2 * read_bytes_max);
    log.raw(whole.substr(0, read_bytes_max + 100));
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("before"));
    reading.crash();
    reading.read_to_end();
    log.raw(whole.substr(read_bytes_max + 100));
    print(log, "after");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("before", "long", "after"));
}

TEST_F(LongRecords, MayBePiecesOfALine) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    auto time = next();
    std::string piece(engine_piece_bytes, 'p');
    log.raw(with_attrs(json_record(Stream::out, time, piece), 600'000));
    log.raw(with_attrs(json_record(Stream::out, time, "end\n"), 600'000));
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre(piece + "end"));
}

TEST_F(LongRecords, WithoutAMessageOrATimeAreNamedAtOnceAndCounted) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    print(log, "before");
    std::string no_time = record("no time", 600'000);
    no_time.replace(no_time.rfind("\"time\":"), 7, "\"when\":");
    log.raw(no_time);
    log.raw(std::string(3 * read_bytes_max / 2, 'x') + "\n");
    log.raw(json_record(Stream::out, next(), std::string(2 * read_bytes_max, 'm') + "\n"));
    reading.read_to_end();
    EXPECT_TRUE(rig.seal_all());
    std::string text;
    for (const auto& object : rig.take_all()) {
        open::Object bytes{.bytes = object.bytes};
        auto segment = open::SegmentReader::open(bytes.bytes.size(), bytes.fetch(), std::span{&identity, 1}).value();
        text += segment.frame_text(0).value();
    }
    EXPECT_THAT(text, HasSubstr("before"));
    EXPECT_THAT(text, HasSubstr(R"("reason":"too-long","lines_min":3,)"));
    reading.crash();
    print(log, "after");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("after"));
    EXPECT_EQ(reading.malformed(), 0U);
}

TEST_F(LongRecords, ThatRotationCutOffAreNamed) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    log.raw(record("whole", 10));
    log.raw(record("cut", 2 * read_bytes_max).substr(0, read_bytes_max + 10));
    reading.read_to_end();
    log.rotate();
    print(log, "next file");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("whole", "gap:too-long", "next file"));
}

class AfterAPowerCut : public LogFileReaderTest {};

TEST_F(AfterAPowerCut, TheRecordBehindZerosIsReadAndTheZerosAreNamed) {
    for (std::size_t zeros : {1UL, 300UL, 600'000UL, 2 * read_bytes_max}) {
        DockerLog log{directory / (std::to_string(zeros) + "-json.log")};
        Rig fresh;
        Reading reading{fresh, log.path(), identity.recipient()};
        print(log, "before");
        log.raw(std::string(zeros, '\0'));
        reading.read_to_end();
        print(log, "behind", Stream::err);
        print(log, "after");
        reading.read_to_end();
        ASSERT_TRUE(fresh.seal_all());
        std::vector<std::string> found;
        for (const auto& object : fresh.take_all())
            for (const auto& line : open::read_segment(object.bytes, identity).lines[Reading::id]) {
                found.push_back(open::shown(line));
                if (line.bytes == "behind") EXPECT_EQ(line.stream, Stream::err);
            }
        EXPECT_THAT(found, ElementsAre("before", "gap:truncated", "behind", "after")) << zeros;
    }
}

TEST_F(AfterAPowerCut, TheRecordBehindHalfOfOneIsRead) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    print(log, "before");
    log.raw(R"({"log":"torn)");
    print(log, "behind");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("before", "gap:malformed", R"({"log":"torn)", "behind"));
    reading.crash();
    print(log, "after");
    reading.read_to_end();
    EXPECT_EQ(sealed().back(), "after");
}

TEST_F(AfterAPowerCut, ZerosAtTheEndOfAFileThatIsFinalAreNamed) {
    DockerLog log{directory / "c-json.log"};
    auto reading = read(log);
    print(log, "before");
    log.raw(std::string(600'000, '\0'));
    reading.read_to_end();
    log.rotate();
    print(log, "next file");
    reading.read_to_end();
    EXPECT_THAT(sealed(), ElementsAre("before", "gap:truncated", "next file"));
}

// Whatever lies in the log, and wherever the file ends when it is looked at: each record once, in order, and a gap
// before what is missing.
void check_random_cuts(unsigned seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random{seed};
    auto identity = open::Identity::generate();
    Rig rig;
    auto time = *parse_time("2026-11-23T10:00:00Z");
    std::string whole;
    std::vector<std::string> expected;
    for (int i = 0; i < 12; ++i) {
        auto message = std::to_string(i);
        auto record =
            json_record(random() % 2 == 0 ? Stream::out : Stream::err, time += Nanoseconds{1000}, message + "\n");
        switch (random() % 6) {
            case 0: whole += std::string(1 + random() % 700'000, '\0'); break;
            case 1: record = with_attrs(std::move(record), 400'000 + random() % 1'500'000); break;
            case 2: whole += std::string(read_bytes_max + 1 + random() % 700'000, 'x') + "\n"; break;
            case 3: whole += R"({"log":"to)"; break;
            default: break;
        }
        whole += record;
        expected.push_back(message);
    }
    DockerLog log{rig.directory / "c/c-json.log"};
    Reading reading{rig, log.path(), identity.recipient()};
    while (!whole.empty()) {
        auto cut = std::min<std::size_t>(whole.size(), random() % 3 == 0 ? random() % 100 : random() % 400'000);
        log.raw(whole.substr(0, cut));
        whole.erase(0, cut);
        if (random() % 2 == 0) reading.read_to_end();
        if (random() % 3 == 0) ASSERT_TRUE(reading.step());
        if (random() % 4 == 0) ASSERT_TRUE(rig.seal_all());
        if (random() % 6 == 0) reading.crash();
    }
    reading.read_to_end();
    ASSERT_TRUE(rig.seal_all());
    std::vector<std::string> found;
    for (const auto& object : rig.take_all())
        for (const auto& line : open::read_segment(object.bytes, identity).lines[Reading::id])
            if (line.gap.empty() && line.bytes != R"({"log":"to)") found.push_back(line.bytes);
    EXPECT_EQ(found, expected);
}

TEST_F(LongRecords, AndZerosAndGarbageHideNoRecordHoweverTheFileGrows) {
    for (unsigned seed = 1; seed <= 15 && !HasFailure(); ++seed) check_random_cuts(seed);
}

}  // namespace
}  // namespace boatswain::intake
