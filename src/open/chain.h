// The place of a segment in its chain, read from the age header: no identity is needed for it.
// docs/formats/segment.md, "The chain stanza".
//
// What is read here was not authenticated: the header's MAC covers it, and only who has an identity can check that
// (SegmentReader::open does, and compares with the footer). Without one, the hashes of the chain show whether it was
// changed.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "open/age_header.h"
#include "open/segment_reader.h"
#include "segment/chain.h"

namespace boatswain::open {

// Nothing: the header has no chain stanza, as the first segments had none. Remedy::quarantine when there are two, or
// one that is not of the form.
Result<std::optional<segment::Chain>> chain_of(const AgeHeader& header);

// The same from the bytes at the start of an object: all of its header, at most age_header_bytes_max.
Result<std::optional<segment::Chain>> chain_in(std::string_view object_start);

// Remedy::quarantine when the two tell of different places.
Result<void> check_chain(const segment::Chain& chain, const Footer& footer);

}  // namespace boatswain::open
