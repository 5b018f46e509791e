// The text of one frame while it grows: a heading, then lines and gaps of one source in CRI form.
// docs/formats/segment.md is the specification.
//
// A reader writes each line where it will lie: begin_line() gives room for the message, end_line() says how much of it
// was used. No copy in between.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "record/gap.h"
#include "record/line.h"
#include "record/source.h"

namespace boatswain::segment {

// What the footer says about a frame's lines.
struct FrameCounts {
    std::uint64_t lines = 0;          // lines, pieces counted each (gaps are not lines)
    std::uint64_t message_bytes = 0;  // bytes of their messages
    std::uint64_t gaps = 0;
    Timestamp first_time{};  // earliest and latest time of a line or gap
    Timestamp last_time{};
};

class FrameText {
  public:
    // Starts with the heading of `source`.
    explicit FrameText(const Source& source);

    // Room for a message of up to `message_bytes_max` bytes, after the written "TIME STREAM F ". Valid until the next
    // call.
    char* begin_line(Timestamp time, Stream stream, std::size_t message_bytes_max);
    // Ends the line whose message's last byte is before `message_end`. The message holds no '\n'.
    void end_line(const char* message_end, bool partial);
    // Gives the line up that begin_line() started: nothing of it stays.
    void abandon_line() {}

    void append(const Line& line);
    void append(const Gap& gap);

    std::string_view text() const { return {text_.data(), used_}; }
    const FrameCounts& counts() const { return counts_; }
    std::size_t capacity() const { return text_.capacity(); }  // what it costs in memory, in bytes

  private:
    char* room(std::size_t bytes);
    void count_time(Timestamp time);
    void set_minute(Timestamp time);

    std::string text_;  // grown in steps; bytes past used_ are not meaningful
    std::size_t used_ = 0;
    std::size_t message_start_ = 0;
    Timestamp line_time_{};
    FrameCounts counts_;
    // The minute of the last time written, and its text: most lines share it.
    std::int64_t cached_minute_ = 0;  // its first nanosecond
    char cached_text_[17] = {};       // "2026-11-22T10:00:"
};

}  // namespace boatswain::segment
