// The engine's multiplexed stream: frames of an 8-byte header (0 or 1 stdout, 2 stderr, 3 a message of the engine
// itself; three zeros; length, big-endian 32 bit) and a payload. Docker Engine API, "Stream format" of POST
// /containers/{id}/attach; type 3 is `Systemerr` of moby's pkg/stdcopy, by which GET /logs reports trouble in
// mid-stream.
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

    // `bytes` is part of a message of the engine itself; never the container's output.
    using OnMessage = std::function<void(std::string_view bytes, bool frame_end)>;

    // A header that is none (stream type over 3, padding not zero) is Remedy::quarantine; the parser then refuses all
    // that follows: framing is lost. An empty payload is called back too. Without `on_message` the engine's messages
    // are passed over.
    Result<void> feed(std::string_view bytes, const OnPayload& on_payload, const OnMessage& on_message = {});

    // True between frames: an end of stream here is clean.
    bool at_frame_start() const { return header_used_ == 0 && remaining_ == 0; }

  private:
    void deliver(std::string_view payload, const OnPayload& on_payload, const OnMessage& on_message);

    unsigned char header_[8] = {};
    std::size_t header_used_ = 0;
    std::uint64_t remaining_ = 0;
    unsigned char type_ = 0;
    bool broken_ = false;
};

}  // namespace boatswain::engine
