#include "guard/guard.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <map>

#include "base/bytes.h"
#include "engine/json_splitter.h"
#include "guard/answer.h"
#include "guard/refusal_log.h"
#include "guard/request.h"
#include "http/exchange.h"
#include "net/error.h"
#include "net/event.h"
#include "net/task_group.h"

namespace boatswain::guard {
namespace {

namespace asio = boost::asio;
using asio::experimental::awaitable_operators::operator&&;
using asio::experimental::awaitable_operators::operator||;
using http::Exchange;
using net::after;
using net::Task;
using std::chrono::milliseconds;

constexpr std::size_t read_bytes = 4096;
// What a client may still send before its connection is closed (it would lose the end of our answer otherwise).
constexpr std::size_t dropped_bytes_max = 256U << 10;
constexpr milliseconds finish_timeout{1000};
constexpr milliseconds overflow_timeout{50};
// Between tries to accept when that fails, for want of descriptors.
constexpr milliseconds accept_pause{100};

// The engine writes each line by itself, and a reader that keeps up is woken for each (what it brings:
// docs/operate/guard.md). A busy stream is left alone for this long, so that the next read brings more. The engine's
// side of a unix socket holds some 250 lines: at this pace a quarter of a million lines a second, more than it writes.
constexpr std::chrono::microseconds gather_pause{1000};
constexpr auto busy_gap = 4 * gather_pause;        // a stream that brings something as often as this is busy
constexpr std::size_t gathered_bytes = 32U << 10;  // a read that brings as much is followed by the next at once
constexpr std::size_t stream_read_bytes = 64U << 10;

constexpr unsigned switching_protocols = 101;
constexpr unsigned ok = 200;

bool is_endless(Call call) { return call == Call::logs || call == Call::events; }

bool timed_out(const Error& error) { return error.cause == std::make_error_code(std::errc::timed_out); }

// Says when a stream should be given time to gather more.
class Pace {
  public:
    bool should_wait(std::size_t piece_bytes) {
        auto now = std::chrono::steady_clock::now();
        bool busy = now - std::exchange(last_, now) < busy_gap;
        return busy && piece_bytes < gathered_bytes;
    }

  private:
    std::chrono::steady_clock::time_point last_{};
};

std::string to_chunk(std::string_view bytes) {
    char size[20];
    auto digits = std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    std::string chunk;
    chunk.reserve(bytes.size() + sizeof size);
    chunk.append(size, static_cast<std::size_t>(digits)).append(bytes).append("\r\n");
    return chunk;
}

struct Counters {
    explicit Counters(Metrics& m)
        : metrics(m),
          connections(m.gauge("boatswain_guard_connections", "Clients of the guard")),
          bytes(m.counter("boatswain_guard_answer_bytes_total", "Bodies passed on to clients of the guard")),
          left_out(m.counter("boatswain_guard_events_left_out_total",
                             "Events that could not be rewritten, so that clients did not get them")) {}

    void request(std::string_view call, std::string_view outcome) {
        metrics
            .counter("boatswain_guard_requests_total", "Requests to the guard",
                     {{"call", std::string{call}}, {"outcome", std::string{outcome}}})
            .add();
    }
    void cut(std::string_view reason) {
        metrics
            .counter("boatswain_guard_cut_total", "Clients that the guard cut off", {{"reason", std::string{reason}}})
            .add();
    }

    Metrics& metrics;
    Gauge& connections;
    Counter& bytes;
    Counter& left_out;
};

}  // namespace

struct Guard::State {
    State(asio::any_io_executor on, std::unique_ptr<net::Listener> at, Options with, Redactor hides, Metrics& m, Log& l)
        : executor(on),
          listener(std::move(at)),
          options(std::move(with)),
          redactor(std::make_shared<const Redactor>(std::move(hides))),
          log(l),
          counters(m),
          refusals(l),
          sessions(on, l) {}

    // One client's.
    struct Session {
        std::unique_ptr<net::Connection> client;
        std::optional<unsigned> uid;
        Allowed allowed;
        bool http_1_0 = false;
        bool to_upgrade = false;  // the client asked for that
        bool head() const { return allowed.method == "HEAD"; }
    };

    asio::awaitable<void> accept_all();
    asio::awaitable<void> run_session(std::unique_ptr<net::Connection> client);
    Task<void> serve(Session& session);
    Task<std::string> read_head(net::Connection& client);
    Task<void> refuse_client(Session& session, std::string shown, Refusal refusal);
    Task<void> fail_client(Session& session, Error error, std::string_view doing);
    Task<void> write(Session& session, std::string_view bytes);
    Task<void> finish(Session& session);

    Task<void> ask(Session& session);
    Task<void> pass(Session& session, Exchange& answer);
    Task<void> pass_stream(Session& session, Exchange& answer);
    Task<void> pass_rewritten(Session& session, Exchange& answer, net::Deadline until);
    Task<void> pass_list(Session& session, Exchange& answer, net::Deadline until);
    Task<void> pass_events(Session& session, Exchange& answer);
    void leave_out(const Error& error);
    Task<void> pass_attached(Session& session, Exchange& answer);

    asio::any_io_executor executor;
    std::unique_ptr<net::Listener> listener;
    Options options;
    std::shared_ptr<const Redactor> redactor;  // also owned by the requests that began before a change
    Log& log;
    Counters counters;
    RefusalLog refusals;
    std::string engine_trouble;
    net::TaskGroup sessions;
};

asio::awaitable<void> Guard::State::accept_all() {
    for (;;) {
        auto client = co_await listener->accept();
        if (!client && net::is_cancelled(client.error())) co_return;
        if (!client) {
            co_await net::sleep_for(accept_pause);
            continue;
        }
        if (sessions.size() >= options.connections_max) {
            counters.cut("connections");
            // A fresh socket takes this at once.
            auto busy = refusal_answer(503, "too many clients");
            (void)co_await (*client)->write(busy, after(overflow_timeout));
            continue;
        }
        sessions.spawn("guard a client", run_session(std::move(*client)));
    }
}

asio::awaitable<void> Guard::State::run_session(std::unique_ptr<net::Connection> client) {
    counters.connections.set(static_cast<double>(sessions.size()));
    Session session{.client = std::move(client), .uid = {}, .allowed = {}};
    session.uid = session.client->peer_uid();
    // A client's trouble is its own: nothing to report.
    (void)co_await serve(session);
    // This one is still counted among `sessions`.
    counters.connections.set(static_cast<double>(sessions.size() - 1));
}

Task<std::string> Guard::State::read_head(net::Connection& client) {
    auto until = after(options.request_timeout);
    std::string head;
    for (;;) {
        char buffer[read_bytes];
        CO_TRY(auto size, co_await client.read_some(buffer, until));
        if (size == 0) co_return fail(Remedy::stop, "the client is gone");
        auto seen = head.size() < 3 ? 0 : head.size() - 3;
        head.append(buffer, size);
        if (auto end = head.find("\r\n\r\n", seen); end != head.npos) {
            // What follows is nobody's: it is neither answered nor passed on.
            head.resize(end + 4);
            co_return head;
        }
        if (head.size() > request_bytes_max) co_return head;  // parse_request() says what is wrong
    }
}

Task<void> Guard::State::serve(Session& session) {
    if (!options.allow_uid.empty() && !(session.uid && options.allow_uid.contains(*session.uid))) {
        Refusal refusal{.status = 403, .why = "this user is not served here (guard.allow_uid)"};
        co_return co_await refuse_client(session, "connection", std::move(refusal));
    }
    auto head = co_await read_head(*session.client);
    if (!head) {
        if (timed_out(head.error())) counters.cut("no request");
        co_return Result<void>{};
    }
    auto request = parse_request(*head);
    if (!request) co_return co_await refuse_client(session, "not understood", std::move(request).error());
    session.allowed.method = request->method;
    session.http_1_0 = request->http_1_0;
    session.to_upgrade = !request->upgrade.empty();
    auto allowed = judge(*request, options.policy);
    if (!allowed)
        co_return co_await refuse_client(session, request->method + " " + request->path, std::move(allowed).error());
    session.allowed = std::move(*allowed);
    counters.request(to_string(session.allowed.call), "allowed");
    log.debug("request allowed", {{"call", to_string(session.allowed.call)}});
    // Who is gone need not be waited for: its call to the engine ends.
    co_await (ask(session) || session.client->wait_gone());
    co_return Result<void>{};
}

Task<void> Guard::State::refuse_client(Session& session, std::string shown, Refusal refusal) {
    counters.request("other", "refused");
    refusals.tell(shown, session.uid, refusal);
    auto bytes = refusal_answer(refusal.status, refusal.why, !session.head(), session.to_upgrade);
    CO_CHECK(co_await write(session, bytes));
    co_return co_await finish(session);
}

// The engine did not answer, or not in a way that can be given out.
Task<void> Guard::State::fail_client(Session& session, Error error, std::string_view doing) {
    if (net::is_cancelled(error)) co_return std::unexpected(std::move(error));
    counters.request(to_string(session.allowed.call), "failed");
    bool late = timed_out(error);
    log.error("request not answered", {{"call", to_string(session.allowed.call)}, {"error", error}});
    auto bytes = refusal_answer(late ? 504 : 502, doing, !session.head(), session.to_upgrade);
    CO_CHECK(co_await write(session, bytes));
    co_return co_await finish(session);
}

Task<void> Guard::State::write(Session& session, std::string_view bytes) {
    auto written = co_await session.client->write(bytes, after(options.stall_timeout));
    if (!written && timed_out(written.error())) {
        counters.cut("stalled");
        log.warning("client cut off", {{"call", to_string(session.allowed.call)},
                                       {"uid", session.uid ? std::to_string(*session.uid) : "unknown"},
                                       {"why", "it took nothing for guard.stall_timeout"}});
    }
    co_return written;
}

Task<void> Guard::State::finish(Session& session) {
    co_return co_await session.client->finish(dropped_bytes_max, after(finish_timeout));
}

Task<void> Guard::State::ask(Session& session) {
    auto hides = redactor;
    const auto& allowed = session.allowed;
    auto until = after(options.engine_timeout);
    auto connection = co_await net::connect(executor, options.engine, nullptr, until);
    if (!connection) {
        if (!net::is_cancelled(connection.error())) engine_trouble = connection.error().what;
        co_return co_await fail_client(session, std::move(connection).error(), "the engine cannot be reached");
    }
    engine_trouble.clear();
    http::ExchangeRequest request{.method = allowed.method, .target = allowed.target};
    if (allowed.upgrade) request.upgrade_to = "tcp";
    // A client that knows the engine's framing gets it as it is.
    bool streamed = allowed.call == Call::logs && !session.http_1_0 && !session.head();
    if (streamed) request.framed_body = true, request.read_bytes = stream_read_bytes;
    auto answer = co_await Exchange::begin(std::move(*connection), std::move(request), until);
    if (!answer) co_return co_await fail_client(session, std::move(answer).error(), "the engine does not answer");

    auto& got = **answer;
    bool plain = got.status() != ok || session.head();
    if (allowed.call == Call::attach && got.status() <= ok) co_return co_await pass_attached(session, got);
    if (streamed) co_return co_await pass_stream(session, got);
    if (plain) co_return co_await pass(session, got);
    if (allowed.call == Call::image) co_return co_await pass_rewritten(session, got, until);
    if (hides->level() == Redaction::none) co_return co_await pass(session, got);
    if (allowed.call == Call::inspect) co_return co_await pass_rewritten(session, got, until);
    if (allowed.call == Call::list && hides->level() == Redaction::all)
        co_return co_await pass_list(session, got, until);
    if (allowed.call == Call::events) co_return co_await pass_events(session, got);
    co_return co_await pass(session, got);
}

// The body as it comes.
Task<void> Guard::State::pass(Session& session, Exchange& answer) {
    auto length = answer.field("Content-Length");
    auto framing = !length.empty() ? Framing::length : session.http_1_0 ? Framing::to_close : Framing::chunked;
    if (session.head() && length.empty()) framing = Framing::to_close;
    auto head = answer_head(answer, framing, length, session.to_upgrade);
    bool endless = is_endless(session.allowed.call);
    if (endless || session.head()) {
        CO_CHECK(co_await write(session, head));
        head.clear();
        if (session.head()) co_return co_await finish(session);
    }
    for (;;) {
        auto piece = co_await answer.next(endless ? net::no_deadline : after(options.engine_timeout));
        // The client sees by the framing that something is missing.
        if (!piece) co_return std::unexpected(std::move(piece).error());
        counters.bytes.add(piece->size());
        bool last = piece->empty();
        auto bytes = std::move(head);
        head.clear();
        if (framing != Framing::chunked)
            bytes += *piece;
        else
            bytes += last ? "0\r\n\r\n" : to_chunk(*piece);
        if (!bytes.empty()) CO_CHECK(co_await write(session, bytes));
        if (last) co_return co_await finish(session);
    }
}

// The body as it comes, framing and all, so that nobody looks at it: the client sees where it ends, or that it broke
// off. What was asked for never ends by a deadline.
Task<void> Guard::State::pass_stream(Session& session, Exchange& answer) {
    auto coding = answer.field("Transfer-Encoding");
    auto length = answer.field("Content-Length");
    if (!coding.empty() && coding != "chunked")
        co_return co_await fail_client(session, Error{Remedy::quarantine, "an unknown transfer coding"},
                                       "the engine's answer has an unknown framing");
    auto framing = !coding.empty() ? Framing::chunked : !length.empty() ? Framing::length : Framing::to_close;
    CO_CHECK(co_await write(session, answer_head(answer, framing, length)));
    for (Pace pace;;) {
        CO_TRY(auto piece, co_await answer.next(net::no_deadline));
        if (piece.empty()) co_return co_await finish(session);
        counters.bytes.add(piece.size());
        bool wait = pace.should_wait(piece.size());
        CO_CHECK(co_await write(session, piece));
        if (wait) CO_CHECK(co_await answer.pause(gather_pause));
    }
}

// Gathered, rewritten, and given out in one piece or not at all.
Task<void> Guard::State::pass_rewritten(Session& session, Exchange& answer, net::Deadline until) {
    auto hides = redactor;
    auto body = co_await answer.whole(redacted_bytes_max, until);
    if (!body) co_return co_await fail_client(session, std::move(body).error(), "the engine's answer is not whole");
    auto hidden = session.allowed.call == Call::image ? hides->image(*body) : hides->inspect(*body);
    if (!hidden)
        co_return co_await fail_client(session, std::move(hidden).error(),
                                       "the engine's answer has an unknown shape, so nothing of it is given out");
    counters.bytes.add(hidden->size());
    auto bytes = answer_head(answer, Framing::length, std::to_string(hidden->size())) + *hidden;
    CO_CHECK(co_await write(session, bytes));
    co_return co_await finish(session);
}

// Entry by entry. A short list is given out whole or not at all; one that is longer breaks off where something is
// wrong.
Task<void> Guard::State::pass_list(Session& session, Exchange& answer, net::Deadline until) {
    auto hides = redactor;
    auto framing = session.http_1_0 ? Framing::to_close : Framing::chunked;
    engine::JsonSplitter entries{{.bytes_max = object_bytes_max, .deep = 2, .text_bytes_max = object_bytes_max / 4},
                                 engine::JsonSplitter::Shape::array};
    bool begun = false;
    std::string bytes = "[";
    auto rewrite = [&](std::string_view piece) -> Result<void> {
        entries.feed(piece);
        for (;;) {
            TRY(auto entry, entries.next());
            if (!entry) return {};
            TRY(auto hidden, hides->list_entry(*entry));
            bytes += (bytes == "[" && !begun ? "" : ",") + hidden;
        }
    };
    for (;;) {
        auto piece = co_await answer.next(begun ? after(options.engine_timeout) : until);
        auto error = piece ? std::optional<Error>{} : std::optional{std::move(piece).error()};
        if (piece)
            if (auto rewritten = rewrite(*piece); !rewritten) error = std::move(rewritten).error();
        bool last = piece && piece->empty();
        if (last && !error && !entries.at_end()) error = Error{Remedy::back_off, "the list is not whole"};
        if (error && begun) co_return std::unexpected(std::move(*error));  // the client sees that something is missing
        if (error)
            co_return co_await fail_client(
                session, std::move(*error),
                "the engine's list is not whole or has an unknown shape, so nothing of it is "
                "given out");
        if (last) bytes += "]";
        if (!last && bytes.size() < list_piece_bytes_max) continue;
        counters.bytes.add(bytes.size());
        std::string out;
        if (!begun && last) {
            out = answer_head(answer, Framing::length, std::to_string(bytes.size())) + bytes;
        } else {
            if (!begun) out = answer_head(answer, framing, {});
            out += framing == Framing::chunked ? to_chunk(bytes) : bytes;
            if (last && framing == Framing::chunked) out += "0\r\n\r\n";
        }
        begun = true;
        bytes.clear();
        CO_CHECK(co_await write(session, out));
        if (last) co_return co_await finish(session);
    }
}

void Guard::State::leave_out(const Error& error) {
    counters.left_out.add();
    log.warning("an event is not given out", {{"error", error}});
}

Task<void> Guard::State::pass_events(Session& session, Exchange& answer) {
    auto hides = redactor;
    auto framing = session.http_1_0 ? Framing::to_close : Framing::chunked;
    auto head = answer_head(answer, framing, {});
    CO_CHECK(co_await write(session, head));
    engine::JsonSplitter objects{{.bytes_max = object_bytes_max, .deep = 3}};
    for (;;) {
        CO_TRY(auto piece, co_await answer.next(net::no_deadline));
        std::string bytes;
        objects.feed(piece);
        for (;;) {
            auto object = objects.next();
            if (!object && object.error().remedy == Remedy::stop) co_return std::unexpected(std::move(object).error());
            if (object && !*object) break;
            // One that cannot be rewritten ends no stream: it would be met again by whoever asks for the past.
            auto hidden =
                object ? hides->event(**object) : Result<std::string>{std::unexpected(std::move(object).error())};
            if (hidden)
                bytes += *hidden + "\n";
            else
                leave_out(hidden.error());
        }
        counters.bytes.add(bytes.size());
        bool last = piece.empty();
        if (framing == Framing::chunked) bytes = bytes.empty() ? std::string{} : to_chunk(bytes);
        if (framing == Framing::chunked && last) bytes += "0\r\n\r\n";
        if (!bytes.empty()) CO_CHECK(co_await write(session, bytes));
        if (last) co_return co_await finish(session);
    }
}

namespace {

// Between the one that always reads and the one that writes as the client takes.
struct Attached {
    explicit Attached(asio::any_io_executor executor) : change(std::move(executor)) {}
    net::Event change;
    std::string pending;
    bool ended = false;
    bool overflowed = false;
};

Task<void> read_attached(Attached& attached, Exchange& answer, net::Connection& client) {
    for (;;) {
        auto piece = co_await answer.next(net::no_deadline);
        if (!piece || piece->empty()) break;
        if (attached.pending.size() + piece->size() > attach_pending_bytes_max) {
            attached.overflowed = true;
            client.close();
            break;
        }
        attached.pending += *piece;
        attached.change.notify();
    }
    attached.ended = true;
    attached.change.notify();
    co_return Result<void>{};
}

}  // namespace

Task<void> Guard::State::pass_attached(Session& session, Exchange& answer) {
    auto framing = answer.status() == switching_protocols ? Framing::upgraded : Framing::to_close;
    Attached attached{executor};
    attached.pending = answer_head(answer, framing, {});
    auto write_attached = [&]() -> Task<void> {
        for (std::string bytes; !attached.ended || !attached.pending.empty();) {
            if (attached.pending.empty()) co_await attached.change.wait();
            if (attached.overflowed) break;
            bytes.swap(attached.pending);
            attached.pending.clear();
            counters.bytes.add(bytes.size());
            if (bytes.empty()) continue;
            if (auto written = co_await write(session, bytes); !written) break;
        }
        answer.close();  // the reader has nobody to read for
        co_return Result<void>{};
    };
    auto writing = write_attached();
    co_await (read_attached(attached, answer, *session.client) && std::move(writing));
    if (attached.overflowed) {
        counters.cut("attach");
        log.warning("client cut off", {{"call", "attach"}, {"why", "it did not keep up with the container"}});
        co_return Result<void>{};
    }
    co_return co_await finish(session);
}

Guard::Guard(std::unique_ptr<State> state) : state_(std::move(state)) {}
Guard::~Guard() = default;

Result<std::unique_ptr<Guard>> Guard::open(asio::any_io_executor executor, Options options, Redactor redactor,
                                           Metrics& metrics, Log& log) {
    if (options.listen == options.engine)
        return fail(Remedy::stop, "the guard would listen at the engine's own socket, " + net::to_text(options.engine));
    TRY(auto listener, net::listen(executor, options.listen, options.file));
    auto state =
        std::make_unique<State>(executor, std::move(listener), std::move(options), std::move(redactor), metrics, log);
    return std::unique_ptr<Guard>{new Guard(std::move(state))};
}

asio::awaitable<void> Guard::run() {
    // A cancellation ends accept(); what follows it must not be cut by it again.
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await state_->accept_all();
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    state_->listener->close();
    state_->sessions.cancel();
    co_await state_->sessions.join();
}

void Guard::change(Redactor redactor) { state_->redactor = std::make_shared<const Redactor>(std::move(redactor)); }
std::string Guard::engine_trouble() const { return state_->engine_trouble; }
std::size_t Guard::connections() const { return state_->sessions.size(); }

}  // namespace boatswain::guard
