#include "intake/driver/holder.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <vector>

#include "intake/driver/fifo.h"
#include "intake/driver/hold.h"
#include "intake/driver/plugin_request.h"
#include "intake/driver/plugin_server.h"
#include "intake/driver/recent.h"
#include "net/event.h"
#include "net/task_group.h"

namespace boatswain::intake::driver {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

// After a turn that left a FIFO empty: frames gather meanwhile, so that a container that writes a hundred thousand
// lines a second wakes us a few hundred times. At 50 MB/s a tenth of the FIFO fills in this time.
constexpr milliseconds gather_pause{2};
constexpr milliseconds room_pause{20};  // until a full hold is looked at again
constexpr milliseconds trouble_pause{1000};
constexpr milliseconds torn_pause{20};         // until the rest of a frame is looked for again
constexpr milliseconds superseded_wait{1000};  // for what an engine that is gone wrote last
constexpr milliseconds total_pause{50};        // how old the sum of all holds may be
constexpr milliseconds key_pause{50};
constexpr milliseconds key_wait{5000};  // for a key that a container carries to be derived
constexpr std::uint64_t description_bytes_max = 4U << 20;

std::string error_json(std::string_view what) { return "{\"Err\":" + json_quote(what) + "}"; }

// One FIFO, for as long as the engine writes into it.
struct Held {
    Held(asio::any_io_executor executor, HoldName n, StartRequest r, Hold h, Fifo f, bool resumed_)
        : name(std::move(n)),
          request(std::move(r)),
          hold(std::move(h)),
          fifo(std::move(f)),
          readable(executor, fifo.fd()),
          resumed(resumed_) {}
    ~Held() { readable.release(); }  // the descriptor is the Fifo's

    HoldName name;
    StartRequest request;
    Hold hold;
    Fifo fifo;
    asio::posix::stream_descriptor readable;
    bool resumed;
    bool superseded = false;  // a newer FIFO of the same container is there
    std::optional<std::chrono::steady_clock::time_point> full_since;
    bool dropping = false;
};

}  // namespace

struct Holder::State {
    State(asio::any_io_executor e, HolderOptions o, engine::WordFilter k,
          std::function<KeyAnswer(const engine::ContainerFacts&)> key, const Clock& c, Log& l)
        : executor(e),
          options(std::move(o)),
          keep(std::move(k)),
          key_for(std::move(key)),
          clock(c),
          log(l),
          recent(options.ring_bytes),
          tasks(e, l) {}

    Result<void> prepare(std::unique_ptr<net::Listener> bound);
    void resume_all();
    Result<void> resume(const HoldName& name);
    void spawn(std::shared_ptr<Held> held);
    asio::awaitable<void> drain(std::shared_ptr<Held> held);
    asio::awaitable<void> wait_for_bytes(Held& held);
    bool has_room(Held& held);
    void note_full(Held& held);
    std::size_t drop_some(Held& held, const char* reason);
    void end(Held& held);

    asio::awaitable<std::string> answer(const Post& post);
    asio::awaitable<std::string> start_logging(const std::string& body);
    Result<void> take_in(StartRequest request);
    asio::awaitable<std::string> reason_against(const StartRequest& request);

    Path path_of(const HoldName& name) const { return options.hold_dir / (name.str() + ".hold"); }
    Path description_of(const HoldName& name) const { return options.hold_dir / (name.str() + ".json"); }

    asio::any_io_executor executor;
    HolderOptions options;
    engine::WordFilter keep;
    std::function<KeyAnswer(const engine::ContainerFacts&)> key_for;
    const Clock& clock;
    Log& log;
    Fd lock;
    std::optional<Transfer> transfer;
    Recent recent;
    std::unique_ptr<PluginServer> server;
    net::TaskGroup tasks;
    std::map<HoldName, std::shared_ptr<Held>> held_;  // also owned by the coroutine that drains it
    std::uint64_t total_bytes = 0;
    std::chrono::steady_clock::time_point total_known{};
};

// ---- Start ----------------------------------------------------------------------------------------------------------

Result<void> Holder::State::prepare(std::unique_ptr<net::Listener> bound) {
    CHECK(check_in_memory(options.hold_dir));
    auto path = options.hold_dir / "lock";
    lock = Fd{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!lock) return fail_errno(Remedy::stop, "open " + path.string());
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
        return fail(Remedy::back_off, "lock " + path.string() + ": another holder works in this directory");
    TRY(transfer, Transfer::make());
    TRY(server, PluginServer::open(executor, options.socket, log, std::move(bound)));
    return {};
}

Result<void> Holder::State::resume(const HoldName& name) {
    TRY(auto hold, Hold::open(path_of(name)));
    if (hold.ended()) return {};
    CHECK(hold.repair());
    auto text = read_file(description_of(name), description_bytes_max);
    auto request = text ? parse_description(*text) : Result<StartRequest>{std::unexpected(text.error())};
    auto fifo = request ? Fifo::open(request->fifo, true) : Result<Fifo>{std::unexpected(request.error())};
    if (!fifo) {
        // Its FIFO is gone: so is the container's run, and what lies here is all there is of it.
        hold.end();
        return std::unexpected(std::move(fifo).error());
    }
    CHECK(fifo->resume(hold, *transfer));
    hold.settle();
    spawn(std::make_shared<Held>(executor, name, std::move(*request), std::move(hold), std::move(*fifo), true));
    return {};
}

void Holder::State::resume_all() {
    std::vector<HoldName> names;
    std::error_code problem;
    for (std::filesystem::directory_iterator entry{options.hold_dir, problem}, none; !problem && entry != none;
         entry.increment(problem))
        if (entry->path().extension() == ".hold")
            if (auto name = HoldName::parse(entry->path().stem().string())) names.push_back(*name);
    std::ranges::sort(names);
    for (const auto& name : names) {
        // Of two runs of one container only the last can still be written.
        for (auto& [other, held] : held_)
            if (other.container == name.container) held->superseded = true;
        if (auto resumed = resume(name); !resumed)
            log.warning("hold not resumed; what it holds is read", {{"hold", name.str()}, {"error", resumed.error()}});
    }
    if (!names.empty()) log.info("holds resumed", {{"holds", names.size()}, {"fifos", held_.size()}});
}

// ---- From FIFO to hold ----------------------------------------------------------------------------------------------

void Holder::State::spawn(std::shared_ptr<Held> held) {
    held_[held->name] = held;
    recent.set_running(held->name.container, true);
    auto title = "drain " + held->name.str();
    tasks.spawn(std::move(title), drain(std::move(held)));
}

bool Holder::State::has_room(Held& held) {
    // One turn at most is added between two looks.
    if (held.hold.bytes() + move_bytes_max > options.hold_bytes) return false;
    if (auto now = clock.steady(); now - total_known > total_pause) {
        total_known = now;
        total_bytes = 0;
        for (const auto& [name, one] : held_) total_bytes += one->hold.bytes();
    }
    return total_bytes < options.hold_total;
}

void Holder::State::note_full(Held& held) {
    if (held.full_since) return;
    held.full_since = clock.steady();
    log.warning("hold full: the container's writes wait", {{"container", held.name.container.substr(0, 12)},
                                                           {"held_bytes", held.hold.bytes()},
                                                           {"all_bytes", total_bytes},
                                                           {"until_dropped", to_text(options.block_max)}});
}

std::size_t Holder::State::drop_some(Held& held, const char* reason) {
    auto dropped = held.fifo.drop(held.hold, *transfer, reason);
    if (!dropped) log.error("FIFO not emptied", {{"container", held.name.container}, {"error", dropped.error()}});
    if (!std::exchange(held.dropping, true))
        log.error("lines dropped", {{"container", held.name.container.substr(0, 12)}, {"reason", reason}});
    return dropped.value_or(0);
}

asio::awaitable<void> Holder::State::wait_for_bytes(Held& held) {
    if (held.superseded) {
        co_await net::sleep_for(gather_pause);
        co_return;
    }
    auto [code] = co_await held.readable.async_wait(asio::posix::stream_descriptor::wait_read,
                                                    asio::as_tuple(asio::use_awaitable));
    (void)code;  // cancelled when the FIFO is superseded
}

asio::awaitable<void> Holder::State::drain(std::shared_ptr<Held> held) {
    std::optional<std::chrono::steady_clock::time_point> quiet_since;
    for (;;) {
        bool room = has_room(*held);
        auto moved = room ? held->fifo.move(held->hold, *transfer) : Result<Fifo::Moved>{};
        if (!moved && moved.error().remedy == Remedy::stop) {
            // Never seen. What the pipe between holds then is anybody's guess: a new one, and on as after a kill.
            log.error("FIFO not read; trying again", {{"container", held->name.container}, {"error", moved.error()}});
            co_await net::sleep_for(trouble_pause);
            if (auto fresh = Transfer::make()) transfer = std::move(*fresh);
            if (held->fifo.resume(held->hold, *transfer)) held->hold.settle();
            continue;
        }
        if (!room || !moved) {
            note_full(*held);
            bool patient = clock.steady() - *held->full_since < options.block_max;
            if (!patient && drop_some(*held, gap_driver_overflow) > 0) {
                co_await net::sleep_for(milliseconds{0});
                continue;
            }
            if (!patient && held->fifo.hung_up() && held->fifo.left() == 0) break;
            co_await net::sleep_for(room_pause);
            continue;
        }
        held->full_since.reset();
        if (moved->torn) {
            auto reason = held->fifo.hung_up() ? gap_torn : gap_malformed;
            // Where frames begin is not known any more: all that comes is dropped, so that the container goes on.
            while (drop_some(*held, reason) > 0 || !held->fifo.hung_up()) co_await net::sleep_for(room_pause);
            break;
        }
        if (moved->bytes > 0) {
            held->dropping = false;
            quiet_since.reset();
            recent.append(held->name.container, moved->frames);
            if (moved->bytes < move_bytes_max / 2)
                co_await net::sleep_for(gather_pause);
            else
                co_await net::sleep_for(milliseconds{0});
            continue;
        }
        if (held->fifo.hung_up() && held->fifo.left() == 0) break;
        if (held->superseded) {
            if (!quiet_since) quiet_since = clock.steady();
            if (clock.steady() - *quiet_since > superseded_wait) break;
        }
        if (held->fifo.left() > 0)
            co_await net::sleep_for(torn_pause);
        else
            co_await wait_for_bytes(*held);
    }
    end(*held);
}

void Holder::State::end(Held& held) {
    held.hold.end();
    recent.set_running(held.name.container, std::ranges::any_of(held_, [&](const auto& entry) {
                           return entry.first.container == held.name.container && entry.second.get() != &held;
                       }));
    // An engine that restarted does not remove the FIFOs of the one before.
    if (held.superseded || held.resumed) (void)remove_file(held.request.fifo);
    log.debug("container's FIFO ended", {{"container", held.name.container}, {"hold", held.name.str()}});
    held_.erase(HoldName{held.name});
}

// ---- What the engine asks -------------------------------------------------------------------------------------------

asio::awaitable<std::string> Holder::State::answer(const Post& post) {
    if (post.path == "/Plugin.Activate") co_return "{\"Implements\":[\"LogDriver\"]}";
    if (post.path == "/LogDriver.Capabilities")
        co_return options.ring_bytes > 0 ? "{\"Cap\":{\"ReadLogs\":true}}" : "{\"Cap\":{\"ReadLogs\":false}}";
    if (post.path == "/LogDriver.StartLogging") co_return co_await start_logging(post.body);
    // The engine closes the FIFO behind this call: its end is what we go by.
    if (post.path == "/LogDriver.StopLogging") co_return error_json("");
    co_return std::string{};
}

asio::awaitable<std::string> Holder::State::start_logging(const std::string& body) {
    auto request = parse_start(body, keep);
    if (!request) {
        log.error("StartLogging not understood", {{"error", request.error()}});
        co_return error_json("boatswain: " + request.error().what);
    }
    if (auto against = co_await reason_against(*request); !against.empty()) {
        log.warning(
            "container refused",
            {{"container", request->facts.id.substr(0, 12)}, {"name", request->facts.name}, {"reason", against}});
        co_return error_json("boatswain: " + against);
    }
    auto taken = take_in(std::move(*request));
    if (!taken) log.error("container not taken in", {{"error", taken.error()}});
    co_return error_json(taken ? std::string{} : "boatswain: " + taken.error().what);
}

// Why the container must not run, when it says so itself by --log-opt require-key=true; empty: nothing is against it.
asio::awaitable<std::string> Holder::State::reason_against(const StartRequest& request) {
    if (!request.option_is_true("require-key")) co_return std::string{};
    auto until = clock.steady() + key_wait;
    for (;;) {
        auto key = key_for(request.facts);
        if (key.is == KeyAnswer::Is::yes) co_return std::string{};
        if (key.is == KeyAnswer::Is::no) co_return "require-key=true, and " + key.reason;
        if (clock.steady() > until) co_return "require-key=true, and the key that the container carries is not ready";
        co_await net::sleep_for(key_pause);
    }
}

Result<void> Holder::State::take_in(StartRequest request) {
    const auto& id = request.facts.id;
    HoldName name{.container = id, .number = 0};
    for (const auto& [other, held] : held_)
        // The engine asks again when an answer was lost.
        if (held->request.fifo == request.fifo) return {};
    if (held_.size() >= fifos_max)
        return fail(Remedy::back_off, "no more than " + std::to_string(fifos_max) + " containers at a time");
    std::error_code problem;
    for (std::filesystem::directory_iterator entry{options.hold_dir, problem}, none; !problem && entry != none;
         entry.increment(problem))
        if (auto other = HoldName::parse(entry->path().stem().string()); other && other->container == id)
            name.number = std::max(name.number, other->number);
    ++name.number;
    TRY(auto fifo, Fifo::open(request.fifo, false));
    CHECK(write_file_durably(description_of(name), describe(request), 0600));
    auto hold = Hold::create(path_of(name));
    if (!hold) {
        (void)remove_file(description_of(name));
        return std::unexpected(std::move(hold).error());
    }
    if (!fifo.wide())
        log.warning("FIFO not widened: a container that ends while nobody reads may lose its last output beyond 64 KiB",
                    {{"container", id.substr(0, 12)}});
    if (options.ring_bytes == 0 && !request.option_is_true("cache-disabled"))
        log.warning(
            "the engine keeps a copy of this container's lines on disk, in clear: start it with "
            "--log-opt cache-disabled=true",
            {{"container", id.substr(0, 12)}, {"name", request.facts.name}});
    log.debug("container taken in", {{"container", id}, {"hold", name.str()}});
    for (auto& [other, held] : held_)
        if (other.container == id) {
            held->superseded = true;
            held->readable.cancel();
        }
    spawn(std::make_shared<Held>(executor, name, std::move(request), std::move(*hold), std::move(fifo), false));
    return {};
}

// ---- The whole ------------------------------------------------------------------------------------------------------

Holder::Holder(std::unique_ptr<State> state) : state_(std::move(state)) {}
Holder::~Holder() = default;

Result<std::unique_ptr<Holder>> Holder::open(asio::any_io_executor executor, HolderOptions options,
                                             engine::WordFilter keep,
                                             std::function<KeyAnswer(const engine::ContainerFacts&)> key_for,
                                             const Clock& clock, Log& log, std::unique_ptr<net::Listener> bound) {
    auto state = std::make_unique<State>(executor, std::move(options), std::move(keep), std::move(key_for), clock, log);
    CHECK(state->prepare(std::move(bound)));
    return std::unique_ptr<Holder>{new Holder(std::move(state))};
}

asio::awaitable<void> Holder::run() {
    auto& state = *state_;
    state.resume_all();
    state.tasks.spawn("answer the engine",
                      state.server->run([&state](const Post& post) { return state.answer(post); }, state.recent));
    state.log.info("log driver ready",
                   {{"socket", state.options.socket.string()}, {"holds", state.options.hold_dir.string()}});
    try {
        co_await state.tasks.join();
    } catch (...) {
        // Cancelled. What was started is asked to end, and waited for.
    }
    co_await asio::this_coro::reset_cancellation_state();
    state.tasks.cancel();
    co_await state.tasks.join();
}

}  // namespace boatswain::intake::driver
