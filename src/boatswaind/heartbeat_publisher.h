// Tells the store again and again how this host stands (docs/formats/heartbeat.md).
//
// What to say is gathered on the I/O thread; a thread of its own puts it, since a store may take long or be away. Only
// the latest is put: what was not told in time is of no use later. A heartbeat that fails is logged once, until one
// succeeds, and nothing else depends on it.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/log.h"
#include "base/metrics.h"
#include "heartbeat/heartbeat.h"

namespace boatswain::boatswaind {

class HeartbeatPublisher {
  public:
    // The references outlive it.
    HeartbeatPublisher(store::Store& store, std::optional<heartbeat::HostKey> key, Metrics& metrics, Log& log);
    // Waits for a put that is under way.
    ~HeartbeatPublisher();

    void beat(heartbeat::Heartbeat heartbeat);
    // No more of them. False when one is still under way at the deadline: a store that does not answer can hold it
    // long.
    bool finish(std::chrono::steady_clock::time_point deadline);

    // Of fleet.key, for this host: nothing when none is set. Remedy::stop for a key that is of another host.
    static Result<std::optional<heartbeat::HostKey>> key_for(const Path& file, const std::string& host);

  private:
    void run(const std::stop_token& stop);

    store::Store& store_;
    const std::optional<heartbeat::HostKey> key_;
    Counter& put_;
    Counter& failed_;
    Log& log_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::optional<heartbeat::Heartbeat> next_;
    bool busy_ = false;
    bool told_of_trouble_ = false;
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace boatswain::boatswaind
