// Segments on disk that wait for the store, and those that stand aside.
//
// Invariants
//   - Segments of one tenant are handed out in the order in which they came, one at a time. Those that stand aside are
//     offered again after aside_pause and hold up nobody.
//   - The disk that is used is bounded: by bytes_max for what waits, and by aside_max for what stands aside or lies in
//     quarantine, which takes nobody's room. What exceeds aside_max counts as if it waited.
//   - No tenant fills the spool alone: it has room while it holds less than room_factor times what is free.
//   - Thread-safe. Only the sealing thread calls number(), write() and save().
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "spool/addition.h"
#include "spool/state.h"
#include "spool/taken_key.h"

namespace boatswain::spool {

// A segment that waits for the store.
struct Spooled {
    std::int64_t id = 0;
    std::string key;
    std::string tenant;
    Path file;
    std::uint64_t size = 0;
    std::string sha256;  // 32 raw bytes
    unsigned attempts = 0;
    bool aside = false;  // it was refused before
};

// How a tenant's segments stand. The last one is remembered since the start, of at most tenants_remembered_max
// tenants.
struct TenantSpoolStatus {
    std::string last_key;  // empty: none since the start
    Timestamp last_added{};
    std::size_t waiting = 0;  // for the store
    std::uint64_t waiting_bytes = 0;
    std::int64_t first_waiting = 0, last_waiting = 0;  // their numbers, which count up; 0: none waits
    std::size_t aside = 0;                             // refused by the store: of those that wait
    std::string aside_reason;
    std::optional<Conflict> conflict;  // that nobody acknowledged
};
inline constexpr std::size_t tenants_remembered_max = 10'000;

class SegmentQueue {
  public:
    SegmentQueue(State& state, Metrics& metrics);

    // The oldest segment whose tenant has none under way and whose time has come; waits for one until `stop`.
    std::optional<Spooled> take(std::stop_token stop);
    Result<void> release(const Spooled& segment);  // the store has it; after an error: give_back()
    // The same for a store that tells its own bytes when they are offered again: the segment is gone at once, and
    // durably so together with others, when nothing else is to be done, there are released_max of them or
    // released_bytes_max. It takes room until then.
    void release_soon(const Spooled& segment);
    static constexpr std::size_t released_max = 64;
    static constexpr std::uint64_t released_bytes_max = 8ULL << 20;
    void settle_released();
    void give_back(const Spooled& segment, std::chrono::milliseconds wait);  // try again, not before `wait` is over
    Result<void> quarantine(const Spooled& segment);  // its file is damaged; after an error: give_back()
    // The store refuses this one object. It is offered again after aside_pause. After an error: give_back().
    Result<void> set_aside(const Spooled& segment, std::string reason);
    // All that stands aside is offered again now. How many segments that is.
    std::size_t offer_again();

    std::vector<AsideSegment> aside() const;  // at most aside_listed_max
    AsideTotals aside_totals() const;
    std::uint64_t aside_max() const { return state_.options.aside_max; }

    std::uint64_t bytes() const;               // that count against bytes_max
    std::size_t count() const;                 // of segments that wait, without those that stand aside
    bool waits(const std::string& key) const;  // for the store
    bool has_room(const std::string& tenant) const;
    static constexpr std::uint64_t room_factor = 4;  // one tenant alone: four fifths of bytes_max
    // Tenants whose segments wait, and who have no room for more: reading of theirs pauses.
    std::vector<std::string> tenants_without_room() const;
    std::optional<Timestamp> oldest() const;  // when the oldest waiting segment was added
    std::optional<Timestamp> newest() const;  // when the last segment was added, since the start
    std::uint64_t bytes_max() const { return state_.options.bytes_max; }
    std::map<std::string, std::uint64_t> waiting_bytes() const;   // by tenant, of those that have some
    TenantSpoolStatus standing(const std::string& tenant) const;  // without its conflict

    struct Waiting {
        Spooled segment;
        Timestamp added{};
        std::chrono::steady_clock::time_point not_before{};
        std::string aside;  // why it stands aside; empty: it does not
    };
    // The segments of `additions`, in their order, with the files where they are to wait.
    std::vector<Waiting> number(std::span<const Addition> additions) const;
    Result<void> write(std::span<const Addition> additions, std::span<const Waiting> numbered) const;
    Result<void> save(Session& session, std::span<const Waiting> numbered) const;
    // When it is durable; with State::mutex held. tell_changed() follows, without it.
    void hold(std::vector<Waiting> numbered);
    void tell_changed();

    struct Rekeyed {
        std::int64_t id = 0;
        std::string key;  // the second form
    };
    // The waiting segments of a chain from this number on that have the first form of their key.
    std::vector<Rekeyed> behind(const std::string& tenant, const std::string& epoch, std::uint64_t sequence) const;
    Result<void> save(Session& session, std::span<const Rekeyed> rekeyed) const;
    void hold(std::span<const Rekeyed> rekeyed);

    // What is missing or torn is counted and put aside.
    Result<void> load();
    // What a state that cannot be read any more still names.
    void take_over(const Path& corrupt);
    // Files that no row names go; where the state was lost, they are put aside.
    void clear_strays(bool state_lost);

  private:
    Result<std::vector<Waiting>> waiting_rows();
    Result<void> take_out_of_quarantine();
    std::optional<std::string> put_aside(const Path& file);
    Path file_of(std::int64_t id) const;
    void note_damaged(const Spooled& segment, Timestamp added);
    std::uint64_t aside_bytes_locked() const { return refused_bytes_ + quarantine_bytes_; }
    std::uint64_t used_locked() const;
    bool has_room_locked(const std::string& tenant) const;
    bool may_settle_locked() const;
    void drop_waiting(const Spooled& segment);

    State& state_;
    Gauge& bytes_gauge_;
    Gauge& segments_gauge_;
    Counter& strays_;
    Counter& missing_;
    Counter& quarantined_;
    Gauge& aside_bytes_gauge_;
    Gauge& refused_gauge_;
    Gauge& damaged_gauge_;
    std::int64_t next_id_ = 1;  // of load(), then of the sealing thread

    // Guarded by State::mutex.
    std::condition_variable_any changed_;
    std::uint64_t changes_ = 0;
    std::map<std::int64_t, Waiting> waiting_;
    std::set<std::string> tenants_under_way_;
    struct Released {
        std::int64_t id = 0;
        Path file;
        std::uint64_t size = 0;
    };
    std::vector<Released> released_;                                       // and not durably so yet
    std::uint64_t released_bytes_ = 0;                                     // of those, and of what is being settled
    std::chrono::steady_clock::time_point settles_not_before_;             // after a failure
    std::map<std::string, std::uint64_t> tenant_bytes_;                    // of waiting_, only tenants that have some
    std::map<std::string, std::pair<std::string, Timestamp>> last_added_;  // by tenant: key, and when
    std::uint64_t bytes_ = 0;                                              // of waiting_ that do not stand aside
    std::uint64_t refused_bytes_ = 0;                                      // of those that do
    std::uint64_t quarantine_bytes_ = 0;                                   // in quarantine/
    std::vector<AsideSegment> damaged_;                                    // at most aside_listed_max
    AsideTotals aside_;                                                    // bytes: not kept here
};

}  // namespace boatswain::spool
