// Connections to the engine, for one call after the other.
//
// Accepting a connection is a third of what an inspect costs the engine. One that has served a call whose answer ended
// by its own framing, and on which nothing came since, serves another; every other is closed. Calls never share one at
// a time.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <memory>
#include <vector>

#include "net/connection.h"

namespace boatswain::guard {

class EngineConnections {
  public:
    static constexpr std::size_t idle_max = 8;
    static constexpr std::chrono::seconds idle_time{10};  // older ones are not used any more

    EngineConnections(boost::asio::any_io_executor executor, net::Address engine)
        : executor_(std::move(executor)), engine_(std::move(engine)) {}

    net::Task<std::unique_ptr<net::Connection>> fresh(net::Deadline until) {
        return net::connect(executor_, engine_, nullptr, until);
    }
    // One that has served before; nothing when there is none.
    std::unique_ptr<net::Connection> idle();
    void give_back(std::unique_ptr<net::Connection> connection);  // or nothing

  private:
    struct Idle {
        std::unique_ptr<net::Connection> connection;
        std::chrono::steady_clock::time_point since;
    };
    boost::asio::any_io_executor executor_;
    net::Address engine_;
    std::vector<Idle> idle_;  // oldest first
};

}  // namespace boatswain::guard
