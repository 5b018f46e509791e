// Reads one container's log from disk, of whatever form its records have (record_form.h), over rotation, removal,
// compression, recycled inodes and truncation.
//
// The file that is being read is held open; so are the files that follow it, from the moment they appear: an open file
// outlives its renaming and its deletion, so a reader that lags behind loses nothing as long as it saw each file's
// birth.
//
// Synchronous and without a clock: the pump (file_pump.h) says when to read. Belongs to the I/O thread.
//
// Invariants
//   - Records are taken in the order of the file; each is appended to the feed once.
//   - The position marked covers exactly what was appended: a long line of which only pieces were read lies behind it.
//   - While a file has no line yet, or a gap is owed, the position stays where it can be found again: at the end of the
//     file before, or before the gap.
//   - What cannot be understood is kept as it is and announced by a gap record; the reader goes on at the next newline.
//   - A record that is longer than read_bytes_max (--log-opt env of a large environment) is read from its two ends.
//     Only what has no message at its front, or no time at its end, is lost; its gap record does not wait for the next
//     line. A file that cannot be read (a torn .gz) is left, with a gap record, for the next one.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "batch/batcher.h"
#include "intake/log_file/record_at.h"
#include "intake/log_file/record_form.h"
#include "intake/rotation/log_sequence.h"
#include "intake/source/description.h"
#include "intake/source/piece_joiner.h"
#include "record/position.h"

namespace boatswain::intake {

// One read takes at most this, and less where its tenant's room is less. Of a longer record the message must lie within
// it.
inline constexpr std::size_t read_bytes_max = 512U << 10;

// Scratch memory for reading, shared by all readers of the I/O thread.
class ReadBuffer {
  public:
    ReadBuffer() : bytes_(new char[read_bytes_max]) {}
    char* data() { return bytes_.get(); }

  private:
    std::unique_ptr<char[]> bytes_;
};

struct FileReaderCounters {
    Counter& malformed;  // lines of the log that were none
    Counter& rotations;  // files finished
    explicit FileReaderCounters(Metrics& metrics);
};

// What is known of a log before it is opened. A log that is never rotated has files_kept_all.
inline constexpr std::size_t files_kept_all = static_cast<std::size_t>(-1);

// What a log must begin with to be whole, where nothing of it was read before: of a container that started while this
// host was in Boatswain's care.
struct LogBirth {
    Timestamp started{};          // the container's last start, as the engine says
    bool started_before = false;  // it had run before that
    std::size_t files_max = 0;    // that the engine keeps of the log; 0: not known
};

// The engine makes the first file of a log before it starts the container. Docker 28 may say of a container that it
// started milliseconds before that (8 ms measured on a busy machine): so long after the start a file may yet be first.
inline constexpr std::chrono::seconds first_file_made_max{10};

struct LogTerms {
    std::optional<LogBirth> birth{};  // nothing where the log need not be there from its first line on
    std::size_t files_kept = 0;       // by the engine, of the log, at most; 0: not known
    // A rotation moves a new file over the log: the one before keeps no name, and what is there is newer than all that
    // was read. `births_told`: of each such file notice_births() tells, so what is told of and held is not missing.
    bool replaced = false, births_told = false;
    // How long an engine may write on in a file after it has begun the next one: the file is left when nothing came for
    // so long. containerd hands a log over while lines wait in a buffer of its own, and those go to the old file.
    std::chrono::milliseconds written_on_max{0};
    Path below{};  // no link is followed below it (rotation/log_files.h); empty: not looked at
    // What was printed by then is passed over, where nothing of the log was read yet.
    std::optional<Timestamp> passed_over_until{};
};

// A record that is longer than read_bytes_max, while it is read.
struct LongRecord {
    std::uint64_t offset = 0;  // where it starts
    std::uint64_t bytes = 0;   // of it, so far
    bool understood = false;   // its front has message and stream
    LogRecord found;
    std::string message;
    std::string back;  // its last bytes, so far
};

class LogFileReader {
  public:
    // `start`: what is already sealed; nothing for a container that is new here. Opens nothing yet.
    LogFileReader(const RecordForm& form, Path log_path, std::optional<FilePosition> start, LogTerms terms,
                  const Clock& clock, FileReaderCounters& counters, Log& log);

    enum class Step {
        more,      // something was read, and more may be there
        at_end,    // nothing more now
        waits,     // the file is perhaps written to, though the next one was begun: again in a moment
        finished,  // nothing more for ever: the log is removed and read to its end
    };
    // Reads at most `bytes_max` into the feed, or one line, and marks. Errors concern this container alone.
    Result<Step> read_some(batch::Feed& feed, ReadBuffer& buffer, std::size_t bytes_max = read_bytes_max);

    // Memory is short: what is pending of long lines becomes pieces, which can be sealed. What follows them is pieces
    // of the same lines.
    void put_down(batch::Feed& feed);

    // Opens the files that are there, without reading a line: from now on they can be removed and are read all the
    // same.
    Result<void> hold_open();

    // The directory showed a new file `births` times: opens what has appeared at once. `all`: these are all births
    // since the container appeared, and they were seen before the first file was opened; so more births than files is a
    // loss.
    void notice_births(unsigned births, bool all = false);

    // Births may have been told of to nobody. Of a log that is rotated without successors' names, what was rotated away
    // meanwhile counts as missing.
    void notice_births_lost();
    // What is known later than the log was first held open, as LogTerms has it; once.
    void note_birth(const LogBirth& birth);

    // The engine has no such container any more: nobody writes to its log.
    void notice_removal() { removed_ = true; }

    // The container has ended (it may start again): what is pending will not be continued.
    void settle(batch::Feed& feed);

    // Where reading stands against the end of what is known: bytes not yet read (an estimate where files are
    // compressed).
    std::uint64_t lag_bytes() const;
    // The same in time: how much later the log was last written than the last line that was taken from it. Where none
    // was taken yet, how long this reader has been there.
    Nanoseconds lag_time() const;
    const Path& path() const { return files_.path(); }
    // Whether what was read is still there after the next rotation: an engine that keeps one file empties or removes it.
    bool outlives_rotation() const { return read_policy_.files_kept != 1; }
    std::optional<FilePosition> position() const;
    // Once, when something was read of a log that had no `start`: where that began.
    std::optional<FilePosition> take_beginning() { return std::exchange(beginning_, std::nullopt); }
    FileStatus standing() const;

    // Remembers what the pump met with this log.
    void note_trouble(const Error& error) { last_error_ = {.when = clock_.now(), .what = error.what}; }
    const std::optional<LastError>& trouble() const { return last_error_; }
    bool opened() const { return files_.opened(); }  // false: the log was never there to be read

  private:
    Result<bool> open_first();
    bool begins_late(const LogFile& oldest, std::size_t files) const;
    void owe_what_was_before();
    void owe_rotated_away(const char* what);
    Result<bool> pass_over(Timestamp until, const std::vector<Generation>& generations);
    Result<bool> resume(const FilePosition& start, const std::vector<Generation>& generations);
    void recall_taken_time(const FilePosition& start);
    bool lost_its_end(const FilePosition& start);
    void read_behind_the_cut(const FilePosition& before);
    std::uint64_t old_record_before(std::uint64_t end);
    Timestamp latest_taken() const { return std::max(taken_time_[0], taken_time_[1]); }
    FilePosition place(std::uint64_t out_offset, std::uint64_t err_offset) const;
    bool is_removed() const;
    void owe_what_nobody_can_read();

    Result<Step> at_file_end(batch::Feed& feed, std::string_view rest);
    bool waits_for_a_line(const Gap& gap) const;
    bool engine_went_on();
    bool is_perhaps_written_on();
    bool holds_news(OpenLog& next);
    void look_at_the_file_left();
    void next_file(batch::Feed& feed);
    Step leave_unreadable(batch::Feed& feed, const Error& error);
    void tell_unreadable(const Error& error);
    Result<void> look_for_truncation(batch::Feed& feed);
    void read_on_in(OpenLog open, std::uint64_t offset);
    void read_on_at(std::uint64_t offset);  // in the current file

    std::size_t take_lines(batch::Feed& feed, std::string_view bytes);
    void take_line(batch::Feed& feed, std::string_view line);
    void take_message(batch::Feed& feed, const LogRecord& found, std::string message);
    bool was_taken(const LogRecord& found);
    void passed(const LogRecord& found, std::size_t bytes);
    enum class Stands { yes, no, unclear };
    Stands last_record_stands();
    void begin_long(std::string_view front);
    void go_on_in_long(std::string_view piece);
    void end_long(batch::Feed& feed, std::string_view rest);
    void tell_too_long(batch::Feed& feed, std::uint64_t bytes);
    bool take_behind_garbage(batch::Feed& feed, std::string_view line);
    void owe_zeros(std::uint64_t bytes);
    void take_malformed(batch::Feed& feed, std::string_view line);
    void settle_previous(segment::FrameText& frame, Stream next_stream);
    void pay_gap(segment::FrameText& frame, Timestamp until);
    void mark(batch::Feed& feed);
    void end_doubt();
    std::uint64_t already_taken(Stream stream) const { return stream == Stream::out ? out_offset_ : err_offset_; }

    const RecordForm& form_;
    LogSequence files_;
    std::optional<FilePosition> start_;
    LogTerms read_policy_;
    bool begun_ = false;                     // beginning_ was set
    std::optional<FilePosition> beginning_;  // until it is taken
    const Clock& clock_;
    FileReaderCounters& counters_;
    Log& log_;

    const Timestamp made_;
    std::size_t first_open_ = 0;     // files that were there when the first was opened; 0 where reading was resumed
    std::uint64_t offset_ = 0;       // the next byte to read
    std::uint64_t line_offset_ = 0;  // where the line being taken starts
    std::uint64_t out_offset_ = 0;   // records of a stream that start before its offset are taken already
    std::uint64_t err_offset_ = 0;
    bool last_look_ = false;  // the file was seen to be final, and is read once more to its end
    // Since when nothing came at the end of a file that was followed by another.
    std::optional<std::chrono::steady_clock::time_point> quiet_since_;
    bool waited_ = false;      // the end was reached: the file may have been truncated since
    bool removed_ = false;     // the engine's word
    bool cut_ = false;         // the file lost its end: of what starts before out_offset_ times tell what is new
    bool place_lost_ = false;  // what was read before this start is in no file any more
    struct LastRecord {        // that was passed in the current file, taken or not
        std::uint64_t end = 0;
        Timestamp time{};
    } last_record_;
    struct Left {  // the file before the current one, as long as it has a name
        std::unique_ptr<LogFile> file;
        std::uint64_t end = 0;  // read up to there
    };
    std::optional<Left> left_;
    std::optional<LongRecord> long_;  // the record being read, when it is longer than read_bytes_max
    Timestamp taken_time_[2] = {};    // per stream, of the last line taken

    std::unique_ptr<RecordScanner> scanner_;
    PieceJoiner joiner_;
    std::uint64_t pending_offset_[2] = {};             // where the pending line of each stream starts
    std::optional<FilePosition> pending_in_previous_;  // the same, while it began in the file before
    std::optional<FilePosition> held_;                 // what is marked while the place itself cannot be found again
    std::optional<Gap> passed_over_;                   // told as soon as there is somebody to tell
    std::optional<Gap> owed_gap_;                      // told before the next line, which gives it its end
    Timestamp last_time_{};
    std::optional<LastError> last_error_;
};

}  // namespace boatswain::intake
