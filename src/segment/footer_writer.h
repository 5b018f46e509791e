// The footer of a segment: the zstd skippable frame that ends the age plaintext (docs/formats/segment.md, "The
// footer").
#pragma once

#include <string>

#include "base/result.h"
#include "segment/seal.h"

namespace boatswain::segment {

// The JSON alone. Frames are taken to lie one after another from offset 0.
std::string footer_json(const SegmentParts& parts);

// The whole skippable frame. Remedy::stop when the JSON would be longer than readers accept.
Result<std::string> footer(const SegmentParts& parts, Compressor& compressor);

}  // namespace boatswain::segment
