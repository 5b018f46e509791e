// Sealing: frames of one tenant become a segment, a complete age file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/recipient.h"
#include "record/source.h"
#include "segment/frame_text.h"
#include "segment/object_key.h"

namespace boatswain::segment {

// Compresses frames. Holds one zstd context: one per thread, reused.
class Compressor {
  public:
    explicit Compressor(int level);  // zstd level, 1 to 19
    ~Compressor();
    Compressor(Compressor&&) noexcept;
    // One whole zstd frame with content size and checksum.
    std::string compress(std::string_view text);

  private:
    struct Context;
    std::unique_ptr<Context> context_;
};

// A frame of one source, compressed, and what the footer will say of it.
struct Frame {
    std::size_t source = 0;  // index into SegmentParts::sources
    std::string compressed;
    std::uint64_t text_bytes = 0;     // before compression
    std::uint64_t first_ordinal = 0;  // of its first line, counted from 0 since the source's first line
    FrameCounts counts;
};

// Everything a segment is made of. Frames of one source are in the source's own order.
struct SegmentParts {
    ObjectKey key;
    Timestamp sealed_at{};
    std::string previous_sha256;  // hex, of the previous object of this tenant, host and epoch; empty for the first
    std::vector<Source> sources;
    std::vector<Frame> frames;
};

struct SealedSegment {
    ObjectKey key;
    std::string bytes;   // the age file
    std::string sha256;  // of bytes, 32 raw bytes
    std::uint64_t lines = 0;
};

// Seals for all `recipients` (at least one). Consumes the frames as it goes, to hold the bytes only once.
Result<SealedSegment> seal(SegmentParts parts, std::span<const crypto::Recipient> recipients);

}  // namespace boatswain::segment
