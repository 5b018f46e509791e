// Our one HTTP/1.1 server: metrics and health, the control socket, the log driver's socket, and Loki's API.
//
// It runs on the one I/O thread, and shares nothing with other threads. What it serves is either a table of routes
// whose handlers answer at once, or one handler that is a coroutine: it may wait, send its answer in pieces, and take
// the connection over. Neither may block the thread: what blocks goes to workers (http/workers.h).
//
// Invariants
//   - At most `connections_max` connections, and `connections_of_a_peer_max` from one peer, so that they cannot take
//     the process's descriptors. A newcomer beyond that gets in all the same, and another one is closed
//     (http/admission.h): connections that ask for nothing keep no health check out.
//   - No client holds a connection longer than the limits: TLS is agreed on and a request has arrived whole within
//     `request_timeout`, each piece of an answer is taken within `write_timeout`, and a connection without a request
//     ends after `idle_timeout`.
//   - A request's head and body are bounded, and a connection's requests are answered one after the other.
//   - A client that is gone cancels its handler: within gone_pause, and at once where the kernel says so.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>

#include "base/result.h"
#include "http/message.h"
#include "net/connection.h"
#include "net/task.h"

namespace boatswain::http {

// Runs on the I/O thread. What it throws becomes a 500 without details.
using RouteHandler = std::function<Answer(const Request& request)>;
// By path: "/metrics" is that path alone, "/v1/things/" every path below it; "/" is that path
// alone. An exact one wins, then the longest. "POST /v1/do" is for that method and path alone; all others for GET and
// HEAD.
using Routes = std::map<std::string, RouteHandler>;

// What a handler answers with: send() once, or begin() and then write() as often as it likes. Errors are the client's
// trouble: the connection can only be left.
class AnswerWriter {
  public:
    virtual ~AnswerWriter() = default;
    virtual net::Task<void> send(Answer answer) = 0;
    // The head alone; `answer.body` is the first piece. Pieces are chunks (RFC 9112 section 7.1), or to an HTTP/1.0
    // client end with the connection. A handler that fails after this leaves the answer without its end, so that the
    // client sees that something is missing.
    virtual net::Task<void> begin(Answer answer) = 0;
    virtual net::Task<void> write(std::string_view piece) = 0;
    // Answers 101, and lends the connection until the handler ends, when it is closed. `rest` holds what the client has
    // sent behind its request.
    virtual net::Task<net::Connection*> upgrade(std::string protocol, Fields fields, std::string& rest) = 0;

    virtual bool begun() const = 0;
    virtual int status() const = 0;           // 0 before the answer has begun
    virtual std::uint64_t bytes() const = 0;  // of the body, so far
};

// A coroutine of the I/O thread. An error before anything was sent becomes a 500 without details, as what it throws.
// References stay valid until it has ended. It is cancelled (asio cancellation, terminal) when its client is gone, its
// connection makes room, or the server ends.
using Handler = std::function<net::Task<void>(Request request, AnswerWriter& writer)>;
using Service = std::variant<Routes, Handler>;

inline constexpr std::chrono::milliseconds no_limit = std::chrono::milliseconds::max();

struct Limits {
    std::size_t connections_max = 64;
    std::size_t connections_of_a_peer_max = 16;  // net::Connection::peer_network()
    bool answering_gives_way = true;             // http/admission.h
    std::uint64_t body_bytes_max = 0;            // of a request: 0 refuses any body
    std::chrono::milliseconds request_timeout{10'000};
    std::chrono::milliseconds idle_timeout{5'000};  // or no_limit
    std::chrono::milliseconds write_timeout{30'000};
    // At the end: handlers that are coroutines may go on for so long, then they are cancelled.
    std::chrono::milliseconds stop_grace{30'000};
};

// How often a handler's client is looked after.
inline constexpr std::chrono::milliseconds gone_pause{250};

struct ServerOptions {
    Limits limits{};
    net::Tls* tls = nullptr;  // net::make_server_tls(); outlives run()
    // Asked before the body of a request is read, unless it came along with the head: 0, or the status to refuse with.
    // So that who may ask nothing cannot fill our memory.
    std::function<int(const Request& head)> admits_body = {};
    // Told of what a handler threw: a bug. Says nothing of the request.
    std::function<void(const std::string& what)> on_exception = {};
};

// Owned by main or a supervisor; outlives run().
class Server {
  public:
    // Listens at "ADDRESS:PORT", "[::1]:PORT" or "unix:PATH" (mode 0660). Port 0 takes any free one.
    static Result<std::unique_ptr<Server>> open(boost::asio::any_io_executor executor, const std::string& address,
                                                Service service, ServerOptions options = {});
    Server(boost::asio::any_io_executor executor, std::unique_ptr<net::Listener> listener, Service service,
           ServerOptions options = {});
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    std::string address() const;  // with the port that was chosen
    std::size_t connections() const;
    // Connections that were closed to make room for another one.
    std::uint64_t closed_early() const;

    // Serves until stop() or cancellation, then until every connection has ended: those without a request end at once,
    // the others have `write_timeout` to take their answer, and `stop_grace` to be given it. Called once.
    boost::asio::awaitable<void> run();
    void stop();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace boatswain::http
