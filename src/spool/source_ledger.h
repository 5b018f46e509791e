// How far every source is sealed, and whose it was: what resuming and naming of losses need.
//
// Thread-safe.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "spool/addition.h"
#include "spool/state.h"

namespace boatswain::spool {

// A source that has a checkpoint: something of it was sealed, or reading of it had begun, and more was expected.
struct SourceCheckpoint {
    std::string id;
    Checkpoint checkpoint;
    std::optional<ResumeRecord> known;  // nothing where an older Boatswain, which did not keep it, sealed last
};

class SourceLedger {
  public:
    explicit SourceLedger(State& state) : state_(state) {}

    // How far `source` is sealed; nothing for one that is new here.
    std::optional<Checkpoint> checkpoint(const std::string& source) const;
    // The source has stopped and all of it is sealed.
    bool ended(const std::string& source) const;
    // What was known of `source` when the spool was opened, where its lines were another tenant's than `tenant`. Asked
    // once: nothing afterwards.
    std::optional<ResumeRecord> was_of_another(const std::string& source, const TenantId& tenant);
    // Every source with a checkpoint, as it stood when the spool was opened.
    Result<std::vector<SourceCheckpoint>> known_sources();

    Result<void> load();
    // In the order of the additions: what a later one says of a source holds.
    Result<void> save(Session& session, std::span<const Addition> additions) const;
    // The same in memory, when it is durable. With State::mutex held.
    void hold(std::span<const Addition> additions);

  private:
    void hold(const Addition& addition);

    State& state_;
    Checkpoints checkpoints_;
    std::set<std::string> ended_;                          // sources
    std::map<std::string, std::string> tenants_at_start_;  // by source; those that was_of_another() was not asked of
};

}  // namespace boatswain::spool
