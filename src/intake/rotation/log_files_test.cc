#include "intake/rotation/log_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "intake/json_file/docker_log_for_test.h"

namespace boatswain::intake {
namespace {

using boatswain::testing::TestDirectory;
using boatswain::testing::write;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Timestamp start = *parse_time("2026-11-23T10:00:00Z");

std::string read_all(LogFile& file, std::uint64_t offset = 0) {
    std::string all;
    char buffer[100];
    for (;;) {
        auto n = file.read_at(offset + all.size(), buffer, sizeof buffer).value();
        if (n == 0) return all;
        all.append(buffer, n);
    }
}

std::vector<std::string> names(const std::vector<Generation>& generations) {
    std::vector<std::string> found;
    for (const auto& generation : generations) found.push_back(generation.path.filename().string());
    return found;
}

TEST(LogFile, IsReadFromAnyOffsetCompressedOrNot) {
    TestDirectory directory;
    std::string text;
    for (int i = 0; i < 500; ++i) text += "line " + std::to_string(i) + "\n";
    write(directory / "plain", text);
    auto gz = ::gzopen((directory / "packed.gz").c_str(), "wb");
    ::gzwrite(gz, text.data(), static_cast<unsigned>(text.size()));
    ::gzclose(gz);
    for (auto name : {"plain", "packed.gz"}) {
        auto file = open_log_file(directory / name);
        ASSERT_TRUE(file) << name;
        EXPECT_EQ((*file)->compressed(), std::string_view{name}.ends_with(".gz"));
        EXPECT_EQ(read_all(**file), text);
        EXPECT_EQ(read_all(**file, 1234), text.substr(1234)) << "backwards too";
        EXPECT_EQ(read_all(**file, text.size()), "");
        EXPECT_EQ(read_all(**file, text.size() + 10'000), "") << "past the end";
    }
}

TEST(LogFile, StaysReadableWhateverHappensToItsName) {
    TestDirectory directory;
    write(directory / "log", "kept\n");
    auto file = *open_log_file(directory / "log");
    EXPECT_TRUE(file->linked());
    std::filesystem::rename(directory / "log", directory / "log.1");
    EXPECT_TRUE(file->linked());
    std::filesystem::remove(directory / "log.1");
    EXPECT_FALSE(file->linked());
    EXPECT_EQ(read_all(*file), "kept\n");
    EXPECT_EQ(file->size(), 5U);
}

TEST(LogFile, IsNothingButARegularFile) {
    TestDirectory directory;
    EXPECT_EQ(open_log_file(directory / "nothing").error().remedy, Remedy::re_resolve);
    ASSERT_EQ(::mkfifo((directory / "fifo").c_str(), 0600), 0);
    EXPECT_EQ(open_log_file(directory / "fifo").error().remedy, Remedy::quarantine) << "and opening it does not hang";
    EXPECT_EQ(open_log_file(directory.path()).error().remedy, Remedy::quarantine);
    write(directory / "secret", "of the host");
    ASSERT_EQ(::symlink("secret", (directory / "link").c_str()), 0);
    EXPECT_FALSE(open_log_file(directory / "link")) << "a link would lead out of the directory";
}

TEST(LogFile, SaysWhatIsWrongWithATornArchive) {
    TestDirectory directory;
    std::string noise;
    for (unsigned i = 0; i < 100'000; ++i) noise += static_cast<char>(i * i % 251);
    auto gz = ::gzopen((directory / "whole.gz").c_str(), "wb");
    ::gzwrite(gz, noise.data(), static_cast<unsigned>(noise.size()));
    ::gzclose(gz);
    auto bytes = boatswain::testing::contents(directory / "whole.gz");
    bytes[bytes.size() / 2] ^= 0x55;
    write(directory / "torn.gz", bytes);
    auto file = *open_log_file(directory / "torn.gz");
    std::string buffer(noise.size(), '\0');
    std::optional<Error> trouble;
    for (std::uint64_t at = 0; at < noise.size() && !trouble;) {
        auto n = file->read_at(at, buffer.data(), buffer.size());
        if (!n)
            trouble = n.error();
        else if (*n == 0)
            break;
        else
            at += *n;
    }
    ASSERT_TRUE(trouble);
    EXPECT_EQ(trouble->remedy, Remedy::quarantine);
}

TEST(Fingerprint, IsOfTheFirstLineHoweverMuchFollows) {
    TestDirectory directory;
    auto of = [&](std::string_view bytes) {
        write(directory / "log", bytes);
        return *fingerprint_of(**open_log_file(directory / "log"));
    };
    EXPECT_EQ(of(""), 0U);
    EXPECT_EQ(of("no newline yet"), 0U);
    EXPECT_EQ(of("a\n"), of("a\nb\nc"));
    EXPECT_NE(of("a\n"), of("b\n"));
    EXPECT_NE(of("a\n"), 0U);
    std::string long_line(fingerprint_bytes_max, 'x');
    EXPECT_EQ(of(long_line), of(long_line + "more\nlines\n"))
        << "it does not change while a long first line is written";
    EXPECT_EQ(of(long_line.substr(1)), 0U);
}

TEST(Fingerprint, OutlivesCompression) {
    TestDirectory directory;
    DockerLog log{directory / "c/c-json.log", {.compress = true}};
    log.print(Stream::out, start, "hello");
    auto before = *fingerprint_of(**open_log_file(log.path()));
    log.rotate();
    EXPECT_EQ(*fingerprint_of(**open_log_file(log.path().string() + ".1")), before);
    log.compress_now();
    EXPECT_EQ(*fingerprint_of(**open_log_file(log.path().string() + ".1.gz")), before);
    EXPECT_EQ(*fingerprint_of(**open_log_file(log.path())), 0U);
}

TEST(Generations, AreListedNewestFirst) {
    TestDirectory directory;
    for (auto name : {"c-json.log", "c-json.log.1", "c-json.log.2.gz", "c-json.log.10.gz", "c-json.log.3"})
        write(directory / name, name);
    EXPECT_THAT(names(list_generations(directory / "c-json.log")),
                ElementsAre("c-json.log", "c-json.log.1", "c-json.log.2.gz", "c-json.log.3", "c-json.log.10.gz"));
}

TEST(Generations, ArePlainWhileTheirArchiveIsBeingWritten) {
    TestDirectory directory;
    for (auto name : {"c-json.log", "c-json.log.1", "c-json.log.1.gz"}) write(directory / name, name);
    EXPECT_THAT(names(list_generations(directory / "c-json.log")), ElementsAre("c-json.log", "c-json.log.1"));
}

TEST(Generations, AreNothingElse) {
    TestDirectory directory;
    for (auto name : {"c-json.log.", "c-json.log.0", "c-json.log.01x", "c-json.log.gz", "c-json.log.1.gz.tmp",
                      "c-json.logx", "other.log", "c-json.log.99999999999", "c-json.log.-1", "config.v2.json"})
        write(directory / name, "x");
    std::filesystem::create_directory(directory / "c-json.log.4");
    ASSERT_EQ(::symlink("config.v2.json", (directory / "c-json.log.5").c_str()), 0);
    EXPECT_THAT(names(list_generations(directory / "c-json.log")), IsEmpty());
    EXPECT_THAT(list_generations(directory / "no/such/c-json.log"), IsEmpty());
}

TEST(ListGenerations, PutsFilesThatAreNamedByADateBehindTheLogTheLatestFirst) {
    TestDirectory directory;
    for (auto name : {"c-json.log", "c-json.log-20261127.gz", "c-json.log-20261129", "c-json.log-20261128-1796000000",
                      "c-json.log.1", "c-json.log-x", "c-json.log-2026", "c-json.log-", "c-json.log-20261129x"})
        write(directory / name, "");
    EXPECT_THAT(names(list_generations(directory / "c-json.log")),
                ElementsAre("c-json.log", "c-json.log-20261129", "c-json.log-20261128-1796000000",
                            "c-json.log-20261127.gz", "c-json.log.1"));
}

}  // namespace
}  // namespace boatswain::intake
