// Where in a container's log reading stands, when the log is had from GET /logs, and which of the entries that the
// engine serves are new.
//
// The engine serves from the end of a log cheaply (`tail`), and from a time only by reading all of it (`since`: 28 CPU
// seconds a GB, measured). So a place is found again by asking for the last 64 entries, 128, 256, ... until the mark is
// among them. What follows the place is new, whatever its time says.
//
// The mark is the entry that was taken last, or, of several of one time, the first of them: it is known by itself and
// the entry before it, and those behind it are counted. So no two entries need to differ: an engine whose times are
// whole seconds serves hundreds that are equal to the last byte.
//
// On a followed stream the engine (20.10) also serves entries again at each rotation. One that was served lately is
// known by time and bytes, and skipped; where times are coarse that proves nothing. Such a one, and one that is not
// later than the last of its stream and not known, is told from a new one by looking: the place is searched for, and
// what lies behind it is taken.
//
// Invariants
//   - Between two search(), every entry of the log behind the place is answered with `take` exactly once, in its order.
//   - No answer depends on clocks, as long as the mark is still in the log. When it is not (rotated away), or the
//     position has none (written by an older version), the times of the last lines decide.
//
// A value without I/O: logs_reader.h asks the engine.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/logs_line.h"
#include "record/gap.h"
#include "record/position.h"

namespace boatswain::intake {

class LogsPlace {
  public:
    // `pieces_counted`: the engine serves a long line as the same entries each time. Not so for a terminal: a line of
    // it may be served cut off at its end, and whole the next time.
    // `repeats`: a followed stream of this engine may hold entries again.
    LogsPlace(TimePosition start, bool pieces_counted, bool repeats = true)
        : position_(start), pieces_counted_(pieces_counted), repeats_(repeats) {}

    // How the place is looked for in an answer of the engine, before its first entry is shown to see().
    enum class How {
        hasty,  // given up at the first entry that is later than all that was taken of its stream: it lies behind the
                // place, if the clock did not step back there
        thorough,  // among all entries
        by_time,   // it is not there: what is not later than the last line of its stream was taken. Of everything.
        behind,    // likewise, of the last entries, which lie behind something that the engine does not serve
    };
    // The answer holds the last `entries` of the log; everything, without a number. At the beginning, and when the log
    // began with a long line that is not complete, everything leads to the place, however it is looked for.
    void search(How how, std::optional<std::uint64_t> entries, bool followed);

    struct Seen {  // an entry
        std::uint64_t fingerprint = 0;
        Timestamp time{};
        bool operator==(const Seen&) const = default;
    };
    Seen seen(const engine::LogsRecord& record) const { return {fingerprint_of(record), record.time}; }
    bool is_latest(const Seen& entry) const { return latest_ == entry; }  // the last one that was taken

    enum class Verdict {
        take,    // new: take it, then say took()
        replay,  // taken before; it may be a piece of a line that is not complete: say replayed()
        skip,    // taken before
        search,  // this answer leads nowhere: drop it, and search
    };
    // `continues`: it has stream and time of a long line whose pieces are being gathered.
    Verdict see(const engine::LogsRecord& record, bool continues);
    // `begins`: what is pending of its stream now begins with this entry. `pending` of its stream, `pending_any` of
    // both.
    void took(const engine::LogsRecord& record, bool begins, bool pending, bool pending_any);
    void replayed(const engine::LogsRecord& record, bool pending);
    // What was pending was taken as it is: nothing will continue it.
    void settled();

    bool at_beginning() const {  // nothing was ever taken
        return position_ == TimePosition{.gap_told = position_.gap_told};
    }
    // Only everything leads to the place: the log began with a long line, which was not complete yet.
    bool needs_everything() const { return position_.mark == log_start; }
    bool found() const { return phase_ != Phase::seeking; }  // since search(): the place was passed
    // Every entry is a new one: what is pending of long lines is not being gathered for the second time.
    bool is_taking() const { return phase_ == Phase::taking || phase_ == Phase::by_time; }
    bool is_gap_told() const { return position_.gap_told; }
    void gap_told() { position_.gap_told = true; }  // until the next entry is taken
    bool is_by_time() const { return phase_ == Phase::by_time; }
    // The answer began with the same entry as a shorter one before: the engine keeps no more.
    bool saw_everything() const { return same_beginning_; }
    // Set by the first entry of everything, by_time, when it shows that what was to come next is gone.
    std::optional<Gap> take_gap() { return std::exchange(gap_, std::nullopt); }
    std::uint64_t clock_steps() const { return clock_steps_; }  // times that a stream's lines went back in time
    // A new entry that has the time of the last one taken of its stream, though the engine's clock is a fine one: both
    // are pieces of one line, the first of which were taken as they were (settled()).
    bool continues_the_last(const engine::LogsRecord& record) const {
        return record.part == 0 && is_fine(record.time) && record.time == last(record.stream);
    }
    // Entries of one stream were seen to share a time: equal ones prove nothing.
    bool is_coarse() const { return coarse_; }
    const TimePosition& position() const { return position_; }

    static constexpr std::size_t recent_max = 1024;                 // entries of one stream that are known again
    static constexpr std::chrono::milliseconds step_seen_min{100};  // a good deal later
    static constexpr std::int64_t fine_time = 1'000'000'000;  // ns: a clock with parts of it is not of whole seconds

  private:
    // In the place of a mark, while there is none: the beginning of the log, whose first entry has the mark's time, and
    // is `before`.
    static constexpr std::uint64_t log_start = 1;
    enum class Phase {
        seeking,    // for the mark
        starting,   // at the beginning of the log
        skipping,   // between the mark and the place: complete entries
        replaying,  // behind those: entries of which some are pieces of lines that are not complete
        by_time,    // without a mark: what is not later than the last line of its stream was taken
        taking,     // behind the place
    };
    struct OfStream {
        std::vector<std::uint64_t> recent;  // fingerprints, a ring
        std::size_t next = 0;
        Timestamp pending_time{};  // of the long line whose pieces are being gathered
        bool new_seen = false;     // since search(), by_time
        bool repeating = false;    // its last entry of a followed stream was known
    };
    OfStream& of(Stream stream) { return streams_[stream == Stream::out ? 0 : 1]; }
    Timestamp& last(Stream stream) { return stream == Stream::out ? position_.out : position_.err; }
    const Timestamp& last(Stream stream) const { return stream == Stream::out ? position_.out : position_.err; }
    static bool is_fine(Timestamp time) { return time.time_since_epoch().count() % fine_time != 0; }
    std::uint64_t fingerprint_of(const engine::LogsRecord& record) const;
    Verdict judge(const engine::LogsRecord& record, bool continues, bool first, const Seen& before);
    Verdict start(const engine::LogsRecord& record, bool continues);
    Verdict seek(const engine::LogsRecord& record, std::uint64_t fingerprint, const Seen& before);
    bool is_mark(const engine::LogsRecord& record, std::uint64_t fingerprint, const Seen& before) const;
    bool is_one_entry(const engine::LogsRecord& record) const;
    void pass_mark();
    bool is_beyond(const engine::LogsRecord& record) const { return record.time > position_.newest; }  // all taken ones
    Verdict miscounted(const engine::LogsRecord& record, std::uint64_t fingerprint, bool continues);
    Verdict judge_new(const engine::LogsRecord& record, std::uint64_t fingerprint, bool continues);
    void remember(Stream stream, std::uint64_t fingerprint);
    bool is_recent(Stream stream, std::uint64_t fingerprint);
    void set_mark(const Seen& entry, std::uint64_t before);

    TimePosition position_;
    const bool pieces_counted_;
    const bool repeats_;
    Phase phase_ = Phase::taking;
    How how_ = How::hasty;
    bool followed_ = false;
    std::optional<std::uint64_t> entries_;    // that were asked for
    std::uint64_t seen_entries_ = 0;          // of them
    std::uint64_t skips_left_ = 0;            // until what is replayed
    std::uint64_t replays_left_ = 0;          // until the place
    std::optional<std::uint64_t> beginning_;  // fingerprint of the first entry of the last answer
    bool same_beginning_ = false;
    // The mark of an older version was just passed. Entries that cannot be told from it, full pieces of one line, are
    // taken with it: it was the last of them.
    bool passing_mark_ = false;
    Seen seen_;                    // by see(), last, in this answer
    bool seen_continues_ = false;  // likewise
    Seen latest_;                  // the last entry of the log that was taken; no fingerprint: not known
    Seen before_latest_;           // the one before it
    bool coarse_ = false;
    OfStream streams_[2];
    std::optional<Gap> gap_;
    std::uint64_t clock_steps_ = 0;
};

// Of stream, time, part, length where it is `sized`, and the first fingerprint_message_max bytes; never 0 or 1. The
// newline is not in it: the engine's reader of `local` forgets some. The length tells the last piece of a long line
// from those before it, which may begin with the same bytes.
std::uint64_t fingerprint_of(const engine::LogsRecord& record, bool sized);
inline constexpr std::size_t fingerprint_message_max = 1024;

}  // namespace boatswain::intake
