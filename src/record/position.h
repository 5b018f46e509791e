// Where in a source reading stands: what resuming needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "base/time.h"

namespace boatswain {

// A place in a log file. Inode numbers are reused at once by rotation on ext4, so the file is named by device, inode
// AND a fingerprint of its first line.
//
// The place is kept for each stream, because a long line of one stream comes in pieces between which lines of the other
// may lie: a record of a stream is still to be taken when it starts at or after that stream's offset. Reading starts at
// the smaller.
//
// A file can lose its end (a power cut) and grow past the place again. So the place says when the record was printed
// that ends at the larger offset, and of each stream when its last record before that was.
struct FilePosition {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t fingerprint = 0;  // of the file's first line; 0 while it has none
    std::uint64_t out_offset = 0;
    std::uint64_t err_offset = 0;
    Timestamp out_time{};  // of the last line read; the epoch where there is none, or an older version wrote this
    Timestamp err_time{};
    Timestamp end_time{};  // of the record that ends at the larger offset; the epoch where none does
    bool has_times() const { return out_time != Timestamp{} || err_time != Timestamp{}; }
    bool operator==(const FilePosition&) const = default;
};

// A place in a log that the engine serves as entries with times. Times alone name no place: a clock steps back. So the
// place is named by its mark, an entry that was taken while no long line was in the middle of its pieces, and by how
// many entries behind it were taken too. Nor do equal entries: an engine whose times are whole seconds serves hundreds
// of them, so the mark is the first entry of its moment, told by the entry before it, and the others are counted.
struct TimePosition {
    Timestamp out{};  // per stream, the time of the last line taken
    Timestamp err{};
    Timestamp mark_time{};
    std::uint64_t mark = 0;  // fingerprint of the mark (intake/engine_logs/logs_place.h); 0: none, only times are known
    std::uint64_t after = 0;   // entries taken behind it and `past`: pieces of lines that are not complete, and between
    Timestamp newest{};        // the latest time taken; later than out and err once the clock stepped back
    std::uint64_t before = 0;  // fingerprint of the entry before the mark; 0: not known (an older version saved it)
    std::uint64_t past = 0;    // entries taken behind the mark that are complete
    bool gap_told = false;     // what the engine cannot serve behind the place is named by a gap record
    bool operator==(const TimePosition&) const = default;
};

// Nothing of the source can be read again (attach, pipes).
struct NoPosition {
    bool operator==(const NoPosition&) const = default;
};

using Position = std::variant<NoPosition, FilePosition, TimePosition>;

// Position as one line of text, and back: "file DEV INO FINGERPRINT OUT ERR" (where no times are known, and as older
// versions wrote it), "file DEV INO FINGERPRINT OUT ERR OUT_NS ERR_NS END_NS", "time OUT_NS ERR_NS" (as older versions
// wrote it), "time OUT_NS ERR_NS MARK_NS MARK AFTER NEWEST_NS" (likewise), the same with " BEFORE PAST TOLD" behind it,
// "none".
std::string to_text(const Position& position);
std::optional<Position> parse_position(std::string_view text);

// What a sealed segment covers of one source, saved with it.
struct Checkpoint {
    Position position;
    std::uint64_t lines = 0;  // lines of this source sealed so far: the ordinal of the next one
    // Bytes of their messages; nothing where an older Boatswain, which did not count them, began the state.
    std::optional<std::uint64_t> bytes = 0;
    bool operator==(const Checkpoint&) const = default;
};

}  // namespace boatswain
