// The spool keeps segments on disk until the store has acknowledged them, and knows how far every source has been
// sealed.
//
// Layout of the state directory
//   state.sqlite        what is spooled, checkpoints, the chain of each tenant, host and epoch
//   spool/N.age         one segment each, N counting up
//   spool/quarantine/   segments whose file is damaged, or that no state names: kept for a person to look at
//   state.sqlite.corrupt-TIME   a state that could not be read, likewise
//
// Invariants
//   - add() returns only after all of its additions are durable together, segments with their positions and chains: the
//     files are synced and renamed and their directory is synced before one SQLite transaction names them. A crash
//     between the two leaves files that no row names: they are removed at open, and their lines are read again from
//     the checkpoints. Additions of many tenants cost the syncs of one (docs/decisions/0025-group-commit.md).
//   - The key of a segment is fixed before add(); a retry of an upload sends the same bytes to the same key. One that
//     the store holds something else under becomes its second form, once and durably.
//   - A segment leaves only by release() or release_soon() (the store has it), or by quarantine() (its file is not what
//     was written). What was to be released soon when the agent is killed is offered once more.
//   - Segments of one tenant are handed out in the order in which they came, one at a time. Those that stand aside are
//     offered again after aside_pause and hold up nobody.
//   - open() never fails over the contents of the spool: what is torn or missing is counted and put aside. A state that
//     cannot be read is put aside too, and a new epoch begins (docs/decisions/0011-state-put-aside.md).
//   - The disk that is used is bounded: by bytes_max for what waits, and by aside_max for what stands aside or lies in
//     quarantine, which takes nobody's room. What exceeds aside_max counts as if it waited.
//   - A new epoch begins between two segments, on the sealing thread, in chain_head().
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
#include "spool/taken_key.h"

namespace boatswain::spool {

struct Options {
    Path state_dir;
    std::string host;
    std::uint64_t bytes_max = 1ULL << 30;    // when reached, no tenant has room, and reading pauses
    std::uint64_t aside_max = 256ULL << 20;  // of what stands aside: takes no room of the above up to here
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
    bool aside = false;  // it was refused before
};

// The end of a tenant's chain: what the next segment of it carries.
struct ChainHead {
    std::uint64_t sequence = 1;
    std::string previous_sha256;  // hex; empty for the first
    std::string epoch;
    bool key_was_taken = false;  // since then: the tenant's log has no record of it yet
    // When this epoch had begun, where another came before it: what was printed earlier may be stored there, too.
    std::optional<Timestamp> later_epoch_began;
};

using Checkpoints = std::map<std::string, Checkpoint>;  // by source id

// What becomes durable with a segment, beside the positions.
struct Beside {
    std::map<std::string, Known> known;  // by source id, of the checkpoints'
    std::vector<std::string> forget;     // sources that are gone, and of which all is sealed now
    bool tells_key_was_taken = false;    // the segment holds the record that ChainHead asked for
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
    ~Spool();

    const std::string& host() const { return options_.host; }
    std::string epoch() const;
    std::optional<Timestamp> state_began() const;  // when the state directory was made

    // All of `additions`, in their order, or after an error nothing of them: to be tried again.
    Result<void> add(std::span<const Addition> additions);
    Result<void> add(segment::SealedSegment segment, Checkpoints checkpoints, Beside beside = {});  // of one
    Result<ChainHead> chain_head(const TenantId& tenant);

    // How far `source` is sealed; nothing for one that is new here.
    std::optional<Checkpoint> checkpoint(const std::string& source) const;
    // The source has stopped and all of it is sealed.
    bool ended(const std::string& source) const;
    // What was known of `source` when the spool was opened, where its lines were another tenant's than `tenant`. Asked
    // once: nothing afterwards.
    std::optional<Known> was_of_another(const std::string& source, const TenantId& tenant);
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
    // The same for a store that tells its own bytes when they are offered again: the segment is gone at once, and
    // durably so together with others, when nothing else is to be done, there are released_max of them or
    // released_bytes_max. It takes room until then.
    void release_soon(const Spooled& segment);
    static constexpr std::size_t released_max = 64;
    static constexpr std::uint64_t released_bytes_max = 8ULL << 20;
    void give_back(const Spooled& segment, std::chrono::milliseconds wait);  // try again, not before `wait` is over
    Result<void> quarantine(const Spooled& segment);  // its file is damaged; after an error: give_back()

    // The store holds something else under the segment's key, or something that nobody may look at (`conflict` is
    // false): its key becomes the second form. A conflict does the same to all that waits behind it in its chain, is
    // remembered, and makes a new epoch begin. The segment is given back. After an error: give_back().
    Result<void> give_second_key(const Spooled& segment, bool conflict);
    // The store has an object behind the end that the chain of `tenant` had at the start: the state is an old one. The
    // same follows for all segments of the chain beyond that end.
    Result<void> found_behind(const std::string& tenant, const HeadAtStart& head, const std::string& key);
    // The end of the tenant's chain at the start; nothing when it had none, or after forget_head_at_start().
    std::optional<HeadAtStart> head_at_start(const std::string& tenant) const;
    void forget_head_at_start(const std::string& tenant);
    // The store refuses this one object. It is offered again after aside_pause. After an error: give_back().
    Result<void> set_aside(const Spooled& segment, std::string reason);
    // All that stands aside is offered again now. How many segments that is.
    std::size_t offer_again();

    std::vector<AsideSegment> aside() const;  // at most aside_listed_max
    AsideTotals aside_totals() const;
    std::uint64_t aside_max() const { return options_.aside_max; }
    // Those that nobody acknowledged, of the last conflict_stands; the latest first.
    std::vector<Conflict> conflicts() const;
    // A person knows of them. How many tenants' that were. Durable with the next segment that is sealed.
    std::size_t acknowledge_conflicts();

    std::uint64_t bytes() const;               // that count against bytes_max
    std::size_t count() const;                 // of segments that wait, without those that stand aside
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
        std::size_t aside = 0;  // refused by the store: of those that wait
        std::string aside_reason;
        std::optional<Conflict> conflict;  // that nobody acknowledged
    };
    static constexpr std::size_t tenants_remembered_max = 10'000;
    TenantStanding standing(const std::string& tenant) const;
    std::map<std::string, std::uint64_t> waiting_bytes() const;  // by tenant, of those that have some

  private:
    struct Waiting {
        Spooled segment;
        Timestamp added{};
        std::chrono::steady_clock::time_point not_before{};
        std::string aside;  // why it stands aside; empty: it does not
    };

    Spool(Options options, const Clock& clock, Log& log, Metrics& metrics, Database database);
    static Result<std::unique_ptr<Spool>> open_state(const Options& options, const Clock& clock, Log& log,
                                                     Metrics& metrics);
    Result<void> load();
    Result<void> load_meta();
    Result<void> load_checkpoints();
    Result<void> load_segments();
    Result<void> load_heads();
    Result<void> load_conflicts();
    Result<void> take_out_of_quarantine();
    Result<std::vector<Waiting>> waiting_rows();
    Result<void> begin_anew(const Path& corrupt, const Error& why);
    void take_over_segments(const Path& corrupt);
    void clear_strays();
    std::optional<std::string> put_aside(const Path& file);
    Result<void> begin_epoch_if_wanted();
    Result<void> save_acknowledgement();
    struct Rekeyed;
    Result<void> rekey(const std::vector<Rekeyed>& segments, const std::optional<Conflict>& conflict);
    std::vector<Rekeyed> behind(const std::string& tenant, const std::string& epoch, std::uint64_t sequence) const;
    Conflict next_conflict(const std::string& tenant, const std::string& key) const;
    void want_new_epoch(const std::string& of_epoch);
    std::uint64_t aside_bytes_locked() const { return refused_bytes_ + quarantine_bytes_; }
    std::uint64_t used_locked() const;
    bool stands(const Conflict& conflict) const;
    bool has_room_locked(const std::string& tenant) const;
    void drop_waiting(const Spooled& segment);
    void settle_released();
    bool may_settle_locked() const;
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
    Counter& conflicts_counter_;
    Counter& epochs_;
    Gauge& aside_bytes_gauge_;
    Gauge& refused_gauge_;
    Gauge& damaged_gauge_;

    Database database_;                         // has a lock of its own, which nobody takes with guard_ held
    std::string began_epoch_;                   // set by open(): the first epoch of this state
    std::optional<Timestamp> state_lost_;       // set by open()
    std::optional<std::string> state_trouble_;  // likewise
    std::int64_t next_id_ = 1;                  // of open(), then of the sealing thread

    std::optional<std::chrono::steady_clock::time_point> epoch_began_;  // of the sealing thread: in this process

    mutable std::mutex guard_;  // the members below; never held over I/O
    std::string epoch_;
    bool new_epoch_wanted_ = false;
    bool acknowledged_ = false;                          // and not durable yet
    std::map<std::string, Conflict> conflicts_;          // by tenant
    std::map<std::string, HeadAtStart> heads_at_start_;  // by tenant
    std::vector<AsideSegment> damaged_;                  // at most aside_listed_max
    AsideTotals aside_;                                  // bytes: not kept here
    std::condition_variable_any changed_;
    std::map<std::int64_t, Waiting> waiting_;
    std::set<std::string> tenants_under_way_;
    struct Released {
        std::int64_t id = 0;
        Path file;
        std::uint64_t size = 0;
    };
    std::vector<Released> released_;                            // and not durably so yet
    std::uint64_t released_bytes_ = 0;                          // of those, and of what is being settled
    std::chrono::steady_clock::time_point settles_not_before_;  // after a failure
    Checkpoints checkpoints_;
    std::set<std::string> ended_;                          // sources
    std::map<std::string, std::string> tenants_at_start_;  // by source; those that was_of_another() was not asked of
    std::map<std::string, std::string> notes_;
    std::map<std::string, std::uint64_t> tenant_bytes_;                    // of waiting_, only tenants that have some
    std::map<std::string, std::pair<std::string, Timestamp>> last_added_;  // by tenant: key, and when
    std::uint64_t bytes_ = 0;                                              // of waiting_ that do not stand aside
    std::uint64_t refused_bytes_ = 0;                                      // of those that do
    std::uint64_t quarantine_bytes_ = 0;                                   // in quarantine/
    std::uint64_t changes_ = 0;
};

}  // namespace boatswain::spool
