#include "intake/driver/fifo.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>

#include "base/directory_for_test.h"
#include "intake/driver/log_entry.h"

namespace boatswain::intake::driver {
namespace {

using boatswain::testing::TestDirectory;

std::string frame(int number, std::size_t padding = 0) {
    return to_frame({.source = "stdout",
                     .time_nano = 1'000 + number,
                     .line = "line " + std::to_string(number) + std::string(padding, '.')});
}

// A FIFO as the engine keeps it: its own end is open for reading and writing.
class FifoTest : public ::testing::Test {
  protected:
    static Fd make_fifo(const Path& path) {
        if (::mkfifo(path.c_str(), 0700) != 0) std::abort();
        return Fd{::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)};
    }
    void print(const std::string& bytes) {
        ASSERT_EQ(::write(engine.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    }
    std::string held() {
        std::string bytes(hold.bytes(), '\0');
        auto n = hold.read(hold.start(), bytes);
        return n ? bytes.substr(0, *n) : "?";
    }
    std::size_t move() {
        auto moved = fifo.move(hold, transfer);
        return moved ? moved->bytes : 0;
    }

    Result<std::size_t> drop(const char* reason, bool whole_only) {
        return fifo.drop([this](const Gap& gap) { hold.add_gap(gap); }, transfer, reason, whole_only);
    }

    TestDirectory directory;
    Path fifo_path = directory / "fifo";
    Fd engine = make_fifo(fifo_path);
    Hold hold = std::move(*Hold::create(directory / "x.hold"));
    Transfer transfer = std::move(*Transfer::make());
    Fifo fifo = std::move(*Fifo::open(fifo_path, false));
};

TEST_F(FifoTest, IsWidenedWhenAskedTo) {
    EXPECT_FALSE(fifo.wide());
    EXPECT_GE(fifo.capacity(), frame_bytes_max);
    EXPECT_TRUE(fifo.widen());
    EXPECT_TRUE(fifo.wide());
    EXPECT_GE(::fcntl(engine.get(), F_GETPIPE_SZ), fifo_bytes);
}

TEST_F(FifoTest, GivesWholeFramesToTheHold) {
    print(frame(1) + frame(2) + frame(3).substr(0, 5));
    EXPECT_EQ(move(), (frame(1) + frame(2)).size());
    EXPECT_EQ(held(), frame(1) + frame(2));
    EXPECT_EQ(fifo.left(), 5U);
    EXPECT_EQ(move(), 0U);
    print(frame(3).substr(5));
    EXPECT_EQ(move(), frame(3).size());
    EXPECT_EQ(held(), frame(1) + frame(2) + frame(3));
    EXPECT_EQ(*hold.doubtful(), "");
}

TEST_F(FifoTest, MovesMoreThanOneTurnTakes) {
    ASSERT_GE(::fcntl(engine.get(), F_SETPIPE_SZ, 1 << 20), 1 << 20);
    std::string all;
    for (int i = 0; i < 40; ++i) all += frame(i, 16'000);
    print(all);
    while (move() > 0) {
    }
    EXPECT_EQ(held(), all);
    EXPECT_EQ(fifo.left(), 0U);
}

// A kill between append and take leaves frames in both places; they are taken out of the FIFO at the next start, and
// whatever else lies there is not.
TEST_F(FifoTest, TakesAfterAKillWhatTheHoldHasAlreadyAndNothingElse) {
    print(frame(1) + frame(2));
    ASSERT_TRUE(hold.append(frame(1)));
    ASSERT_TRUE(hold.repair());
    ASSERT_TRUE(fifo.resume(hold, transfer));
    hold.settle();
    EXPECT_EQ(move(), frame(2).size());
    EXPECT_EQ(held(), frame(1) + frame(2));

    // Killed behind take and before settle: the FIFO holds other frames.
    ASSERT_TRUE(hold.append(frame(3)));
    print(frame(4));
    ASSERT_TRUE(hold.repair());
    ASSERT_TRUE(fifo.resume(hold, transfer));
    hold.settle();
    EXPECT_EQ(move(), frame(4).size());
    EXPECT_EQ(held(), frame(1) + frame(2) + frame(3) + frame(4));
}

// The same at every byte at which an append can be cut short.
TEST_F(FifoTest, LosesAndDoublesNothingWhereverAnAppendIsCutShort) {
    auto chunk = frame(1) + frame(2) + frame(3);
    for (std::size_t cut = 0; cut <= chunk.size(); ++cut) {
        auto path = directory / ("cut-" + std::to_string(cut));
        {
            auto before = std::move(*Hold::create(path));
            ASSERT_TRUE(before.append(chunk));
        }
        std::filesystem::resize_file(path, hold_data_offset + cut);
        print(chunk);
        auto after = std::move(*Hold::open(path));
        ASSERT_TRUE(after.repair());
        ASSERT_TRUE(fifo.resume(after, transfer));
        after.settle();
        (void)fifo.move(after, transfer);
        std::string bytes(after.bytes(), '\0');
        ASSERT_TRUE(after.read(after.start(), bytes));
        EXPECT_EQ(bytes, chunk) << cut;
        EXPECT_EQ(fifo.left(), 0U);
    }
}

TEST_F(FifoTest, EndsWhenTheEngineClosesIt) {
    print(frame(1));
    EXPECT_FALSE(fifo.hung_up());
    engine = Fd{};
    EXPECT_TRUE(fifo.hung_up());
    EXPECT_EQ(move(), frame(1).size());
    EXPECT_TRUE(fifo.hung_up());
    EXPECT_EQ(fifo.left(), 0U);
}

TEST_F(FifoTest, ThatIsOpenedAgainTellsWhetherTheEngineIsStillThere) {
    auto again = std::move(*Fifo::open(fifo_path, true));
    EXPECT_FALSE(again.hung_up());
    engine = Fd{};
    EXPECT_TRUE(again.hung_up());
    auto late = std::move(*Fifo::open(fifo_path, true));
    EXPECT_TRUE(late.hung_up());
}

TEST_F(FifoTest, ThatTheEngineHasNotOpenedYetHasNotEnded) {
    auto path = directory / "new";
    ASSERT_EQ(::mkfifo(path.c_str(), 0700), 0);
    auto fresh = std::move(*Fifo::open(path, false));
    EXPECT_FALSE(fresh.hung_up());
}

TEST_F(FifoTest, DroppedFramesAreCountedInTheGap) {
    print(frame(1) + frame(2));
    auto dropped = drop(gap_driver_overflow, true);
    ASSERT_TRUE(dropped);
    EXPECT_EQ(*dropped, (frame(1) + frame(2)).size());
    ASSERT_TRUE(hold.write_gap());
    auto bytes = held();
    auto gap = parse_gap_note(first_frame(bytes).payload);
    ASSERT_TRUE(gap);
    EXPECT_EQ(gap->lines_min, 2U);
    EXPECT_EQ(gap->bytes_min, 2 * std::string{"line 1\n"}.size());
    EXPECT_EQ(gap->from, Timestamp{Nanoseconds{1'001}});
    EXPECT_EQ(gap->to, Timestamp{Nanoseconds{1'002}});
}

TEST_F(FifoTest, HalfAFrameIsNotDroppedBeforeItsOtherHalfIsThere) {
    print(frame(1) + frame(2).substr(0, 9));
    EXPECT_EQ(*drop(gap_driver_overflow, true), frame(1).size());
    EXPECT_EQ(*drop(gap_driver_overflow, true), 0U);
    print(frame(2).substr(9));
    EXPECT_EQ(move(), frame(2).size());
    EXPECT_EQ(held().substr(held().size() - frame(2).size()), frame(2));
}

TEST_F(FifoTest, WhatIsNoFrameIsSeen) {
    print("\xff\xff\xff\xffgarbage");
    auto moved = fifo.move(hold, transfer);
    ASSERT_TRUE(moved);
    EXPECT_TRUE(moved->torn);
    EXPECT_EQ(*drop(gap_malformed, false), 11U);
}

TEST_F(FifoTest, AFrameThatNobodyWillFinishIsTorn) {
    print(frame(1).substr(0, 7));
    EXPECT_FALSE(fifo.move(hold, transfer)->torn);
    engine = Fd{};
    EXPECT_TRUE(fifo.move(hold, transfer)->torn);
}

TEST_F(FifoTest, WhatIsNoFifoIsRefused) {
    boatswain::testing::write(directory / "file", "x");
    EXPECT_EQ(Fifo::open(directory / "file", false).error().remedy, Remedy::quarantine);
    EXPECT_EQ(Fifo::open(directory / "nothing", false).error().remedy, Remedy::re_resolve);
}

}  // namespace
}  // namespace boatswain::intake::driver
