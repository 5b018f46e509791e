#include "store/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <random>
#include <thread>

#include "crypto/digest.h"
#include "store/directory_walk.h"

namespace boatswain::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Directory : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/directory_test.XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        top = name;
    }
    void TearDown() override { std::filesystem::remove_all(top); }

    Result<PutOutcome> put(std::string_view key, std::string_view bytes) {
        return store().put(key, bytes, crypto::sha256(bytes));
    }
    void create(std::string_view key) {
        auto outcome = put(key, key);
        ASSERT_TRUE(outcome) << outcome.error().what;
        ASSERT_EQ(*outcome, PutOutcome::created);
    }
    std::vector<std::string> keys(std::string_view prefix = "") {
        std::vector<std::string> found;
        auto each = [&](const ObjectInfo& object) { return found.push_back(object.key), true; };
        auto listed = for_each_object(store(), prefix, each);
        EXPECT_TRUE(listed) << listed.error().what;
        return found;
    }
    DirectoryStore& store() {
        if (!store_) store_ = std::make_unique<DirectoryStore>(top / "store");
        return *store_;
    }

    Path top;
    std::unique_ptr<DirectoryStore> store_;
};

TEST_F(Directory, GivesBackWhatWasPut) {
    std::string bytes(300'000, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
    EXPECT_EQ(put("v1/tenant=a%2Fb/x.age", bytes), PutOutcome::created);
    EXPECT_EQ(store().read("v1/tenant=a%2Fb/x.age"), bytes);
}

struct DirectoryFile : Directory {
    void SetUp() override {
        Directory::SetUp();
        file = top / "sealed";
        ASSERT_TRUE(write_file_durably(file, bytes, DirectoryStore::file_mode));
        ASSERT_EQ(::chmod(file.c_str(), DirectoryStore::file_mode), 0);
    }
    Result<PutOutcome> put_file() { return store().put_file("a/b", file, bytes, crypto::sha256(bytes)); }
    struct stat status_of(const Path& path) {
        struct stat found{};
        EXPECT_EQ(::stat(path.c_str(), &found), 0) << path;
        return found;
    }
    bool is_second_name() { return status_of(top / "store/a/b").st_ino == status_of(file).st_ino; }

    std::string bytes = std::string(100'000, 'b');
    Path file;
};

TEST_F(DirectoryFile, GetsASecondNameAndIsNotWrittenAgain) {
    EXPECT_EQ(put_file(), PutOutcome::created);
    EXPECT_TRUE(is_second_name());
    EXPECT_EQ(put_file(), PutOutcome::already_there);
    ASSERT_TRUE(remove_file(file));
    EXPECT_EQ(store().read("a/b"), bytes);
    EXPECT_THAT(keys(), ElementsAre("a/b"));
}

TEST_F(DirectoryFile, NeverTakesThePlaceOfAnother) {
    ASSERT_TRUE(put("a/b", "another"));
    EXPECT_EQ(put_file(), PutOutcome::taken);
    EXPECT_EQ(store().read("a/b"), "another");
}

TEST_F(DirectoryFile, IsWrittenWhereItsModeIsNotThatOfAnObject) {
    ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
    EXPECT_EQ(put_file(), PutOutcome::created);
    EXPECT_FALSE(is_second_name());
    EXPECT_EQ(store().read("a/b"), bytes);
}

TEST_F(DirectoryFile, IsWrittenWhereTheDirectoryGivesItsFilesAGroup) {
    std::filesystem::create_directories(top / "store/a");
    ASSERT_EQ(::chmod((top / "store/a").c_str(), 02770), 0);
    EXPECT_EQ(put_file(), PutOutcome::created);
    EXPECT_FALSE(is_second_name());
}

TEST_F(DirectoryFile, IsWrittenWhereTheDirectoryGivesItsFilesAnAccessList) {
    std::filesystem::create_directories(top / "store/a");
    // Version 2 of the list: owner rwx, user 65534 r--, group r-x, mask r-x, others none (linux/posix_acl_xattr.h).
    const unsigned char list[] = {2, 0,   0,   0,   1,   0,   7,  0, 255, 255, 255, 255, 2,   0,  4,
                                  0, 254, 255, 0,   0,   4,   0,  5, 0,   255, 255, 255, 255, 16, 0,
                                  5, 0,   255, 255, 255, 255, 32, 0, 0,   0,   255, 255, 255, 255};
    ASSERT_EQ(::setxattr((top / "store/a").c_str(), "system.posix_acl_default", list, sizeof list, 0), 0);
    EXPECT_EQ(put_file(), PutOutcome::created);
    EXPECT_FALSE(is_second_name());
}

TEST_F(DirectoryFile, IsWrittenWhereItsBytesAreNotThoseToStore) {
    ASSERT_TRUE(write_file_durably(file, "torn", DirectoryStore::file_mode));
    EXPECT_EQ(put_file(), PutOutcome::created);
    EXPECT_EQ(store().read("a/b"), bytes);
}

TEST_F(Directory, AnswersAlreadyThereToTheSameBytesAgain) {
    create("a/b");
    EXPECT_EQ(put("a/b", "a/b"), PutOutcome::already_there);
}

TEST_F(Directory, SaysThatAKeyIsTakenByWhatIsNoFile) {
    std::filesystem::create_directories(top / "store/a/b");
    EXPECT_EQ(put("a/b", "bytes"), PutOutcome::taken);
    std::filesystem::create_symlink("nowhere", top / "store/a/link");
    EXPECT_EQ(put("a/link", "bytes"), PutOutcome::taken);
}

TEST_F(Directory, SaysThatAKeyIsTakenByOtherBytes) {
    create("a/b");
    for (std::string other : {"a/c", "", "a/b and more"}) {
        EXPECT_EQ(put("a/b", other), PutOutcome::taken);
    }
    EXPECT_EQ(store().read("a/b"), "a/b");
}

TEST_F(Directory, LetsOneOfManyRacingPutsWin) {
    for (int round = 0; round < 20; ++round) {
        std::atomic<int> created{0}, refused{0};
        auto key = "race/" + std::to_string(round);
        {
            std::vector<std::jthread> racers;
            for (int i = 0; i < 6; ++i)
                racers.emplace_back([&, i] {
                    auto outcome =
                        DirectoryStore{top / "store"}.put(key, std::to_string(i), crypto::sha256(std::to_string(i)));
                    if (outcome && *outcome == PutOutcome::created) ++created;
                    if (outcome && *outcome == PutOutcome::taken) ++refused;
                });
        }
        EXPECT_EQ(created, 1);
        EXPECT_EQ(refused, 5);
    }
}

TEST_F(Directory, ReplacesWhatIsThereAndMakesWhatIsNot) {
    for (std::string bytes : {"first", "the second", ""}) {
        auto replaced = store().replace("v1/fleet/host=a.json", bytes, crypto::sha256(bytes));
        ASSERT_TRUE(replaced) << replaced.error().what;
        EXPECT_EQ(store().read("v1/fleet/host=a.json"), bytes);
    }
    EXPECT_THAT(keys(), ElementsAre("v1/fleet/host=a.json")) << "nothing temporary is left";
    EXPECT_EQ(store().replace("a/../b", "x", crypto::sha256("x")).error().remedy, Remedy::stop);
}

TEST_F(Directory, IsMadeByTheFirstPutForItsOwnerAndGroupOnly) {
    EXPECT_FALSE(std::filesystem::exists(top / "store"));
    EXPECT_TRUE(keys().empty());
    create("a/b");
    struct stat status{};
    ASSERT_EQ(::stat((top / "store/a").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0750U);
    ASSERT_EQ(::stat((top / "store/a/b").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0640U);
}

TEST_F(Directory, SaysThatAMissingObjectIsMissing) {
    create("a/b");
    for (auto key : {"x", "a", "a/b/c"}) {
        auto read = store().read(key);
        ASSERT_FALSE(read) << key;
        EXPECT_EQ(read.error().remedy, Remedy::re_resolve);
        EXPECT_THAT(read.error().what, HasSubstr("no such object"));
    }
}

TEST_F(Directory, RefusesKeysThatLeadElsewhere) {
    for (auto key : {"../x", "a/../../x", "/etc/passwd", "", "a//b", "a/./b"}) {
        EXPECT_EQ(put(key, "x").error().remedy, Remedy::stop) << key;
        EXPECT_EQ(store().read(key).error().remedy, Remedy::stop) << key;
    }
    EXPECT_EQ(store().list("../", false, {}).error().remedy, Remedy::stop);
    EXPECT_FALSE(std::filesystem::exists(top / "x"));
}

TEST_F(Directory, ReadsRanges) {
    ASSERT_TRUE(put("k", "0123456789"));
    auto read = [&](Range range) {
        auto found = store().read("k", range);
        EXPECT_TRUE(found);
        EXPECT_EQ(found->object_size, 10U);
        return std::to_string(found->first) + ":" + found->bytes;
    };
    EXPECT_EQ(read({.first = 2, .length = 3}), "2:234");
    EXPECT_EQ(read({.first = 8, .length = 100}), "8:89");
    EXPECT_EQ(read({.first = 8, .length = UINT64_MAX}), "8:89");
    EXPECT_EQ(read({.first = 10, .length = 5}), "10:");
    EXPECT_EQ(read({.first = UINT64_MAX, .length = UINT64_MAX}), "10:");
    EXPECT_EQ(read({.first = 3, .length = 0}), "3:");
    EXPECT_EQ(read({.length = 4, .suffix = true}), "6:6789");
    // Of as much as libstdc++ reserves more for.
    ASSERT_TRUE(put("l", std::string(100, 'x')));
    for (std::uint64_t length : {15, 16, 20, 29, 30, 31})
        EXPECT_EQ(store().read("l", {.first = 5, .length = length})->bytes.size(), length);
    EXPECT_EQ(read({.length = 40, .suffix = true}), "0:0123456789");
}

TEST_F(Directory, ListsInTheOrderOfTheBytesOfTheKeys) {
    std::vector<std::string> all{"a", "a-b", "a.b/c", "ab/c", "ab/d", "ab-/x", "b/c/d/e", "b/c/d-", "Z", "_"};
    for (const auto& key : all) create(key);
    std::ranges::sort(all);
    EXPECT_EQ(keys(), all);
    EXPECT_THAT(keys("ab"), ElementsAre("ab-/x", "ab/c", "ab/d"));
    EXPECT_THAT(keys("ab/"), ElementsAre("ab/c", "ab/d"));
    EXPECT_TRUE(keys("zz/").empty());
}

TEST_F(Directory, ListsAThousandAPageAndEachKeyOnce) {
    std::vector<std::string> all;
    for (int i = 0; i < 2500; ++i) all.push_back("d" + std::to_string(i % 7) + "/k" + std::to_string(i));
    for (const auto& key : all) {
        std::filesystem::create_directories(top / "store" / Path{key}.parent_path());
        std::ofstream{top / "store" / key} << "x";
    }
    std::ranges::sort(all);
    auto first = store().list("", false, {});
    ASSERT_TRUE(first);
    EXPECT_EQ(first->objects.size(), DirectoryStore::page_max);
    EXPECT_EQ(first->next, all[999]);
    EXPECT_EQ(keys(), all);
}

TEST_F(Directory, HasNoNextPageAfterAFullLastOne) {
    std::filesystem::create_directories(top / "store");
    for (int i = 0; i < 1000; ++i) std::ofstream{top / "store" / std::to_string(i)} << "x";
    auto page = store().list("", false, {});
    ASSERT_TRUE(page);
    EXPECT_EQ(page->objects.size(), 1000U);
    EXPECT_FALSE(page->next);
}

TEST_F(Directory, GathersWhatLiesDeeperIntoPrefixes) {
    for (auto key : {"v1/tenant=a/x", "v1/tenant=a/y/z", "v1/tenant=b/x", "v1/top", "v2/x"}) create(key);
    auto list = [&](std::string_view prefix, std::optional<std::string> next = {}) {
        return store().list(prefix, true, next).value();
    };
    EXPECT_THAT(list("").prefixes, ElementsAre("v1/", "v2/"));
    EXPECT_THAT(list("v1/").prefixes, ElementsAre("v1/tenant=a/", "v1/tenant=b/"));
    EXPECT_EQ(list("v1/").objects.at(0).key, "v1/top");
    EXPECT_THAT(list("v1/tenant").prefixes, ElementsAre("v1/tenant=a/", "v1/tenant=b/"));
    EXPECT_THAT(list("v1/", "v1/tenant=a/").prefixes, ElementsAre("v1/tenant=b/"));
    EXPECT_THAT(list("v1/tenant=a/").prefixes, ElementsAre("v1/tenant=a/y/"));
}

TEST_F(Directory, DoesNotSeeWhatIsNoObject) {
    create("a/b");
    std::ofstream{top / "store/a/.b.tmp.123.4"} << "half";
    std::ofstream{top / "store/a/with space"} << "x";
    std::filesystem::create_directories(top / "store/empty/deeper");
    std::filesystem::create_symlink("/etc", top / "store/link");
    std::filesystem::create_symlink("/etc/passwd", top / "store/a/passwd");
    EXPECT_THAT(keys(), ElementsAre("a/b"));
    EXPECT_THAT(store().list("", true, {})->prefixes, ElementsAre("a/"));
    EXPECT_EQ(store().read("a/passwd").error().remedy, Remedy::re_resolve);
    EXPECT_EQ(put("a/.b.tmp.123.4", "x").error().remedy, Remedy::stop);
    EXPECT_TRUE(is_temporary_name(".b.tmp.123.4"));
    for (auto name : {"b.tmp.1.2", ".b.tmp.1.", ".b.tmp.1", ".tmp", ".1.2", "."})
        EXPECT_FALSE(is_temporary_name(name)) << name;
}

TEST_F(Directory, HoldsPartsThatAreLongerThanAFileName) {
    auto x = [](std::size_t n) { return std::string(n, 'x'); };
    std::vector<std::string> all{"t=" + x(384) + "/h/k",
                                 "t=" + x(384) + "/h/" + x(600),
                                 x(200),
                                 x(201),
                                 x(200) + ".",
                                 x(200) + "-y/z",
                                 x(400) + "/.a",
                                 x(1024)};
    for (const auto& key : all) create(key);
    std::ranges::sort(all);
    EXPECT_EQ(keys(), all);
    for (const auto& key : all) EXPECT_EQ(store().read(key), key);
    EXPECT_EQ(keys("t=" + x(384) + "/").size(), 2U);
}

TEST_F(Directory, ListsAnyTreeAsASortedSetWould) {
    auto seed = std::random_device{}();
    std::mt19937 random{seed};
    const std::string letters = "ab-./%=~";
    std::vector<std::string> all;
    for (int i = 0; i < 300; ++i) {
        std::string key;
        for (auto n = 1 + random() % 12; n > 0; --n) key += letters[random() % letters.size()];
        if (key_problem(key)) continue;
        auto outcome = put(key, "x");  // fails when a part of it is an object already
        if (outcome && *outcome == PutOutcome::created) all.push_back(key);
    }
    std::ranges::sort(all);
    EXPECT_EQ(keys(), all) << "seed " << seed;
    for (std::string prefix : {"a", "a/", "-", "ab.", "b/a"}) {
        std::vector<std::string> expected;
        std::ranges::copy_if(all, std::back_inserter(expected),
                             [&](const std::string& key) { return key.starts_with(prefix); });
        EXPECT_EQ(keys(prefix), expected) << "seed " << seed << " prefix " << prefix;
    }
}

// Runs `work` in a child of its own with a file system of 64 KiB at `place`; nothing when such a thing is not allowed
// here.
std::optional<int> with_a_small_file_system(const Path& place, const std::function<int()>& work) {
    constexpr int not_allowed = 77;
    auto child = ::fork();
    if (child == 0) {
        bool mounted = (::unshare(CLONE_NEWNS) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
                       ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                       ::mount("tmpfs", place.c_str(), "tmpfs", 0, "size=64k") == 0;
        ::_exit(mounted ? work() : not_allowed);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) == not_allowed) return std::nullopt;
    return WEXITSTATUS(status);
}

TEST_F(Directory, BacksOffFromAFullDiskNamingThePathAndLeavesNothingBehind) {
    std::filesystem::create_directories(top / "small");
    auto result = with_a_small_file_system(top / "small", [&] {
        DirectoryStore small{top / "small/store"};
        auto refused = small.put("a/b", std::string(200'000, 'x'), std::string(32, '\0'));
        if (refused) return 1;
        if (refused.error().remedy != Remedy::back_off) return 2;
        if (refused.error().what.find((top / "small/store/a").string()) == std::string::npos) return 3;
        auto entries = std::filesystem::directory_iterator{top / "small/store/a"};
        if (entries != std::filesystem::directory_iterator{}) return 4;
        return small.put("a/b", "fits", crypto::sha256("fits")) ? 0 : 5;
    });
    ASSERT_TRUE(result) << "a small file system must be mounted for this: run as root";
    EXPECT_EQ(*result, 0);
}

TEST_F(DirectoryFile, IsWrittenWhereItLiesOnAnotherFileSystem) {
    std::filesystem::create_directories(top / "small");
    bytes.resize(1000);
    ASSERT_TRUE(write_file_durably(file, bytes, DirectoryStore::file_mode));
    auto result = with_a_small_file_system(top / "small", [&] {
        DirectoryStore small{top / "small/store"};
        if (small.put_file("a/b", file, bytes, crypto::sha256(bytes)) != PutOutcome::created) return 1;
        return small.read("a/b") == bytes ? 0 : 2;
    });
    ASSERT_TRUE(result) << "a small file system must be mounted for this: run as root";
    EXPECT_EQ(*result, 0);
}

TEST_F(Directory, RefusesToBeAFile) {
    std::ofstream{top / "file"} << "x";
    auto refused = DirectoryStore{top / "file"}.put("a", "x", crypto::sha256("x"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().remedy, Remedy::stop);
    EXPECT_THAT(refused.error().what, HasSubstr((top / "file").string()));
}

TEST_F(Directory, ProbesWhetherItCouldBeMade) {
    EXPECT_TRUE(store().probe());
    create("a");
    EXPECT_TRUE(store().probe());
    std::ofstream{top / "file"} << "x";
    auto probed = DirectoryStore{top / "file"}.probe();
    ASSERT_FALSE(probed);
    EXPECT_THAT(probed.error().what, HasSubstr("not a directory"));
}

TEST_F(Directory, IsTheSameWithASlashAtItsEnd) {
    DirectoryStore slashed{top / "store/"};
    EXPECT_EQ(slashed.put("a", "x", crypto::sha256("x")), PutOutcome::created);
    EXPECT_EQ(slashed.put("a", "x", crypto::sha256("x")), PutOutcome::already_there);
    EXPECT_THAT(keys(), ElementsAre("a"));
}

TEST(OpenStore, OpensWhatTheUrlSays) {
    SystemClock clock;
    auto directory = open_store("dir:/var/lib/x", clock);
    ASSERT_TRUE(directory);
    EXPECT_EQ((*directory)->describe(), "dir:/var/lib/x");
    auto s3 = open_store("s3://bucket/pre?endpoint=http://127.0.0.1:1", clock);
    ASSERT_TRUE(s3);
    EXPECT_EQ((*s3)->describe(), "s3://bucket/pre");
    EXPECT_FALSE(open_store("nope", clock));
}

}  // namespace
}  // namespace boatswain::store
