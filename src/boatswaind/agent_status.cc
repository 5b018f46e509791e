#include <algorithm>

#include "boatswaind/agent_daemon.h"

namespace boatswain::boatswaind {

std::vector<intake::Description> AgentDaemon::describe_all() const {
    std::vector<intake::Description> all;
    for (const auto& intake : intakes_) std::ranges::move(intake->describe_all(), std::back_inserter(all));
    return all;
}

// Of parts whose tasks have to run for ever; an intake says it with its health.
std::vector<std::string> AgentDaemon::ended_tasks() const {
    auto ended = tasks_->failed();
    if (holder_) ended.insert(ended.end(), holder_->ended_tasks().begin(), holder_->ended_tasks().end());
    return ended;
}

HealthSnapshot AgentDaemon::condition() const {
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
            .hub_troubles = uplinks_ ? uplinks_->troubles() : std::vector<std::string>{},
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

std::map<std::string, intake::TenantLag> AgentDaemon::lag_by_tenant() const {
    std::map<std::string, intake::TenantLag> all;
    for (const auto& intake : intakes_)
        for (const auto& [tenant, lag] : intake->lag_by_tenant()) all[tenant] += lag;
    return all;
}

std::string AgentDaemon::metrics() {
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

AgentStatus AgentDaemon::status() const {
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

SpoolStatus AgentDaemon::spool_status() const {
    return {.totals = spool_->aside_totals(),
            .bytes_max = spool_->aside_max(),
            .aside = spool_->aside(),
            .conflicts = spool_->conflicts()};
}

std::vector<std::string> AgentDaemon::troubles() const {
    std::vector<std::string> troubles;
    for (auto& reason : readiness(condition()).reasons) troubles.push_back(std::move(reason.what));
    if (const auto& lost = spool_->state_trouble()) troubles.push_back(*lost);
    return troubles;
}

// Words and numbers only: what the troubles are in detail may name a tenant.
heartbeat::Heartbeat AgentDaemon::heartbeat() const {
    const auto current = condition();
    const auto stored = shipper_->totals();
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
                             .last_segment = spool_->newest(),
                             .stored_segments = stored.segments,
                             .stored_bytes = stored.bytes,
                             .put_requests = stored.put_requests};
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

}  // namespace boatswain::boatswaind
