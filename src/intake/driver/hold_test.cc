#include "intake/driver/hold.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/directory_for_test.h"
#include "intake/driver/log_entry.h"

namespace boatswain::intake::driver {
namespace {

using boatswain::testing::contents;
using boatswain::testing::TestDirectory;

std::string frame(int number, std::size_t padding = 0) {
    return to_frame({.source = "stdout",
                     .time_nano = 1'000 + number,
                     .line = "line " + std::to_string(number) + std::string(padding, '.')});
}

std::string all_of(const Hold& hold) {
    std::string bytes(hold.bytes(), '\0');
    auto n = hold.read(hold.start(), bytes);
    return n ? bytes.substr(0, *n) : "?";
}

class HoldTest : public ::testing::Test {
  protected:
    Hold create() { return std::move(*Hold::create(path)); }
    Hold open() { return std::move(*Hold::open(path)); }

    TestDirectory directory;
    Path path = directory / "x.hold";
};

TEST_F(HoldTest, GivesBackWhatWasAppendedToWhoeverOpensIt) {
    auto writer = create();
    ASSERT_TRUE(writer.append(frame(1) + frame(2)));
    writer.settle();
    auto reader = open();
    EXPECT_EQ(reader.id(), writer.id());
    EXPECT_EQ(all_of(reader), frame(1) + frame(2));
    ASSERT_TRUE(writer.append(frame(3)));
    EXPECT_EQ(all_of(reader), frame(1) + frame(2) + frame(3));
    EXPECT_FALSE(reader.ended());
    writer.end();
    EXPECT_TRUE(reader.ended());
}

TEST_F(HoldTest, CostsNoMemoryForWhatWasGivenBack) {
    auto hold = create();
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(hold.append(frame(i, 10'000)));
    hold.settle();
    struct stat before{}, after{};
    ::stat(path.c_str(), &before);
    EXPECT_TRUE(hold.release(hold.size() - frame(99, 10'000).size()));
    ::stat(path.c_str(), &after);
    EXPECT_EQ(all_of(hold), frame(99, 10'000));
    EXPECT_EQ(after.st_size, before.st_size);
    EXPECT_LT(after.st_blocks * 512, 30'000 + 3 * 4096);
    EXPECT_GT(before.st_blocks * 512, 1'000'000);
}

TEST_F(HoldTest, KeepsWhatMayStillLieInTheFifo) {
    auto hold = create();
    ASSERT_TRUE(hold.append(frame(1)));
    hold.settle();
    ASSERT_TRUE(hold.append(frame(2)));
    EXPECT_FALSE(hold.release(hold.size()));
    EXPECT_EQ(all_of(hold), frame(2));
    EXPECT_EQ(*hold.doubtful(), frame(2));
    hold.settle();
    EXPECT_EQ(*hold.doubtful(), "");
    EXPECT_TRUE(hold.release(hold.size()));
    EXPECT_EQ(hold.bytes(), 0U);
}

TEST_F(HoldTest, CutsOffATornTail) {
    {
        auto hold = create();
        ASSERT_TRUE(hold.append(frame(1)));
        hold.settle();
        ASSERT_TRUE(hold.append(frame(2) + frame(3)));
    }
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
    auto hold = open();
    ASSERT_TRUE(hold.repair());
    EXPECT_EQ(all_of(hold), frame(1) + frame(2));
    EXPECT_EQ(*hold.doubtful(), frame(2));
    ASSERT_TRUE(hold.append(frame(3)));
    EXPECT_EQ(all_of(hold), frame(1) + frame(2) + frame(3));
}

TEST_F(HoldTest, WritesAGapWhereItWas) {
    auto at = [](int ns) { return Timestamp{Nanoseconds{ns}}; };
    auto hold = create();
    ASSERT_TRUE(hold.append(frame(1)));
    hold.add_gap({.from = at(5), .to = at(6), .reason = "driver-overflow", .lines_min = 2, .bytes_min = 20});
    hold.add_gap({.from = at(7), .to = at(8), .reason = "driver-overflow", .lines_min = 3, .bytes_min = 30});
    EXPECT_TRUE(hold.has_gap());
    ASSERT_TRUE(hold.append(frame(9)));
    auto bytes = all_of(hold);
    auto note = first_frame(std::string_view{bytes}.substr(frame(1).size()));
    ASSERT_EQ(note.kind, Frame::Kind::note);
    auto gap = parse_gap_note(note.payload);
    ASSERT_TRUE(gap);
    EXPECT_EQ(gap->from, at(5));
    EXPECT_EQ(gap->to, at(8));
    EXPECT_EQ(gap->lines_min, 5U);
    EXPECT_EQ(gap->bytes_min, 50U);
    EXPECT_EQ(gap->reason, "driver-overflow");
    EXPECT_TRUE(bytes.ends_with(frame(9)));
    EXPECT_FALSE(hold.has_gap());
}

TEST_F(HoldTest, TellsAPositionInItFromAnyOther) {
    HoldName name{.container = std::string(64, 'a'), .number = 3};
    auto hold = create();
    ASSERT_TRUE(hold.append(frame(1)));
    hold.settle();
    auto position = position_in(hold, name, hold.size(), hold_data_offset);
    EXPECT_EQ(position_of(hold, name, position), position);
    auto text = parse_position(to_text(Position{position}));
    ASSERT_TRUE(text);
    EXPECT_TRUE(position_of(hold, name, *text));
    auto other = position;
    other.fingerprint += 1;
    EXPECT_FALSE(position_of(hold, name, other));
    other = position;
    other.device += 1;  // of another start of the host
    EXPECT_FALSE(position_of(hold, name, other));
    other = position;
    other.out_offset = hold.size() + 1;
    EXPECT_FALSE(position_of(hold, name, other));
    EXPECT_FALSE(position_of(hold, name, NoPosition{}));
}

TEST_F(HoldTest, IsNotOpenedFromAnotherFile) {
    boatswain::testing::write(path, std::string(10'000, 'x'));
    EXPECT_FALSE(Hold::open(path));
    boatswain::testing::write(path, "short");
    EXPECT_FALSE(Hold::open(path));
}

TEST(HoldNames, AreReadAsTheyAreWritten) {
    HoldName name{.container = std::string(64, 'b'), .number = 12};
    EXPECT_EQ(name.str(), std::string(64, 'b') + "-00000012");
    EXPECT_EQ(HoldName::parse(name.str()), name);
    for (auto strange : {"", "lock", "x-00000001"}) EXPECT_FALSE(HoldName::parse(strange));
    EXPECT_FALSE(HoldName::parse(std::string(64, 'b') + "-0000001x"));
    EXPECT_FALSE(HoldName::parse(std::string(64, 'B') + "-00000012"));
}

TEST(Notes, OfAnotherKindAreNoGap) {
    for (auto text : {"", "gap", "gap 1 2 3", "gap 1 2 3 4", "gap 1 2 3 4 ", "gap 1 2 -3 4 torn",
                      "gap 1 2 3 4 whatever", "gap x 2 3 4 torn"})
        EXPECT_FALSE(parse_gap_note(text)) << text;
    EXPECT_TRUE(parse_gap_note("gap 1 2 3 4 torn"));
}

TEST(InMemory, IsAskedOfTheDirectory) {
    TestDirectory directory;
    auto checked = check_in_memory(directory / "holds");
    struct stat found{};
    ASSERT_EQ(::stat((directory / "holds").c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0700U);
    // Where the tests' directory lies on a disk, it is refused with what to do; /dev/shm is a tmpfs everywhere.
    if (!checked) EXPECT_NE(checked.error().what.find("driver.hold_dir"), std::string::npos);
    Path shm = "/dev/shm/boatswain-test-" + std::to_string(::getpid());
    EXPECT_TRUE(check_in_memory(shm));
    ::chmod(shm.c_str(), 0755);
    EXPECT_FALSE(check_in_memory(shm));
    std::filesystem::remove(shm);
}

constexpr uid_t somebody = 65534;

// As /dev/shm is: everybody may make names there, and only who made one may take it away.
class SharedDirectory : public ::testing::Test {
  protected:
    SharedDirectory() {
        std::string pattern = "/dev/shm/boatswain-test-XXXXXX";
        shared = ::mkdtemp(pattern.data());
        holds = shared / "boatswain";
        ::chmod(shared.c_str(), 01777);
    }
    ~SharedDirectory() override { std::filesystem::remove_all(shared); }
    void squat(const std::string& what) {
        if (what == "a directory") ::mkdir(holds.c_str(), 0777);
        if (what == "a file") boatswain::testing::write(holds, "x");
        if (what == "a link") ::symlink("/etc", holds.c_str());
        ASSERT_EQ(::lchown(holds.c_str(), somebody, somebody), 0) << "these tests are run by root";
    }
    // What `work` gives in a child that is nobody.
    template <class Work>
    bool as_nobody(const Work& work) {
        auto child = ::fork();
        if (child == 0) ::_exit(::setresuid(somebody, somebody, somebody) == 0 && work() ? 0 : 1);
        int status = 0;
        ::waitpid(child, &status, 0);
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }

    Path shared, holds;
};

TEST_F(SharedDirectory, CannotBeSquattedToKeepTheAgentFromStarting) {
    for (std::string what : {"a directory", "a file", "a link"}) {
        squat(what);
        auto checked = check_in_memory(holds);
        ASSERT_TRUE(checked) << what << ": " << checked.error().what;
        struct stat found{};
        ASSERT_EQ(::lstat(holds.c_str(), &found), 0);
        EXPECT_TRUE(S_ISDIR(found.st_mode) && found.st_uid == ::geteuid() && (found.st_mode & 0777) == 0700) << what;
        std::filesystem::remove(holds);
    }
}

TEST_F(SharedDirectory, KeepsHoldsThatAreThere) {
    ASSERT_TRUE(check_in_memory(holds));
    boatswain::testing::write(holds / "x.hold", "held");
    ASSERT_TRUE(check_in_memory(holds));
    EXPECT_EQ(contents(holds / "x.hold"), "held");
}

TEST_F(SharedDirectory, SaysWhoStandsThereToAnAgentThatMayNotRename) {
    ASSERT_EQ(::mkdir(holds.c_str(), 0700), 0);
    EXPECT_TRUE(as_nobody([&] {
        auto checked = check_in_memory(holds);
        return !checked && checked.error().what.find("belongs to somebody else") != std::string::npos;
    }));
    EXPECT_TRUE(std::filesystem::is_directory(holds));
}

TEST_F(SharedDirectory, LeavesOthersDirectoriesAloneWhereNotEverybodyMayMakeThem) {
    ::chmod(shared.c_str(), 0755);
    squat("a directory");
    EXPECT_FALSE(check_in_memory(holds));
    EXPECT_TRUE(std::filesystem::is_directory(holds));
}

}  // namespace
}  // namespace boatswain::intake::driver
