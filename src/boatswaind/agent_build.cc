#include <boost/asio/post.hpp>
#include <thread>

#include "boatswaind/agent_daemon.h"
#include "boatswaind/by_broker.h"
#include "boatswaind/check.h"
#include "boatswaind/driver.h"
#include "boatswaind/privileges.h"
#include "boatswaind/sandbox_setup.h"
#include "boatswaind/ways_in.h"
#include "intake/docker/docker_intake.h"
#include "intake/driver/driver_intake.h"
#include "intake/driver/plugin_server.h"
#include "live/proof.h"
#include "serve/observe.h"

namespace boatswain::boatswaind {

namespace asio = boost::asio;
namespace docker = intake::docker;

namespace {

// Compressing takes the most; one core stays free for the containers.
unsigned seal_workers() { return std::thread::hardware_concurrency() > 3 ? 2 : 1; }

}  // namespace

Result<void> AgentDaemon::build() {
    CHECK(check_host(config_));
    CHECK(check_ways_in(config_));
    CHECK(check_hubs(config_));
    TRY(auto hubs, uplink::read_hubs(config_.follow.hub, config_.follow.ca_file));
    CHECK(check_no_identity(config_.tenancy.keyring));
    TRY(auto rules, parse_tenancy(config_));
    TRY(auto fleet_key, HeartbeatPublisher::key_for(config_.fleet.key, config_.host));
    TRY(selection_, docker::Selection::parse(config_.docker.include, config_.docker.exclude));
    CHECK(drop_privileges(log_));
    TRY(auto lock, StateLock::acquire(config_.state_dir, log_, told_to_end));
    lock_.emplace(std::move(lock));
    auto own_ids = docker::own_container_ids();  // from /proc, which is out of reach afterwards
    // Unix sockets are opened before we may open none, and all of it before the first thread.
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
    if (!hubs.addresses.empty())
        uplinks_.emplace(
            io_.get_executor(), std::move(hubs),
            uplink::Self{.key = *fleet_key, .version = std::string{config::version()}, .run = live::nonce()},
            uplink::StreamGround{
                .batcher = *batcher_, .sealing = *sealing_, .spool = *spool_, .clock = clock_, .metrics = metrics_},
            log_);
    if (config_.fleet.heartbeat.count() > 0) heartbeat_.emplace(*store_, std::move(fleet_key), metrics_, log_);
    return open_listeners();
}

Result<void> AgentDaemon::open_listeners() {
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
Result<void> AgentDaemon::build_intakes(std::vector<std::string> own_containers) {
    intake::Assigner assigner{.assign = [this](const SourceFacts& facts) { return tenants_->assign(facts); },
                              .starter = [this](const SourceFacts& facts) { return tenants_->starter(facts); },
                              .keep = words_kept(*tenants_, selection_)};
    tenants_->trust_images(config_.tenancy.trust_image);
    IntakeParts parts{.executor = io_.get_executor(),
                      .assigner = assigner,
                      .batcher = *batcher_,
                      .spool = *spool_,
                      .clock = clock_,
                      .metrics = metrics_,
                      .log = log_};
    for (const auto& way : ways_in())
        if (way.is_on(config_)) intakes_.push_back(way.make(config_, parts));
    if (!config_.docker.enabled) return {};
    return build_docker(std::move(assigner), std::move(own_containers));
}

Result<void> AgentDaemon::build_docker(intake::Assigner assigner, std::vector<std::string> own_containers) {
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
Result<void> AgentDaemon::build_driver(docker::ReadPolicy& terms, const intake::Assigner& assigner) {
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

// After the state lock is held: a socket file that is there then is a stale one, and is replaced. Without the socket
// the agent collects all the same; only nobody can ask it why.
void AgentDaemon::open_control() {
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

}  // namespace boatswain::boatswaind
