// What the sealing thread hands to the spool.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "record/position.h"
#include "segment/seal.h"
#include "spool/resume_record.h"

namespace boatswain::spool {

using Checkpoints = std::map<std::string, Checkpoint>;  // by source id

// What becomes durable with a segment, beside the positions.
struct SegmentBookkeeping {
    std::map<std::string, ResumeRecord> known;  // by source id, of the checkpoints'
    std::vector<std::string> forget;            // sources that are gone, and of which all is sealed now
    bool tells_key_was_taken = false;           // the segment holds the record that ChainHead asked for
};

// What one batch makes durable, in this order.
struct Addition {
    // Reading of these sources begins here, and nothing of them is sealed yet: after a crash it is known where that
    // was, so that what is gone by then can be named. Nothing happens where there is a checkpoint.
    std::vector<std::pair<Checkpoint, ResumeRecord>> begun;
    std::optional<segment::SealedSegment> segment;  // nothing: the batch held no line
    Checkpoints checkpoints;                        // of the segment
    std::map<std::string, bool> ended;              // sources of no line in it that have stopped, or run again
    SegmentBookkeeping bookkeeping;
};

}  // namespace boatswain::spool
