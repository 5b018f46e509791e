// The chain of each tenant's segments, the epochs that chains are of, and what is remembered of keys that were taken
// (docs/decisions/0027-a-key-that-is-taken.md).
//
// A new epoch begins between two segments, on the sealing thread, in head(). Thread-safe.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "spool/addition.h"
#include "spool/state.h"
#include "spool/taken_key.h"

namespace boatswain::spool {

// The end of a tenant's chain: what the next segment of it carries.
struct ChainHead {
    std::uint64_t sequence = 1;
    std::string previous_sha256;  // hex; empty for the first
    std::string epoch;
    bool key_was_taken = false;  // since then: the tenant's log has no record of it yet
    // When this epoch had begun, where another came before it: what was printed earlier may be stored there, too.
    std::optional<Timestamp> later_epoch_began;
};

class Chains {
  public:
    Chains(State& state, Metrics& metrics);

    std::string epoch() const;
    std::optional<Timestamp> state_began() const;  // when the state directory was made
    Result<ChainHead> chain_head(const TenantId& tenant);

    // The end of the tenant's chain at the start; nothing when it had none, or after forget_head_at_start().
    std::optional<HeadAtStart> head_at_start(const std::string& tenant) const;
    void forget_head_at_start(const std::string& tenant);

    // Those that nobody acknowledged, of the last conflict_stands; the latest first.
    std::vector<Conflict> conflicts() const;
    // A person knows of them. How many tenants' that were. Durable with the next segment that is sealed.
    std::size_t acknowledge_conflicts();
    std::optional<Conflict> standing_conflict(const std::string& tenant) const;

    // `epoch`, `began_epoch`: as the state names them.
    Result<void> load(std::string epoch, std::string began_epoch);
    // Moves each chain to the end of what is added.
    Result<void> save(Session& session, std::span<const Addition> additions) const;
    // The tenants' logs tell of their conflicts now. With State::mutex held.
    void hold(std::span<const Addition> additions);

    // A key of `tenant` was taken, once more.
    Conflict next_conflict(const std::string& tenant, const std::string& key) const;
    Result<void> save(Session& session, const Conflict& conflict) const;
    void hold(const Conflict& conflict);
    void want_new_epoch(const std::string& of_epoch);

  private:
    Result<void> load_heads();
    Result<void> load_conflicts();
    Result<void> begin_epoch_if_wanted();
    Result<void> save_acknowledgement();
    bool stands(const Conflict& conflict) const;

    State& state_;
    Counter& conflicts_counter_;
    Counter& epochs_;
    std::string began_epoch_;                                           // set by load(): the first epoch of this state
    std::optional<std::chrono::steady_clock::time_point> epoch_began_;  // of the sealing thread: in this process

    // Guarded by State::mutex.
    std::string epoch_;
    bool new_epoch_wanted_ = false;
    bool acknowledged_ = false;                          // and not durable yet
    std::map<std::string, Conflict> conflicts_;          // by tenant
    std::map<std::string, HeadAtStart> heads_at_start_;  // by tenant
};

}  // namespace boatswain::spool
