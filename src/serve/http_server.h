// A small HTTP/1.1 server for GET, HEAD, and POST without a body: metrics, health, and what the agent tells about
// itself.
//
// It runs on the one I/O thread, handlers too, and shares nothing with other threads: a handler must not block.
// Invariants
//   - At most `connections_max` connections, and `connections_of_a_peer_max` from one peer, so that they cannot take
//   the
//     agent's descriptors. A newcomer beyond that gets in all the same, and another one is closed (serve/admission.h):
//     connections that ask for nothing keep no health check out.
//   - No client holds a connection longer than the timeouts: a request has to arrive whole within `request_timeout`, an
//     answer has to be taken within `write_timeout`, and a connection without a request ends after `idle_timeout`.
//   - Nothing of a request is kept but its line and its authorization; bodies are refused.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "serve/http_request.h"

namespace boatswain::serve {

struct HttpAnswer {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
};

// Runs on the I/O thread. What it throws becomes a 500 without details.
using HttpHandler = std::function<HttpAnswer(const HttpRequest& request)>;
// By path: "/metrics" is that path alone, "/v1/things/" every path below it; "/" is that path
// alone. An exact one wins, then the longest. "POST /v1/do" is for that method and path alone; all others for GET and
// HEAD.
using HttpRoutes = std::map<std::string, HttpHandler>;

struct HttpServerLimits {
    std::size_t connections_max = 64;
    std::size_t connections_of_a_peer_max = 16;  // net::Connection::peer_network()
    std::chrono::milliseconds request_timeout{10'000};
    std::chrono::milliseconds idle_timeout{5'000};
    std::chrono::milliseconds write_timeout{30'000};
};

// Owned by main or a supervisor; outlives run().
class HttpServer {
  public:
    // Listens at "ADDRESS:PORT", "[::1]:PORT" or "unix:PATH" (mode 0660). Port 0 takes any free one.
    static Result<std::unique_ptr<HttpServer>> open(boost::asio::any_io_executor executor, const std::string& address,
                                                    HttpRoutes routes, HttpServerLimits limits = {});
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    std::string address() const;  // with the port that was chosen
    // Connections that were closed to make room for another one.
    std::uint64_t closed_early() const;

    // Serves until stop() or cancellation, then until every connection has ended: those without a request end at once,
    // the others have `write_timeout` to take their answer. Called once.
    boost::asio::awaitable<void> run();
    void stop();

  private:
    struct State;
    explicit HttpServer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace boatswain::serve
