#include "boatswaind/agent.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <optional>

#include "batch/batcher.h"
#include "boatswaind/assigning.h"
#include "boatswaind/check.h"
#include "boatswaind/control.h"
#include "boatswaind/heart.h"
#include "boatswaind/notify.h"
#include "boatswaind/privileges.h"
#include "boatswaind/state_lock.h"
#include "canary/canary.h"
#include "config/flags.h"
#include "engine/client.h"
#include "intake/docker/docker_intake.h"
#include "net/event.h"
#include "net/task_group.h"
#include "serve/observe.h"
#include "ship/shipper.h"
#include "spool/spool.h"
#include "store/store.h"

namespace boatswain::boatswaind {
namespace {

namespace asio = boost::asio;
namespace docker = intake::docker;
using std::chrono::milliseconds;

constexpr milliseconds tick_pause{200};
constexpr milliseconds keyring_pause{1000};

tenancy::Unassigned policy_of(const config::Config& config) {
    return config.tenancy.unassigned == config::Unassigned::drop ? tenancy::Unassigned::drop
                                                                 : tenancy::Unassigned::quarantine;
}

tenancy::Forged forged_of(const config::Config& config) {
    switch (config.tenancy.forged) {
        case config::Forged::quarantine: return tenancy::Forged::quarantine;
        case config::Forged::ignore_env: return tenancy::Forged::ignore_env;
        case config::Forged::trust_env: return tenancy::Forged::trust_env;
    }
    return tenancy::Forged::quarantine;
}

// Compressing takes the most; one core stays free for the containers.
unsigned seal_workers() { return std::thread::hardware_concurrency() > 3 ? 2 : 1; }

// Signals that came before the I/O thread listens: while another instance holds the lock.
bool told_to_end() {
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    return sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT);
}

void block_signals(bool block) {
    sigset_t signals;
    sigemptyset(&signals);
    for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
    pthread_sigmask(block ? SIG_BLOCK : SIG_UNBLOCK, &signals, nullptr);
}

// In the I/O thread; all others were started with it blocked.
void block_signal(int signal) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

// Every container's log is held open, and the files that follow it: as many descriptors as we may have.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

// Everything that lives as long as the agent, in the order of its building.
class Agent {
  public:
    Agent(config::Config config, const std::function<Result<config::Config>()>& reload)
        : config_(std::move(config)),
          reload_(reload),
          log_(clock_, STDERR_FILENO, config_.log.format, config_.log.level) {}

    Result<void> run();

  private:
    Result<void> build();
    asio::awaitable<void> tick();
    asio::awaitable<void> watch_keyring();
    asio::awaitable<void> beat();
    asio::awaitable<void> obey_signals();
    void reload_configuration();
    void shut_down();
    void open_control();
    void tell_manager(std::string_view state);
    serve::Health health() const;
    AgentStatus status() const;
    std::vector<std::string> troubles() const;
    heartbeat::Heartbeat heartbeat() const;
    std::optional<std::string> spool_trouble() const;

    config::Config config_;
    const std::function<Result<config::Config>()>& reload_;
    SystemClock clock_;
    Log log_;
    Metrics metrics_;
    asio::io_context io_{1};
    // Handlers hold from here on: what came while signals were blocked is obeyed, not the end of the process.
    asio::signal_set signals_{io_, SIGTERM, SIGINT, SIGHUP};
    std::optional<StateLock> lock_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<spool::Spool> spool_;
    std::optional<batch::MemoryBudget> budget_;
    std::unique_ptr<engine::Client> client_;
    std::optional<Assigning> assigning_;
    std::optional<batch::Sealing> sealing_;
    std::optional<batch::Batcher> batcher_;
    std::optional<canary::Canary> canary_;
    std::optional<ship::Shipper> shipper_;
    std::optional<docker::DockerIntake> intake_;
    std::optional<Heart> heart_;
    std::unique_ptr<serve::HttpServer> observe_;
    std::unique_ptr<serve::HttpServer> control_;
    const Timestamp started_ = clock_.now();
    const std::chrono::steady_clock::time_point started_steady_ = clock_.steady();
    std::optional<net::TaskGroup> tasks_;
    bool ending_ = false;
};

Result<void> Agent::build() {
    CHECK(check_host(config_));
    TRY(auto rules, parse_tenancy(config_));
    TRY(auto fleet_key, Heart::key_for(config_.fleet.key, config_.host));
    TRY(auto selection, docker::Selection::parse(config_.docker.include, config_.docker.exclude));
    raise_descriptor_limit();
    CHECK(drop_privileges(log_));
    TRY(auto lock, StateLock::acquire(config_.state_dir, log_, told_to_end));
    lock_.emplace(std::move(lock));

    store_ = nullptr;
    TRY(store_, store::open_store(config_.store.url, clock_));
    TRY(spool_,
        spool::Spool::open({.state_dir = config_.state_dir, .host = config_.host, .bytes_max = config_.spool.bytes_max},
                           clock_, log_, metrics_));
    budget_.emplace(config_.memory_max);
    auto derived = [this] {
        asio::post(io_, [this] {
            if (intake_) intake_->reassign();
        });
    };
    assigning_.emplace(std::move(rules), policy_of(config_), forged_of(config_), config_.tenancy.keyring, metrics_,
                       log_, derived);
    assigning_->refresh_keys(true);

    auto& engine = config_.engine;
    TRY(client_, engine::make_client(io_.get_executor(),
                                     {.address = engine.socket,
                                      .ca_file = engine.ca_file,
                                      .certificate_file = engine.certificate_file,
                                      .key_file = engine.key_file,
                                      .call_timeout = std::chrono::duration_cast<milliseconds>(engine.api_timeout)}));

    auto progressed = [this] {
        asio::post(io_, [this] {
            if (intake_) intake_->progressed();
        });
    };
    sealing_.emplace(static_cast<int>(config_.batch.zstd_level), seal_workers(), *spool_, *budget_, clock_, metrics_,
                     log_, progressed);
    batcher_.emplace(batch::Options{.flush_after = config_.batch.flush_after, .flush_bytes = config_.batch.flush_bytes},
                     *sealing_, *spool_, *budget_, clock_, metrics_);
    if (config_.canary) {
        canary_.emplace(canary::Options{}, *batcher_, *spool_, *store_, clock_, metrics_, log_);
        sealing_->watch([this](const segment::SealedSegment& segment) { canary_->sealed(segment); });
    }
    shipper_.emplace(ship::Options{.uploads = static_cast<unsigned>(config_.ship.uploads)}, *spool_, *store_, clock_,
                     metrics_, log_);
    docker::Assigner assigner{
        .assign = [this](const engine::ContainerFacts& facts) { return assigning_->assign(facts); },
        .keep = [this](std::string_view key) { return assigning_->keeps(key); }};
    intake_.emplace(io_.get_executor(),
                    docker::Options{.root = config_.docker.root,
                                    .terms = {.attach = config_.docker.attach,
                                              .selection = std::move(selection),
                                              .own_ids = docker::own_container_ids()}},
                    *client_, std::move(assigner), *batcher_, *spool_, clock_, metrics_, log_);
    if (config_.fleet.heartbeat.count() > 0) heart_.emplace(*store_, std::move(fleet_key), metrics_, log_);
    if (config_.listen != "off") {
        auto routes = serve::observe_routes(metrics_, [this] { return health(); }, std::string{config::version()});
        TRY(observe_, serve::HttpServer::open(io_.get_executor(), config_.listen, std::move(routes)));
        log_.info("listening", {{"address", observe_->address()}});
    }
    open_control();
    return {};
}

// After the state lock is held: a socket file that is there then is a stale one, and is replaced. Without the socket
// the agent collects all the same; only nobody can ask it why.
void Agent::open_control() {
    if (config_.control == "off") return;
    auto routes = control_routes({.all = [this] { return intake_->describe_all(); },
                                  .find = [this](std::string_view wanted) { return intake_->describe(wanted); },
                                  .tenant = [this](const std::string& tenant) { return spool_->standing(tenant); },
                                  .troubles = [this] { return troubles(); },
                                  .status = [this] { return status(); }});
    auto opened = serve::HttpServer::open(io_.get_executor(), "unix:" + config_.control, std::move(routes));
    if (!opened) {
        log_.error("control socket not opened: `boatswain why` cannot ask this agent", {{"error", opened.error()}});
        return;
    }
    control_ = std::move(*opened);
    log_.info("listening", {{"address", control_->address()}});
}

void Agent::tell_manager(std::string_view state) {
    if (auto told = notify_manager(state); !told) log_.warning("service manager not told", {{"error", told.error()}});
}

Result<void> Agent::run() {
    CHECK(build());
    log_.info("agent started", {{"version", config::version()},
                                {"host", config_.host},
                                {"epoch", spool_->epoch()},
                                {"store", store_->describe()},
                                {"engine", config_.engine.socket},
                                {"tenants", assigning_->tenants()}});
    tasks_.emplace(io_.get_executor(), log_);
    tasks_->spawn("docker intake", intake_->run());
    tasks_->spawn("tick", tick());
    tasks_->spawn("watch the keyring", watch_keyring());
    tasks_->spawn("obey signals", obey_signals());
    if (heart_) tasks_->spawn("heartbeat", beat());
    if (observe_) tasks_->spawn("observe", observe_->run());
    if (control_) tasks_->spawn("control", control_->run());
    tell_manager("READY=1");
    block_signals(false);
    io_.run();
    shut_down();
    return {};
}

asio::awaitable<void> Agent::tick() {
    for (;;) {
        co_await net::sleep_for(tick_pause);
        if (canary_) canary_->tick();
        batcher_->tick();
    }
}

asio::awaitable<void> Agent::watch_keyring() {
    for (;;) {
        co_await net::sleep_for(keyring_pause);
        if (assigning_->refresh_keys(false)) intake_->reassign();
    }
}

asio::awaitable<void> Agent::beat() {
    for (;;) {
        heart_->beat(heartbeat());
        co_await net::sleep_for(std::chrono::duration_cast<milliseconds>(config_.fleet.heartbeat));
    }
}

asio::awaitable<void> Agent::obey_signals() {
    for (;;) {
        int signal = co_await signals_.async_wait(asio::use_awaitable);
        if (signal == SIGHUP) {
            reload_configuration();
            continue;
        }
        if (ending_) continue;
        ending_ = true;
        tell_manager("STOPPING=1");
        log_.info("told to end", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
        // From here on the default action holds again: a second signal ends the process at once. But a wish to read the
        // configuration again is not one to end before what was read is sealed: it stays blocked.
        block_signal(SIGHUP);
        signals_.clear();
        tasks_->cancel();
        co_return;
    }
}

void Agent::reload_configuration() {
    auto fresh = reload_();
    auto rules = fresh ? parse_tenancy(*fresh) : Result<tenancy::RuleSet>{std::unexpected(fresh.error())};
    if (!rules) {
        log_.error("configuration not taken over; the old one stays", {{"error", rules.error()}});
        return;
    }
    assigning_->change(std::move(*rules), policy_of(*fresh), forged_of(*fresh));
    assigning_->refresh_keys(true);
    intake_->reassign();
    log_.info("configuration read again: rules and keyring hold now, everything else from the next start on");
}

void Agent::shut_down() {
    auto deadline =
        clock_.steady() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(config_.shutdown_timeout);
    intake_->finish(deadline);
    if (canary_) canary_->finish();
    batcher_->flush_all();
    bool sealed = sealing_->drain(deadline);
    sealing_->watch({});
    bool shipped = sealed && shipper_->drain(deadline);
    bool quiet = !heart_ || heart_->finish(deadline);
    log_.info("agent ended", {{"sealed", sealed ? "all" : "not all: the rest is read again at the next start"},
                              {"shipped", shipped ? "all" : "not all: the rest waits in the spool"},
                              {"waiting_segments", spool_->count()}});
    // An upload or a heartbeat under way can hang on a store that does not answer, and whoever told us to end does not
    // wait. Everything is durable by now, so nothing is left to be done in an orderly way.
    if (!shipped || !quiet) std::_Exit(0);
}

std::optional<std::string> Agent::spool_trouble() const {
    auto paused = spool_->tenants_without_room();
    if (spool_->bytes() >= spool_->bytes_max()) return "full: reading pauses until the store takes segments";
    if (paused.empty()) return std::nullopt;
    return "full for " + std::to_string(paused.size()) + (paused.size() == 1 ? " tenant" : " tenants") +
           ": reading of their containers pauses until the store takes segments";
}

serve::Health Agent::health() const {
    auto intake = intake_->health();
    auto sealing = sealing_->trouble();
    auto shipping = shipper_->trouble();
    serve::Health health;
    auto full = spool_trouble();
    health.healthy = !sealing && !full;
    health.detail = {{"engine", intake.engine_connected ? "followed" : "not followed: " + intake.engine_trouble},
                     {"containers", std::to_string(intake.containers)},
                     {"reading", std::to_string(intake.reading)},
                     {"read_lag_bytes", std::to_string(intake.lag_bytes)},
                     {"sealing", sealing.value_or("ok")},
                     {"spool", full.value_or("ok")},
                     {"state", spool_->state_trouble().value_or("ok")},
                     {"spool_bytes", std::to_string(spool_->bytes())},
                     {"shipping", shipping.value_or("ok")}};
    if (canary_) health.detail["canary"] = canary_->trouble().value_or("ok");
    return health;
}

AgentStatus Agent::status() const {
    return {.health = health(),
            .version = std::string{config::version()},
            .host = config_.host,
            .epoch = spool_->epoch(),
            .store = store_->describe(),
            .started = started_,
            .uptime = clock_.steady() - started_steady_,
            .memory_bytes = budget_->used(),
            .memory_bytes_max = budget_->bytes_max(),
            .spool_bytes = spool_->bytes(),
            .spool_bytes_max = spool_->bytes_max(),
            .spool_segments = spool_->count(),
            .spool_oldest = spool_->oldest()};
}

std::vector<std::string> Agent::troubles() const {
    std::vector<std::string> troubles;
    auto intake = intake_->health();
    if (!intake.engine_connected)
        troubles.push_back("the engine is not followed" +
                           (intake.engine_trouble.empty() ? "" : ": " + intake.engine_trouble));
    if (auto sealing = sealing_->trouble()) troubles.push_back("the spool cannot be written: " + *sealing);
    if (auto full = spool_trouble()) troubles.push_back("the spool is " + *full);
    if (const auto& lost = spool_->state_trouble()) troubles.push_back(*lost);
    if (canary_)
        if (auto lost = canary_->trouble()) troubles.push_back(*lost);
    if (auto shipping = shipper_->trouble()) troubles.push_back("the store does not take segments: " + *shipping);
    return troubles;
}

// Words and numbers only: what the troubles are in detail may name a tenant.
heartbeat::Heartbeat Agent::heartbeat() const {
    auto intake = intake_->health();
    heartbeat::Heartbeat now{.host = config_.host,
                             .version = std::string{config::version()},
                             .epoch = spool_->epoch(),
                             .started = started_,
                             .time = clock_.now(),
                             .interval_seconds = std::max<std::int64_t>(
                                 1, std::chrono::ceil<std::chrono::seconds>(config_.fleet.heartbeat).count()),
                             .healthy = health().healthy,
                             .containers = intake.containers,
                             .reading = intake.reading,
                             .lag_bytes = intake.lag_bytes,
                             .spool_bytes = spool_->bytes(),
                             .spool_bytes_max = spool_->bytes_max(),
                             .spool_segments = spool_->count(),
                             .spool_oldest = spool_->oldest(),
                             .last_segment = spool_->newest()};
    if (!intake.engine_connected) now.troubles.emplace_back(heartbeat::trouble::engine);
    if (sealing_->trouble()) now.troubles.emplace_back(heartbeat::trouble::spool_write);
    if (spool_trouble()) now.troubles.emplace_back(heartbeat::trouble::spool_full);
    if (shipper_->trouble()) now.troubles.emplace_back(heartbeat::trouble::store);
    return now;
}

}  // namespace

Result<void> run_agent(config::Config config, const std::function<Result<config::Config>()>& reload) {
    block_signals(true);
    Agent agent{std::move(config), reload};
    return agent.run();
}

}  // namespace boatswain::boatswaind
