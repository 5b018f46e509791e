#include "intake/source/removed_while_away.h"

#include <algorithm>

namespace boatswain::intake {

void record_removed_while_away(const spool::SourceCheckpoint& gone, bool ran_once_more, batch::Batcher& batcher,
                               const Clock& clock, Metrics& metrics, Log& log) {
    bool whole = gone.known && gone.known->ended && !ran_once_more;
    auto outcome = !gone.known ? "unnamed" : whole ? "read-whole" : "gap";
    metrics
        .counter("boatswain_containers_removed_while_away_total",
                 "Containers that were removed while no agent ran, by whether their tenants' logs name a loss",
                 {{"outcome", outcome}})
        .add();
    log.warning("container was removed while no agent ran",
                {{"container", gone.id.substr(0, 12)},
                 {"name", gone.known ? gone.known->source.name : std::string{}},
                 {"outcome", outcome}});
    if (!gone.known) return;
    auto feed = batcher.open_feed(gone.known->source, gone.known->recipients, gone.checkpoint, true);
    auto now = clock.now();
    if (whole)
        feed->close({.time = now, .reason = end_removed_while_away});
    else
        // From its last line on, whatever our own clock says by now.
        feed->append(Gap{.from = gone.known->last_time,
                         .to = std::max(gone.known->last_time, now),
                         .reason = gap_removed_while_away});
}

}  // namespace boatswain::intake
