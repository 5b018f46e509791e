// What the engine writes into a log driver's FIFO: frames, each a length and a protobuf message LogEntry.
//
//   frame     length (4 bytes, big endian), then so many bytes of LogEntry
//   LogEntry  1 source (string: "stdout", "stderr")   2 time_nano (varint)   3 line (bytes, without its newline)
//             4 partial (bool)   5 partial_log_metadata { 1 last (bool)  2 id (string)  3 ordinal (varint) }
//
// (moby api/types/plugins/logdriver/entry.proto; docs/intake/driver.md has an example.) Fields that we do not know are
// passed over; everything is bounded by the frame, and a frame by frame_bytes_max. Pure: views into what was handed in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace boatswain::intake::driver {

// The engine cuts lines at 16 KiB; the rest of a frame is some hundred bytes. A frame must also fit into a pipe that
// could not be widened (64 KiB), since it is taken from there in one piece.
inline constexpr std::size_t frame_bytes_max = 48U << 10;  // with its length
inline constexpr std::size_t frame_head_bytes = 4;

struct Frame {
    enum class Kind {
        entry,       // a LogEntry of the engine
        note,        // a record of our own (hold.h): the length has its top bit set, which no length of the engine has
        incomplete,  // more bytes are needed
        malformed,   // not a length that the engine writes: what follows cannot be told apart either
    };
    Kind kind = Kind::incomplete;
    std::string_view payload;  // of entry and note
    std::size_t size = 0;      // with the length
};

// The frame that `bytes` begin with.
Frame first_frame(std::string_view bytes);

// How many bytes at the start of `bytes` are whole frames.
std::size_t whole_frames(std::string_view bytes);

struct LogEntry {
    std::string_view source;
    std::int64_t time_nano = 0;
    std::string_view line;
    bool partial = false;
    // Of a line that came in pieces; an engine that sends none (before 18.09) leaves only `partial`.
    struct Piece {
        bool last = false;
        std::string_view id;
        std::int32_t ordinal = 0;
    };
    std::optional<Piece> piece;

    bool is_error_stream() const { return source == "stderr"; }
    // Nothing of the same line follows: `line` was followed by a newline.
    bool ends_line() const { return !partial || (piece && piece->last); }
};

// Nothing for bytes that are no LogEntry.
std::optional<LogEntry> parse_log_entry(std::string_view payload);

// For tests and for `docker logs`: as the engine would write it, with its length.
std::string to_frame(const LogEntry& entry);

// A record of our own.
std::string to_note(std::string_view text);

}  // namespace boatswain::intake::driver
