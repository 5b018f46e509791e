#include "guard/engine_connections.h"

namespace boatswain::guard {

std::unique_ptr<net::Connection> EngineConnections::idle() {
    auto oldest = std::chrono::steady_clock::now() - idle_time;
    while (!idle_.empty()) {
        auto last = std::move(idle_.back());
        idle_.pop_back();
        if (last.since >= oldest && last.connection->idle()) return std::move(last.connection);
    }
    return nullptr;
}

void EngineConnections::give_back(std::unique_ptr<net::Connection> connection) {
    if (!connection) return;
    if (idle_.size() == idle_max) idle_.erase(idle_.begin());
    idle_.push_back({.connection = std::move(connection), .since = std::chrono::steady_clock::now()});
}

}  // namespace boatswain::guard
