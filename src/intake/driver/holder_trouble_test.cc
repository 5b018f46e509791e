// The holder where holds, descriptions, memory and directory fail it: containers are read on all the same.
#include <atomic>
#include <future>

#include "intake/driver/fifo_table.h"
#include "intake/driver/holder_for_test.h"
#include "intake/driver/plugin_server.h"

namespace boatswain::intake::driver {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

struct Counted {
    std::vector<std::string> lines;
    std::vector<Gap> gaps;
    std::uint64_t dropped = 0;
};

class HolderTroubleTest : public HolderTest {
  protected:
    void start_small(std::uint64_t hold_bytes, std::uint64_t hold_total) {
        start({.socket = {}, .hold_dir = {}, .hold_bytes = hold_bytes, .hold_total = hold_total, .block_max = 50ms});
    }
    // Writes as the engine does, in a thread of its own when the FIFO is full; true when all was taken in time.
    static bool all_taken(const Fd& fifo, int frames, std::size_t padding) {
        std::atomic<bool> done = false;
        std::thread writer{[&] {
            for (int i = 0; i < frames; ++i) print(fifo, frame(i, padding));
            done = true;
        }};
        bool taken = within(20s, [&] { return done.load(); });
        if (!taken) std::abort();  // the thread cannot be ended
        writer.join();
        return taken;
    }
    void count(unsigned number, Counted& counted, const std::string& container = {}) {
        auto bytes = held(number, container);
        if (bytes == "none" || bytes == "unreadable") return;
        for (std::string_view left = bytes; !left.empty();) {
            auto one = first_frame(left);
            ASSERT_GT(one.size, 0U);
            if (one.kind == Frame::Kind::entry)
                counted.lines.emplace_back(parse_log_entry(one.payload).value().line.substr(0, 9));
            if (one.kind == Frame::Kind::note) {
                counted.gaps.push_back(parse_gap_note(one.payload).value());
                counted.dropped += counted.gaps.back().lines_min;
            }
            left.remove_prefix(one.size);
        }
    }
    std::uint64_t memory_taken() {
        std::uint64_t bytes = 0;
        for (const auto& entry : std::filesystem::directory_iterator{memory.path}) {
            struct stat found{};
            if (entry.path().filename() != fifo_table_file && ::stat(entry.path().c_str(), &found) == 0)
                bytes += static_cast<std::uint64_t>(found.st_blocks) * 512;
        }
        return bytes;
    }
    static void spoil(const Path& path) { boatswain::testing::write(path, std::string(5000, 'x')); }

    const std::string other = std::string(64, 'e');
    const std::string red = "[\"BOATSWAIN_TENANT=red\"]", green = "[\"BOATSWAIN_TENANT=green\"]";
};

TEST_F(HolderTroubleTest, RunsOfOneContainerShareItsBound) {
    start_small(1 << 20, 64 << 20);
    constexpr int runs = 8, frames = 40;
    Counted counted;
    for (int run = 0; run < runs; ++run) {
        auto path = directory / ("fifo" + std::to_string(run));
        auto fifo = make_fifo(path);
        ASSERT_THAT(start_logging(path), HasSubstr("{\"Err\":\"\"}"));
        ASSERT_TRUE(all_taken(fifo, frames, 16'000));
    }
    EXPECT_LE(memory_taken(), (1U << 20) + (256U << 10));
    // What did not fit is named as soon as there is room: here the agent takes all that ended.
    EXPECT_TRUE(within(20s,
                       [&] {
                           for (unsigned number = 1; number <= runs + 1; ++number) {
                               if (!ended(number)) continue;
                               count(number, counted);
                               std::filesystem::remove(file_of(number, ".hold"));
                               std::filesystem::remove(file_of(number, ".json"));
                           }
                           return counted.lines.size() + counted.dropped == std::size_t{runs} * frames;
                       }))
        << counted.lines.size() << " lines and " << counted.dropped << " dropped";
    EXPECT_GT(counted.dropped, 0U);
}

TEST_F(HolderTroubleTest, ATenantThatTakesAllItCanLeavesRoomForAnother) {
    start_small(4 << 20, 4 << 20);
    auto full = make_fifo(directory / "full");
    ASSERT_THAT(start_logging(directory / "full", "{}", red), HasSubstr("{\"Err\":\"\"}"));
    ASSERT_TRUE(all_taken(full, 400, 16'000));
    EXPECT_LE(memory_taken(), (2U << 20) + (64U << 10));
    auto fifo = make_fifo(directory / "other");
    ASSERT_THAT(start_logging(directory / "other", "{}", green, other), HasSubstr("{\"Err\":\"\"}"));
    ASSERT_TRUE(all_taken(fifo, 40, 16'000));
    Counted counted;
    EXPECT_TRUE(within(10s, [&] {
        counted = {};
        count(1, counted, other);
        return counted.lines.size() == 40;
    }));
    EXPECT_EQ(counted.dropped, 0U);
}

TEST_F(HolderTroubleTest, AContainerWithoutRoomForAHoldStartsAndIsToldOfLater) {
    start_small(4 << 20, 1 << 20);
    auto full = make_fifo(directory / "full");
    (void)start_logging(directory / "full", "{}", red);
    ASSERT_TRUE(all_taken(full, 100, 16'000));
    // To the last page: one line after the other, until no more is held.
    for (std::string before; before != held(1) || before.empty();) {
        before = held(1);
        for (int i = 0; i < 20; ++i) {
            print(full, frame(i, 2'000));
            std::this_thread::sleep_for(10ms);
        }
    }
    full = Fd{};
    EXPECT_TRUE(within(10s, [&] { return ended(1); }));
    auto fifo = make_fifo(directory / "fifo");
    EXPECT_THAT(start_logging(directory / "fifo", "{}", red, other), HasSubstr("{\"Err\":\"\"}"));
    ASSERT_TRUE(all_taken(fifo, 50, 16'000));
    EXPECT_FALSE(std::filesystem::exists(file_of(1, ".hold", other)));
    // A kill and another holder in between change nothing.
    stop();
    start_small(4 << 20, 1 << 20);
    std::filesystem::remove(file_of(1, ".hold"));
    std::filesystem::remove(file_of(1, ".json"));
    print(fifo, frame(1000));
    Counted counted;
    EXPECT_TRUE(within(10s, [&] {
        counted = {};
        count(1, counted, other);
        return !counted.lines.empty();
    }));
    EXPECT_EQ(counted.lines.back(), "line 1000");
    EXPECT_EQ(counted.lines.size() + counted.dropped, 51U);
    ASSERT_FALSE(counted.gaps.empty());
    EXPECT_EQ(counted.gaps.front().reason, gap_driver_overflow);
}

TEST_F(HolderTroubleTest, AHoldWithoutItsDescriptionIsFilledOn) {
    start_small(1 << 20, 8 << 20);
    auto fifo = make_fifo(directory / "fifo");
    (void)start_logging(directory / "fifo");
    print(fifo, frame(1));
    EXPECT_TRUE(within(10s, [&] { return held(1) == frame(1); }));
    stop();
    spoil(file_of(1, ".json"));
    start_small(1 << 20, 8 << 20);
    print(fifo, frame(2));
    EXPECT_TRUE(within(10s, [&] { return held(1) == frame(1) + frame(2); }));
    EXPECT_TRUE(all_taken(fifo, 400, 16'000));
}

TEST_F(HolderTroubleTest, AHoldThatCannotBeReadIsFollowedByAnotherBehindAGap) {
    start_small(1 << 20, 8 << 20);
    auto fifo = make_fifo(directory / "fifo");
    (void)start_logging(directory / "fifo");
    print(fifo, frame(1));
    EXPECT_TRUE(within(10s, [&] { return held(1) == frame(1); }));
    stop();
    spoil(file_of(1, ".hold"));
    start_small(1 << 20, 8 << 20);
    print(fifo, frame(2));
    Counted counted;
    EXPECT_TRUE(within(10s, [&] {
        counted = {};
        count(2, counted);
        return !counted.lines.empty();
    }));
    EXPECT_EQ(counted.lines, (std::vector<std::string>{"line 2"}));
    ASSERT_EQ(counted.gaps.size(), 1U);
    EXPECT_EQ(counted.gaps[0].reason, gap_unreadable);
}

TEST_F(HolderTroubleTest, AFifoOfWhichAllElseIsLostIsEmptied) {
    start_small(1 << 20, 8 << 20);
    auto fifo = make_fifo(directory / "fifo");
    (void)start_logging(directory / "fifo");
    stop();
    spoil(file_of(1, ".hold"));
    std::filesystem::remove(file_of(1, ".json"));
    start_small(1 << 20, 8 << 20);
    EXPECT_TRUE(all_taken(fifo, 400, 16'000));
    fifo = Fd{};
    EXPECT_TRUE(within(10s, [&] {
        auto figures = FifoTable::read_figures(memory.path);
        return figures && figures->unnamed_lines == 400 && figures->fifos == 0;
    }));
}

TEST_F(HolderTroubleTest, ADirectoryThatIsRemovedIsMadeAgain) {
    start_small(1 << 20, 8 << 20);
    auto fifo = make_fifo(directory / "fifo");
    (void)start_logging(directory / "fifo");
    print(fifo, frame(1));
    EXPECT_TRUE(within(10s, [&] { return held(1) == frame(1); }));
    std::filesystem::remove_all(memory.path);
    EXPECT_TRUE(within(10s, [&] { return std::filesystem::exists(memory.path / fifo_table_file); }));
    print(fifo, frame(2));
    EXPECT_TRUE(within(10s, [&] { return held(2) == frame(2); }));
    stop();
    start_small(1 << 20, 8 << 20);
    print(fifo, frame(3));
    EXPECT_TRUE(within(10s, [&] { return held(2) == frame(2) + frame(3); }));
}

TEST_F(HolderTroubleTest, AHoldOfAContainerThatDoesNotRunIsEndedAndItsFifoWatchedOn) {
    start_small(1 << 20, 8 << 20);
    auto fifo = make_fifo(directory / "fifo");
    (void)start_logging(directory / "fifo");
    print(fifo, frame(1));
    EXPECT_TRUE(within(10s, [&] { return held(1) == frame(1); }));
    boatswain::testing::write(file_of(1, ".gone"), "");
    EXPECT_TRUE(within(20s, [&] { return ended(1); }));
    // Who said so was wrong.
    print(fifo, frame(2));
    EXPECT_TRUE(within(10s, [&] { return held(2) == frame(2); }));
    EXPECT_FALSE(ended(2));
}

TEST_F(HolderTroubleTest, ReadersOfLogsLeaveConnectionsToContainers) {
    start({.socket = {}, .hold_dir = {}, .ring_bytes = 1000});
    auto fifo = make_fifo(directory / "fifo");
    (void)start_logging(directory / "fifo");
    auto follow = "{\"Info\":{\"ContainerID\":\"" + id + "\"},\"Config\":{\"Follow\":true}}";
    auto answers = [](const Fd& socket) {
        char buffer[16] = {};
        return ::read(socket.get(), buffer, sizeof buffer) > 12 ? std::string{buffer + 9, 3} : "none";
    };
    {
        std::vector<Fd> readers;
        for (std::size_t i = 0; i < PluginServer::readers_max; ++i) {
            readers.push_back(call("/LogDriver.ReadLogs", follow));
            EXPECT_EQ(answers(readers.back()), "200");
        }
        EXPECT_EQ(answers(call("/LogDriver.ReadLogs", follow)), "503");
        EXPECT_THAT(ask("/Plugin.Activate", ""), HasSubstr("LogDriver"));
    }
    // All of them left, without a line that would have shown it.
    EXPECT_TRUE(within(10s, [&] { return answers(call("/LogDriver.ReadLogs", follow)) == "200"; }));
    for (int i = 0; i < 300; ++i) (void)call("/LogDriver.ReadLogs", follow);
    EXPECT_TRUE(within(10s, [&] { return answers(call("/LogDriver.ReadLogs", follow)) == "200"; }));
    EXPECT_THAT(ask("/Plugin.Activate", ""), HasSubstr("LogDriver"));
}

TEST_F(HolderTroubleTest, OptionsThatAreMisspeltRefuseTheStart) {
    start();
    auto fifo = make_fifo(directory / "fifo");
    EXPECT_THAT(start_logging(directory / "fifo", "{\"requir-key\":\"true\"}"), HasSubstr("did you mean require-key?"));
    EXPECT_THAT(start_logging(directory / "fifo", "{\"require-key\":\"TRUE\"}"),
                HasSubstr("require-key=true, and no key"));
    EXPECT_THAT(start_logging(directory / "fifo", "{\"require-key\":\"yes\"}"), HasSubstr("neither true nor false"));
    EXPECT_EQ(held(1), "none");
    EXPECT_THAT(start_logging(directory / "fifo", "{\"require-key\":\"False\",\"mode\":\"non-blocking\"}"),
                HasSubstr("{\"Err\":\"\"}"));
}

// Whoever runs the holder asks for them: the agent's /healthz, and the driver's own process, which ends then.
TEST_F(HolderTroubleTest, ATaskThatEndsByAFaultOfOursIsNamed) {
    start();
    auto ended = [&] {
        std::promise<std::vector<std::string>> answer;
        boost::asio::post(*io, [&] { answer.set_value(holder->ended_tasks()); });
        return answer.get_future().get();
    };
    EXPECT_THAT(ended(), ::testing::IsEmpty());
    clock.breaks = true;
    ASSERT_TRUE(within(30s, [&] { return !ended().empty(); }));
    clock.breaks = false;
    EXPECT_THAT(ended(), ::testing::ElementsAre("look after the holds"));
}

}  // namespace
}  // namespace boatswain::intake::driver
