// For tests: an io_context, turned by hand.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>

namespace boatswain::net::testing {

// Turns `io` until `condition` holds. False when that takes longer than anybody would wait.
template <class Condition>
[[nodiscard]] bool run_until(boost::asio::io_context& io, Condition condition) {
    constexpr std::chrono::seconds patience{60};
    auto end = std::chrono::steady_clock::now() + patience;
    while (!condition() && std::chrono::steady_clock::now() < end) {
        io.restart();
        io.run_one_for(std::chrono::milliseconds{20});
    }
    return condition();
}

// Turns `io` until `work` is done.
[[nodiscard]] inline bool run_to_end(boost::asio::io_context& io, boost::asio::awaitable<void> work) {
    bool done = false;
    boost::asio::co_spawn(
        io,
        [](boost::asio::awaitable<void> all, bool& ended) -> boost::asio::awaitable<void> {
            co_await std::move(all);
            ended = true;
        }(std::move(work), done),
        boost::asio::detached);
    return run_until(io, [&] { return done; });
}

// Turns `io` for `time`: what can happen by itself has happened then.
inline void run_for(boost::asio::io_context& io, std::chrono::milliseconds time) {
    auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
        io.restart();
        io.run_one_for(std::chrono::milliseconds{5});
    }
}

}  // namespace boatswain::net::testing
