#include "net/task_group.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <stdexcept>

#include "base/directory_for_test.h"
#include "net/event.h"

namespace boatswain::net {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
namespace asio = boost::asio;

class TaskGroupTest : public ::testing::Test {
  protected:
    // Runs the I/O thread until nothing is left to do; false when that took too long.
    bool run() {
        io.restart();
        io.run_for(10s);
        return io.stopped();
    }
    std::string logged() { return boatswain::testing::contents(directory / "log"); }

    boatswain::testing::TestDirectory directory;
    SystemClock clock;
    Fd log_file{::open((directory / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    Log log{clock, log_file.get(), LogFormat::text, LogLevel::debug};
    asio::io_context io;
    TaskGroup group{io.get_executor(), log};
};

asio::awaitable<void> forever(bool& ended) {
    struct Ended {
        bool& flag;
        ~Ended() { flag = true; }
    } at_end{ended};
    for (;;) co_await sleep_for(1h);
}

asio::awaitable<void> count(int& counter) {
    ++counter;
    co_return;
}

TEST_F(TaskGroupTest, RunsTasksFromTheNextTurnOn) {
    int ran = 0;
    group.spawn("count", count(ran));
    group.spawn("count", count(ran));
    EXPECT_EQ(ran, 0);
    EXPECT_EQ(group.size(), 2U);
    EXPECT_TRUE(run());
    EXPECT_EQ(ran, 2);
    EXPECT_EQ(group.size(), 0U);
    EXPECT_EQ(logged(), "");
}

TEST_F(TaskGroupTest, EndsEveryTaskWhenCancelled) {
    bool ended[3] = {};
    for (auto& flag : ended) group.spawn("forever", forever(flag));
    io.run_for(10ms);
    EXPECT_EQ(group.size(), 3U);
    group.cancel();
    EXPECT_TRUE(run());
    EXPECT_EQ(group.size(), 0U);
    for (bool flag : ended) EXPECT_TRUE(flag);
    EXPECT_EQ(logged(), "") << "being cancelled is no trouble";
}

TEST_F(TaskGroupTest, CancelsATaskBeforeItsFirstTurn) {
    bool ended = false;
    group.spawn("forever", forever(ended));
    group.cancel();
    EXPECT_TRUE(run());
    EXPECT_EQ(group.size(), 0U);
}

asio::awaitable<void> break_down() {
    co_await sleep_for(1ms);
    throw std::logic_error("broken invariant");
}

TEST_F(TaskGroupTest, RemembersWhichTasksBrokeDownButNotThoseThatEndedOrWereCancelled) {
    int ran = 0;
    bool ended = false;
    group.spawn("count", count(ran));
    group.spawn("forever", forever(ended));
    for (std::size_t i = 0; i < TaskGroup::failed_max + 5; ++i) group.spawn("break " + std::to_string(i), break_down());
    io.run_for(100ms);
    group.cancel();
    EXPECT_TRUE(run());
    ASSERT_EQ(group.failed().size(), TaskGroup::failed_max);
    for (const auto& task : group.failed()) EXPECT_THAT(task, ::testing::StartsWith("break "));
}

TEST_F(TaskGroupTest, TakesNewTasksAfterACancel) {
    group.cancel();
    int ran = 0;
    group.spawn("count", count(ran));
    EXPECT_TRUE(run());
    EXPECT_EQ(ran, 1);
}

TEST_F(TaskGroupTest, JoinWaitsUntilNoneRuns) {
    bool joined = false;
    auto join = [&]() -> asio::awaitable<void> {
        co_await group.join();
        joined = true;
    };
    asio::co_spawn(io, join(), asio::detached);
    EXPECT_TRUE(run());
    EXPECT_TRUE(joined) << "nothing ran";

    joined = false;
    bool ended = false;
    int ran = 0;
    group.spawn("forever", forever(ended));
    group.spawn("count", count(ran));
    asio::co_spawn(io, join(), asio::detached);
    io.restart();
    io.run_for(20ms);
    EXPECT_EQ(ran, 1);
    EXPECT_FALSE(joined);
    group.cancel();
    EXPECT_TRUE(run());
    EXPECT_TRUE(joined);
    EXPECT_TRUE(ended);
}

TEST_F(TaskGroupTest, EndsItsTasksWhenWhoWaitsForThemIsCancelled) {
    TaskGroup outer{io.get_executor(), log};
    bool ended[2] = {}, waited = false;
    auto wait = [&]() -> asio::awaitable<void> {
        for (auto& flag : ended) group.spawn("forever", forever(flag));
        co_await group.join_or_end();
        waited = ended[0] && ended[1] && group.size() == 0;
    };
    outer.spawn("wait", wait());
    io.run_for(10ms);
    EXPECT_EQ(group.size(), 2U);
    outer.cancel();
    EXPECT_TRUE(run());
    EXPECT_TRUE(waited);
    EXPECT_EQ(logged(), "");
}

TEST_F(TaskGroupTest, LetsATaskThatIsCancelledFinishItsWork) {
    int tidied = 0;
    auto tidy = [&]() -> asio::awaitable<void> {
        try {
            co_await sleep_for(1h);
        } catch (const std::exception&) {
            ++tidied;
        }
    };
    group.spawn("tidy", tidy());
    io.run_for(10ms);
    group.cancel();
    EXPECT_TRUE(run());
    EXPECT_EQ(tidied, 1);
}

TEST_F(TaskGroupTest, LogsWhatATaskThrowsAndLetsTheOthersRun) {
    auto throws = []() -> asio::awaitable<void> {
        co_await sleep_for(1ms);
        throw std::runtime_error{"an invariant is broken"};
    };
    auto throws_anything = []() -> asio::awaitable<void> {
        co_await sleep_for(1ms);
        throw 42;
    };
    auto later = [](int& ran) -> asio::awaitable<void> {
        co_await sleep_for(20ms);
        ++ran;
    };
    int ran = 0;
    group.spawn("reader of web", throws());
    group.spawn("reader of db", throws_anything());
    group.spawn("later", later(ran));
    EXPECT_TRUE(run());
    EXPECT_EQ(ran, 1);
    EXPECT_EQ(group.size(), 0U);
    EXPECT_THAT(logged(), HasSubstr("task=\"reader of web\" error=\"an invariant is broken\""));
    EXPECT_THAT(logged(), HasSubstr("task=\"reader of db\""));
    EXPECT_THAT(logged(), Not(HasSubstr("later")));
}

TEST_F(TaskGroupTest, LetsTasksSpawnTasks) {
    int ran = 0;
    auto parent = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 100; ++i) group.spawn("child", count(ran));
        co_return;
    };
    group.spawn("parent", parent());
    EXPECT_TRUE(run());
    EXPECT_EQ(ran, 100);
}

}  // namespace
}  // namespace boatswain::net
