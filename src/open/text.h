// The text of a frame (docs/formats/segment.md, "The text of a frame"). for_each_entry() is declared in
// open/segment_reader.h; this is what else reading it needs.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "segment/frame_text.h"

namespace boatswain::open {

// The source's id as the heading at the start of `text` says. Remedy::quarantine when there is no heading.
Result<std::string> heading_source(std::string_view text);

// Counts the text of a frame as the writer's FrameText does, to compare with the footer.
Result<segment::FrameCounts> count_text(std::string_view text);

}  // namespace boatswain::open
