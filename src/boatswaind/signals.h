// SIGTERM, SIGINT and SIGHUP as orders to a daemon, in the order that matters: to end comes before everything else, and
// many wishes to read the configuration again are one.
//
// The signals stay blocked in every thread, and are taken from a signalfd(2): the kernel itself keeps one of a kind, so
// that however many SIGHUPs come while one is obeyed, one more follows. Nothing is queued here.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

#include "base/result.h"

namespace boatswain::boatswaind {

struct SignalOrder {
    int to_end = 0;       // SIGTERM or SIGINT
    bool reload = false;  // and not to end
};

class Signals {
  public:
    // Blocks them in this thread and in those that it starts from now on; called before the first of those.
    static void block();

    // After block(). Remedy::stop when the kernel has no descriptor for us.
    static Result<std::unique_ptr<Signals>> open(boost::asio::any_io_executor executor);
    virtual ~Signals() = default;

    // Until one has come. Ends with an exception when the coroutine is cancelled, as every asio operation does.
    virtual boost::asio::awaitable<SignalOrder> next() = 0;
};

// Whether SIGTERM or SIGINT waits to be taken: looked at between the steps of what takes long.
bool told_to_end();

// From here on a second SIGTERM or SIGINT ends the process at once, as it does with a program that knows none of this.
// SIGHUP stays blocked: a wish to read the configuration again is not one to end before what was read is sealed.
void let_second_signal_end();

}  // namespace boatswain::boatswaind
