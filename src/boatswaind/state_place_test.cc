#include "boatswaind/state_place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/magic.h>

#include "base/directory_for_test.h"

namespace boatswain::boatswaind {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(StatePlace, RefusesFileSystemsOfTheNetworkAndOfOtherPrograms) {
    for (auto [kind, name] : std::vector<std::pair<std::uint64_t, std::string>>{{NFS_SUPER_MAGIC, "NFS"},
                                                                                {FUSE_SUPER_MAGIC, "FUSE"},
                                                                                {CIFS_SUPER_MAGIC, "SMB"},
                                                                                {SMB2_SUPER_MAGIC, "SMB"},
                                                                                {V9FS_MAGIC, "9P"},
                                                                                {CEPH_SUPER_MAGIC, "Ceph"}}) {
        auto checked =
            check_state_place("/var/lib/boatswain", [&](const Path&) { return Result<std::uint64_t>{kind}; });
        ASSERT_FALSE(checked) << name;
        EXPECT_EQ(checked.error().remedy, Remedy::stop);
        EXPECT_THAT(checked.error().what, AllOf(HasSubstr("state_dir /var/lib/boatswain lies on " + name),
                                                HasSubstr("set state_dir to a directory on a disk of this host")));
    }
}

TEST(StatePlace, TakesDisksAndMemory) {
    for (auto kind : std::initializer_list<std::uint64_t>{EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
                                                          OVERLAYFS_SUPER_MAGIC, TMPFS_MAGIC, F2FS_SUPER_MAGIC})
        EXPECT_TRUE(check_state_place("/var/lib/boatswain", [&](const Path&) { return Result<std::uint64_t>{kind}; }))
            << kind;
    boatswain::testing::TestDirectory directory;
    EXPECT_TRUE(check_state_place(directory.path()));
    EXPECT_TRUE(check_state_place(directory / "not/there/yet"));
}

TEST(StatePlace, AsksTheKernelForTheKind) {
    EXPECT_EQ(*file_system_kind("/proc/self"), static_cast<std::uint64_t>(PROC_SUPER_MAGIC));
    EXPECT_EQ(*file_system_kind("/dev/shm/not/there/yet"), static_cast<std::uint64_t>(TMPFS_MAGIC));
}

}  // namespace
}  // namespace boatswain::boatswaind
