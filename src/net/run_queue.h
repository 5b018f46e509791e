// Many that may have something to do, on one thread: each that is ready gets a turn, none twice before the others had
// theirs.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <set>
#include <string>

#include "net/event.h"

namespace boatswain::net {

enum class Turn {
    done,     // nothing more to do until it is ready again
    worked,   // there may be more at once
    no_room,  // there is more, and no room for it: again after progressed(), or a moment
};

class RunQueue {
  public:
    // `take` does a little of what there is to do for an id. It may be called for one that is gone by then.
    RunQueue(boost::asio::any_io_executor executor, std::function<Turn(const std::string& id)> take);

    void ready(const std::string& id);  // it may have something to do
    void forget(const std::string& id) { ready_.erase(id); }
    void progressed() { work_.notify(); }  // there may be room again
    // Runs until cancelled. Others on the thread run between two turns.
    boost::asio::awaitable<void> run();
    // Without yielding, while `in_time`, until none has worked: at shutdown, when run() has ended.
    void run_rest(const std::function<bool()>& in_time);

  private:
    std::function<Turn(const std::string& id)> take_;
    Event work_;
    std::set<std::string> ready_;
};

}  // namespace boatswain::net
