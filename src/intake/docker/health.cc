// How the intake stands: for those who watch it.
#include <algorithm>

#include "intake/docker/docker_intake.h"

namespace boatswain::intake::docker {

DockerIntake::Health DockerIntake::health() const {
    Health health{.engine_connected = connected_,
                  .engine_trouble = engine_trouble_,
                  .containers = containers_.size(),
                  .ended_tasks = tasks_.failed(),
                  .ended_readers = readers_.failed()};
    auto lag = pump_.lag();
    health.lag_bytes = lag.read_bytes + lag.parked_bytes;
    health.held_lag_bytes = lag.parked_bytes;
    for (const auto& [id, container] : containers_) {
        health.reading += container.reader != Reader::none ? 1 : 0;
        auto one = pump_.lag(id);
        health.lag_time = std::max(health.lag_time, one.time);
        if (one.unread_for < stuck_after) continue;
        ++health.stuck;
        if (!health.stuck_trouble.empty()) continue;
        const auto* reader = pump_.reader(id);
        bool failed = reader && reader->trouble();
        health.stuck_trouble = container.facts.name + ": " +
                               (failed ? reader->trouble()->what : "no room for its lines: memory or spool is full");
    }
    return health;
}

std::map<std::string, DockerIntake::TenantLag> DockerIntake::lag_by_tenant() const {
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
