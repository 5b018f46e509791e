// The promise of the whole reader, over random logs: whatever is printed, rotated, compressed and removed, and wherever
// reading stops and starts again, what was sealed is what was printed, each byte once and in order - or a gap record
// stands in its place.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>

#include "intake/json_file/docker_log_for_test.h"
#include "intake/json_file/reading_for_test.h"
#include "intake/log_file/log_file_reader.h"
#include "open/sealing_for_test.h"

namespace boatswain::intake {
namespace {

using batch::testing::Rig;

std::vector<open::ReadLine> all_sealed(Rig& rig, const open::Identity& identity) {
    std::vector<open::ReadLine> lines;
    std::uint64_t next_ordinal = 0;
    for (const auto& object : rig.take_all()) {
        auto segment = open::read_segment(object.bytes, identity);
        for (const auto& frame : segment.footer.frames) {
            EXPECT_EQ(frame.first_ordinal, next_ordinal) << "ordinals go on from frame to frame, over restarts";
            next_ordinal += frame.counts.lines;
        }
        std::ranges::move(segment.lines[Reading::id], std::back_inserter(lines));
    }
    return lines;
}

// Two streams that print at once: short lines, empty ones, long ones in pieces between which the other stream prints.
class Printer {
  public:
    Printer(DockerLog& log, std::mt19937& random) : log_(log), random_(random) {}

    void print_something() {
        auto& stream = streams_[random_() % 2];
        if (stream.pieces.empty()) begin_line(stream);
        auto piece = std::move(stream.pieces.front());
        stream.pieces.pop_front();
        auto which = &stream == &streams_[0] ? Stream::out : Stream::err;
        printed_[which] += piece.bytes + (piece.newline ? "\n" : "");
        auto record = json_record(which, stream.time, piece.bytes + (piece.newline ? "\n" : ""));
        if (random_() % 8 == 0) {
            // A reader may see half of it.
            auto half = random_() % record.size();
            log_.raw(record.substr(0, half));
            torn_ = record.substr(half);
        } else {
            log_.raw(record);
        }
    }
    // The rest of a torn record; true when there was one.
    bool finish_torn() {
        if (torn_.empty()) return false;
        log_.raw(std::exchange(torn_, {}));
        return true;
    }
    const std::string& printed(Stream stream) { return printed_[stream]; }

  private:
    struct Piece {
        std::string bytes;
        bool newline = false;
    };
    struct OneStream {
        std::deque<Piece> pieces;
        Timestamp time{};
    };
    void begin_line(OneStream& stream) {
        stream.time = time_ += Nanoseconds{1 + random_() % 1'000'000};
        auto kind = random_() % 10;
        auto size = kind == 0 ? 0 : kind < 8 ? random_() % 200 : random_() % (5 * engine_piece_bytes);
        std::string bytes;
        while (bytes.size() < size) bytes += static_cast<char>(random_() % 127 == 10 ? 'n' : random_() % 127);
        std::ranges::replace(bytes, '\n', 'n');
        while (bytes.size() >= engine_piece_bytes) {
            stream.pieces.push_back({bytes.substr(0, engine_piece_bytes), false});
            bytes.erase(0, engine_piece_bytes);
        }
        stream.pieces.push_back({bytes, true});
    }

    DockerLog& log_;
    std::mt19937& random_;
    OneStream streams_[2];
    std::map<Stream, std::string> printed_;
    std::string torn_;
    Timestamp time_ = *parse_time("2026-11-23T10:00:00Z");
};

void check_every_byte_once(unsigned seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random{seed};
    auto identity = open::Identity::generate();
    Rig rig{{.frame_bytes = 1000 + random() % 100'000}};
    DockerLog log{rig.directory / "c/c-json.log",
                  {.size_max = 2000 + random() % 60'000, .compress = random() % 2 == 0}};
    Printer printer{log, random};
    Reading reading{rig, log.path(), identity.recipient()};
    for (int i = 0; i < 250; ++i) {
        auto what = random() % 100;
        if (what < 60) {
            if (!printer.finish_torn()) printer.print_something();
        } else if (what < 80) {
            ASSERT_TRUE(reading.step());
        } else if (what < 86) {
            log.compress_now();
        } else if (what < 94) {
            ASSERT_TRUE(rig.seal_all());
        } else {
            reading.crash();
        }
    }
    printer.finish_torn();
    reading.read_to_end();
    reading.settle();
    ASSERT_TRUE(rig.seal_all());

    std::map<Stream, std::string> found;
    for (const auto& line : all_sealed(rig, identity)) {
        EXPECT_EQ(line.gap, "");
        found[line.stream] += line.bytes + (line.partial ? "" : "\n");
    }
    EXPECT_TRUE(found[Stream::out] == printer.printed(Stream::out));
    EXPECT_TRUE(found[Stream::err] == printer.printed(Stream::err));
    EXPECT_EQ(reading.malformed(), 0U);
}

TEST(LogFileReaderProperty, SealsEveryByteOnceOverCrashesRotationAndCompression) {
    for (unsigned seed = 1; seed <= 25 && !::testing::Test::HasFailure(); ++seed) check_every_byte_once(seed);
}

// Old files are removed here, sometimes before they were read: then the numbers jump, and a gap record says so.
void check_gaps_are_named(unsigned seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random{seed};
    auto identity = open::Identity::generate();
    Rig rig;
    DockerLog log{rig.directory / "c/c-json.log",
                  {.size_max = 300 + random() % 1000,
                   .files_max = 1 + static_cast<unsigned>(random() % 4),
                   .compress = random() % 2 == 0}};
    Reading reading{rig, log.path(), identity.recipient()};
    auto time = *parse_time("2026-11-23T10:00:00Z");
    unsigned printed = 0, born = 0;
    auto tell_births = [&] { reading.reader->notice_births(log.rotations() - std::exchange(born, log.rotations())); };
    bool watched = random() % 2 == 0;
    for (int i = 0; i < 250; ++i) {
        auto what = random() % 100;
        if (what < 70)
            log.print(Stream::out, time += Nanoseconds{1000}, std::to_string(printed++));
        else if (what < 85)
            ASSERT_TRUE(reading.step());
        else if (what < 90)
            log.compress_now();
        else if (what < 97)
            ASSERT_TRUE(rig.seal_all());
        else
            reading.crash();
        if (watched && log.rotations() != born) tell_births();
    }
    reading.read_to_end();
    reading.settle();
    ASSERT_TRUE(rig.seal_all());

    unsigned expected = 0;
    bool gap = true;  // what was removed before anything was ever sealed of a container, nobody can know
    for (const auto& line : all_sealed(rig, identity)) {
        if (!line.gap.empty()) {
            EXPECT_EQ(line.gap, "rotated-away");
            gap = true;
            continue;
        }
        auto number = static_cast<unsigned>(std::stoul(line.bytes));
        ASSERT_GE(number, expected) << "twice, or out of order";
        ASSERT_TRUE(number == expected || gap) << "silence where " << expected << " was lost, up to " << number;
        expected = number + 1;
        gap = false;
    }
    EXPECT_EQ(expected, printed) << "the last line is there";
}

TEST(LogFileReaderProperty, NamesEveryLossToDeletion) {
    for (unsigned seed = 1; seed <= 50 && !::testing::Test::HasFailure(); ++seed) check_gaps_are_named(seed);
}

}  // namespace
}  // namespace boatswain::intake
