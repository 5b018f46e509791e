// What every way in does with the feed of a source: when a new assignment changes it, and what is said of it.
#pragma once

#include "batch/batcher.h"
#include "intake/source/assigner.h"
#include "intake/source/description.h"
#include "spool/spool.h"

namespace boatswain::intake {

// What a new assignment means for a source that is being read into `feed`.
enum class Reassignment {
    none,      // all stays
    stop,      // nothing more is read: its key file was removed. What was decided before stays until there is a key
    go_on,     // it was stopped, and may be read again as before
    new_feed,  // it is read on for another tenant, or for other keys
};
Reassignment reassign_feed(const batch::Feed& feed, const Assignment& assignment);

// The state was lost since the source began, and nothing of it is known to be stored: what was stored before, nobody
// knows. Appends the gap that says so, where it is due.
void append_state_lost(batch::Feed& feed, const spool::Spool& spool, const Checkpoint& start, Timestamp created);

// Lines, batch and times of `feed`, added to what is said of its source. `lines_before`: of earlier runs of the agent.
void describe_feed(const batch::Feed& feed, const batch::Batcher& batcher, const spool::Spool& spool,
                   std::uint64_t lines_before, Description& told);

// The verdict that a decision comes to, with its reason and lack.
void describe_decision(const Assignment& assignment, Description& told);

}  // namespace boatswain::intake
