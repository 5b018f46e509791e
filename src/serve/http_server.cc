#include "serve/http_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>
#include <utility>
#include <vector>

#include "net/connection.h"
#include "net/error.h"
#include "serve/admission.h"

namespace boatswain::serve {
namespace {

namespace asio = boost::asio;
using net::after;
using net::Task;

constexpr std::size_t read_bytes = 4096;
// What a refused client may still send before its connection is cut (it would lose our answer otherwise).
constexpr std::size_t dropped_bytes_max = 256U << 10;
constexpr std::chrono::milliseconds finish_timeout{1000};
// Between tries to accept when that fails, for want of descriptors.
constexpr std::chrono::milliseconds accept_pause{100};

std::string_view reason_of(int status) {
    switch (status) {
        case 200: return "OK";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 413: return "Content Too Large";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 503: return "Service Unavailable";
        default: return "Unknown";
    }
}

HttpAnswer refusal(int status) { return {.status = status, .body = std::string{reason_of(status)} + "\n"}; }

std::string to_bytes(const HttpAnswer& answer, bool keep_alive, bool with_body) {
    std::string bytes = "HTTP/1.1 " + std::to_string(answer.status) + " " + std::string{reason_of(answer.status)} +
                        "\r\nContent-Type: " + answer.content_type +
                        "\r\nContent-Length: " + std::to_string(answer.body.size()) +
                        "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
    if (answer.status == 401) bytes += "WWW-Authenticate: Bearer\r\n";
    if (answer.status == 405) bytes += "Allow: GET, HEAD\r\n";
    bytes += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
    if (with_body) bytes += answer.body;
    return bytes;
}

// A client's connection, for as long as it lives.
struct Session {
    std::unique_ptr<net::Connection> connection;
    Seat seat;            // idle: no byte of a request has come
    bool closed = false;  // to make room: it ends in a moment, and counts no longer
};

}  // namespace

struct HttpServer::State {
    State(asio::any_io_executor on, std::unique_ptr<net::Listener> at, HttpRoutes to, HttpServerLimits within)
        : executor(on), listener(std::move(at)), routes(std::move(to)), limits(within), change(on) {}

    HttpAnswer answer(const HttpRequest& request) const;
    Task<HttpRequest> read_request(Session& session, HttpRequestReader& reader, int& refused);
    Task<void> serve(Session& session);
    asio::awaitable<void> serve_and_forget(std::unique_ptr<Session> session);
    asio::awaitable<void> accept_all();
    void enter(Session& session, Stage stage);
    void make_room(std::string_view peer);

    asio::any_io_executor executor;
    std::unique_ptr<net::Listener> listener;
    HttpRoutes routes;
    HttpServerLimits limits;
    asio::steady_timer change;  // cancelled when a session ends or stop() is called
    std::set<Session*> sessions;
    std::uint64_t turns = 0;  // stages that began
    std::uint64_t closed_early = 0;
    bool stopping = false;
};

HttpAnswer HttpServer::State::answer(const HttpRequest& request) const {
    bool acts = request.method == "POST" && routes.contains("POST " + request.path);
    if (request.method != "GET" && !request.is_head() && !acts) return refusal(405);
    auto path = acts ? "POST " + request.path : request.path;
    // "/v1/things/" is for what is below it: a name is needed behind the slash.
    auto found = path.size() > 1 && path.ends_with('/') ? routes.end() : routes.find(path);
    for (auto slash = path.rfind('/'); found == routes.end() && slash != std::string::npos && slash > 0;
         slash = path.rfind('/', slash - 1))
        if (slash + 1 < path.size()) found = routes.find(path.substr(0, slash + 1));
    if (found == routes.end()) return refusal(404);
    try {
        return found->second(request);
    } catch (const std::exception&) {
        return refusal(500);
    }
}

// The next request. An error when there is none to be answered; `refused` then says whether the client should be told.
Task<HttpRequest> HttpServer::State::read_request(Session& session, HttpRequestReader& reader, int& refused) {
    enter(session, reader.in_request() ? Stage::asking : Stage::idle);
    bool idle = session.seat.stage == Stage::idle;
    auto until = after(idle ? limits.idle_timeout : limits.request_timeout);
    for (;;) {
        auto outcome = reader.next();
        refused = outcome.refusal;
        if (refused) co_return fail(Remedy::stop, "request refused");
        if (outcome.request) co_return std::move(*outcome.request);
        if (idle && stopping) co_return fail(Remedy::stop, "stopping");
        char buffer[read_bytes];
        auto size = co_await session.connection->read_some(buffer, until);
        if (!size || *size == 0) co_return fail(Remedy::stop, "client gone or too slow");
        if (std::exchange(idle, false)) {
            until = after(limits.request_timeout);
            enter(session, Stage::asking);
        }
        reader.feed({buffer, *size});
    }
}

Task<void> HttpServer::State::serve(Session& session) {
    HttpRequestReader reader;
    for (;;) {
        int refused = 0;
        auto request = co_await read_request(session, reader, refused);
        if (!request && !refused) co_return Result<void>{};
        enter(session, Stage::answering);
        auto said = request ? answer(*request) : refusal(refused);
        bool keep_alive = request && request->keep_alive && !stopping && said.status != 405;
        auto bytes = to_bytes(said, keep_alive, !request || !request->is_head());
        CO_CHECK(co_await session.connection->write(bytes, after(limits.write_timeout)));
        if (!keep_alive) co_return co_await session.connection->finish(dropped_bytes_max, after(finish_timeout));
    }
}

asio::awaitable<void> HttpServer::State::serve_and_forget(std::unique_ptr<Session> session) {
    // A client's trouble is its own: nothing to report.
    (void)co_await serve(*session);
    sessions.erase(session.get());
    change.cancel();
}

void HttpServer::State::enter(Session& session, Stage stage) {
    session.seat.stage = stage;
    session.seat.since = ++turns;
}

void HttpServer::State::make_room(std::string_view peer) {
    std::vector<Session*> open;
    std::vector<const Seat*> seats;
    for (auto* session : sessions) {
        if (session->closed) continue;
        open.push_back(session);
        seats.push_back(&session->seat);
    }
    auto found = makes_room(seats, peer,
                            {.seats_max = limits.connections_max, .of_a_peer_max = limits.connections_of_a_peer_max});
    if (!found) return;
    ++closed_early;
    open[*found]->closed = true;
    open[*found]->connection->close();
}

asio::awaitable<void> HttpServer::State::accept_all() {
    while (!stopping) {
        auto connection = co_await listener->accept();
        if (stopping || (!connection && net::is_cancelled(connection.error()))) co_return;
        if (!connection) {
            change.expires_after(accept_pause);
            co_await change.async_wait(asio::as_tuple(asio::use_awaitable));
            continue;
        }
        auto session = std::make_unique<Session>();
        session->seat = {.peer = (*connection)->peer_network(), .since = ++turns};
        make_room(session->seat.peer);
        session->connection = std::move(*connection);
        sessions.insert(session.get());  // until it has ended: run() waits for it
        asio::co_spawn(executor, serve_and_forget(std::move(session)), [](std::exception_ptr failure) {
            if (failure) std::rethrow_exception(failure);
        });
    }
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::open(asio::any_io_executor executor, const std::string& address,
                                                     HttpRoutes routes, HttpServerLimits limits) {
    TRY(auto where, net::parse_address(address));
    TRY(auto listener, net::listen(executor, where));
    auto state = std::make_unique<State>(executor, std::move(listener), std::move(routes), limits);
    return std::unique_ptr<HttpServer>{new HttpServer(std::move(state))};
}

std::uint64_t HttpServer::closed_early() const { return state_->closed_early; }

std::string HttpServer::address() const { return net::to_text(state_->listener->address()); }

asio::awaitable<void> HttpServer::run() {
    // A cancellation ends accept(); what follows it must not be cut by it again.
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await state_->accept_all();
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    stop();
    while (!state_->sessions.empty()) {
        state_->change.expires_at(asio::steady_timer::time_point::max());
        co_await state_->change.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

void HttpServer::stop() {
    state_->stopping = true;
    state_->listener->close();
    for (auto* session : state_->sessions)
        if (session->seat.stage == Stage::idle) session->connection->close();
    state_->change.cancel();
}

}  // namespace boatswain::serve
