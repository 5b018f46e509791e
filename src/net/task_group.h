// Coroutines with one owner: every one can be asked to stop, and be waited for. Nothing is detached.
//
// A task that ends with an exception (a broken invariant) is logged with its name, and ends alone; being cancelled is
// no trouble. Belongs to the I/O thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"

namespace boatswain::net {

class TaskGroup {
  public:
    TaskGroup(boost::asio::any_io_executor executor, Log& log);
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;
    ~TaskGroup();  // everything was joined

    // Starts `task`, which runs from the next turn of the I/O thread on. References it holds outlive join().
    void spawn(std::string name, boost::asio::awaitable<void> task);

    void cancel();                        // asks every task to stop
    void cancel(std::string_view name);   // asks those of that name
    boost::asio::awaitable<void> join();  // waits until none runs
    // The same; when the caller is cancelled while it waits, every task is asked to stop, and waited for: before what
    // they refer to is gone. The caller goes on as if it had not been cancelled.
    boost::asio::awaitable<void> join_or_end();
    std::size_t size() const;
    // Names of tasks that ended with an exception, so far; at most failed_max are remembered.
    const std::vector<std::string>& failed() const;
    static constexpr std::size_t failed_max = 16;

  private:
    struct State;
    std::shared_ptr<State> state_;  // also owned by the completion handlers of running tasks
};

}  // namespace boatswain::net
