// The spool keeps segments on disk until the store has acknowledged them, and knows how far every source has been
// sealed.
//
// Layout of the state directory
//   state.sqlite        what is spooled, checkpoints, the chain of each tenant, host and epoch
//   spool/N.age         one segment each, N counting up
//   spool/quarantine/   segments that the store refused for good, or that no state names: kept for a person to look at
//   state.sqlite.corrupt-TIME   a state that could not be read, likewise
//
// Invariants
//   - add() returns only after all of its additions are durable together, segments with their positions and chains: the
//     files are synced and renamed and their directory is synced before one SQLite transaction names them. A crash
//     between the two leaves files that no row names: they are removed at open, and their lines are read again from
//     the checkpoints. Additions of many tenants cost the syncs of one (docs/decisions/0025-group-commit.md).
//   - The key of a segment is fixed before add(); a retry of an upload sends the same bytes to the same key.
//   - A segment leaves only by release() (the store has it) or quarantine() (a person must look).
//   - Segments of one tenant are handed out in the order in which they came, one at a time.
//   - open() never fails over the contents of the spool: what is torn or missing is counted and put aside. A state that
//     cannot be read is put aside too, and a new epoch begins (docs/decisions/0011-state-put-aside.md).
//   - bytes() is all that lies in spool/, so the disk that is used is bounded: what was put aside counts.
//   - No tenant fills the spool alone: it has room while it holds less than room_factor times what is free.
//   - Thread-safe. Only the sealing thread calls add() and chain_head().
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "record/position.h"
#include "segment/seal.h"
#include "spool/known.h"
#include "spool/sqlite.h"

namespace boatswain::spool {

struct Options {
    Path state_dir;
    std::string host;
    std::uint64_t bytes_max = 1ULL << 30;  // when reached, no tenant has room, and reading pauses
};

// A segment that waits for the store.
struct Spooled {
    std::int64_t id = 0;
    std::string key;
    std::string tenant;
    Path file;
    std::uint64_t size = 0;
    std::string sha256;  // 32 raw bytes
    unsigned attempts = 0;
};

// The end of a tenant's chain: what the next segment of it carries.
struct ChainHead {
    std::uint64_t sequence = 1;
    std::string previous_sha256;  // hex; empty for the first
};

using Checkpoints = std::map<std::string, Checkpoint>;  // by source id

// What becomes durable with a segment, beside the positions.
struct Beside {
    std::map<std::string, Known> known;  // by source id, of the checkpoints'
    std::vector<std::string> forget;     // sources that are gone, and of which all is sealed now
};

// What one batch makes durable, in this order.
struct Addition {
    // Reading of these sources begins here, and nothing of them is sealed yet: after a crash it is known where that
    // was, so that what is gone by then can be named. Nothing happens where there is a checkpoint.
    std::vector<std::pair<Checkpoint, Known>> begun;
    std::optional<segment::SealedSegment> segment;  // nothing: the batch held no line
    Checkpoints checkpoints;                        // of the segment
    std::map<std::string, bool> ended;              // sources of no line in it that have stopped, or run again
    Beside beside;
};

// A source that has a checkpoint: something of it was sealed, or reading of it had begun, and more was expected.
struct KnownSource {
    std::string id;
    Checkpoint checkpoint;
    std::optional<Known> known;  // nothing where an older Boatswain, which did not keep it, sealed last
};

class Spool {
  public:
    static Result<std::unique_ptr<Spool>> open(Options options, const Clock& clock, Log& log, Metrics& metrics);
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;

    const std::string& host() const { return options_.host; }
    const std::string& epoch() const { return epoch_; }  // drawn when the state directory was made
    std::optional<Timestamp> epoch_began() const;        // when that was

    // All of `additions`, in their order, or after an error nothing of them: to be tried again.
    Result<void> add(std::span<const Addition> additions);
    Result<void> add(segment::SealedSegment segment, Checkpoints checkpoints, Beside beside = {});  // of one
    Result<ChainHead> chain_head(const TenantId& tenant);

    // How far `source` is sealed; nothing for one that is new here.
    std::optional<Checkpoint> checkpoint(const std::string& source) const;
    // The source has stopped and all of it is sealed.
    bool ended(const std::string& source) const;
    // Every source with a checkpoint, as it stood when the spool was opened.
    Result<std::vector<KnownSource>> known_sources();

    // What others keep with the state as a whole, by a name of the code's own ("engine.id"); empty: not kept. Lost with
    // the state. Thread-safe; set_note() is durable when it returns.
    std::string note(const std::string& name) const;
    Result<void> set_note(const std::string& name, const std::string& value);

    // Set when the state that was found could not be read, now or in an earlier run of this epoch: when that was. What
    // was stored before it, nobody knows any more.
    std::optional<Timestamp> state_lost() const { return state_lost_; }
    // The same, as a sentence, while this process is the one that found it so.
    const std::optional<std::string>& state_trouble() const { return state_trouble_; }

    // The oldest segment whose tenant has none under way and whose time has come; waits for one until `stop`.
    std::optional<Spooled> take(std::stop_token stop);
    Result<void> release(const Spooled& segment);  // the store has it; after an error: give_back()
    void give_back(const Spooled& segment, std::chrono::milliseconds wait);  // try again, not before `wait` is over
    Result<void> quarantine(const Spooled& segment);  // it cannot be stored, ever; after an error: give_back()

    std::uint64_t bytes() const;  // of all segments that wait, and of what was put aside
    std::size_t count() const;
    bool waits(const std::string& key) const;  // for the store
    bool has_room(const std::string& tenant) const;
    static constexpr std::uint64_t room_factor = 4;  // one tenant alone: four fifths of bytes_max
    // Tenants whose segments wait, and who have no room for more: reading of theirs pauses.
    std::vector<std::string> tenants_without_room() const;
    std::optional<Timestamp> oldest() const;  // when the oldest waiting segment was added
    std::optional<Timestamp> newest() const;  // when the last segment was added, since the start
    std::uint64_t bytes_max() const { return options_.bytes_max; }

    // How a tenant's segments stand. The last one is remembered since the start, of at most tenants_remembered_max
    // tenants.
    struct TenantStanding {
        std::string last_key;  // empty: none since the start
        Timestamp last_added{};
        std::size_t waiting = 0;  // for the store
        std::uint64_t waiting_bytes = 0;
    };
    static constexpr std::size_t tenants_remembered_max = 10'000;
    TenantStanding standing(const std::string& tenant) const;
    std::map<std::string, std::uint64_t> waiting_bytes() const;  // by tenant, of those that have some

  private:
    struct Waiting {
        Spooled segment;
        Timestamp added{};
        std::chrono::steady_clock::time_point not_before{};
    };

    Spool(Options options, const Clock& clock, Log& log, Metrics& metrics, Database database);
    static Result<std::unique_ptr<Spool>> open_state(const Options& options, const Clock& clock, Log& log,
                                                     Metrics& metrics);
    Result<void> load();
    Result<void> load_meta();
    Result<void> load_checkpoints();
    Result<void> load_segments();
    Result<std::vector<Waiting>> waiting_rows();
    Result<void> begin_anew(const Path& corrupt, const Error& why);
    void take_over_segments(const Path& corrupt);
    void clear_strays();
    bool put_aside(const Path& file);
    bool has_room_locked(const std::string& tenant) const;
    void drop_waiting(const Spooled& segment);
    std::vector<Waiting> number(std::span<const Addition> additions) const;
    Result<void> write_segments(std::span<const Addition> additions, std::span<const Waiting> numbered);
    Result<void> name_additions(std::span<const Addition> additions, std::span<const Waiting> numbered);
    void hold(const Addition& addition);
    void hold(Waiting waiting);
    void tell_changed();

    Options options_;
    const Clock& clock_;
    Log& log_;
    Gauge& bytes_gauge_;
    Gauge& segments_gauge_;
    Counter& strays_;
    Counter& missing_;
    Counter& quarantined_;
    Counter& states_lost_;

    Database database_;  // has a lock of its own, which nobody takes with guard_ held
    std::string epoch_;
    std::optional<Timestamp> state_lost_;       // set by open()
    std::optional<std::string> state_trouble_;  // likewise
    std::int64_t next_id_ = 1;                  // of open(), then of the sealing thread

    mutable std::mutex guard_;  // the members below; never held over I/O
    std::condition_variable_any changed_;
    std::map<std::int64_t, Waiting> waiting_;
    std::set<std::string> tenants_under_way_;
    Checkpoints checkpoints_;
    std::set<std::string> ended_;  // sources
    std::map<std::string, std::string> notes_;
    std::map<std::string, std::uint64_t> tenant_bytes_;                    // of waiting_, only tenants that have some
    std::map<std::string, std::pair<std::string, Timestamp>> last_added_;  // by tenant: key, and when
    std::uint64_t bytes_ = 0;                                              // of waiting_
    std::uint64_t aside_bytes_ = 0;                                        // in quarantine/
    std::uint64_t changes_ = 0;
};

}  // namespace boatswain::spool
