#include "boatswaind/agent.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <optional>
#include <set>

#include "base/secret.h"
#include "batch/batcher.h"
#include "boatswaind/by_broker.h"
#include "boatswaind/check.h"
#include "boatswaind/control.h"
#include "boatswaind/driver.h"
#include "boatswaind/health_snapshot.h"
#include "boatswaind/heartbeat_publisher.h"
#include "boatswaind/key_reading.h"
#include "boatswaind/notify.h"
#include "boatswaind/privileges.h"
#include "boatswaind/process.h"
#include "boatswaind/sandbox_setup.h"
#include "boatswaind/scrape_metrics.h"
#include "boatswaind/signals.h"
#include "boatswaind/state_lock.h"
#include "boatswaind/tenant_resolver.h"
#include "canary/canary.h"
#include "config/flags.h"
#include "engine/client.h"
#include "intake/cri/cri_intake.h"
#include "intake/docker/docker_intake.h"
#include "intake/docker/images.h"
#include "intake/driver/plugin_server.h"
#include "intake/source/intake.h"
#include "net/connection.h"
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
constexpr std::size_t assigned_at_once = 16;
// A heartbeat that changed troubles bring forward: how often they are looked at, and how far apart heartbeats stay.
constexpr milliseconds heartbeat_look{500};
constexpr milliseconds heartbeat_apart_min{5000};
constexpr milliseconds heartbeat_first_after{10'000};  // so long the first one waits for the engine's answer

// Compressing takes the most; one core stays free for the containers.
unsigned seal_workers() { return std::thread::hardware_concurrency() > 3 ? 2 : 1; }

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
    void warn_of_secrets();
    void tell_of_held();
    void shut_down();
    Result<void> build_intakes(std::vector<std::string> own_containers);
    Result<void> build_docker(intake::Assigner assigner, std::vector<std::string> own_containers);
    Result<void> open_listeners();
    void open_control();
    Result<void> build_driver(docker::ReadPolicy& terms, const intake::Assigner& assigner);
    void reassign();
    void reassign_ready();
    void reassign(const std::vector<std::string>& ids);
    asio::awaitable<void> assign_again();
    std::vector<intake::Description> describe_all() const;
    void tell_stopping();
    std::vector<std::string> ended_tasks() const;
    asio::awaitable<void> watch_broker();
    void put_down();
    void prefer_keyring();
    HealthSnapshot condition() const;
    std::map<std::string, intake::TenantLag> lag_by_tenant() const;
    std::string metrics();
    AgentStatus status() const;
    SpoolStatus spool_status() const;
    std::vector<std::string> troubles() const;
    heartbeat::Heartbeat heartbeat() const;

    config::Config config_;
    const std::function<Result<config::Config>()>& reload_;
    SystemClock clock_;
    Log log_;
    Metrics metrics_;
    asio::io_context io_{1};
    std::atomic_flag progress_is_told_;
    std::unique_ptr<Signals> signals_;  // those that came since run_agent() began are obeyed, too
    docker::Selection selection_;
    std::optional<StateLock> lock_;
    LaterNotice ready_notice_;
    // Where the agent itself is the engine's plugin, until that is built.
    std::optional<intake::driver::HoldLock> holds_;
    std::unique_ptr<net::Listener> plugin_;
    std::optional<sandbox::Broker> broker_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<spool::Spool> spool_;
    std::optional<batch::MemoryBudget> budget_;
    std::unique_ptr<engine::Client> client_;
    std::optional<TenantResolver> tenants_;
    std::optional<KeyReading> key_reading_;
    std::optional<docker::Images> images_;
    std::optional<batch::Sealing> sealing_;
    std::optional<batch::Batcher> batcher_;
    std::optional<canary::Canary> canary_;
    std::optional<batch::Sealing::SealedObservers::Watch> canary_watch_;
    std::optional<ship::Shipper> shipper_;
    std::unique_ptr<intake::driver::Holder> holder_;  // where the agent itself is the engine's plugin
    std::vector<std::unique_ptr<intake::Intake>> intakes_;
    std::optional<HeartbeatPublisher> heartbeat_;
    std::unique_ptr<http::Server> observe_;
    std::unique_ptr<http::Server> health_;
    std::unique_ptr<http::Server> control_;
    const Timestamp started_ = clock_.now();
    const std::chrono::steady_clock::time_point started_steady_ = clock_.steady();
    ScrapeMetrics scrape_metrics_{metrics_, config::version(), started_};
    std::optional<net::TaskGroup> tasks_;
    net::Event look_at_keys_{io_.get_executor()};  // before the next second
    bool reloading_ = false;                       // the configuration was read again, the keyring not yet
    std::set<std::string> more_known_of_;          // containers that wait for assign_again()
    net::Event assign_again_{io_.get_executor()};
    bool warned_of_secrets_ = false;
    std::string told_held_;         // why containers are held, as it was logged last
    std::optional<Error> failure_;  // why it ended though nobody told it to
};

Result<void> Agent::build() {
    CHECK(check_host(config_));
    CHECK(check_ways_in(config_));
    CHECK(check_no_identity(config_.tenancy.keyring));
    TRY(auto rules, parse_tenancy(config_));
    TRY(auto fleet_key, HeartbeatPublisher::key_for(config_.fleet.key, config_.host));
    TRY(selection_, docker::Selection::parse(config_.docker.include, config_.docker.exclude));
    TRY(signals_, Signals::open(io_.get_executor()));
    raise_descriptor_limit();
    CHECK(drop_privileges(log_));
    TRY(auto lock, StateLock::acquire(config_.state_dir, log_, told_to_end));
    lock_.emplace(std::move(lock));
    auto own_ids = docker::own_container_ids();  // from /proc, which is out of reach afterwards
    // Unix sockets are opened before we may open none, and all of it before the first thread.
    auto notice = LaterNotice::open();
    if (notice) ready_notice_ = std::move(*notice);
    open_control();
    if (config_.driver.enabled && config_.driver.holder == config::HolderIs::agent) {
        TRY(auto holds, intake::driver::HoldLock::take(config_.driver.hold_dir));
        holds_.emplace(std::move(holds));
        TRY(plugin_, intake::driver::PluginServer::bind(io_.get_executor(), config_.driver.socket, *holds_));
    }
    TRY(broker_, confine_agent(config_, log_));

    store_ = nullptr;
    TRY(store_, store::open_store(config_.store.url, clock_, store_options(config_)));
    TRY(spool_, spool::Spool::open({.state_dir = config_.state_dir,
                                    .host = config_.host,
                                    .bytes_max = config_.spool.bytes_max,
                                    .aside_max = config_.spool.aside_max},
                                   clock_, log_, metrics_));
    budget_.emplace(config_.memory_max);
    auto derived = [this] { asio::post(io_, [this] { reassign_ready(); }); };
    tenants_.emplace(std::move(rules), policy_of(config_), forged_of(config_), config_.tenancy.keyring,
                     config_.state_dir / last_good_name, static_cast<std::size_t>(config_.tenancy.carried_max),
                     metrics_, log_, clock_, derived);
    tenants_->treat_removed(removed_keys_of(config_));
    tenants_->refresh_keys(true);
    key_reading_.emplace(io_.get_executor(), *tenants_);
    prefer_keyring();

    auto progressed = [this] {
        // Told of each frame: one call is enough for all that came until it is made.
        if (progress_is_told_.test_and_set()) return;
        asio::post(io_, [this] {
            progress_is_told_.clear();
            for (const auto& intake : intakes_) intake->progressed();
        });
    };
    sealing_.emplace(static_cast<int>(config_.batch.zstd_level), seal_workers(), *spool_, *budget_, clock_, metrics_,
                     log_, progressed);
    batcher_.emplace(batch::Options{.flush_after = config_.batch.flush_after,
                                    .flush_after_max = config_.batch.flush_after_max,
                                    .flush_bytes = config_.batch.flush_bytes},
                     *sealing_, *spool_, *budget_, clock_, metrics_);
    if (config_.canary) {
        canary_.emplace(canary::Options{}, *batcher_, *spool_, *store_, clock_, metrics_, log_);
        canary_watch_.emplace(
            sealing_->sealed().watch([this](const segment::SealedSegment& segment) { canary_->sealed(segment); }));
    }
    shipper_.emplace(ship::Options{.uploads = static_cast<unsigned>(config_.ship.uploads)}, *spool_, *store_, clock_,
                     metrics_, log_);
    CHECK(build_intakes(std::move(own_ids)));
    if (config_.fleet.heartbeat.count() > 0) heartbeat_.emplace(*store_, std::move(fleet_key), metrics_, log_);
    return open_listeners();
}

Result<void> Agent::open_listeners() {
    serve::ObserveSources sources{.alive = [this] { return aliveness(condition()); },
                                  .ready = [this] { return readiness(condition()); },
                                  .metrics = [this] { return metrics(); },
                                  .version = std::string{config::version()}};
    if (!config_.metrics.token_file.empty()) {
        TRY(sources.metrics_token, serve::read_token(config_.metrics.token_file));
    }
    if (config_.health.listen != "off") {
        TRY(health_, http::Server::open(io_.get_executor(), config_.health.listen, serve::health_routes(sources)));
        log_.info("listening", {{"address", health_->address()}});
    }
    if (config_.listen != "off") {
        TRY(observe_,
            http::Server::open(io_.get_executor(), config_.listen, serve::observe_routes(std::move(sources))));
        log_.info("listening", {{"address", observe_->address()}});
    }
    return {};
}

// The ways in. Those that share containers know of each other; the rest of the agent knows the list alone.
Result<void> Agent::build_intakes(std::vector<std::string> own_containers) {
    intake::Assigner assigner{.assign = [this](const SourceFacts& facts) { return tenants_->assign(facts); },
                              .starter = [this](const SourceFacts& facts) { return tenants_->starter(facts); },
                              .keep = words_kept(*tenants_, selection_)};
    tenants_->trust_images(config_.tenancy.trust_image);
    if (!config_.cri.pods.empty()) {
        const auto& excluded = config_.cri.exclude_namespaces;
        intake::cri::Options options{.pods = config_.cri.pods,
                                     .excluded_namespaces = {excluded.begin(), excluded.end()},
                                     .own_pods = intake::cri::own_pods()};
        intakes_.push_back(std::make_unique<intake::cri::CriIntake>(io_.get_executor(), std::move(options), assigner,
                                                                    *batcher_, *spool_, clock_, metrics_, log_));
    }
    if (!config_.docker.enabled) return {};
    return build_docker(std::move(assigner), std::move(own_containers));
}

Result<void> Agent::build_docker(intake::Assigner assigner, std::vector<std::string> own_containers) {
    TRY(client_, engine::make_client(io_.get_executor(), engine_endpoint(config_, io_.get_executor(), broker_)));
    images_.emplace(io_.get_executor(), *client_, assigner.keep, metrics_, log_,
                    [this](const std::vector<std::string>& ids) {
                        more_known_of_.insert(ids.begin(), ids.end());
                        assign_again_.notify();
                    });
    tenants_->ask_images([this](const SourceFacts& facts) { return images_->starter(facts); });
    docker::ReadPolicy terms{
        .attach = config_.docker.attach, .selection = selection_, .own_ids = std::move(own_containers)};
    terms.engine_id = config_.engine.id;
    terms.from_first_start = config_.docker.read_from == config::ReadFrom::start;
    terms.age_max = config_.docker.read_max_age;
    CHECK(build_driver(terms, assigner));
    // Before the driver's, which it tells of its containers: ended first, and gone first.
    intakes_.insert(intakes_.begin(),
                    std::make_unique<docker::DockerIntake>(
                        io_.get_executor(), docker::Options{.root = config_.docker.root, .terms = std::move(terms)},
                        *client_, std::move(assigner), *batcher_, *spool_, clock_, metrics_, log_));
    return {};
}

// After the state lock is held: a holder inside an agent before us is gone.
Result<void> Agent::build_driver(docker::ReadPolicy& terms, const intake::Assigner& assigner) {
    const auto& driver = config_.driver;
    if (!driver.enabled) return {};
    CHECK(intake::driver::check_in_memory(driver.hold_dir));
    if (driver.holder == config::HolderIs::agent) {
        TRY(holder_, intake::driver::Holder::open(io_.get_executor(), holder_options(config_),
                                                  holder_asks(*tenants_, selection_), clock_, log_, std::move(*holds_),
                                                  std::move(plugin_)));
    }
    auto driver_intake =
        std::make_unique<intake::driver::DriverIntake>(io_.get_executor(),
                                                       intake::driver::IntakeOptions{.hold_dir = driver.hold_dir,
                                                                                     .hold_bytes = driver.hold_bytes,
                                                                                     .hold_total = driver.hold_total,
                                                                                     .selection = terms.selection,
                                                                                     .own_ids = terms.own_ids},
                                                       assigner, *batcher_, *spool_, clock_, metrics_, log_);
    terms.elsewhere = driver_intake->elsewhere(driver.name);
    intakes_.push_back(std::move(driver_intake));
    return {};
}

void Agent::reassign() {
    for (const auto& intake : intakes_) intake->reassign();
}

void Agent::reassign_ready() {
    if (auto ready = tenants_->take_ready(); !ready.empty()) reassign(ready);
}

void Agent::reassign(const std::vector<std::string>& ids) {
    for (const auto& intake : intakes_) intake->reassign(ids);
}

// An image can be that of thousands of containers: others have their turns on the thread in between.
asio::awaitable<void> Agent::assign_again() {
    for (;;) {
        co_await assign_again_.wait();
        while (!more_known_of_.empty()) {
            std::vector<std::string> some;
            while (!more_known_of_.empty() && some.size() < assigned_at_once)
                some.push_back(std::move(more_known_of_.extract(more_known_of_.begin()).value()));
            reassign(some);
            co_await asio::post(io_, asio::use_awaitable);
        }
    }
}

void Agent::put_down() {
    for (const auto& intake : intakes_) intake->put_down();
}

// Tenants that the operator knows are not crowded out by names that somebody makes up.
void Agent::prefer_keyring() {
    auto known = tenants_->tenant_names();
    metrics_.know_tenants(known);
    budget_->prefer(std::move(known));
}

// After the state lock is held: a socket file that is there then is a stale one, and is replaced. Without the socket
// the agent collects all the same; only nobody can ask it why.
void Agent::open_control() {
    if (config_.control == "off") return;
    auto routes =
        control_routes({.all = [this] { return describe_all(); },
                        .find = [this](std::string_view wanted) { return find_described(describe_all(), wanted); },
                        .tenant = [this](const std::string& tenant) { return spool_->standing(tenant); },
                        .troubles = [this] { return troubles(); },
                        .status = [this] { return status(); },
                        .spool = [this] { return spool_status(); },
                        .flush = [this] { return batcher_->flush_all(); },
                        .retry = [this] { return spool_->offer_again(); },
                        .acknowledge = [this] { return spool_->acknowledge_conflicts(); }});
    auto opened = http::Server::open(io_.get_executor(), "unix:" + config_.control, std::move(routes));
    if (!opened) {
        log_.error("control socket not opened: `boatswain why` cannot ask this agent", {{"error", opened.error()}});
        return;
    }
    control_ = std::move(*opened);
    log_.info("listening", {{"address", control_->address()}});
}

std::vector<intake::Description> Agent::describe_all() const {
    std::vector<intake::Description> all;
    for (const auto& intake : intakes_) std::ranges::move(intake->describe_all(), std::back_inserter(all));
    return all;
}

void Agent::tell_stopping() {
    constexpr std::string_view stopping = "STOPPING=1";
    if (std::getenv("NOTIFY_SOCKET") == nullptr) return;
    if (auto told = broker_ ? broker_->notify(stopping) : notify_manager(stopping); !told)
        log_.warning("service manager not told", {{"error", told.error()}});
}

asio::awaitable<void> Agent::watch_broker() {
    co_await wait_for_end(*broker_);
    log_.error(std::string{broker_ended} + "; the agent ends, to be started again");
    failure_ = Error{.remedy = Remedy::stop, .what = broker_ended};
    tasks_->cancel();
}

Result<void> Agent::run() {
    CHECK(build());
    log_.info("agent started", {{"version", config::version()},
                                {"host", config_.host},
                                {"epoch", spool_->epoch()},
                                {"store", store_->describe()},
                                {"engine", config_.engine.socket},
                                {"tenants", tenants_->tenants()}});
    tasks_.emplace(io_.get_executor(), log_);
    for (const auto& intake : intakes_) tasks_->spawn(std::string{intake->name()}, intake->run());
    if (images_) {
        tasks_->spawn("ask about images", images_->run());
        tasks_->spawn("assign containers again", assign_again());
    }
    if (holder_) tasks_->spawn("log driver", holder_->run());
    tasks_->spawn("tick", tick());
    tasks_->spawn("watch the keyring", watch_keyring());
    tasks_->spawn("obey signals", obey_signals());
    if (heartbeat_) tasks_->spawn("heartbeat", beat());
    if (observe_) tasks_->spawn("observe", observe_->run());
    if (health_) tasks_->spawn("health", health_->run());
    if (control_) tasks_->spawn("control", control_->run());
    if (broker_) tasks_->spawn("watch the broker", watch_broker());
    if (auto told = ready_notice_.send("READY=1"); !told)
        log_.warning("service manager not told", {{"error", told.error()}});
    io_.run();
    shut_down();
    if (failure_) return std::unexpected(std::move(*failure_));
    return {};
}

asio::awaitable<void> Agent::tick() {
    for (;;) {
        co_await net::sleep_for(tick_pause);
        if (canary_) canary_->tick();
        warn_of_secrets();
        put_down();
        batcher_->tick();
    }
}

// Once: what is not locked now will not be later.
void Agent::warn_of_secrets() {
    auto unlocked = secret_memory().unlocked_bytes;
    if (unlocked == 0 || std::exchange(warned_of_secrets_, true)) return;
    log_.warning("secrets not locked in memory: they may reach a swap area; raise RLIMIT_MEMLOCK",
                 {{"bytes", unlocked}});
}

asio::awaitable<void> Agent::watch_keyring() {
    for (;;) {
        co_await look_at_keys_.wait_for(keyring_pause);
        bool reloading = std::exchange(reloading_, false);
        if (co_await key_reading_->refresh(reloading) || reloading) {
            prefer_keyring();
            reassign();
        }
        if (reloading)
            log_.info("configuration read again: rules and keyring hold now, everything else from the next start on");
        reassign_ready();
        tell_of_held();
    }
}

// Each time that why containers are held has changed, and when none is any more.
void Agent::tell_of_held() {
    auto reading = condition().reading;
    auto why = held_words(reading) + (reading.reading == 0 && !reading.held.empty() ? "; no container is read" : "");
    if (std::exchange(told_held_, why) == why) return;
    if (auto held = held_text(reading))
        log_.warning("containers are held: their lines are not read", {{"held", *held}});
    else
        log_.info("no container is held any more");
}

// The first heartbeat waits for the engine's first answer, or `heartbeat_first_after`: a host that has just started is
// not one in trouble. Later ones come at the interval, and between two of them when the troubles have changed.
asio::awaitable<void> Agent::beat() {
    auto started = clock_.steady();
    while (!follows_all(condition()) && clock_.steady() - started < heartbeat_first_after)
        co_await net::sleep_for(heartbeat_look);
    for (;;) {
        auto now = heartbeat();
        auto troubles = now.troubles;
        auto beaten = clock_.steady();
        heartbeat_->beat(std::move(now));
        for (;;) {
            co_await net::sleep_for(heartbeat_look);
            auto since = clock_.steady() - beaten;
            if (since >= config_.fleet.heartbeat) break;
            if (since >= heartbeat_apart_min && heartbeat().troubles != troubles) break;
        }
    }
}

asio::awaitable<void> Agent::obey_signals() {
    for (;;) {
        auto order = co_await signals_->next();
        if (order.reload) {
            reload_configuration();
            continue;
        }
        tell_stopping();
        log_.info("told to end", {{"signal", order.to_end == SIGTERM ? "SIGTERM" : "SIGINT"}});
        let_second_signal_end();
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
    // Reading the configuration and the containers' tenants again can each take a while.
    if (told_to_end()) return;
    if (auto may = check_keyring_stays(*tenants_, *fresh); !may) {
        log_.error("configuration not taken over; the old one stays", {{"error", may.error()}});
        return;
    }
    tenants_->trust_images(fresh->tenancy.trust_image);
    tenants_->treat_removed(removed_keys_of(*fresh));
    if (tenants_->change(std::move(*rules), policy_of(*fresh), forged_of(*fresh))) {
        if (images_) images_->forget();
        for (const auto& intake : intakes_) intake->learn_again();
    }
    reloading_ = true;  // watch_keyring() goes on with it
    look_at_keys_.notify();
}

void Agent::shut_down() {
    auto deadline =
        clock_.steady() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(config_.shutdown_timeout);
    for (const auto& intake : intakes_) intake->finish(deadline);
    if (canary_) canary_->finish();
    batcher_->flush_all();
    bool sealed = sealing_->drain(deadline);
    canary_watch_.reset();
    bool shipped = sealed && shipper_->drain(deadline);
    bool quiet = !heartbeat_ || heartbeat_->finish(deadline);
    log_.info("agent ended", {{"sealed", sealed ? "all" : "not all: the rest is read again at the next start"},
                              {"shipped", shipped ? "all" : "not all: the rest waits in the spool"},
                              {"waiting_segments", spool_->count()}});
    // An upload or a heartbeat under way can hang on a store that does not answer, and whoever told us to end does not
    // wait. Everything is durable by now, so nothing is left to be done in an orderly way.
    if (!shipped || !quiet) std::_Exit(failure_ ? 1 : 0);
}

// Of parts whose tasks have to run for ever; an intake says it with its health.
std::vector<std::string> Agent::ended_tasks() const {
    auto ended = tasks_->failed();
    if (holder_) ended.insert(ended.end(), holder_->ended_tasks().begin(), holder_->ended_tasks().end());
    return ended;
}

HealthSnapshot Agent::condition() const {
    std::vector<intake::IntakeHealth> intakes;
    intake::ReadingStatus reading;
    for (const auto& intake : intakes_) {
        intakes.push_back(intake->health());
        reading += intakes.back().reading;
    }
    return {.intakes = std::move(intakes),
            .reading = std::move(reading),
            .ended_tasks = ended_tasks(),
            .sealing_trouble = sealing_->trouble(),
            .shipping_trouble = shipper_->trouble(),
            .store_lost = store_->lost(),
            .key_troubles = tenants_->key_troubles(),
            .removed_keys = tenants_->removed_keys(),
            .sealing_for = sealing_->busy_for(),
            .putting_for = shipper_->busy_for(),
            .has_canary = canary_.has_value(),
            .canary_trouble = canary_ ? canary_->trouble() : std::nullopt,
            .state_trouble = spool_->state_trouble(),
            .spool_bytes = spool_->bytes(),
            .spool_bytes_max = spool_->bytes_max(),
            .spool_segments = spool_->count(),
            .tenants_without_room = spool_->tenants_without_room().size(),
            .aside = spool_->aside_totals(),
            .conflicts = spool_->conflicts()};
}

std::map<std::string, intake::TenantLag> Agent::lag_by_tenant() const {
    std::map<std::string, intake::TenantLag> all;
    for (const auto& intake : intakes_)
        for (const auto& [tenant, lag] : intake->lag_by_tenant()) all[tenant] += lag;
    return all;
}

std::string Agent::metrics() {
    Measured measured{.condition = condition(),
                      .lag = lag_by_tenant(),
                      .spooled_bytes = spool_->waiting_bytes(),
                      .memory_bytes_max = budget_->bytes_max()};
    measured.ready = readiness(measured.condition);
    if (auto oldest = spool_->oldest()) measured.spool_oldest = std::max(clock_.now() - *oldest, Nanoseconds{});
    scrape_metrics_.show(measured);
    for (auto [listener, server] : {std::pair{"listen", &observe_}, {"health", &health_}, {"control", &control_}})
        if (*server)
            metrics_
                .counter("boatswain_http_closed_early_total",
                         "Clients' connections that were closed to make room for others", {{"listener", listener}})
                .raise_to(static_cast<double>((*server)->closed_early()));
    return metrics_.text();
}

AgentStatus Agent::status() const {
    return {.health = readiness(condition()),
            .version = std::string{config::version()},
            .host = config_.host,
            .epoch = spool_->epoch(),
            .store = store_->describe(),
            .started = started_,
            .uptime = clock_.steady() - started_steady_,
            .memory_bytes = budget_->used(),
            .memory_bytes_max = budget_->bytes_max(),
            .memory_waiting_tenants = budget_->waiting(),
            .spool_bytes = spool_->bytes(),
            .spool_bytes_max = spool_->bytes_max(),
            .spool_segments = spool_->count(),
            .spool_oldest = spool_->oldest()};
}

SpoolStatus Agent::spool_status() const {
    return {.totals = spool_->aside_totals(),
            .bytes_max = spool_->aside_max(),
            .aside = spool_->aside(),
            .conflicts = spool_->conflicts()};
}

std::vector<std::string> Agent::troubles() const {
    std::vector<std::string> troubles;
    for (auto& reason : readiness(condition()).reasons) troubles.push_back(std::move(reason.what));
    if (const auto& lost = spool_->state_trouble()) troubles.push_back(*lost);
    return troubles;
}

// Words and numbers only: what the troubles are in detail may name a tenant.
heartbeat::Heartbeat Agent::heartbeat() const {
    const auto current = condition();
    heartbeat::Heartbeat now{.host = config_.host,
                             .version = std::string{config::version()},
                             .epoch = spool_->epoch(),
                             .started = started_,
                             .time = clock_.now(),
                             .interval_seconds = std::max<std::int64_t>(
                                 1, std::chrono::ceil<std::chrono::seconds>(config_.fleet.heartbeat).count()),
                             .healthy = readiness(current).ok(),
                             .held_for = held_words(current.reading),
                             .containers = current.reading.containers,
                             .reading = current.reading.reading,
                             .held = held_count(current.reading),
                             .lag_bytes = current.reading.lag_bytes,
                             .spool_bytes = spool_->bytes(),
                             .spool_bytes_max = spool_->bytes_max(),
                             .spool_segments = spool_->count(),
                             .spool_oldest = spool_->oldest(),
                             .last_segment = spool_->newest()};
    if (!follows_all(current)) now.troubles.emplace_back(heartbeat::trouble::engine);
    if (current.sealing_trouble) now.troubles.emplace_back(heartbeat::trouble::spool_write);
    if (current.spool_bytes >= current.spool_bytes_max || current.tenants_without_room > 0)
        now.troubles.emplace_back(heartbeat::trouble::spool_full);
    if (current.shipping_trouble || current.aside.refused > 0) now.troubles.emplace_back(heartbeat::trouble::store);
    if (!current.conflicts.empty()) now.troubles.emplace_back(heartbeat::trouble::conflict);
    if (!current.key_troubles.empty()) now.troubles.emplace_back(heartbeat::trouble::keyring);
    if (!current.removed_keys.empty()) now.troubles.emplace_back(heartbeat::trouble::key_removed);
    if (!current.reading.held.empty()) now.troubles.emplace_back(heartbeat::trouble::held);
    return now;
}

}  // namespace

Result<void> run_agent(config::Config config, const std::function<Result<config::Config>()>& reload) {
    Signals::block();
    Agent agent{std::move(config), reload};
    return agent.run();
}

}  // namespace boatswain::boatswaind
