// One record of a log that a CRI runtime writes (containerd, CRI-O; Podman's driver k8s-file):
//
//   2026-11-29T11:27:17.963756285Z stdout F GET /
//   2026-11-29T11:27:17.796730654+00:00 stderr P the first piece of a long li
//
// (kubernetes, KEP "cri-container-log"; cri-api's `LogTag`.) `F` ends a line, `P` does not: the next record of its
// stream goes on with it, in the next file if need be, and has a time of its own. Tags may be joined by ':'; only the
// first one counts. Everything behind the third blank is the message, byte for byte. containerd trims zeros at a
// time's end and takes the CR off a CRLF; conmon does neither.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "intake/log_file/record_form.h"

namespace boatswain::intake {

class CriLineScanner final : public RecordScanner {
  public:
    bool scan(std::string_view line, char* out, LogRecord& found) override;

  private:
    bool scan_time(std::string_view text, Timestamp& time);

    char minute_text_[17] = {};  // "2026-11-23T00:14:", and what it means
    std::optional<Timestamp> minute_;
};

class CriForm final : public RecordForm {
  public:
    std::unique_ptr<RecordScanner> scanner() const override { return std::make_unique<CriLineScanner>(); }
    std::size_t find_record(std::string_view line) const override;
    bool scan_front(std::string_view front, char* out, LogRecord& found) const override;
    std::optional<Timestamp> scan_back(std::string_view back, bool whole) const override;
    // A piece of containerd has 16 KiB by default (max_container_log_line_size), one of conmon 8 KiB.
    std::size_t back_bytes() const override { return (16U << 10) + 64; }
    PieceForm pieces() const override { return {.bytes_min = 0, .share_time = false}; }
};
inline constexpr CriForm cri_form;

}  // namespace boatswain::intake
