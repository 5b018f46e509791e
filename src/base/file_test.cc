#include "base/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "base/directory_for_test.h"

namespace boatswain {
namespace {

using boatswain::testing::contents;
using boatswain::testing::names_in;
using boatswain::testing::TestDirectory;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

unsigned mode_of(const Path& path) {
    struct stat found{};
    return ::stat(path.c_str(), &found) == 0 ? found.st_mode & 07777 : 0;
}

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

// What `work` gives in a child whose files may have at most `bytes`: a disk that is full there.
template <class Work>
bool with_full_disk(rlim_t bytes, const Work& work) {
    auto child = ::fork();
    if (child == 0) {
        ::signal(SIGXFSZ, SIG_IGN);
        rlimit limit{bytes, bytes};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        ::_exit(work() ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(Fd, HasOneOwner) {
    int raw = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    {
        Fd first{raw};
        Fd second{std::move(first)};
        EXPECT_FALSE(first);
        EXPECT_EQ(second.get(), raw);
        second = Fd{};
        EXPECT_FALSE(is_open(raw)) << "assigning closes what was held";
    }
    int kept = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    {
        EXPECT_EQ(Fd{kept}.release(), kept);
    }
    EXPECT_TRUE(is_open(kept)) << "released: somebody else's";
    ::close(kept);
    EXPECT_FALSE(Fd{});
}

TEST(ReadFile, GivesTheWholeFileUpToItsBound) {
    TestDirectory directory;
    std::string bytes(40'000, '\0');
    bytes += "\xff\nend";
    boatswain::testing::write(directory / "a", bytes);
    EXPECT_EQ(*read_file(directory / "a", bytes.size()), bytes);
    auto refused = read_file(directory / "a", bytes.size() - 1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().remedy, Remedy::quarantine);
    EXPECT_THAT(refused.error().what, HasSubstr("longer than 40004 bytes"));
    boatswain::testing::write(directory / "empty", "");
    EXPECT_EQ(*read_file(directory / "empty", 0), "");
}

TEST(ReadFile, SaysThatAMissingFileIsGoneAndNamesIt) {
    TestDirectory directory;
    auto missing = read_file(directory / "nothing", 10);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().remedy, Remedy::re_resolve);
    EXPECT_THAT(missing.error().what, HasSubstr((directory / "nothing").string()));
    EXPECT_EQ(missing.error().cause, std::errc::no_such_file_or_directory);
    EXPECT_EQ(read_file(directory.path(), 10).error().remedy, Remedy::stop) << "a directory";
}

TEST(WriteFileDurably, ReplacesAndLeavesNothingElse) {
    TestDirectory directory;
    ASSERT_TRUE(write_file_durably(directory / "a", "one", 0600));
    ASSERT_TRUE(write_file_durably(directory / "a", "two", 0640));
    EXPECT_EQ(contents(directory / "a"), "two");
    EXPECT_EQ(mode_of(directory / "a"), 0640U);
    EXPECT_THAT(names_in(directory.path()), ElementsAre("a"));
}

TEST(WriteFileDurably, LeavesTheOldBytesWhenTheDiskIsFull) {
    TestDirectory directory;
    ASSERT_TRUE(write_file_durably(directory / "a", "old"));
    EXPECT_TRUE(with_full_disk(4096, [&] {
        auto written = write_file_durably(directory / "a", std::string(100'000, 'x'));
        return !written && written.error().what.find("write") != std::string::npos;
    }));
    EXPECT_EQ(contents(directory / "a"), "old");
    EXPECT_THAT(names_in(directory.path()), ElementsAre("a")) << "no half of the new bytes stays";
}

TEST(WriteFileDurably, SaysWhereItCannotWrite) {
    TestDirectory directory;
    auto written = write_file_durably(directory / "no/such/place", "x");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().remedy, Remedy::re_resolve);
    EXPECT_THAT(written.error().what, HasSubstr("no/such"));
    ASSERT_TRUE(make_directories(directory / "taken"));
    EXPECT_FALSE(write_file_durably(directory / "taken", "x")) << "a directory has that name";
    EXPECT_THAT(names_in(directory.path()), ElementsAre("taken"));
}

TEST(CreateFileDurably, LeavesAnExistingFileAlone) {
    TestDirectory directory;
    EXPECT_EQ(*create_file_durably(directory / "a", "one"), true);
    EXPECT_EQ(*create_file_durably(directory / "a", "two"), false);
    EXPECT_EQ(contents(directory / "a"), "one");
    EXPECT_THAT(names_in(directory.path()), ElementsAre("a"));
    EXPECT_FALSE(create_file_durably(directory / "no/a", "x"));
}

TEST(CreateFileDurably, LetsOneOfManyWritersWin) {
    TestDirectory directory;
    std::atomic<int> won{0};
    {
        std::vector<std::jthread> writers;
        for (int i = 0; i < 8; ++i)
            writers.emplace_back([&, i] { won += *create_file_durably(directory / "a", std::to_string(i)) ? 1 : 0; });
    }
    EXPECT_EQ(won, 1);
    EXPECT_THAT(names_in(directory.path()), ElementsAre("a"));
}

TEST(MakeDirectories, MakesParentsAndAcceptsWhatIsThere) {
    TestDirectory directory;
    ASSERT_TRUE(make_directories(directory / "a/b/c", 0750));
    ASSERT_TRUE(make_directories(directory / "a/b/c", 0700));
    EXPECT_EQ(mode_of(directory / "a/b/c"), 0750U);
    boatswain::testing::write(directory / "file", "");
    EXPECT_EQ(make_directories(directory / "file").error().remedy, Remedy::re_resolve);
    EXPECT_FALSE(make_directories(directory / "file/below"));
}

TEST(RemoveFile, CountsAMissingFileAsRemoved) {
    TestDirectory directory;
    boatswain::testing::write(directory / "a", "");
    EXPECT_TRUE(remove_file(directory / "a"));
    EXPECT_TRUE(remove_file(directory / "a"));
    EXPECT_THAT(names_in(directory.path()), IsEmpty());
    EXPECT_FALSE(remove_file(directory.path())) << "a directory";
}

TEST(MappedFile, ShowsTheBytesAsLongAsItLives) {
    TestDirectory directory;
    boatswain::testing::write(directory / "a", "mapped");
    boatswain::testing::write(directory / "empty", "");
    auto mapped = MappedFile::open(directory / "a");
    ASSERT_TRUE(mapped);
    ASSERT_TRUE(remove_file(directory / "a"));
    MappedFile moved{std::move(*mapped)};
    EXPECT_EQ(moved.bytes(), "mapped");
    EXPECT_EQ(mapped->bytes(), "");
    auto other = MappedFile::open(directory / "empty");
    ASSERT_TRUE(other);
    EXPECT_EQ(other->bytes(), "");
    *other = std::move(moved);
    EXPECT_EQ(other->bytes(), "mapped");
    EXPECT_EQ(MappedFile::open(directory / "a").error().remedy, Remedy::re_resolve);
}

}  // namespace
}  // namespace boatswain
