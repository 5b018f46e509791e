// Reads one hold (hold.h) into a feed: frames become lines, pieces are joined, notes become gap records.
//
// The position is kept for each stream, as for log files (record/position.h): where the first piece lies of a line that
// is not whole yet, else behind what was read. What a segment covers durably is given back, the rest is read again
// after a crash. Belongs to the I/O thread.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/metrics.h"
#include "batch/batcher.h"
#include "intake/driver/hold.h"
#include "intake/driver/log_entry.h"
#include "intake/source/piece_joiner.h"

namespace boatswain::intake::driver {

struct HoldCounters {
    Counter& dropped_lines;  // by the holder, for want of room: named by gap records
    Counter& malformed;      // frames that were no LogEntry
    explicit HoldCounters(Metrics& metrics);
};

class HoldReader {
  public:
    // `saved`: how far the source is sealed; of another hold it says nothing, and this one is read from its start.
    static Result<std::unique_ptr<HoldReader>> open(const Path& directory, HoldName name, const Position& saved,
                                                    HoldCounters& counters);

    enum class Step { more, at_end, finished };
    // One turn into `feed`, with a mark() behind it. finished: it is at its end, and nothing will be added.
    Result<Step> read_some(batch::Feed& feed, std::string& buffer);
    // Memory is short: what is pending of long lines becomes pieces, which can be sealed.
    void put_down(batch::Feed& feed);
    // One turn for nobody: what is read is given back at once.
    Result<Step> discard(std::string& buffer);

    // `saved` is durable: what it covers of this hold is given back.
    void release(const Position& saved);
    void release_all() {
        (void)hold_.release(hold_.size());
    }  // a later hold's lines are durable, so all of this one's are
    bool is_at(const FilePosition& saved) const { return position_of(hold_, name_, saved).has_value(); }
    bool finished() const { return finished_; }
    bool ended() const { return hold_.ended(); }  // nothing will be added
    // Finished, and nothing of it is held any more.
    bool is_empty() const { return finished_ && hold_.bytes() == 0; }
    void remove();  // hold and description

    const HoldName& name() const { return name_; }
    Path path() const { return directory_ / (name_.str() + ".hold"); }
    std::uint64_t offset() const { return offset_; }  // the next byte to read
    std::uint64_t size() const { return hold_.size(); }
    std::uint64_t held_bytes() const { return hold_.bytes(); }
    std::uint64_t unsealed_bytes() const { return offset_ - std::min(offset_, hold_.start()); }  // read, not given back

  private:
    HoldReader(Path directory, HoldName name, Hold hold, HoldCounters& counters)
        : directory_(std::move(directory)), name_(std::move(name)), hold_(std::move(hold)), counters_(counters) {}
    void take(const Frame& frame, std::uint64_t at, batch::Feed& feed);
    void append_gap(const Gap& gap, batch::Feed& feed);
    void take_entry(const Frame& frame, std::uint64_t at, batch::Feed& feed);
    Result<Step> step_at_end(bool ended, std::uint64_t size);
    FilePosition here() const;

    Path directory_;
    HoldName name_;
    Hold hold_;
    HoldCounters& counters_;
    std::uint64_t offset_ = hold_data_offset;
    std::uint64_t from_[2] = {0, 0};     // of each stream: frames before were taken already
    std::uint64_t pending_[2] = {0, 0};  // of each stream: where the line begins that the joiner holds
    PieceJoiner joiner_;
    bool finished_ = false;
};

}  // namespace boatswain::intake::driver
