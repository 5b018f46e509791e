// The segments of a selection, opened hour by hour: what merge.h reads from.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "query/crew.h"
#include "query/known_footers.h"
#include "query/merge.h"
#include "query/rolled_up.h"

namespace boatswain::query {

class SegmentCursor {
  public:
    SegmentCursor(store::Store& store, std::span<const open::Identity> identities, const Selection& selection,
                  const Limits& limits, Observer& observer)
        : store_(store),
          identities_(identities),
          selection_(selection),
          limits_(limits),
          observer_(observer),
          catalog_(store, &limits.budget),
          own_rolled_up_(store, identities, limits_, selection.filter,
                         [&observer](const Error& error) { observer.rollup_refused(error); }),
          rolled_up_(limits.rolled_up != nullptr ? *limits.rolled_up : own_rolled_up_),
          crew_(limits.crew != nullptr ? *limits.crew : own_crew_) {
        limits_.bounds.large_footers = &large_footers_;
        if (limits_.known != nullptr) reader_ = KnownFooters::reader_of(identities);
    }

    // Finds the hours. Call once, first.
    Result<void> start();

    // The next hour that has not been opened; nothing after the last.
    std::optional<Timestamp> next_hour() const;

    // Opens the segments of the next hour, in the order tenant, host, epoch, sequence number. Those that are damaged or
    // for others are told or counted, not returned.
    Result<std::vector<std::shared_ptr<Opened>>> open_next_hour();

    std::vector<Timestamp> hours() const;
    Tally& tally() { return tally_; }
    Crew& crew() { return crew_; }
    void tell_damage(const Error& error);

  private:
    using Attempt = Result<std::optional<Opened>>;
    using Attempts = std::vector<std::optional<Attempt>>;  // an answer at each segment's index, once there is one
    void open_rolled_up_ones(const std::vector<SegmentInfo>& infos, Attempts& attempts);
    void open_known_ones(const std::vector<SegmentInfo>& infos, Attempts& attempts);

    store::Store& store_;
    std::span<const open::Identity> identities_;
    const Selection& selection_;
    Limits limits_;
    std::mutex large_footers_;
    Observer& observer_;
    Catalog catalog_;
    RolledUp own_rolled_up_;
    RolledUp& rolled_up_;
    std::string reader_;  // as KnownFooters names it
    Crew own_crew_;       // has no threads unless it is used
    Crew& crew_;
    std::map<Timestamp, std::vector<std::pair<TenantId, HourPlace>>> hours_;  // not yet opened
    std::vector<Share> hours_held_;                                           // of each tenant
    Tally tally_;
};

}  // namespace boatswain::query
