// Long lines of two streams through the engine, with everything that may happen to who reads them, at any moment.
#include <gmock/gmock.h>
#include <random>

#include "base/seed_for_test.h"
#include "intake/engine_logs/logs_reader_for_test.h"

namespace boatswain::intake {
namespace {

// As the engine's copier writes a log of the driver `local`: a long line comes in pieces that carry the time of its
// start, between which the other stream goes on; a time is taken before the entry has its place in the log.
class LogsRandomTest : public LogsReaderTest {
  protected:
    struct Writer {
        Stream stream;
        Timestamp time{};
        std::string line;                // pieces that are printed already
        std::size_t pieces = 0;          // still to come
        std::vector<std::string> lines;  // that are complete
    };
    void print_entry(Writer& writer) {
        if (writer.pieces == 0) {
            auto earlier = Nanoseconds{random() % 4 == 0 ? random() % 20'000'000 : 0};
            now += Nanoseconds{1 + random() % (random() % 50 == 0 ? 300'000'000 : 100'000)};
            writer.time = std::max(writer.time + Nanoseconds{1}, now - earlier);
            if (random() % 12 == 0) writer.pieces = 2 + random() % 5;
        }
        auto text = (writer.stream == Stream::out ? "out " : "err ") + std::to_string(printed++);
        if (writer.pieces > 1) {
            text.resize(engine_piece_bytes, static_cast<char>('a' + random() % 26));
            log.print({.stream = writer.stream, .time = writer.time, .bytes = text});
            writer.line += text;
            --writer.pieces;
            return;
        }
        bool ends_long_line = !writer.line.empty();
        if (ends_long_line && random() % 8 == 0) text.clear();
        log.print({.stream = writer.stream, .time = writer.time, .bytes = ends_long_line ? text : text + "\n"});
        writer.lines.push_back(std::exchange(writer.line, {}) + text);
        writer.pieces = 0;
    }
    void print_some(unsigned count) {
        for (unsigned i = 0; i < count; ++i) print_entry(writers[random() % 4 == 0 ? 1 : 0]);
    }
    void turn(unsigned turns) {
        io.restart();
        for (unsigned i = 0; i < turns; ++i) io.poll_one();
    }

    // By stream. What was put down is one line again, as whoever reads it has it.
    std::vector<std::string> lines_of(Stream stream) {
        std::vector<std::string> lines;
        std::string begun;
        for (const auto& line : sealed_lines()) {
            if (line.gap.empty() && line.stream != stream) continue;
            begun += line.gap.empty() ? line.bytes : "gap:" + line.gap;
            if (!line.partial) lines.push_back(std::exchange(begun, {}));
        }
        return lines;
    }

    std::mt19937 random;
    Writer writers[2] = {{.stream = Stream::out}, {.stream = Stream::err}};
};

TEST_F(LogsRandomTest, LosesAndDoublesNothingOfLongLinesOfTwoStreamsOverKillsAtAnyMoment) {
    auto seed = boatswain::testing::test_seed();
    SCOPED_TRACE("seed " + std::to_string(seed));
    random.seed(seed);
    start();
    for (int round = 0; round < 60; ++round) {
        print_some(random() % (random() % 10 == 0 ? 1500 : 30));
        turn(random() % 30);
        switch (random() % 10) {
            case 0: restart(); break;
            case 1: log.end_streams(random() % 2 == 0); break;
            case 2: sealed(); break;
            case 3: settle(); break;
            case 4: sealed(), restart(); break;
            case 5:
            case 6: settle(), put_down(); break;
            default: break;
        }
    }
    // A line that is begun is ended.
    for (auto& writer : writers)
        while (writer.pieces > 0) print_entry(writer);
    settle();
    for (const auto& writer : writers) {
        auto found = lines_of(writer.stream);
        ASSERT_EQ(found.size(), writer.lines.size());
        for (std::size_t at = 0; at < found.size(); ++at)
            ASSERT_TRUE(found[at] == writer.lines[at]) << "line " << at << ": " << found[at].substr(0, 20);
    }
}

}  // namespace
}  // namespace boatswain::intake
