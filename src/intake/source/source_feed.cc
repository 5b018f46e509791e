#include "intake/source/source_feed.h"

#include <algorithm>

namespace boatswain::intake {

Reassignment reassign_feed(const batch::Feed& feed, const Assignment& assignment) {
    const auto& decision = assignment.decision;
    bool nobody = decision.recipients.empty();
    bool stopped = feed.is_held();
    if (nobody && (decision.lack == tenancy::Lack::removed_key || stopped)) return Reassignment::stop;
    bool same = feed.source().whose.tenant == assignment.whose.tenant && feed.recipients() == decision.recipients;
    if (!stopped && (same || nobody)) return Reassignment::none;
    return same ? Reassignment::go_on : Reassignment::new_feed;
}

void append_state_lost(batch::Feed& feed, const spool::Spool& spool, const Checkpoint& start, Timestamp created) {
    if (auto lost = spool.state_lost(); lost && start.lines == 0 && created < *lost)
        feed.append(Gap{.from = created, .to = *lost, .reason = gap_state_lost});
}

void describe_feed(const batch::Feed& feed, const batch::Batcher& batcher, const spool::Spool& spool,
                   std::uint64_t lines_before, Description& told) {
    auto taken = feed.handover().lines;
    auto saved = spool.checkpoint(feed.source().id);
    auto sealed = saved ? saved->lines : lines_before;
    told.lines_read = taken - std::min(lines_before, taken);
    told.lines_unsealed = taken - std::min(sealed, taken);
    told.open_frame_bytes = feed.open_bytes();
    told.last_line = feed.last_time();
    told.waits_for_room = !feed.has_room();
    if (auto growth = batcher.growth(feed)) {
        told.batch_lines = growth->lines;
        told.batch_bytes = growth->bytes;
        told.batch_age = growth->age;
    }
}

void describe_decision(const Assignment& assignment, Description& told) {
    using Action = tenancy::Decision::Action;
    switch (assignment.decision.action) {
        case Action::seal: told.verdict = Verdict::collected; break;
        case Action::quarantine: told.verdict = Verdict::quarantined; break;
        case Action::drop: told.verdict = Verdict::dropped; break;
        case Action::hold: told.verdict = assignment.soon ? Verdict::deriving : Verdict::held; break;
    }
    told.reason = assignment.decision.reason;
    told.lack = assignment.decision.lack;
    told.whose = assignment.whose;
}

}  // namespace boatswain::intake
