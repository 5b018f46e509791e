// A batch: frames of ONE tenant, in memory, still growing. A value that is handed from the I/O thread to the sealing
// threads and never shared between tenants: every frame carries the tenant of its batch by construction.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "batch/memory_budget.h"
#include "crypto/recipient.h"
#include "record/position.h"
#include "record/source.h"
#include "segment/frame_text.h"
#include "segment/seal.h"
#include "spool/resume_record.h"

namespace boatswain::batch {

// A frame on its way: text first, then compressed. Shared by its batch and the queue of the worker that compresses it;
// the worker alone touches it until `done`.
struct PendingFrame {
    PendingFrame(segment::FrameText t, Charge c) : text(std::move(t)), charge(std::move(c)) {}

    segment::FrameText text;
    segment::Frame frame;
    Charge charge;
    bool done = false;  // guarded by Sealing's mutex
};

// Counts while workers fill a batch; shared by the batch and its frames' jobs.
struct FrameBytes {
    std::atomic<std::uint64_t> compressed = 0;
    std::atomic<std::uint64_t> text = 0;  // not compressed yet
};
using ByteCount = std::shared_ptr<FrameBytes>;

struct Batch {
    TenantId tenant = TenantId::unassigned();
    std::vector<crypto::Recipient> recipients;
    std::vector<Source> sources;
    std::map<std::string, std::size_t> source_index;    // by source id
    std::vector<std::shared_ptr<PendingFrame>> frames;  // in the order in which they were closed
    std::map<std::string, Checkpoint> checkpoints;      // by source id: what the frames cover
    std::vector<std::string> forget;                    // sources that end with this batch: no checkpoint is kept
    std::map<std::string, bool> ended;  // sources that have stopped by its end and are read; or run again
    Timestamp first_time{};             // of a line or gap, earliest
    Timestamp last_time{};
    std::chrono::steady_clock::time_point opened{};  // when its first line came
    Charge charge;                                   // for all of this but the frames' text
    ByteCount frame_bytes = std::make_shared<FrameBytes>();
};

// Reading of a source began at `from`, and nothing of it is sealed yet.
struct SourceBegan {
    Checkpoint from;
    spool::ResumeRecord source;
};

// A source of which no batch holds lines has stopped, or runs again.
struct SourceEnded {
    std::string source;
    bool ended = true;
};

// Sources of which no batch holds lines are gone: no checkpoint is kept.
struct ForgetSources {
    std::vector<std::string> sources;
};

// What the sealing thread is given to do, one after the other.
using SealingOrder = std::variant<Batch, SourceBegan, SourceEnded, ForgetSources>;

}  // namespace boatswain::batch
