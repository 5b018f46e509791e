// Names in its tenant's log what is known of a source that was removed while no agent ran.
#pragma once

#include <string_view>

#include "base/log.h"
#include "base/metrics.h"
#include "batch/batcher.h"
#include "spool/spool.h"

namespace boatswain::intake {

// A closing record where all it printed had been sealed, else a gap record from its last line on. Where the state does
// not say whose it was, there is nobody to tell, and the log has a warning. `ran_once_more`: more is missing than was
// known. The source is to be forgotten afterwards (Batcher::forget_when_sealed).
void record_removed_while_away(const spool::SourceCheckpoint& gone, bool ran_once_more, batch::Batcher& batcher,
                               const Clock& clock, Metrics& metrics, Log& log);

}  // namespace boatswain::intake
