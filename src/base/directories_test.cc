#include "base/directories.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <functional>
#include <mutex>
#include <vector>

#include "base/directory_for_test.h"

namespace {
std::mutex guard;
std::vector<std::string> synced;  // paths, in order
}  // namespace

// Every sync of this program comes by here: what was synced is what the tests are about.
extern "C" int fsync(int fd) {
    char path[4096] = {};
    auto size = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path - 1);
    std::scoped_lock lock{guard};
    synced.emplace_back(path, size > 0 ? static_cast<std::size_t>(size) : 0);
    return static_cast<int>(::syscall(SYS_fsync, fd));
}

namespace boatswain {
namespace {

using boatswain::testing::TestDirectory;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

std::vector<std::string> synced_by(const std::function<void()>& work) {
    synced.clear();
    work();
    return synced;
}

TEST(DurableDirectories, SyncsTheNamesOfWhatItMakes) {
    TestDirectory directory;
    auto paths = synced_by([&] { ASSERT_TRUE(make_directories(directory / "a/b/c")); });
    EXPECT_THAT(paths,
                IsSupersetOf({directory.path().string(), (directory / "a").string(), (directory / "a/b").string()}));
}

// Its maker may have died before it synced the directory above.
TEST(DurableDirectories, SyncsTheNamesOfWhatSomebodyElseMade) {
    TestDirectory directory;
    std::filesystem::create_directories(directory / "a/b/c");
    auto paths = synced_by([&] { ASSERT_TRUE(make_directories(directory / "a/b/c")); });
    EXPECT_THAT(paths,
                IsSupersetOf({directory.path().string(), (directory / "a").string(), (directory / "a/b").string()}));
}

TEST(DurableDirectories, RemembersWhatItSynced) {
    TestDirectory directory;
    DurableDirectories directories;
    ASSERT_TRUE(directories.make(directory / "a/b"));
    EXPECT_THAT(synced_by([&] { ASSERT_TRUE(directories.make(directory / "a/b")); }), IsEmpty());
    auto deeper = synced_by([&] { ASSERT_TRUE(directories.make(directory / "a/b/c")); });
    EXPECT_EQ(deeper, std::vector{(directory / "a/b").string()});
}

TEST(DurableDirectories, SyncsAgainWhatWasMadeAgain) {
    TestDirectory directory;
    DurableDirectories directories;
    ASSERT_TRUE(directories.make(directory / "a/b"));
    std::filesystem::rename(directory / "a", directory / "old");  // keeps its inode, so that the new one is another
    std::filesystem::create_directories(directory / "a/b");
    auto paths = synced_by([&] { ASSERT_TRUE(directories.make(directory / "a/b")); });
    EXPECT_THAT(paths, Contains((directory / "a").string()));
    EXPECT_THAT(paths, Contains(directory.path().string()));
}

TEST(DurableDirectories, AreMadeBelowDirectoriesThatCannotBeSynced) {
    EXPECT_TRUE(make_directories("/proc/self"));
    EXPECT_FALSE(make_directories("/proc/self/new"));
}

}  // namespace
}  // namespace boatswain
