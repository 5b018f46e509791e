// What a container prints is sealed alike, whether Docker wrote it as json-file or a CRI runtime in its form: by the same
// reader, over the same batcher, lines of the same bytes, streams and times.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "base/seed_for_test.h"
#include "intake/cri_file/cri_line.h"
#include "intake/json_file/docker_log_for_test.h"
#include "intake/json_file/reading_for_test.h"
#include "open/sealing_for_test.h"

namespace boatswain::intake {
namespace {

struct Printed {
    Stream stream = Stream::out;
    Timestamp time{};
    std::string message;
    bool newline = true;
};

using Sealed = std::vector<std::tuple<Timestamp, Stream, std::string>>;  // as open::shown() has it

class FormsAgree : public ::testing::Test {
  protected:
    // Lines that an application may print: short, empty, of exactly a piece, of several; what JSON has to escape.
    // Docker stores what is not UTF-8 as U+FFFD, so there is none.
    std::string message() {
        static const std::vector<std::string> words{"GET /",
                                                    "\"quoted\"",
                                                    "back\\slash",
                                                    "\t",
                                                    "\x01\x1b[31m",
                                                    "\xe2\x80\xa8",
                                                    "<a & b>",
                                                    "\xc3\xa4",
                                                    "\r",
                                                    "{\"log\":\"x\"}",
                                                    "stdout F",
                                                    "  two  blanks ",
                                                    "2026-11-23T10:00:00Z stdout P "};
        auto roll = dice() % 20;
        if (roll == 0) return {};
        if (roll == 1) return std::string(engine_piece_bytes * (1 + dice() % 4) + dice() % 3 - 1, 'x');
        std::string text;
        for (auto count = 1 + dice() % 8; count > 0; --count) text += words[dice() % words.size()];
        return text;
    }
    std::vector<Printed> lines(std::size_t count) {
        std::vector<Printed> all;
        for (std::size_t i = 0; i < count; ++i)
            all.push_back({.stream = dice() % 3 == 0 ? Stream::err : Stream::out,
                           .time = now += Nanoseconds{1 + dice() % 1'000'000'000},
                           .message = message()});
        return all;
    }
    // As containerd: pieces of 16 KiB, and the last one ends the line.
    static std::string cri_records(const Printed& line) {
        std::string text;
        std::string_view rest = line.message;
        auto record = [&](std::string_view piece, std::string_view tag) {
            text += to_text(line.time) + " " + std::string{to_string(line.stream)} + " " + std::string{tag} + " " +
                    std::string{piece} + "\n";
        };
        for (; rest.size() > engine_piece_bytes; rest.remove_prefix(engine_piece_bytes))
            record(rest.substr(0, engine_piece_bytes), "P");
        if (!rest.empty() || line.newline) record(rest, line.newline ? "F" : "P");
        return text;
    }

    // Reads to the end, with a kill after every `chunk` lines and a rotation after every third of them.
    template <class Print, class Rotate>
    Sealed read(const Path& path, const RecordForm& form, const std::vector<Printed>& all, const Print& print,
                const Rotate& rotate) {
        batch::testing::Rig rig;
        Reading reading{rig, path, identity.recipient(), {}, form};
        Sealed found;
        auto seal = [&] {
            EXPECT_TRUE(rig.seal_all());
            for (const auto& object : rig.take_all()) {
                auto segment = open::read_segment(object.bytes, identity);
                for (const auto& line : segment.lines[Reading::id])
                    found.emplace_back(line.time, line.stream, open::shown(line));
            }
        };
        constexpr std::size_t chunk = 40;
        for (std::size_t i = 0; i < all.size(); ++i) {
            print(all[i]);
            if (i % chunk != chunk - 1) continue;
            reading.read_to_end();
            seal();
            if (i % (3 * chunk) == 3 * chunk - 1) rotate();
            reading.crash();
        }
        reading.read_to_end();
        reading.settle();
        seal();
        EXPECT_EQ(reading.malformed(), 0U);
        return found;
    }

    std::uint32_t seed = boatswain::testing::test_seed();
    std::mt19937 dice{seed};
    Timestamp now = *parse_time("2026-11-23T10:00:00Z");
    open::Identity identity = open::Identity::generate();
    boatswain::testing::TestDirectory directory;
};

TEST_F(FormsAgree, OnTheSameLinesOverRotationsAndKills) {
    SCOPED_TRACE("BOATSWAIN_TEST_SEED=" + std::to_string(seed));
    auto all = lines(500);
    all.push_back({.time = now += Nanoseconds{1}, .message = "the last words", .newline = false});
    DockerLog docker{directory / "docker/c0ffee-json.log"};
    auto of_docker = read(
        docker.path(), json_form, all,
        [&](const Printed& line) { docker.print(line.stream, line.time, line.message, line.newline); },
        [&] { docker.rotate(); });
    auto cri = directory / "pod/0.log";
    std::filesystem::create_directories(cri.parent_path());
    boatswain::testing::write(cri, "");
    unsigned rotations = 0;
    auto of_cri = read(
        cri, cri_form, all, [&](const Printed& line) { boatswain::testing::append(cri, cri_records(line)); },
        [&] {
            std::filesystem::rename(cri, cri.string() + ".20261123-" + std::to_string(100'000 + rotations++));
            boatswain::testing::write(cri, "");
        });
    ASSERT_EQ(of_docker.size(), all.size());
    ASSERT_EQ(of_cri.size(), all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        ASSERT_EQ(of_cri[i], of_docker[i]) << "line " << i;
        ASSERT_EQ(std::get<2>(of_cri[i]), (all[i].newline ? "" : "P ") + all[i].message) << "line " << i;
        ASSERT_EQ(std::get<0>(of_cri[i]), all[i].time) << "line " << i;
    }
}

}  // namespace
}  // namespace boatswain::intake
