#include "http/server.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <set>
#include <utility>
#include <vector>

#include "http/admission.h"
#include "http/request_reader.h"
#include "net/error.h"
#include "net/event.h"

namespace boatswain::http {
namespace {

namespace asio = boost::asio;
using asio::experimental::awaitable_operators::operator||;
using net::Task;

constexpr std::size_t read_bytes = 16U << 10;
// What a refused client may still send before its connection is cut (it would lose our answer otherwise).
constexpr std::size_t dropped_bytes_max = 256U << 10;
constexpr std::chrono::milliseconds finish_timeout{1000};
// Between tries to accept when that fails, for want of descriptors.
constexpr std::chrono::milliseconds accept_pause{100};

net::Deadline after(std::chrono::milliseconds limit) {
    return limit == no_limit ? net::no_deadline : net::after(limit);
}

// How the client finds the end of the body.
enum class Framing { length, chunked, to_close };

std::string to_head(const Answer& answer, Framing framing, bool keep_alive) {
    std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " " + std::string{reason_of(answer.status)} +
                       "\r\nContent-Type: " + answer.content_type + "\r\n";
    if (framing == Framing::length) head += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
    if (framing == Framing::chunked) head += "Transfer-Encoding: chunked\r\n";
    head += "X-Content-Type-Options: nosniff\r\n";
    bool may_be_kept = std::ranges::any_of(answer.fields, [](const auto& it) { return it.first == "Cache-Control"; });
    if (!may_be_kept) head += "Cache-Control: no-store\r\n";
    if (answer.status == 401) head += "WWW-Authenticate: Bearer\r\n";
    for (const auto& [name, value] : answer.fields)
        if (is_field_value(value)) head += name + ": " + value + "\r\n";
    return head + (keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
}

std::string to_chunk(std::string_view bytes) {
    constexpr char digits[] = "0123456789abcdef";
    std::string size;
    for (auto left = bytes.size(); left > 0; left >>= 4) size.insert(size.begin(), digits[left & 15]);
    return size.append("\r\n").append(bytes).append("\r\n");
}

// A client's connection, for as long as it lives.
struct Session {
    explicit Session(const asio::any_io_executor& executor) : wake(executor) {}
    std::unique_ptr<net::Connection> connection;
    Seat seat;            // idle: no byte of a request has come
    bool closed = false;  // to make room: it ends in a moment, and counts no longer
    bool cut = false;     // its handler is to be cancelled
    net::Event wake;      // `cut` was set
    std::optional<std::vector<std::string>> certificate;

    void end_at_once() {
        cut = true;
        connection->close();
        wake.notify();
    }
};

}  // namespace

struct Server::State {
    State(asio::any_io_executor on, std::unique_ptr<net::Listener> at, Service what, ServerOptions with)
        : executor(on),
          listener(std::move(at)),
          service(std::move(what)),
          options(std::move(with)),
          limits(options.limits),
          change(on) {}

    Answer answer(const Routes& routes, const Request& request) const;
    Task<Request> read_request(Session& session, RequestReader& reader, int& refused);
    Task<bool> answer_and_stay(Session& session, RequestReader& reader, Request request);
    Task<bool> send(Session& session, Answer answer, bool keep_alive, bool with_body);
    asio::awaitable<void> watch(Session& session);
    asio::awaitable<void> handle(Request request, AnswerWriter& writer, Result<void>& outcome);
    Task<void> serve(Session& session);
    asio::awaitable<void> serve_and_forget(std::unique_ptr<Session> session);
    asio::awaitable<void> accept_all();
    asio::awaitable<void> wait_for_sessions(net::Deadline until);
    void enter(Session& session, Stage stage);
    bool make_room(std::string_view peer);
    void tell(const std::exception& failure) const {
        if (options.on_exception) options.on_exception(failure.what());
    }

    asio::any_io_executor executor;
    std::unique_ptr<net::Listener> listener;
    Service service;
    ServerOptions options;
    const Limits& limits;
    asio::steady_timer change;  // cancelled when a session ends or stop() is called
    std::set<Session*> sessions;
    std::uint64_t turns = 0;  // stages that began
    std::uint64_t closed_early = 0;
    bool stopping = false;
};

namespace {

class Writer final : public AnswerWriter {
  public:
    Writer(net::Connection& connection, RequestReader& reader, const Request& request, const bool& stopping,
           std::chrono::milliseconds write_timeout)
        : connection_(connection),
          reader_(reader),
          write_timeout_(write_timeout),
          stopping_(stopping),
          is_head_(request.is_head()),
          http_1_0_(request.http_1_0),
          keep_alive_(request.keep_alive) {}

    Task<void> send(Answer answer) override {
        keep_alive_ = keep_alive_ && !stopping_;
        status_ = answer.status;
        bytes_ = is_head_ ? 0 : answer.body.size();
        ended_ = true;
        auto bytes = to_head(answer, Framing::length, keep_alive_);
        if (!is_head_) bytes += answer.body;
        co_return co_await put(bytes);
    }
    Task<void> begin(Answer answer) override {
        chunked_ = !http_1_0_;
        keep_alive_ = keep_alive_ && chunked_ && !stopping_;
        status_ = answer.status;
        auto bytes = to_head(answer, chunked_ ? Framing::chunked : Framing::to_close, keep_alive_);
        bytes_ = is_head_ ? 0 : answer.body.size();
        if (!is_head_ && !answer.body.empty()) bytes += chunked_ ? to_chunk(answer.body) : answer.body;
        co_return co_await put(bytes);
    }
    Task<void> write(std::string_view piece) override {
        if (is_head_ || piece.empty()) co_return Result<void>{};
        bytes_ += piece.size();
        if (!chunked_) co_return co_await put(piece);
        auto chunk = to_chunk(piece);
        co_return co_await put(chunk);
    }
    Task<net::Connection*> upgrade(std::string protocol, Fields fields, std::string& rest) override {
        status_ = 101;
        upgraded_ = true;
        keep_alive_ = false;
        std::string head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + protocol + "\r\n";
        for (const auto& [name, value] : fields)
            if (is_field_value(value)) head += name + ": " + value + "\r\n";
        head += "\r\n";
        CO_CHECK(co_await put(head));
        rest = reader_.take_rest();
        co_return &connection_;
    }
    // After begin(): what says that nothing is missing.
    Task<void> end() {
        if (ended_ || upgraded_ || !chunked_ || is_head_) co_return Result<void>{};
        co_return co_await put("0\r\n\r\n");
    }

    bool begun() const override { return status_ != 0; }
    int status() const override { return status_; }
    std::uint64_t bytes() const override { return bytes_; }
    bool keeps_alive() const { return keep_alive_; }
    bool upgraded() const { return upgraded_; }

  private:
    Task<void> put(std::string_view bytes) { return connection_.write(bytes, after(write_timeout_)); }

    net::Connection& connection_;
    RequestReader& reader_;
    const std::chrono::milliseconds write_timeout_;
    const bool& stopping_;
    const bool is_head_;
    const bool http_1_0_;
    bool keep_alive_;
    bool chunked_ = false;
    bool ended_ = false;
    bool upgraded_ = false;
    int status_ = 0;
    std::uint64_t bytes_ = 0;
};

Answer not_allowed() {
    auto answer = refusal(405);
    answer.fields.emplace_back("Allow", "GET, HEAD");
    return answer;
}

}  // namespace

Answer Server::State::answer(const Routes& routes, const Request& request) const {
    bool acts = request.method == "POST" && routes.contains("POST " + request.path);
    if (request.method != "GET" && !request.is_head() && !acts) return not_allowed();
    auto path = acts ? "POST " + request.path : request.path;
    // "/v1/things/" is for what is below it: a name is needed behind the slash.
    auto found = path.size() > 1 && path.ends_with('/') ? routes.end() : routes.find(path);
    for (auto slash = path.rfind('/'); found == routes.end() && slash != std::string::npos && slash > 0;
         slash = path.rfind('/', slash - 1))
        if (slash + 1 < path.size()) found = routes.find(path.substr(0, slash + 1));
    if (found == routes.end()) return refusal(404);
    try {
        return found->second(request);
    } catch (const std::exception& failure) {
        tell(failure);
        return refusal(500);
    }
}

// The next request. An error when there is none to be answered; `refused` then says whether the client should be told.
Task<Request> Server::State::read_request(Session& session, RequestReader& reader, int& refused) {
    enter(session, reader.in_request() ? Stage::asking : Stage::idle);
    bool idle = session.seat.stage == Stage::idle;
    bool head_is_known = false;
    auto until = after(idle ? limits.idle_timeout : limits.request_timeout);
    for (;;) {
        auto outcome = reader.next();
        refused = outcome.refusal;
        if (refused) co_return fail(Remedy::stop, "request refused");
        if (outcome.request) co_return std::move(*outcome.request);
        if (const auto* head = reader.waiting_for_body(); head && !std::exchange(head_is_known, true))
            if (options.admits_body) {
                auto asking = *head;
                asking.certificate = session.certificate;
                if ((refused = options.admits_body(asking)) != 0) co_return fail(Remedy::stop, "body refused");
            }
        if (outcome.wants_continue)
            CO_CHECK(co_await session.connection->write("HTTP/1.1 100 Continue\r\n\r\n", until));
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

// Whether another request can follow.
Task<bool> Server::State::send(Session& session, Answer answer, bool keep_alive, bool with_body) {
    keep_alive = keep_alive && !stopping && answer.status != 405;
    auto bytes = to_head(answer, Framing::length, keep_alive);
    if (with_body) bytes += answer.body;
    CO_CHECK(co_await session.connection->write(bytes, after(limits.write_timeout)));
    co_return keep_alive;
}

// Ends when nobody waits for the answer any more.
asio::awaitable<void> Server::State::watch(Session& session) {
    while (!session.cut && !session.connection->peer_gone()) {
        auto woken = co_await (session.wake.wait_for(gone_pause) || session.connection->wait_gone());
        if (woken.index() == 1) co_return;
    }
}

asio::awaitable<void> Server::State::handle(Request request, AnswerWriter& writer, Result<void>& outcome) {
    try {
        outcome = co_await std::get<Handler>(service)(std::move(request), writer);
    } catch (const boost::system::system_error& error) {
        outcome = net::fail_with(error.code(), "answer");
        if (error.code() != asio::error::operation_aborted) tell(error);
    } catch (const std::exception& failure) {
        outcome = fail(Remedy::stop, "a handler threw");
        tell(failure);
    }
}

Task<bool> Server::State::answer_and_stay(Session& session, RequestReader& reader, Request request) {
    bool keep_alive = request.keep_alive, is_head = request.is_head();
    request.peer = session.seat.peer;
    request.certificate = session.certificate;
    if (const auto* routes = std::get_if<Routes>(&service))
        co_return co_await send(session, answer(*routes, request), keep_alive, !is_head);
    Writer writer{*session.connection, reader, request, stopping, limits.write_timeout};
    Result<void> outcome;
    auto ended = co_await (handle(std::move(request), writer, outcome) || watch(session));
    if (ended.index() == 1) co_return fail(Remedy::stop, "client gone");
    if (!writer.begun()) co_return co_await send(session, refusal(500), keep_alive, !is_head);
    if (!outcome) co_return std::unexpected(std::move(outcome).error());
    CO_CHECK(co_await writer.end());
    co_return writer.keeps_alive() && !stopping;
}

Task<void> Server::State::serve(Session& session) {
    if (options.tls) {
        CO_CHECK(co_await session.connection->handshake(after(limits.request_timeout)));
        session.certificate = session.connection->certificate_names();
    }
    RequestReader reader{limits.body_bytes_max};
    for (;;) {
        int refused = 0;
        auto request = co_await read_request(session, reader, refused);
        if (!request && !refused) co_return Result<void>{};
        enter(session, Stage::answering);
        bool stays = false;
        if (request) {
            CO_TRY(stays, co_await answer_and_stay(session, reader, std::move(*request)));
        } else {
            CO_CHECK(co_await send(session, refusal(refused), false, true));
        }
        if (!stays) co_return co_await session.connection->finish(dropped_bytes_max, after(finish_timeout));
    }
}

asio::awaitable<void> Server::State::serve_and_forget(std::unique_ptr<Session> session) {
    // A client's trouble is its own: nothing to report.
    (void)co_await serve(*session);
    sessions.erase(session.get());
    change.cancel();
}

void Server::State::enter(Session& session, Stage stage) {
    session.seat.stage = stage;
    session.seat.since = ++turns;
}

// Whether `peer` may take one more.
bool Server::State::make_room(std::string_view peer) {
    std::vector<Session*> open;
    std::vector<const Seat*> seats;
    for (auto* session : sessions) {
        if (session->closed) continue;
        open.push_back(session);
        seats.push_back(&session->seat);
    }
    auto found = makes_room(seats, peer,
                            {.seats_max = limits.connections_max,
                             .of_a_peer_max = limits.connections_of_a_peer_max,
                             .answering_gives_way = limits.answering_gives_way});
    if (!found) return true;
    ++closed_early;
    if (*found == the_newcomer) return false;
    open[*found]->closed = true;
    open[*found]->end_at_once();
    return true;
}

asio::awaitable<void> Server::State::accept_all() {
    while (!stopping) {
        auto connection = co_await listener->accept();
        if (stopping || (!connection && net::is_cancelled(connection.error()))) co_return;
        if (!connection) {
            change.expires_after(accept_pause);
            co_await change.async_wait(asio::as_tuple(asio::use_awaitable));
            continue;
        }
        auto session = std::make_unique<Session>(executor);
        session->seat = {.peer = (*connection)->peer_network(), .since = ++turns};
        if (!make_room(session->seat.peer)) continue;  // closes it
        session->connection =
            options.tls ? net::over_tls(std::move(*connection), *options.tls) : std::move(*connection);
        sessions.insert(session.get());  // until it has ended: run() waits for it
        asio::co_spawn(executor, serve_and_forget(std::move(session)), [](std::exception_ptr failure) {
            if (failure) std::rethrow_exception(failure);
        });
    }
}

Server::Server(asio::any_io_executor executor, std::unique_ptr<net::Listener> listener, Service service,
               ServerOptions options)
    : state_(std::make_unique<State>(executor, std::move(listener), std::move(service), std::move(options))) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::open(asio::any_io_executor executor, const std::string& address,
                                             Service service, ServerOptions options) {
    TRY(auto where, net::parse_address(address));
    TRY(auto listener, net::listen(executor, where));
    return std::make_unique<Server>(executor, std::move(listener), std::move(service), std::move(options));
}

std::uint64_t Server::closed_early() const { return state_->closed_early; }
std::size_t Server::connections() const { return state_->sessions.size(); }
std::string Server::address() const { return net::to_text(state_->listener->address()); }

asio::awaitable<void> Server::State::wait_for_sessions(net::Deadline until) {
    while (!sessions.empty() && std::chrono::steady_clock::now() < until) {
        change.expires_at(until);
        co_await change.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

asio::awaitable<void> Server::run() {
    // A cancellation ends accept(); what follows it must not be cut by it again.
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await state_->accept_all();
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    stop();
    if (std::holds_alternative<Handler>(state_->service)) {
        co_await state_->wait_for_sessions(after(state_->limits.stop_grace));
        for (auto* session : state_->sessions)
            if (session->seat.stage == Stage::answering) session->end_at_once();
    }
    co_await state_->wait_for_sessions(net::no_deadline);
}

void Server::stop() {
    state_->stopping = true;
    state_->listener->close();
    for (auto* session : state_->sessions)
        if (session->seat.stage == Stage::idle) session->connection->close();
    state_->change.cancel();
}

}  // namespace boatswain::http
