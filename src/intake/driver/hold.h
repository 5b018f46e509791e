// A hold: what the engine wrote into one FIFO and no segment covers yet, in memory that outlives every process of ours.
//
// The engine forgets a line as soon as it is in the FIFO, and nothing of it may lie on a disk in clear. So the frames
// are kept, byte for byte, in a file of a memory file system: it survives a kill -9 of the agent and of the holder, and
// is gone when the host is. One process appends (the holder: fifo.h), one reads and gives back from the front (the
// agent: hold_reader.h); they know of each other by this file alone.
//
//   offset 0     a page of fields, each 8 bytes, little endian:
//     0   "BWHOLD1\n"          8   id: drawn at random, the fingerprint of positions in it
//     16  start: the offset of the first frame that is not given back     (written by the reader)
//     24  moving: frames from this offset on may still lie in the FIFO too  (written by the holder, as all below)
//     32  ended: 1 when nothing will be appended any more
//     40  gap: from, to (nanoseconds), lines, bytes, reason: what was dropped since the last note (0 lines and bytes:
//         nothing)
//   offset 4096  frames (log_entry.h) behind each other, whole ones only, and notes of our own:
//     "gap FROM_NS TO_NS LINES BYTES REASON"
//
// Offsets never repeat: what is given back becomes a hole at the front, and costs no memory.
//
// Invariants
//   - Only whole frames are appended; after a kill in the middle of an append the tail is cut off at open.
//   - Bytes leave the FIFO after they are here. `moving` is set before they come, so that after a crash in between the
//     holder compares what is here from there on with what the FIFO holds: equal bytes were not yet taken out. (They
//     hold a time in nanoseconds that no two frames of a stream share.)
//   - release() is called for what the spool covers durably, or for what nobody is to have.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/file.h"
#include "record/gap.h"
#include "record/position.h"

namespace boatswain::intake::driver {

inline constexpr std::uint64_t hold_data_offset = 4096;

// The name of a hold: "CONTAINER-NUMBER", by which holds of one container are read in order. Beside it lies the
// description of its container, "CONTAINER-NUMBER.json" (plugin_request.h), and "CONTAINER-NUMBER.gone" when the reader
// knows from the engine that the container does not run any more.
struct HoldName {
    std::string container;  // 64 hex digits
    std::uint32_t number = 0;

    std::string str() const;  // the number with 8 digits
    static std::optional<HoldName> parse(std::string_view name);
    auto operator<=>(const HoldName&) const = default;
};

// Remedy::stop unless `directory` (made if it is not there, mode 0700) is ours and lies in memory: tmpfs or ramfs. What
// somebody else put under its name, in a directory that everybody may write to, is renamed where we may.
Result<void> check_in_memory(const Path& directory);

class Hold {
  public:
    static Result<Hold> create(const Path& path);
    static Result<Hold> open(const Path& path);

    std::uint64_t id() const { return id_; }
    std::uint64_t size() const;   // the offset behind the last byte
    std::uint64_t start() const;  // of the first frame that is not given back
    bool ended() const;
    std::uint64_t bytes() const { return size() - start(); }  // of frames held

    // ---- The holder's half ----

    // A hold left behind by a kill: cuts off a torn tail.
    Result<void> repair();
    // What may still lie in the FIFO, from `moving` on. Empty when that is certain not to be.
    Result<std::string> doubtful() const;
    // Appends whole frames that still lie in the FIFO. Remedy::back_off when memory is short; nothing is appended then.
    Result<void> append(std::string_view frames);
    // What was appended is out of the FIFO now.
    void settle();
    // Adds to the gap that is written with the next note. A gap of another reason is written first.
    void add_gap(const Gap& gap);
    bool has_gap() const;
    Result<void> write_gap();  // as a note, if there is one
    void end();
    std::uint64_t memory() const;  // what the file takes, with what was given back and what is kept for a note

    // ---- The reader's half ----

    // Of an ended hold, a gap that found no memory for its note.
    std::optional<Gap> unwritten_gap() const;
    // Bytes from `offset` on, as many as there are and `into` holds.
    Result<std::size_t> read(std::uint64_t offset, std::span<char> into) const;
    // Gives back everything before `offset`, which is where a frame begins; but not what may still lie in the FIFO too,
    // since the holder compares it after a crash. True when all of it was given back.
    bool release(std::uint64_t offset);

  private:
    explicit Hold(Fd file, Path path) : file_(std::move(file)), path_(std::move(path)) {}
    std::uint64_t field(std::uint64_t at) const;
    bool set_field(std::uint64_t at, std::uint64_t value);
    bool find_memory(std::size_t bytes);  // for so many, and for a note behind them
    Result<void> write_at_end(std::string_view bytes, std::uint64_t moving);

    Fd file_;
    Path path_;
    std::uint64_t id_ = 0;
    std::uint64_t size_ = hold_data_offset;  // the holder's: where the next frame comes
};

Path gone_mark_of(const Path& directory, const HoldName& name);

// A note as it was written by write_gap().
std::optional<Gap> parse_gap_note(std::string_view note);

// This start of the host, as positions in holds name it (their `device`): holds do not outlive it. Read when it is
// asked for first: before the process is confined, which may read nothing of /proc (boatswaind/sandbox_setup.h).
std::uint64_t this_boot();
// What it is where it could not be read. Agents that were confined wrote that, until they asked in time.
inline constexpr std::uint64_t unknown_boot = 0xcbf29ce484222325;

// A position in a hold, and whether `position` is one in this hold.
FilePosition position_in(const Hold& hold, const HoldName& name, std::uint64_t out_offset, std::uint64_t err_offset);
std::optional<FilePosition> position_of(const Hold& hold, const HoldName& name, const Position& position);

}  // namespace boatswain::intake::driver
