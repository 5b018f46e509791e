// Ships spooled segments to the store: spool -> put -> acknowledged -> released.
//
// Invariants
//   - A segment is released only after the store has acknowledged exactly its bytes under its key.
//   - Nothing is discarded: a store that is down or misconfigured is tried again for ever, with back-off.
//   - A segment whose key is taken goes under the second form of its key (docs/decisions/0027-a-key-that-is-taken.md).
//   - A segment that the store refuses for what it is stands aside and holds up nobody; so does one that failed
//     failures_alone_max times running while others were stored, one of each tenant at a time. It is offered again.
//   - Only a segment whose file is no longer what was sealed is put away (quarantined) for a person.
//   - Before the first upload of a chain that the state had at its start, the store is asked for objects behind its
//     end.
//   - A few uploads at once, at most one of each tenant, so that one tenant's flood does not hold up the others'
//     segments.
#pragma once

#include <chrono>
#include <map>
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

inline constexpr unsigned failures_alone_max = 10;
// Objects that may not be looked at under the keys of so many segments running are a conflict: lost answers are not so
// regular.
inline constexpr unsigned unseen_running_max = 3;
// So often a look behind the end of a chain may fail before its segments are put without one.
inline constexpr unsigned looks_failed_max = 3;

class Shipper {
  public:
    Shipper(Options options, spool::Spool& spool, store::Store& store, const Clock& clock, Metrics& metrics, Log& log);
    Shipper(const Shipper&) = delete;
    ~Shipper();  // stops; what is under way is finished or given up, and stays in the spool

    // Waits until the spool is empty; false when `deadline` came first.
    bool drain(std::chrono::steady_clock::time_point deadline);

    // The last failure while no put has succeeded since; nothing when all is well.
    std::optional<std::string> trouble() const;
    // What was done since the start, of all tenants.
    struct Totals {
        std::uint64_t segments = 0;      // that the store acknowledged
        std::uint64_t bytes = 0;         // of them
        std::uint64_t put_requests = 0;  // for them, and for those that it did not take
    };
    Totals totals() const;
    // How long the put that began first has taken by now; nothing when none is under way.
    std::optional<std::chrono::nanoseconds> busy_for() const;

  private:
    void ship_segments(std::stop_token stop);
    void ship_one(const spool::Spooled& segment);
    enum class Look { done, refused, given_back };
    Look look_behind_head(const spool::Spooled& segment);
    Look look_failed(const spool::Spooled& segment, const Error& error);
    void give_up_looking();
    void conclude(const spool::Spooled& segment, store::PutOutcome outcome);
    void stored(const spool::Spooled& segment);
    bool is_seen_again(const spool::Spooled& segment);
    void key_is_taken(const spool::Spooled& segment, bool seen);
    void refused(const spool::Spooled& segment, const Error& error);
    void damaged(const spool::Spooled& segment, const Error& error);
    void failed(const spool::Spooled& segment, const Error& error);
    bool failed_alone(const spool::Spooled& segment);
    void set_aside(const spool::Spooled& segment, const Error& error);
    void give_back(const spool::Spooled& segment, const Error& error, std::string_view event);
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
    mutable std::mutex mutex_;
    std::optional<std::string> trouble_;
    Totals totals_;
    std::multiset<std::chrono::steady_clock::time_point> puts_;  // under way: when each began
    struct Failing {
        std::uint64_t stored = 0;   // stored_ at its last failure
        unsigned while_others = 0;  // failures running, between each two of which others were stored
    };
    std::map<std::int64_t, Failing> failing_;       // by segment; at most one of each tenant
    std::set<std::string> stood_aside_alone_;       // tenants of which nothing was stored since
    std::map<std::string, unsigned> looks_failed_;  // by tenant
    std::uint64_t stored_ = 0;
    unsigned unseen_running_ = 0;
    bool may_look_ = true;
    std::optional<bool> may_read_;  // what was put; nothing: not tried
    std::vector<std::jthread> threads_;
};

}  // namespace boatswain::ship
