// Cuts the answer to GET /logs?timestamps=1 into records: what the engine kept as one entry, with its time.
//
// Two shapes (Docker Engine API; measured on 20.10.24):
//   frames    a container without a terminal: one frame of the multiplexed stream is one record, "TIME BYTES" with the
//             newline that the container printed, if it did. A line over 16 KiB comes as several records; all carry the
//             time of the line's start. `local` leaves out the newline of such a line's last piece.
//   terminal  a container with a TTY: no frames, lines "TIME BYTES\r\n". The time stands again before each 16 KiB piece
//             of a long line, in the middle of the text. It is the line's own time to the nanosecond: that tells it
//             from output, and it is taken out.
//
// Invariants
//   - What does not start with a time is a message of the engine ("Error grabbing logs: ...") and is never given out as
//     output.
//   - At most logs_record_bytes_max is buffered.
//   - A record's bytes hold no newline: one that has some inside (a log file tampered with) is given as several, with
//     the same time.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "engine/multiplexed.h"
#include "record/line.h"

namespace boatswain::engine {

struct LogsRecord {
    Stream stream = Stream::out;
    Timestamp time{};
    std::string_view bytes;         // without the newline; borrowed for the call
    bool ended_by_newline = false;  // false: a piece of a longer line, or a last line without newline
    unsigned part = 0;              // which of the several that one entry of the engine was given as
};

// The engine's own pieces are 16 KiB of raw bytes, at most three times that after its repair of broken UTF-8.
inline constexpr std::size_t logs_piece_bytes = 16U << 10;
inline constexpr std::size_t logs_record_bytes_max = 1U << 20;

class LogsLineSplitter {
  public:
    enum class Shape { frames, terminal };  // decide by ContainerFacts::tty
    using OnRecord = std::function<void(const LogsRecord& record)>;
    // Trouble that the engine reports in mid-stream, at most its first 64 KiB: log it, reconnect. Made of bytes from
    // outside.
    using OnMessage = std::function<void(std::string_view message)>;

    explicit LogsLineSplitter(Shape shape) : shape_(shape) {}

    // Takes bytes as they come. Lost framing, and a frame over logs_record_bytes_max, are Remedy::quarantine and final:
    // drop the stream. A terminal's line over logs_record_bytes_max is given out in pieces.
    Result<void> feed(std::string_view bytes, const OnRecord& on_record, const OnMessage& on_message);

    // The stream ended: gives out what is left of a terminal's last line. An end in the middle of a frame is
    // Remedy::back_off.
    Result<void> end(const OnRecord& on_record, const OnMessage& on_message);

  private:
    Result<void> feed_frames(std::string_view bytes, const OnRecord& on_record, const OnMessage& on_message);
    void feed_terminal(std::string_view bytes, const OnRecord& on_record, const OnMessage& on_message);
    void give_terminal(std::string_view text, bool newline, const OnRecord& on_record, const OnMessage& on_message);

    Shape shape_;
    MultiplexedParser parser_;
    std::string pending_;  // the frame, or the terminal's line, so far
    std::string message_;  // the engine's own message so far
    bool too_long_ = false;
    bool line_continues_ = false;  // terminal: the line was over the bound, its first pieces are given out
    std::string line_time_;        // terminal: "TIME " of the line at hand
};

}  // namespace boatswain::engine
