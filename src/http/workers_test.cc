#include "http/workers.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include "net/error.h"
#include "net/run_for_test.h"

namespace boatswain::http {
namespace {

namespace asio = boost::asio;
using net::testing::run_to_end;
using net::testing::run_until;

TEST(Workers, RunAJobOnAnotherThreadAndHandBackWhatItReturns) {
    asio::io_context io;
    Workers workers{io.get_executor(), 2, 0};
    Result<int> got;
    std::thread::id ran_on;
    auto ask = [&]() -> asio::awaitable<void> {
        got = co_await workers.run([&](const Workers::GivenUp&) {
            ran_on = std::this_thread::get_id();
            return Result<int>{7};
        });
    };
    ASSERT_TRUE(run_to_end(io, ask()));
    EXPECT_EQ(got.value(), 7);
    EXPECT_NE(ran_on, std::this_thread::get_id());
}

TEST(Workers, HandOnWhatAJobThrows) {
    asio::io_context io;
    Workers workers{io.get_executor(), 1, 0};
    bool thrown = false;
    auto ask = [&]() -> asio::awaitable<void> {
        try {
            (void)co_await workers.run([](const Workers::GivenUp&) -> Result<int> { throw std::runtime_error("bug"); });
        } catch (const std::runtime_error&) {
            thrown = true;
        }
    };
    ASSERT_TRUE(run_to_end(io, ask()));
    EXPECT_TRUE(thrown);
}

TEST(Workers, RefuseOneMoreThanMayWait) {
    asio::io_context io;
    Workers workers{io.get_executor(), 1, 1};
    std::promise<void> go;
    auto gone = go.get_future().share();
    std::vector<Result<int>> got;
    auto ask = [&]() -> asio::awaitable<void> {
        got.push_back(co_await workers.run([gone](const Workers::GivenUp&) {
            gone.wait();
            return Result<int>{1};
        }));
    };
    for (int i = 0; i < 3; ++i) asio::co_spawn(io, ask(), asio::detached);
    ASSERT_TRUE(run_until(io, [&] { return got.size() == 1; }));
    EXPECT_EQ(got[0].error().remedy, Remedy::back_off);
    go.set_value();
    ASSERT_TRUE(run_until(io, [&] { return got.size() == 3; }));
    EXPECT_TRUE(got[1] && got[2]);
}

TEST(Workers, WaitForAJobWhoseCallerIsCancelledAndNeverBeginOneThatWaits) {
    asio::io_context io;
    Workers workers{io.get_executor(), 1, 1};
    std::promise<void> began;
    std::atomic<bool> second_began = false;
    std::vector<Result<int>> got;
    auto running = [&]() -> asio::awaitable<void> {
        got.push_back(co_await workers.run([&](const Workers::GivenUp& given_up) {
            began.set_value();
            while (!given_up) std::this_thread::yield();
            return Result<int>{1};
        }));
    };
    auto waiting = [&]() -> asio::awaitable<void> {
        got.push_back(co_await workers.run([&](const Workers::GivenUp&) {
            second_began = true;
            return Result<int>{2};
        }));
    };
    asio::cancellation_signal first, second;
    asio::co_spawn(io, running(), asio::bind_cancellation_slot(first.slot(), asio::detached));
    asio::co_spawn(io, waiting(), asio::bind_cancellation_slot(second.slot(), asio::detached));
    io.poll();
    began.get_future().wait();
    second.emit(asio::cancellation_type::terminal);
    ASSERT_TRUE(run_until(io, [&] { return got.size() == 1; }));
    first.emit(asio::cancellation_type::terminal);
    ASSERT_TRUE(run_until(io, [&] { return got.size() == 2; }));
    for (const auto& one : got) EXPECT_TRUE(!one && net::is_cancelled(one.error()));
    EXPECT_FALSE(second_began);
    EXPECT_EQ(workers.busy() + workers.waiting(), 0U);
}

}  // namespace
}  // namespace boatswain::http
