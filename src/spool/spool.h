// The spool keeps segments on disk until the store has acknowledged them, and knows how far every source has been
// sealed.
//
// Layout of the state directory
//   state.sqlite        what is spooled, checkpoints, the chain of each tenant, host and epoch
//   spool/N.age         one segment each, N counting up
//   spool/quarantine/   segments whose file is damaged, or that no state names: kept for a person to look at
//   state.sqlite.corrupt-TIME   a state that could not be read, likewise
//
// It has three parts over one state: the queue of segments (segment_queue.h), the ledger of sources (source_ledger.h)
// and the chains (chains.h). What is made durable together is written by each of them in one transaction.
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
//   - open() never fails over the contents of the spool: what is torn or missing is counted and put aside. A state that
//     cannot be read is put aside too, and a new epoch begins (docs/decisions/0011-state-put-aside.md).
//   - Thread-safe. Only the sealing thread calls add() and chain_head().
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "spool/addition.h"
#include "spool/chains.h"
#include "spool/segment_queue.h"
#include "spool/source_ledger.h"
#include "spool/state.h"

namespace boatswain::spool {

// Made of its parts: what each of them offers is in its own header.
class Spool : private SegmentQueue, private SourceLedger, private Chains {
  public:
    static Result<std::unique_ptr<Spool>> open(Options options, const Clock& clock, Log& log, Metrics& metrics);
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;
    ~Spool();

    using Chains::acknowledge_conflicts, Chains::chain_head, Chains::conflicts, Chains::epoch,
        Chains::forget_head_at_start, Chains::head_at_start, Chains::state_began;
    using SegmentQueue::aside, SegmentQueue::aside_max, SegmentQueue::aside_totals, SegmentQueue::bytes,
        SegmentQueue::bytes_max, SegmentQueue::count, SegmentQueue::give_back, SegmentQueue::has_room,
        SegmentQueue::newest, SegmentQueue::offer_again, SegmentQueue::oldest, SegmentQueue::quarantine,
        SegmentQueue::release, SegmentQueue::release_soon, SegmentQueue::released_bytes_max, SegmentQueue::released_max,
        SegmentQueue::room_factor, SegmentQueue::set_aside, SegmentQueue::take, SegmentQueue::tenants_without_room,
        SegmentQueue::waiting_bytes, SegmentQueue::waits;
    using SourceLedger::checkpoint, SourceLedger::ended, SourceLedger::known_sources, SourceLedger::was_of_another;

    const std::string& host() const { return state_->options.host; }
    TenantSpoolStatus standing(const std::string& tenant) const;

    // All of `additions`, in their order, or after an error nothing of them: to be tried again.
    Result<void> add(std::span<const Addition> additions);
    Result<void> add(segment::SealedSegment segment, Checkpoints checkpoints,
                     SegmentBookkeeping bookkeeping = {});  // of one

    // What others keep with the state as a whole, by a name of the code's own ("engine.id"); empty: not kept. Lost with
    // the state. Thread-safe; set_note() is durable when it returns.
    std::string note(const std::string& name) const;
    Result<void> set_note(const std::string& name, const std::string& value);

    // Set when the state that was found could not be read, now or in an earlier run of this epoch: when that was. What
    // was stored before it, nobody knows any more.
    std::optional<Timestamp> state_lost() const { return state_lost_; }
    // The same, as a sentence, while this process is the one that found it so.
    const std::optional<std::string>& state_trouble() const { return state_trouble_; }

    // The store holds something else under the segment's key, or something that nobody may look at (`conflict` is
    // false): its key becomes the second form. A conflict does the same to all that waits behind it in its chain, is
    // remembered, and makes a new epoch begin. The segment is given back. After an error: give_back().
    Result<void> give_second_key(const Spooled& segment, bool conflict);
    // The store has an object behind the end that the chain of `tenant` had at the start: the state is an old one. The
    // same follows for all segments of the chain beyond that end.
    Result<void> found_behind(const std::string& tenant, const HeadAtStart& head, const std::string& key);

  private:
    Spool(std::unique_ptr<State> state, Metrics& metrics);
    static Result<std::unique_ptr<Spool>> open_state(const Options& options, const Clock& clock, Log& log,
                                                     Metrics& metrics);
    Result<void> load();
    Result<void> begin_with_new_state(const Path& corrupt, const Error& why);
    Result<void> commit(std::span<const Addition> additions, std::span<const Waiting> numbered);
    Result<void> rekey(const std::vector<Rekeyed>& segments, const std::optional<Conflict>& conflict);

    std::unique_ptr<State> state_;
    Counter& states_lost_;
    std::optional<Timestamp> state_lost_;       // set by open()
    std::optional<std::string> state_trouble_;  // likewise
    std::map<std::string, std::string> notes_;  // guarded by State::mutex
};

}  // namespace boatswain::spool
