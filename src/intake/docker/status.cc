// How the intake stands: for those who watch it.
#include <algorithm>

#include "intake/docker/containers.h"

namespace boatswain::intake::docker {

// When somebody looks, and not with each container that comes: thousands come at once at a start.
void Containers::count() const {
    std::map<Reader, double> by_reader;
    for (auto reader :
         {Reader::none, Reader::json_file, Reader::k8s_file, Reader::logs, Reader::attach, Reader::driver})
        by_reader[reader] = 0;
    using Action = tenancy::Decision::Action;
    std::map<Action, double> by_action;
    for (auto action : {Action::seal, Action::quarantine, Action::drop, Action::hold}) by_action[action] = 0;
    for (const auto& [id, container] : containers_) {
        by_reader[container.reader] += 1;
        by_action[container.action] += 1;
    }
    std::map<std::string_view, double> excluded{{"own", 0}, {"label", 0}, {"exclude", 0}, {"include", 0}};
    for (const auto& [id, skipped] : skipped_) excluded[excluded_by(skipped)] += 1;
    for (const auto& [by, n] : excluded)
        metrics_
            .gauge("boatswain_containers_excluded",
                   "Containers that are there and not to be read, by what excludes them", {{"by", std::string{by}}})
            .set(n);
    for (const auto& [reader, n] : by_reader)
        metrics_
            .gauge("boatswain_containers", "Containers that are there, by how they are read",
                   {{"reader", std::string{reader_name(reader)}}})
            .set(n);
    for (const auto& [action, n] : by_action)
        metrics_
            .gauge("boatswain_containers_by_action", "Containers that are there, by what becomes of their lines",
                   {{"action", std::string{tenancy::to_string(action)}}})
            .set(n);
}

ReadingStatus Containers::standing() const {
    count();
    ReadingStatus standing{.containers = containers_.size(), .ended_readers = readers_.failed()};
    auto lag = pump_.lag();
    standing.lag_bytes = lag.read_bytes + lag.parked_bytes;
    standing.held_lag_bytes = lag.parked_bytes;
    for (const auto& [id, container] : containers_) {
        using Action = tenancy::Decision::Action;
        bool held = container.action == Action::hold, dropped = container.action == Action::drop;
        if (held && !container.soon) ++standing.held[container.lack];
        if (!held && !dropped) ++(container.reader == Reader::none ? standing.unreadable : standing.reading);
        auto one = pump_.lag(id);
        standing.lag_time = std::max(standing.lag_time, one.time);
        if (one.unread_for < stuck_after) continue;
        ++standing.stuck;
        if (!standing.stuck_trouble.empty()) continue;
        const auto* reader = pump_.reader(id);
        bool failed = reader && reader->trouble();
        standing.stuck_trouble = container.name + ": " +
                                 (failed ? reader->trouble()->what : "no room for its lines: memory or spool is full");
    }
    return standing;
}

std::map<std::string, TenantLag> Containers::lag_by_tenant() const {
    std::map<std::string, TenantLag> tenants;
    for (const auto& [id, container] : containers_) {
        if (container.reader == Reader::none) continue;
        auto& lag = tenants[container.whose.tenant.str()];
        auto one = pump_.lag(id);
        ++lag.containers;
        lag.bytes += one.bytes;
        lag.time = std::max(lag.time, one.time);
    }
    return tenants;
}

}  // namespace boatswain::intake::docker
