// One line of the engine's json-file log:
//
//   {"log":"GET /\n","stream":"stdout","time":"2026-11-23T00:14:35.375600667Z"}
//   {"log":"GET /\n","stream":"stdout","attrs":{"tag":"x"},"time":"..."}         with --log-opt labels, env or tag
//
// (moby, daemon/logger/jsonfilelog/jsonlog.) The engine writes one fixed shape with Go's JSON encoder, and reading it
// is most of what reading costs: a scanner takes that shape at memory speed and unescapes the message straight to where
// it will lie. Every line of another shape goes to a general JSON parser; what that refuses too is malformed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "record/line.h"

namespace boatswain::intake {

struct JsonLine {
    Timestamp time{};
    Stream stream = Stream::out;
    bool newline = false;        // "log" ended in a newline, which is not part of the message
    bool inner_newline = false;  // the message holds another newline: the caller must split it
    std::size_t message_bytes = 0;
};

class JsonLineScanner {
  public:
    // More than line.size() is written past the message's start at most by this.
    static constexpr std::size_t slack = 64;

    // Reads `line` (without its final '\n') and writes its message at `out`, which has room for line.size() + slack
    // bytes. False: malformed; what lies at `out` has no meaning then.
    bool scan(std::string_view line, char* out, JsonLine& found);

    // A line that is longer than may be held is read from its two ends: the engine writes the message first, and the
    // time last. `front` is its beginning, which must hold message and stream whole; `out` as above, for front.size().
    static bool scan_front(std::string_view front, char* out, JsonLine& found);
    static bool scan_back(std::string_view back, JsonLine& found);
    static constexpr std::size_t back_bytes = 64;  // hold the time

    // How many lines took the general parser: for the metric that shows an engine of another shape.
    std::uint64_t general_lines() const { return general_lines_; }

  private:
    bool scan_tail(const char* at, const char* end, JsonLine& found);
    bool scan_time(const char* at, const char* end, JsonLine& found);
    bool scan_generally(std::string_view line, char* out, JsonLine& found);

    std::string attrs_;          // the text between "attrs": and ,"time" of the last line that had some
    std::string padded_;         // for the general parser
    char minute_text_[17] = {};  // "2026-11-23T00:14:", and what it means
    std::optional<Timestamp> minute_;
    std::uint64_t general_lines_ = 0;
};

}  // namespace boatswain::intake
