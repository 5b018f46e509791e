// The way of a confined process to its engine: connections that the broker opens (sandbox/broker.h), and the end of all
// of them when it has ended.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <optional>

#include "config/config.h"
#include "engine/client.h"
#include "sandbox/broker.h"

namespace boatswain::boatswaind {

// Where the engine is and how it is reached. Without a broker (sandbox = "off"), or over TCP, we connect ourselves.
// `broker` outlives what is made of it.
engine::Endpoint engine_endpoint(const config::Config& config, boost::asio::any_io_executor executor,
                                 const std::optional<sandbox::Broker>& broker);

// Until the broker has ended: no connection to the engine can be made any more, and we can start no other broker.
boost::asio::awaitable<void> wait_for_end(const sandbox::Broker& broker);
inline constexpr const char* broker_ended = "the broker that connects to the engine has ended";

}  // namespace boatswain::boatswaind
