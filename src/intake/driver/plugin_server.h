// Serves the engine's requests to the plugin: HTTP/1.1 over a unix socket.
//
// The socket's file stays when the server ends: the engine then tries for 30 s to connect, and finds the next server,
// where without the file it would say at once that there is no such plugin.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/file.h"
#include "base/log.h"
#include "http/message.h"
#include "intake/driver/hold_lock.h"
#include "intake/driver/recent.h"
#include "net/connection.h"

namespace boatswain::intake::driver {

// StartLogging carries the container's whole environment and labels: a megabyte or two at the very most.
inline constexpr std::size_t post_body_bytes_max = 8U << 20;

class PluginServer {
  public:
    static constexpr std::size_t connections_max = 128;
    // Of them, such as may be busy with ReadLogs, which can last as long as somebody looks on: the rest is there for
    // containers that start and stop.
    static constexpr std::size_t readers_max = 32;

    // Opens the socket beside its place, where the engine does not look: for a process that may open none later.
    // Remedy::back_off: another process, with other holds, is the plugin at this socket.
    static Result<std::unique_ptr<net::Listener>> bind(boost::asio::any_io_executor executor, const Path& socket,
                                                       const HoldLock& lock);
    // Takes the place. `bound`: what bind() gave.
    static Result<std::unique_ptr<PluginServer>> open(boost::asio::any_io_executor executor, const Path& socket,
                                                      Log& log, std::unique_ptr<net::Listener> bound);
    ~PluginServer();
    PluginServer(const PluginServer&) = delete;
    PluginServer& operator=(const PluginServer&) = delete;

    // The JSON to answer with; empty: there is no such call.
    using AnswerTo = std::function<boost::asio::awaitable<std::string>(const http::Request& post)>;
    // Until cancelled. ReadLogs is answered from `recent`.
    boost::asio::awaitable<void> run(AnswerTo answer, const Recent& recent);

  private:
    struct State;
    explicit PluginServer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace boatswain::intake::driver
