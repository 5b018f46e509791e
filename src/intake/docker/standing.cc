// How the intake stands: for those who watch it.
#include <algorithm>

#include "intake/docker/containers.h"

namespace boatswain::intake::docker {

ReadingStatus Containers::standing() const {
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
