// The footer of a segment, found at the end of the age plaintext and checked against it.
#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"
#include "open/bounds.h"
#include "open/segment_reader.h"
#include "open/zstd_frame.h"

namespace boatswain::open {

// Reads [first, first + length) of the age plaintext, which lies inside.
using ReadPlaintext = std::function<Result<std::string>(std::uint64_t first, std::uint64_t length)>;

// Finds, decompresses, parses and checks the footer of a plaintext of `plaintext_bytes`. Remedy::quarantine for what
// does not fit.
Result<Footer> read_footer(std::uint64_t plaintext_bytes, const ReadPlaintext& read, Decompressor& decompressor,
                           const Bounds& bounds = {});

// The JSON that read_footer() parses, checked against its place, not for what it says.
Result<std::string> read_footer_json(std::uint64_t plaintext_bytes, const ReadPlaintext& read,
                                     Decompressor& decompressor, const Bounds& bounds = {});

// Whether the frames of a footer that came without its object can lie in a plaintext of `plaintext_bytes`, one after
// another from its start. Remedy::quarantine otherwise.
Result<void> check_frames(const Footer& footer, std::uint64_t plaintext_bytes);

// Whether an object of `object_bytes` with this footer is within `bounds`. Remedy::quarantine otherwise.
Result<void> check_bounds(const Footer& footer, std::uint64_t object_bytes, const Bounds& bounds);

// What it costs to hold `footer`, in bytes: an estimate, rather too high.
std::uint64_t memory_of(const Footer& footer);

}  // namespace boatswain::open
