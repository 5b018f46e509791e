// The files of one log in the order in which they were written: the one that is being read, and those that follow it.
//
// All of them are held open from the moment they appear: an open file outlives its renaming and its deletion. Knows
// nothing of what a record looks like; a reader of records (log_file/log_file_reader.h) says where it stands in the
// current file.
//
// Synchronous. Belongs to the I/O thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "intake/rotation/log_files.h"
#include "record/position.h"

namespace boatswain::intake {

// Files that are held open behind the one being read, at most: a bound on the disk space that reading late can keep.
inline constexpr std::size_t successors_max = 32;

// A look at the directory that a rotation comes in between of is repeated, so many times in a row.
inline constexpr unsigned looks_max = 10;

struct OpenLog {
    std::unique_ptr<LogFile> file;
    std::uint64_t fingerprint = 0;
    bool after_gap = false;  // files between this one and the one before may have been removed unread
    bool doubtful = false;   // it may as well be older than what was read: its times tell

    FilePosition at(std::uint64_t out_offset, std::uint64_t err_offset) const;
    // Asks again for the fingerprint of a file that had no line yet.
    void learn_fingerprint();
};

class LogSequence {
  public:
    // When the first record of a file was printed; nothing where that cannot be said.
    using FirstTime = std::function<std::optional<Timestamp>(LogFile& file)>;

    struct Rotation {
        std::size_t kept_max = 0;  // files that the engine keeps of the log at most; 0: not known
        // A new file is moved over the log, and the one before keeps no name (Podman). `births_told`: take_births() is
        // told of each.
        bool replaced = false, births_told = false;
    };
    // `below` as open_log_file() has it. Opens nothing yet.
    LogSequence(Path log_path, Path below, Rotation rotation, FirstTime first_time, Log& log)
        : log_path_(std::move(log_path)),
          below_(std::move(below)),
          rotation_(rotation),
          first_time_(std::move(first_time)),
          log_(log) {}

    const Path& path() const { return log_path_; }
    bool opened() const { return current_.file != nullptr; }
    OpenLog& current() { return current_; }
    const OpenLog& current() const { return current_; }

    // The log's files that are there, newest first.
    std::vector<Generation> list() const { return list_generations(log_path_, below_); }
    Result<OpenLog> open(const Generation& generation) const;
    // The file that `place` names, whatever it is called by now; nothing when it is not among `generations`.
    Result<std::optional<OpenLog>> find(const FilePosition& place, const std::vector<Generation>& generations) const;
    // The copy of a file that was emptied in place; nothing when nobody made one.
    std::optional<OpenLog> find_copy(const OpenLog& emptied, std::uint64_t old_fingerprint) const;

    // From now on `open` is current; what was is let go.
    void read(OpenLog open) { current_ = std::move(open); }
    // The current file is asked for later again, behind `copy`, which is current from now on.
    void read_before_current(OpenLog copy);
    OpenLog take_current() { return std::move(current_); }

    // Opens what has appeared behind the newest file that is held. `taken`: the latest time of what was read.
    void look_for_successors(Timestamp taken);
    // The directory showed so many new files: opens what is there, and compares. A log that is replaced has one name, so
    // a file that came and went before it could be opened is missing. Behind what is held it is noted there; behind the
    // current file, which is being read, the caller has to.
    enum class Missing { nothing, noted, before_current };
    Missing take_births(unsigned births, Timestamp taken);
    // News of births may be lost: of a log that is replaced, whatever is new follows something that is missing.
    Missing lose_births(Timestamp taken);
    bool has_successors() const { return !successors_.empty(); }
    std::deque<OpenLog>& successors() { return successors_; }
    std::size_t successors_held() const { return successors_.size(); }
    OpenLog take_successor();
    // What follows is newer than what was read, surely.
    void end_doubt();

    std::uint64_t bytes_behind_current() const;
    Timestamp modified() const;  // when the log was last written

  private:
    Missing note_missing();
    struct Place {
        std::optional<std::size_t> index;  // nothing: not among them
        bool sure = false;
    };
    Place place_of(const OpenLog& open, const std::vector<Generation>& generations) const;
    std::vector<Generation> later_than(Timestamp time, const std::vector<Generation>& generations) const;

    const Path log_path_, below_;
    const Rotation rotation_;
    const FirstTime first_time_;
    Log& log_;
    OpenLog current_;
    std::deque<OpenLog> successors_;  // files that follow current_, oldest first
    // Of a log that is replaced, since both were equal: births that were told, and files that were opened.
    std::size_t births_ = 0, opened_ = 0;
    bool births_lost_ = false;
};

}  // namespace boatswain::intake
