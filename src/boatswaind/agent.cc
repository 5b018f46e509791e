#include "boatswaind/agent.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <utility>

#include "base/secret.h"
#include "boatswaind/agent_daemon.h"
#include "net/connection.h"

namespace boatswain::boatswaind {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds tick_pause{200};
constexpr milliseconds keyring_pause{1000};
constexpr std::size_t assigned_at_once = 16;
// A heartbeat that changed troubles bring forward: how often they are looked at, and how far apart heartbeats stay.
constexpr milliseconds heartbeat_look{500};
constexpr milliseconds heartbeat_apart_min{5000};
constexpr milliseconds heartbeat_first_after{10'000};  // so long the first one waits for the engine's answer

}  // namespace

void AgentDaemon::reassign() {
    for (const auto& intake : intakes_) intake->reassign();
}

void AgentDaemon::reassign_ready() {
    if (auto ready = tenants_->take_ready(); !ready.empty()) reassign(ready);
}

void AgentDaemon::reassign(const std::vector<std::string>& ids) {
    for (const auto& intake : intakes_) intake->reassign(ids);
}

// An image can be that of thousands of containers: others have their turns on the thread in between.
asio::awaitable<void> AgentDaemon::assign_again() {
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

// Tenants that the operator knows are not crowded out by names that somebody makes up.
void AgentDaemon::prefer_keyring() {
    auto known = tenants_->tenant_names();
    metrics_.know_tenants(known);
    budget_->prefer(std::move(known));
}

void AgentDaemon::start(net::TaskGroup& tasks) {
    log_.info("agent started", {{"version", config::version()},
                                {"host", config_.host},
                                {"epoch", spool_->epoch()},
                                {"store", store_->describe()},
                                {"engine", config_.engine.socket},
                                {"tenants", tenants_->tenants()}});
    for (const auto& intake : intakes_) tasks.spawn(std::string{intake->name()}, intake->run());
    if (images_) {
        tasks.spawn("ask about images", images_->run());
        tasks.spawn("assign containers again", assign_again());
    }
    if (holder_) tasks.spawn("log driver", holder_->run());
    tasks.spawn("tick", tick());
    tasks.spawn("watch the keyring", watch_keyring());
    if (uplinks_) uplinks_->start(tasks);
    if (heartbeat_) tasks.spawn("heartbeat", beat());
    if (observe_) tasks.spawn("observe", observe_->run());
    if (health_) tasks.spawn("health", health_->run());
    if (control_) tasks.spawn("control", control_->run());
}

asio::awaitable<void> AgentDaemon::tick() {
    for (;;) {
        co_await net::sleep_for(tick_pause);
        if (canary_) canary_->tick();
        warn_of_secrets();
        for (const auto& intake : intakes_) intake->put_down();
        batcher_->tick();
    }
}

// Once: what is not locked now will not be later.
void AgentDaemon::warn_of_secrets() {
    auto unlocked = secret_memory().unlocked_bytes;
    if (unlocked == 0 || std::exchange(warned_of_secrets_, true)) return;
    log_.warning("secrets not locked in memory: they may reach a swap area; raise RLIMIT_MEMLOCK",
                 {{"bytes", unlocked}});
}

asio::awaitable<void> AgentDaemon::watch_keyring() {
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
        log_held();
    }
}

// Each time that why containers are held has changed, and when none is any more.
void AgentDaemon::log_held() {
    auto reading = condition().reading;
    auto why = held_words(reading) + (reading.reading == 0 && !reading.held.empty() ? "; no container is read" : "");
    if (std::exchange(logged_held_, why) == why) return;
    if (auto held = held_text(reading))
        log_.warning("containers are held: their lines are not read", {{"held", *held}});
    else
        log_.info("no container is held any more");
}

// The first heartbeat waits for the engine's first answer, or `heartbeat_first_after`: a host that has just started is
// not one in trouble. Later ones come at the interval, and between two of them when the troubles have changed.
asio::awaitable<void> AgentDaemon::beat() {
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

Result<void> AgentDaemon::take_over(const config::Config& fresh) {
    TRY(auto rules, parse_tenancy(fresh));
    // Reading the configuration and the containers' tenants again can each take a while.
    if (told_to_end()) return {};
    CHECK(check_keyring_stays(*tenants_, fresh));
    tenants_->trust_images(fresh.tenancy.trust_image);
    tenants_->treat_removed(removed_keys_of(fresh));
    if (tenants_->change(std::move(rules), policy_of(fresh), forged_of(fresh))) {
        if (images_) images_->forget();
        for (const auto& intake : intakes_) intake->learn_again();
    }
    reloading_ = true;  // watch_keyring() goes on with it
    look_at_keys_.notify();
    return {};
}

void AgentDaemon::shut_down() {
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

Result<void> run_agent(config::Config config, const Reload& reload) {
    return AgentDaemon{std::move(config), reload}.run();
}

}  // namespace boatswain::boatswaind
