#include "intake/driver/holder.h"

#include "base/json_writer.h"
#include "intake/driver/holding.h"
#include "intake/driver/plugin_server.h"
#include "intake/driver/recent.h"
#include "net/event.h"
#include "net/task_group.h"

namespace boatswain::intake::driver {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr milliseconds key_pause{50};
constexpr milliseconds key_wait{5000};  // for a key that a container carries to be derived

std::string error_json(std::string_view what) { return json_object().member("Err", what).take(); }

}  // namespace

struct Holder::State {
    State(asio::any_io_executor e, HolderOptions o, HolderAsks a, const Clock& c, Log& l)
        : executor(e),
          options(std::move(o)),
          asks(std::move(a)),
          clock(c),
          log(l),
          recent(options.ring_bytes),
          tasks(e, l),
          holding(e,
                  {.hold_dir = options.hold_dir,
                   .hold_bytes = options.hold_bytes,
                   .hold_total = options.hold_total,
                   .block_max = options.block_max},
                  asks.share_for, c, l, recent, tasks) {}

    asio::awaitable<std::string> answer(const http::Request& post);
    asio::awaitable<std::string> start_logging(const std::string& body);
    asio::awaitable<std::string> reason_against(const StartRequest& request);
    void warn_of(const StartRequest& request);

    asio::any_io_executor executor;
    HolderOptions options;
    HolderAsks asks;
    const Clock& clock;
    Log& log;
    Recent recent;
    std::unique_ptr<PluginServer> server;
    net::TaskGroup tasks;
    Holding holding;
};

asio::awaitable<std::string> Holder::State::answer(const http::Request& post) {
    if (post.path == "/Plugin.Activate") co_return json_object().array("Implements").value("LogDriver").take();
    if (post.path == "/LogDriver.Capabilities")
        co_return json_object().object("Cap").member("ReadLogs", options.ring_bytes > 0).take();
    if (post.path == "/LogDriver.StartLogging") co_return co_await start_logging(post.body);
    // The engine closes the FIFO behind this call: its end is what we go by.
    if (post.path == "/LogDriver.StopLogging") co_return error_json("");
    co_return std::string{};
}

asio::awaitable<std::string> Holder::State::start_logging(const std::string& body) {
    auto request = parse_start(body, asks.kept);
    if (!request) {
        log.error("container refused", {{"error", request.error()}});
        co_return error_json("boatswain: " + request.error().what);
    }
    if (auto against = co_await reason_against(*request); !against.empty()) {
        log.warning(
            "container refused",
            {{"container", request->facts.id.substr(0, 12)}, {"name", request->facts.name}, {"reason", against}});
        co_return error_json("boatswain: " + against);
    }
    warn_of(*request);
    auto taken = holding.take_in(std::move(*request));
    if (!taken) log.error("container not taken in", {{"error", taken.error()}});
    co_return error_json(taken ? std::string{} : "boatswain: " + taken.error().what);
}

void Holder::State::warn_of(const StartRequest& request) {
    auto container = request.facts.id.substr(0, 12);
    if (options.ring_bytes == 0 && !request.options.cache_disabled)
        log.warning(
            "the engine keeps a copy of this container's lines on disk, in clear: start it with "
            "--log-opt cache-disabled=true",
            {{"container", container}, {"name", request.facts.name}});
    if (request.facts.words_too_long > 0)
        log.warning(
            "labels or variables of a container that rules name are too long: they are no answer",
            {{"container", container}, {"name", request.facts.name}, {"too_long", request.facts.words_too_long}});
}

// Why the container must not run, when it says so itself by --log-opt require-key=true; empty: nothing is against it.
asio::awaitable<std::string> Holder::State::reason_against(const StartRequest& request) {
    if (!request.options.require_key) co_return std::string{};
    auto until = clock.steady() + key_wait;
    for (;;) {
        auto key = asks.key_for(request.facts);
        if (key.is == KeyAnswer::Is::yes) co_return std::string{};
        if (key.is == KeyAnswer::Is::no) co_return "require-key=true, and " + key.reason;
        if (clock.steady() > until) co_return "require-key=true, and the key that the container carries is not ready";
        co_await net::sleep_for(key_pause);
    }
}

Holder::Holder(std::unique_ptr<State> state) : state_(std::move(state)) {}
Holder::~Holder() = default;

Result<std::unique_ptr<Holder>> Holder::open(asio::any_io_executor executor, HolderOptions options, HolderAsks asks,
                                             const Clock& clock, Log& log, HoldLock lock,
                                             std::unique_ptr<net::Listener> bound) {
    auto state = std::make_unique<State>(executor, std::move(options), std::move(asks), clock, log);
    CHECK(state->holding.prepare(std::move(lock)));
    TRY(state->server, PluginServer::open(executor, state->options.socket, log, std::move(bound)));
    return std::unique_ptr<Holder>{new Holder(std::move(state))};
}

const std::vector<std::string>& Holder::ended_tasks() const { return state_->tasks.failed(); }

asio::awaitable<void> Holder::run() {
    auto& state = *state_;
    state.holding.resume_all();
    state.tasks.spawn("look after the holds", state.holding.look_now_and_then());
    state.tasks.spawn(
        "answer the engine",
        state.server->run([&state](const http::Request& post) { return state.answer(post); }, state.recent));
    state.log.info("log driver ready",
                   {{"socket", state.options.socket.string()}, {"holds", state.options.hold_dir.string()}});
    co_await state.tasks.join_or_end();
}

}  // namespace boatswain::intake::driver
