#include "base/open_below.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "base/directory_for_test.h"

namespace boatswain {
namespace {

using testing::TestDirectory;
using testing::write;

class OpenBelow : public ::testing::Test {
  protected:
    OpenBelow() {
        std::filesystem::create_directories(root / "a/b");
        write(root / "a/b/file", "x");
        write(directory / "outside", "x");
    }
    // 0, or why it cannot be opened.
    int problem_of(const Path& path) const { return open_below(root, path, O_RDONLY) ? 0 : errno; }

    TestDirectory directory;
    Path root = directory / "root";
};

TEST_F(OpenBelow, OpensFilesAndDirectories) {
    for (auto path : {"a", "a/b", "a/b/file"}) EXPECT_EQ(problem_of(root / path), 0) << path;
    EXPECT_EQ(problem_of(root / "a/c"), ENOENT);
    EXPECT_EQ(problem_of(root / "a/b/file/d"), ENOTDIR);
}

TEST_F(OpenBelow, FollowsNoLinkButThoseToItsRoot) {
    std::filesystem::create_directory_symlink(root / "a", root / "linked");
    std::filesystem::create_directory_symlink(root / "a/b", root / "a/linked");
    std::filesystem::create_symlink(root / "a/b/file", root / "a/b/linked");
    EXPECT_EQ(problem_of(root / "linked/b/file"), ENOTDIR);
    EXPECT_EQ(problem_of(root / "a/linked/file"), ENOTDIR);
    EXPECT_EQ(problem_of(root / "a/b/linked"), ELOOP);
    std::filesystem::create_directory_symlink(root, directory / "other");
    root = directory / "other";
    EXPECT_EQ(problem_of(root / "a/b/file"), 0);
}

TEST_F(OpenBelow, LeavesItsRootByNoPath) {
    for (auto path : {"../outside", "a/../../outside", ".."}) EXPECT_EQ(problem_of(root / path), EINVAL) << path;
    EXPECT_EQ(problem_of(directory / "outside"), EINVAL);
}

}  // namespace
}  // namespace boatswain
