// How the fleet stands, for an operator: what agents say of themselves in their heartbeats. No line, no container and no
// tenant stands in one (docs/formats/heartbeat.md), and no tenant's key is opened for it.
//
// Belongs to the workers: blocks.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include "api/questions.h"
#include "heartbeat/key.h"

namespace boatswain::api {

// What was read is good for so long: operators' pages ask again and again.
inline constexpr std::chrono::milliseconds fleet_view_kept{5'000};
inline constexpr std::chrono::milliseconds fleet_view_time_max{30'000};
inline constexpr std::uint64_t fleet_view_bytes_max = 2ULL << 30;  // 100,000 heartbeats

// Thread-safe.
class FleetView {
  public:
    // `sources` is borrowed. Without a key heartbeats are shown as not proven.
    FleetView(const Sources& sources, std::optional<heartbeat::Key> key) : sources_(sources), key_(std::move(key)) {}

    // JSON: that of `boatswain fleet status --json`, and "tenants": for how many this server has a key.
    // While another call reads: what was read before, however old, or 503.
    Reply answer(const std::atomic<bool>& given_up);

  private:
    Reply read(const std::atomic<bool>& given_up);

    const Sources& sources_;
    const std::optional<heartbeat::Key> key_;
    std::atomic<bool> is_reading_ = false;  // one asks the store; the others take what was read before
    std::mutex mutex_;                      // of what follows
    std::optional<std::chrono::steady_clock::time_point> read_;
    std::string json_;
};

}  // namespace boatswain::api
