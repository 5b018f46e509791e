#include "boatswain/fleet_observe.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "serve/observe.h"

namespace boatswain::tool {
namespace {

std::string_view kind_of(const fleet::Action& action) {
    struct {
        std::string_view operator()(const fleet::ScaleTo&) const { return "scale"; }
        std::string_view operator()(const fleet::RemoveInstances&) const { return "remove"; }
        std::string_view operator()(const fleet::ReplaceInstance&) const { return "replace"; }
        std::string_view operator()(const fleet::CancelDeployment&) const { return "cancel"; }
    } kind;
    return std::visit(kind, action.what);
}

}  // namespace

SyncHealth::SyncHealth(Metrics& metrics, const Clock& clock, Nanoseconds patience)
    : metrics_(metrics), clock_(clock), patience_(patience), last_good_(clock.steady()) {}

void SyncHealth::looked(const fleet::Look& look) {
    const auto& plan = look.plan;
    auto gauge = [&](std::string_view name, std::string_view help, std::size_t value) {
        metrics_.gauge(name, help).set(static_cast<double>(value));
    };
    gauge("boatswain_fleet_instances", "Instances that Marathon is asked to run", plan.instances);
    gauge("boatswain_fleet_eligible_hosts", "Hosts on which an instance can run", plan.eligible);
    gauge("boatswain_fleet_covered_hosts", "Eligible hosts that have an instance", plan.covered);
    gauge("boatswain_fleet_gone_instances", "Instances on hosts that Mesos does not know", plan.gone.size());
    metrics_
        .counter("boatswain_fleet_looks_total", "Looks at Marathon and Mesos, by what followed",
                 {{"verdict", std::string{fleet::to_string(plan.verdict)}}})
        .add();
    for (const auto& [action, result] : look.outcomes)
        metrics_
            .counter("boatswain_fleet_actions_total", "What fleet sync did",
                     {{"action", std::string{kind_of(action)}}, {"result", result ? "done" : "failed"}})
            .add();
    std::lock_guard lock{mutex_};
    last_good_ = clock_.steady();
    last_ = fleet::to_string(plan.verdict);
    if (!plan.notes.empty()) last_ += ": " + plan.notes.front();
}

void SyncHealth::failed(const Error& error) {
    metrics_
        .counter("boatswain_fleet_looks_total", "Looks at Marathon and Mesos, by what followed",
                 {{"verdict", "failed"}})
        .add();
    std::lock_guard lock{mutex_};
    last_ = "failed: " + error.what;
}

bool SyncHealth::healthy() const {
    std::lock_guard lock{mutex_};
    return clock_.steady() - last_good_ <= patience_;
}

std::map<std::string, std::string> SyncHealth::detail() const {
    std::lock_guard lock{mutex_};
    auto age = std::chrono::floor<std::chrono::seconds>(clock_.steady() - last_good_);
    return {{"last_look", last_}, {"last_good_look_seconds_ago", std::to_string(age.count())}};
}

struct FleetServer::State {
    boost::asio::io_context io{1};
    std::unique_ptr<http::Server> server;
    std::thread thread;
};

FleetServer::FleetServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

FleetServer::~FleetServer() {
    boost::asio::post(state_->io, [this] { state_->server->stop(); });
    state_->thread.join();
}

Result<std::unique_ptr<FleetServer>> FleetServer::open(const std::string& address, const Metrics& metrics,
                                                       const SyncHealth& standing) {
    auto state = std::make_unique<State>();
    auto health = [&standing] {
        serve::Health health{.reasons = {}, .detail = standing.detail()};
        if (!standing.healthy()) health.reasons.push_back({"looks", "no recent look at Marathon and Mesos succeeded"});
        return health;
    };
    TRY(state->server, http::Server::open(state->io.get_executor(), address,
                                          serve::observe_routes({.alive = health,
                                                                 .ready = health,
                                                                 .metrics = [&metrics] { return metrics.text(); },
                                                                 .version = BOATSWAIN_VERSION})));
    boost::asio::co_spawn(state->io, state->server->run(), boost::asio::detached);
    state->thread = std::thread{[io = &state->io] { io->run(); }};
    return std::unique_ptr<FleetServer>{new FleetServer{std::move(state)}};
}

std::string FleetServer::address() const { return state_->server->address(); }

}  // namespace boatswain::tool
