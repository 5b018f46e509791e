#include "net/event.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <functional>

namespace boatswain::net {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

class EventTest : public ::testing::Test {
  protected:
    asio::io_context io;
    Event event{io.get_executor()};
    int woken = 0;

    asio::awaitable<void> wait_again_and_again() {
        for (;;) {
            co_await event.wait();
            ++woken;
        }
    }
    void turn(std::chrono::milliseconds time = 5ms) {
        io.restart();
        io.run_for(time);
    }
};

TEST_F(EventTest, WakesWhoWaitsOncePerNotify) {
    asio::co_spawn(io, wait_again_and_again(), asio::detached);
    turn();
    EXPECT_EQ(woken, 0);
    event.notify();
    turn();
    EXPECT_EQ(woken, 1);
    event.notify();
    event.notify();
    turn();
    EXPECT_EQ(woken, 2) << "notifies before the waiter ran are one";
}

TEST_F(EventTest, RemembersANotifyThatCameWhileNobodyWaited) {
    event.notify();
    asio::co_spawn(io, wait_again_and_again(), asio::detached);
    turn();
    EXPECT_EQ(woken, 1);
    turn();
    EXPECT_EQ(woken, 1) << "for one wait";
}

TEST_F(EventTest, WaitsNoLongerThanAsked) {
    auto wait = [&]() -> asio::awaitable<void> {
        co_await event.wait_for(300ms);
        ++woken;
    };
    asio::co_spawn(io, wait(), asio::detached);
    turn(2ms);
    EXPECT_EQ(woken, 0);
    auto began = std::chrono::steady_clock::now();
    io.restart();
    io.run_for(10s);
    EXPECT_EQ(woken, 1);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
}

TEST_F(EventTest, EndsTheWaitOfACancelledCoroutineWithAnException) {
    asio::cancellation_signal signal;
    std::exception_ptr trouble;
    asio::co_spawn(io, wait_again_and_again(),
                   asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e) { trouble = e; }));
    turn();
    signal.emit(asio::cancellation_type::terminal);
    turn();
    ASSERT_TRUE(trouble);
    try {
        std::rethrow_exception(trouble);
    } catch (const boost::system::system_error& error) {
        EXPECT_EQ(error.code(), asio::error::operation_aborted);
    }
    EXPECT_EQ(woken, 0);
    event.notify();
    turn();
    EXPECT_EQ(woken, 0);
}

// A notify and a cancel in the same turn: the cancel is not swallowed.
TEST_F(EventTest, EndsACancelledCoroutineThatWasNotifiedToo) {
    asio::cancellation_signal signal;
    bool ended = false;
    asio::co_spawn(io, wait_again_and_again(),
                   asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr&) { ended = true; }));
    turn();
    event.notify();
    signal.emit(asio::cancellation_type::terminal);
    event.notify();
    turn();
    EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace boatswain::net
