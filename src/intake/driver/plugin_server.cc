#include "intake/driver/plugin_server.h"

#include <boost/asio/this_coro.hpp>

#include "http/server.h"
#include "net/connection.h"
#include "net/event.h"

namespace boatswain::intake::driver {
namespace {

namespace asio = boost::asio;
using http::AnswerWriter;
using net::Task;

constexpr std::chrono::milliseconds write_timeout{10'000};
constexpr std::chrono::milliseconds request_timeout{30'000};
constexpr std::chrono::milliseconds follow_pause{50};
constexpr const char* plugin_type = "application/vnd.docker.plugins.v1.2+json";

// The engine is one client with many connections, which it keeps; and a container that starts is never cut off for
// another one.
http::Limits limits() {
    return {.connections_max = PluginServer::connections_max,
            .connections_of_a_peer_max = PluginServer::connections_max,
            .answering_gives_way = false,
            .body_bytes_max = post_body_bytes_max,
            .request_timeout = request_timeout,
            .idle_timeout = http::no_limit,
            .write_timeout = write_timeout,
            .stop_grace = std::chrono::milliseconds{0}};
}

}  // namespace

struct PluginServer::State {
    State(asio::any_io_executor executor, std::unique_ptr<net::Listener> listener, Log& log_)
        : log(log_), server(executor, std::move(listener), handler(), {.limits = limits(), .on_exception = teller()}) {}

    http::Handler handler() {
        return [this](http::Request request, AnswerWriter& writer) { return serve(std::move(request), writer); };
    }
    std::function<void(const std::string&)> teller() {
        return [this](const std::string& what) { log.error("plugin request ended with an error", {{"error", what}}); };
    }
    Task<void> serve(http::Request request, AnswerWriter& writer);
    Task<void> admit_reader(AnswerWriter& writer, const std::string& body);
    Task<void> read_logs(AnswerWriter& writer, const std::string& body);

    Log& log;
    AnswerTo answer;
    const Recent* recent = nullptr;
    std::size_t readers = 0;
    bool readers_were_full = false;  // logged once each time
    http::Server server;
};

PluginServer::PluginServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
PluginServer::~PluginServer() = default;

// Bound beside its place and moved there: no moment without a socket, and our listener, which removes its file at its
// end, does not know the new name.
Result<std::unique_ptr<net::Listener>> PluginServer::bind(asio::any_io_executor executor, const Path& socket,
                                                          const HoldLock& /*held*/) {
    CHECK(make_directories(socket.parent_path(), 0755));
    auto waiting_place = socket.string() + "~";
    if (waiting_place.size() > net::unix_path_bytes_max)
        return fail(Remedy::stop, "listen at " + socket.string() + ": the path is too long for a unix socket");
    return net::listen(std::move(executor), net::Address{.unix_path = waiting_place, .host = {}, .port = 0});
}

Result<std::unique_ptr<PluginServer>> PluginServer::open(asio::any_io_executor executor, const Path& socket, Log& log,
                                                         std::unique_ptr<net::Listener> listener) {
    std::error_code problem;
    std::filesystem::rename(listener->address().unix_path, socket, problem);
    if (problem) return fail(Remedy::stop, "listen at " + socket.string() + ": " + problem.message(), problem);
    return std::unique_ptr<PluginServer>{new PluginServer(std::make_unique<State>(executor, std::move(listener), log))};
}

Task<void> PluginServer::State::read_logs(AnswerWriter& writer, const std::string& body) {
    auto request = parse_read(body);
    if (!request) {
        log.error("ReadLogs not understood", {{"error", request.error()}});
        co_return co_await writer.send(http::refusal(400));
    }
    http::Answer head{.content_type = "application/x-json-stream"};
    CO_CHECK(co_await writer.begin(std::move(head)));
    // Who leaves cancels this, also where the container prints nothing.
    auto place = recent->begin(*request);
    for (;;) {
        auto before = place;
        bool running = recent->running(request->container);
        auto frames = recent->next(*request, place);
        CO_CHECK(co_await writer.write(frames));
        if (place != before) continue;
        if (!request->follow || !running) co_return Result<void>{};
        co_await net::sleep_for(follow_pause);
    }
}

Task<void> PluginServer::State::admit_reader(AnswerWriter& writer, const std::string& body) {
    if (readers >= readers_max) {
        if (!std::exchange(readers_were_full, true))
            log.warning("`docker logs` refused: no more may look on at a time", {{"readers", readers}});
        co_return co_await writer.send(http::refusal(503));
    }
    ++readers;
    // However it ends, by cancellation too.
    std::unique_ptr<State, decltype([](State* state) {
                        --state->readers;
                        state->readers_were_full = false;
                    })>
        leaves{this};
    co_return co_await read_logs(writer, body);
}

Task<void> PluginServer::State::serve(http::Request request, AnswerWriter& writer) {
    if (request.method != "POST") {
        auto refused = http::refusal(405);
        refused.fields.emplace_back("Allow", "POST");
        co_return co_await writer.send(std::move(refused));
    }
    if (request.path == "/LogDriver.ReadLogs") co_return co_await admit_reader(writer, request.body);
    auto said = co_await answer(request);
    if (said.empty()) co_return co_await writer.send(http::refusal(404));
    http::Answer whole{.content_type = plugin_type, .body = std::move(said)};
    co_return co_await writer.send(std::move(whole));
}

asio::awaitable<void> PluginServer::run(AnswerTo answer, const Recent& recent) {
    state_->answer = std::move(answer);
    state_->recent = &recent;
    co_await state_->server.run();
}

}  // namespace boatswain::intake::driver
