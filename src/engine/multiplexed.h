// The engine's multiplexed stream: frames of an 8-byte header (1 stdout, 2 stderr; three zeros; length, big-endian 32 bit)
// and a payload. Docker Engine API, "Stream format" of POST /containers/{id}/attach.
//
// A push parser: feed() takes bytes as they come, in any pieces, and calls back with payload pieces. It never buffers a
// payload; a frame of 4 GiB passes through as pieces.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/result.h"
#include "record/line.h"

namespace boatswain::engine {

class MultiplexedParser {
  public:
    // `bytes` is part of the payload of a frame of `stream`; `frame_end` says that this piece ends the frame.
    using OnPayload = std::function<void(Stream stream, std::string_view bytes, bool frame_end)>;

    // A header that is none (stream type over 2, padding not zero) is Remedy::quarantine; the parser then refuses all that
    // follows: framing is lost.
    Result<void> feed(std::string_view bytes, const OnPayload& on_payload);

    // True between frames: an end of stream here is clean.
    bool at_frame_start() const { return header_used_ == 0 && remaining_ == 0; }

  private:
    unsigned char header_[8] = {};
    std::size_t header_used_ = 0;
    std::uint64_t remaining_ = 0;
    Stream stream_ = Stream::out;
    bool broken_ = false;
};

}  // namespace boatswain::engine
