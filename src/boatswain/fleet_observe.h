// What `fleet sync` shows of itself while it runs: metrics, and health for the check of a Marathon app.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/sync.h"

namespace boatswain::tool {

// Thread-safe: the loop tells, the server's thread asks.
class SyncHealth {
  public:
    // Healthy: the last look that succeeded is not older than `patience`.
    SyncHealth(Metrics& metrics, const Clock& clock, Nanoseconds patience);

    void looked(const fleet::Look& look);
    void failed(const Error& error);

    bool healthy() const;
    std::map<std::string, std::string> detail() const;

  private:
    Metrics& metrics_;
    const Clock& clock_;
    const Nanoseconds patience_;
    mutable std::mutex mutex_;
    std::chrono::steady_clock::time_point last_good_;
    std::string last_ = "has not looked yet";
};

// Serves /healthz, /metrics and /version at an address, with a thread of its own, until it is destroyed.
class FleetServer {
  public:
    static Result<std::unique_ptr<FleetServer>> open(const std::string& address, const Metrics& metrics,
                                                     const SyncHealth& standing);
    ~FleetServer();
    std::string address() const;

  private:
    struct State;
    explicit FleetServer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace boatswain::tool
