// What discovery and the readers through the engine share: how a container stands, and what is counted of reading it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>

#include "base/metrics.h"
#include "net/event.h"

namespace boatswain::intake {

// How a container stands, told by discovery to the coroutine that reads it.
struct ContainerState {
    explicit ContainerState(boost::asio::any_io_executor executor) : changed(std::move(executor)) {}
    bool running = false;
    bool removed = false;
    unsigned starts = 0;                       // how often it was told that it runs; wraps
    net::Event changed;                        // also notified when there is room again
    std::function<void()> read_whole = [] {};  // told: it does not run, and its log is read to its end
};

struct StreamCounters {
    Counter& repeated;         // lines that the engine served again, dropped
    Counter& clock_steps;      // times that a stream's lines went back in time
    Counter& engine_messages;  // messages of the engine inside a log stream
    Counter& dropped_bytes;    // attach: for want of room, named by gap records
    Counter& errors;           // requests that failed
    explicit StreamCounters(Metrics& metrics);
};

}  // namespace boatswain::intake
