// An event that ONE coroutine of the I/O thread waits for. A notify() that comes while nobody waits is remembered for
// the next wait. Not thread-safe: other threads post a call of notify() to the executor.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>

namespace boatswain::net {

class Event {
  public:
    explicit Event(boost::asio::any_io_executor executor);
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    ~Event();

    void notify();
    // Until notified. Ends with an exception when the coroutine is cancelled, as every asio operation does.
    boost::asio::awaitable<void> wait();
    // The same, but at most so long.
    boost::asio::awaitable<void> wait_for(std::chrono::milliseconds time);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// Sleeps; cancellable.
boost::asio::awaitable<void> sleep_for(std::chrono::milliseconds time);

}  // namespace boatswain::net
