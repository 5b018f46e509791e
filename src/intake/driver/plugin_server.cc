#include "intake/driver/plugin_server.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>

#include "net/connection.h"
#include "net/event.h"
#include "net/task_group.h"

namespace boatswain::intake::driver {
namespace {

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using net::after;

constexpr std::size_t read_bytes = 64U << 10;
constexpr std::chrono::milliseconds write_timeout{10'000};
constexpr std::chrono::milliseconds request_timeout{30'000};
constexpr std::chrono::milliseconds accept_pause{100};
constexpr std::chrono::milliseconds follow_pause{50};

std::string head(int status, std::string_view reason, std::string_view type, std::optional<std::size_t> length) {
    auto text = "HTTP/1.1 " + std::to_string(status) + " " + std::string{reason} +
                "\r\nContent-Type: " + std::string{type} + "\r\n";
    // Without a length the answer ends with the connection.
    return text + (length ? "Content-Length: " + std::to_string(*length) : std::string{"Connection: close"}) +
           "\r\n\r\n";
}

constexpr std::string_view plugin_type = "application/vnd.docker.plugins.v1.2+json";

}  // namespace

struct PluginServer::State {
    State(asio::any_io_executor e, std::unique_ptr<net::Listener> l, Log& log_)
        : listener(std::move(l)), log(log_), sessions(e, log_) {}

    asio::awaitable<void> accept_all();
    asio::awaitable<void> serve(std::shared_ptr<net::Connection> connection);
    asio::awaitable<void> admit_reader(net::Connection& connection, const std::string& body);
    net::Task<void> read_logs(net::Connection& connection, const std::string& body);

    std::unique_ptr<net::Listener> listener;
    Log& log;
    net::TaskGroup sessions;
    Answer answer;
    const Recent* recent = nullptr;
    std::size_t readers = 0;
    bool readers_were_full = false;  // logged once each time
};

PluginServer::PluginServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
PluginServer::~PluginServer() = default;

// Bound beside its place and moved there: no moment without a socket, and our listener, which removes its file at its
// end, does not know the new name.
Result<std::unique_ptr<net::Listener>> PluginServer::bind(asio::any_io_executor executor, const Path& socket) {
    CHECK(make_directories(socket.parent_path(), 0755));
    auto beside = socket.string() + "~";
    if (beside.size() > net::unix_path_bytes_max)
        return fail(Remedy::stop, "listen at " + socket.string() + ": the path is too long for a unix socket");
    return net::listen(std::move(executor), net::Address{.unix_path = beside, .host = {}, .port = 0});
}

Result<std::unique_ptr<PluginServer>> PluginServer::open(asio::any_io_executor executor, const Path& socket, Log& log,
                                                         std::unique_ptr<net::Listener> listener) {
    if (!listener) {
        TRY(listener, bind(executor, socket));
    }
    std::error_code problem;
    std::filesystem::rename(listener->address().unix_path, socket, problem);
    if (problem) return fail(Remedy::stop, "listen at " + socket.string() + ": " + problem.message(), problem);
    return std::unique_ptr<PluginServer>{new PluginServer(std::make_unique<State>(executor, std::move(listener), log))};
}

net::Task<void> PluginServer::State::read_logs(net::Connection& connection, const std::string& body) {
    auto request = parse_read(body);
    if (!request) {
        log.error("ReadLogs not understood", {{"error", request.error()}});
        co_return co_await connection.write(head(400, "Bad Request", "text/plain", 0), after(write_timeout));
    }
    CO_CHECK(
        co_await connection.write(head(200, "OK", "application/x-json-stream", std::nullopt), after(write_timeout)));
    auto place = recent->begin(*request);
    for (;;) {
        auto before = place;
        bool running = recent->running(request->container);
        auto frames = recent->next(*request, place);
        if (!frames.empty()) CO_CHECK(co_await connection.write(frames, after(write_timeout)));
        if (place != before) continue;
        if (!request->follow || !running) co_return co_await connection.finish(0, after(write_timeout));
        // Who left is not met by a write where the container prints nothing.
        auto woken = co_await (net::sleep_for(follow_pause) || connection.wait_gone());
        if (woken.index() == 1) co_return Result<void>{};
    }
}

asio::awaitable<void> PluginServer::State::admit_reader(net::Connection& connection, const std::string& body) {
    if (readers >= readers_max) {
        if (!std::exchange(readers_were_full, true))
            log.warning("`docker logs` refused: no more may look on at a time", {{"readers", readers}});
        (void)co_await connection.write(head(503, "Service Unavailable", "text/plain", 0), after(write_timeout));
        co_return;
    }
    ++readers;
    // However it ends, by cancellation too.
    std::unique_ptr<State, decltype([](State* state) {
                        --state->readers;
                        state->readers_were_full = false;
                    })>
        leaves{this};
    (void)co_await read_logs(connection, body);
}

asio::awaitable<void> PluginServer::State::serve(std::shared_ptr<net::Connection> connection) {
    PostReader reader;
    std::string buffer(read_bytes, '\0');
    for (;;) {
        auto outcome = reader.next();
        if (outcome.refusal) {
            auto refused = head(outcome.refusal, "Refused", "text/plain", 0);
            (void)co_await connection->write(refused, after(write_timeout));
            co_return;
        }
        if (!outcome.post) {
            auto until = reader.in_request() ? after(request_timeout) : net::no_deadline;
            auto n = co_await connection->read_some(buffer, until);
            if (!n || *n == 0) co_return;
            reader.feed({buffer.data(), *n});
            continue;
        }
        if (outcome.post->path == "/LogDriver.ReadLogs") {
            co_await admit_reader(*connection, outcome.post->body);
            co_return;
        }
        auto said = co_await answer(*outcome.post);
        auto bytes =
            said.empty() ? head(404, "Not Found", "text/plain", 0) : head(200, "OK", plugin_type, said.size()) + said;
        auto written = co_await connection->write(bytes, after(write_timeout));
        if (!written || !outcome.post->keep_alive) co_return;
    }
}

asio::awaitable<void> PluginServer::State::accept_all() {
    for (;;) {
        auto connection = co_await listener->accept();
        if (!connection) {
            co_await net::sleep_for(accept_pause);
            continue;
        }
        if (sessions.size() >= connections_max) continue;  // closes it
        sessions.spawn("plugin request", serve(std::shared_ptr<net::Connection>{std::move(*connection)}));
    }
}

asio::awaitable<void> PluginServer::run(Answer answer, const Recent& recent) {
    state_->answer = std::move(answer);
    state_->recent = &recent;
    try {
        co_await state_->accept_all();
    } catch (...) {
        // Cancelled: what runs is asked to end, and waited for.
    }
    co_await asio::this_coro::reset_cancellation_state();
    state_->listener->close();
    state_->sessions.cancel();
    co_await state_->sessions.join();
}

}  // namespace boatswain::intake::driver
