#include "boatswaind/state_lock.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "base/directory_for_test.h"

namespace boatswain::boatswaind {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class StateLockTest : public ::testing::Test {
  protected:
    // A process that holds the lock until it is killed; returns when it has it.
    pid_t start_holder() {
        int ready[2];
        EXPECT_EQ(::pipe(ready), 0);
        auto child = ::fork();
        if (child == 0) {
            auto lock = StateLock::acquire(state, log, [] { return true; });
            char told = lock ? 'y' : 'n';
            (void)!::write(ready[1], &told, 1);
            for (;;) ::pause();
        }
        char told = 0;
        EXPECT_EQ(::read(ready[0], &told, 1), 1);
        EXPECT_EQ(told, 'y');
        ::close(ready[0]);
        ::close(ready[1]);
        return child;
    }
    static void kill_and_wait(pid_t child) {
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
    }
    std::string logged() { return boatswain::testing::contents(directory / "log"); }

    boatswain::testing::TestDirectory directory;
    Path state = directory / "not/there/yet";
    SystemClock clock;
    Fd log_file{::open((directory / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    Log log{clock, log_file.get(), LogFormat::text, LogLevel::debug};
};

TEST_F(StateLockTest, IsHadAtOnceInANewDirectory) {
    auto lock = StateLock::acquire(state, log, [] { return true; });
    ASSERT_TRUE(lock) << lock.error().what;
    EXPECT_EQ(logged(), "");
    EXPECT_TRUE(std::filesystem::exists(state / "lock"));
}

TEST_F(StateLockTest, MakesTheSecondProcessWaitUntilTheFirstIsKilled) {
    auto holder = start_holder();
    auto began = std::chrono::steady_clock::now();
    std::jthread killer{[&] {
        std::this_thread::sleep_for(500ms);
        kill_and_wait(holder);
    }};
    auto lock = StateLock::acquire(state, log, [] { return false; });
    auto waited = std::chrono::steady_clock::now() - began;
    ASSERT_TRUE(lock) << lock.error().what;
    EXPECT_GE(waited, 400ms);
    EXPECT_LT(waited, 10s);
    auto text = logged();
    EXPECT_THAT(text, HasSubstr("another instance works in the state directory"));
    EXPECT_EQ(std::ranges::count(text, '\n'), 1) << "told once";
}

TEST_F(StateLockTest, GivesUpWaitingWhenTold) {
    auto holder = start_holder();
    int asked = 0;
    auto lock = StateLock::acquire(state, log, [&] { return ++asked == 3; });
    ASSERT_FALSE(lock);
    EXPECT_EQ(lock.error().remedy, Remedy::stop);
    EXPECT_THAT(lock.error().what, HasSubstr("told to end"));
    EXPECT_EQ(asked, 3);
    kill_and_wait(holder);
    EXPECT_TRUE(StateLock::acquire(state, log, [] { return true; }));
}

TEST_F(StateLockTest, IsGivenBackWithItsObject) {
    {
        auto lock = StateLock::acquire(state, log, [] { return true; });
    }
    auto holder = start_holder();
    kill_and_wait(holder);
}

TEST_F(StateLockTest, SaysThatTheDirectoryCannotBeMade) {
    boatswain::testing::write(directory / "file", "");
    auto lock = StateLock::acquire(directory / "file/state", log, [] { return true; });
    ASSERT_FALSE(lock);
    EXPECT_THAT(lock.error().what, HasSubstr("file"));
    EXPECT_THAT(lock.error().what, Not(HasSubstr("told to end")));
}

}  // namespace
}  // namespace boatswain::boatswaind
