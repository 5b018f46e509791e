// Ships spooled segments to the store: spool -> put -> acknowledged -> released.
//
// Invariants
//   - A segment is released only after the store has acknowledged exactly its bytes under its key.
//   - Nothing is discarded: a store that is down or misconfigured is tried again for ever, with back-off; only a
//   segment whose
//     key holds other bytes in the store, or whose file is no longer what was sealed, is put aside (quarantined) for a
//     person, counted and logged.
//   - A few uploads at once, at most one of each tenant, so that one tenant's flood does not hold up the others'
//   segments.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "spool/spool.h"
#include "store/store.h"

namespace boatswain::ship {

struct Options {
    unsigned uploads = 2;
    std::chrono::milliseconds wait_min{500};
    std::chrono::milliseconds wait_max{60'000};
};

class Shipper {
  public:
    Shipper(Options options, spool::Spool& spool, store::Store& store, const Clock& clock, Metrics& metrics, Log& log);
    Shipper(const Shipper&) = delete;
    ~Shipper();  // stops; what is under way is finished or given up, and stays in the spool

    // Waits until the spool is empty; false when `deadline` came first.
    bool drain(std::chrono::steady_clock::time_point deadline);

    // The last failure while no put has succeeded since; nothing when all is well.
    std::optional<std::string> trouble() const;
    // How long the put that began first has taken by now; nothing when none is under way.
    std::optional<std::chrono::nanoseconds> busy_for() const;

  private:
    void ship_segments(std::stop_token stop);
    void ship_one(const spool::Spooled& segment);
    Result<MappedFile> map_whole(const spool::Spooled& segment) const;
    void count_outcome(std::string_view outcome);
    void count_stored(const spool::Spooled& segment);
    Result<store::PutOutcome> put(const spool::Spooled& segment, const MappedFile& mapped);
    std::chrono::milliseconds wait_after(unsigned attempts) const;

    const Options options_;
    spool::Spool& spool_;
    store::Store& store_;
    const Clock& clock_;
    Metrics& metrics_;
    Log& log_;
    mutable std::mutex guard_;
    std::optional<std::string> trouble_;
    std::multiset<std::chrono::steady_clock::time_point> puts_;  // under way: when each began
    std::vector<std::jthread> threads_;
};

}  // namespace boatswain::ship
