// The text of one frame while it grows: a heading, then lines and gaps of one source in CRI form.
// docs/formats/segment.md is the specification.
//
// A reader writes each line where it will lie: begin_message() gives room for it, end_message() says how much of it
// was used. No copy in between.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "record/end.h"
#include "record/gap.h"
#include "record/line.h"
#include "record/source.h"

namespace boatswain::segment {

// What the footer says about a frame's lines.
struct FrameCounts {
    std::uint64_t lines = 0;          // lines, pieces counted each (gaps are not lines)
    std::uint64_t message_bytes = 0;  // bytes of their messages
    std::uint64_t gaps = 0;
    Timestamp first_time{};  // earliest and latest time of a line, a gap or the end
    Timestamp last_time{};
    std::optional<End> end;  // the closing record, the last thing in the frame

    bool empty() const { return lines + gaps == 0 && !end; }
    bool operator==(const FrameCounts&) const = default;
};

class FrameText {
  public:
    FrameText() = default;  // of no source, for a place that is filled later
    // Starts with the heading of `source`. `memory` is what another frame's take_memory() gave: it saves growing again.
    explicit FrameText(const Source& source, std::string memory = {});
    // Gives up the text, and its memory for another frame.
    std::string take_memory();

    // Room for a message of up to `message_bytes_max` bytes; what lies there is no line until end_message(). Valid
    // until the next call. A reader that learns time and stream only behind the message (json-file) unescapes it
    // straight to here.
    char* begin_message(std::size_t message_bytes_max) {
        return room(prefix_size + message_bytes_max + 1) + prefix_size;
    }
    // Makes the message at begin_message(), which ends before `message_end` and holds no '\n', a line.
    void end_message(Timestamp time, Stream stream, bool partial, const char* message_end);
    // Gives up what begin_message() started: nothing of it stays.
    void abandon_message() {}

    // The same from bytes that lie elsewhere. A message that holds a '\n' becomes several lines, as it would read.
    void append(const Line& line);
    void append(const Gap& gap);
    void append(const End& end);  // the last thing that is appended

    std::string_view text() const { return {text_.data(), used_}; }
    const FrameCounts& counts() const { return counts_; }
    std::size_t capacity() const { return text_.capacity(); }                   // what it costs in memory, in bytes
    const std::map<std::string, std::uint64_t>& gaps() const { return gaps_; }  // by reason

  private:
    static constexpr std::size_t prefix_size = 40;  // "2026-11-22T10:00:00.123456789Z stdout F "
    void append_piece(const Line& line, std::string_view message, bool partial);
    char* room(std::size_t bytes);
    void append_note(std::string_view note);
    void count_time(Timestamp time);
    void set_minute(Timestamp time);

    std::string text_;  // grown in steps; bytes past used_ are not meaningful
    std::size_t used_ = 0;
    FrameCounts counts_;
    std::map<std::string, std::uint64_t> gaps_;
    // The minute of the last time written, and its text: most lines share it.
    std::int64_t cached_minute_ = 0;  // its first nanosecond
    char cached_text_[17] = {};       // "2026-11-22T10:00:"
};

// The JSON of a closing record, as it stands in the text and in the footer.
std::string end_json(const End& end);

}  // namespace boatswain::segment
