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
#include "intake/log_file/record_form.h"

namespace boatswain::intake {

class JsonLineScanner final : public RecordScanner {
  public:
    bool scan(std::string_view line, char* out, LogRecord& found) override;

    // How many lines took the general parser: for the metric that shows an engine of another shape.
    std::uint64_t general_lines() const { return general_lines_; }

  private:
    bool scan_tail(const char* at, const char* end, LogRecord& found);
    bool scan_time(const char* at, const char* end, LogRecord& found);
    bool scan_generally(std::string_view line, char* out, LogRecord& found);

    std::string attrs_;          // the text between "attrs": and ,"time" of the last line that had some
    std::string padded_;         // for the general parser
    char minute_text_[17] = {};  // "2026-11-23T00:14:", and what it means
    std::optional<Timestamp> minute_;
    std::uint64_t general_lines_ = 0;
};

class JsonForm final : public RecordForm {
  public:
    std::unique_ptr<RecordScanner> scanner() const override { return std::make_unique<JsonLineScanner>(); }
    std::size_t find_record(std::string_view line) const override;
    // The engine writes the message first, and the time last.
    bool scan_front(std::string_view front, char* out, LogRecord& found) const override;
    std::optional<Timestamp> scan_back(std::string_view back, bool whole) const override;
    std::size_t back_bytes() const override { return 64; }
    PieceForm pieces() const override { return {}; }
};
inline constexpr JsonForm json_form;

}  // namespace boatswain::intake
