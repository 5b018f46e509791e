// What of one tenant and hour is exported: `_boatswain.json` beside its parts, written when they are whole. A part that
// the manifest does not name is of a run that was ended; the next run overwrites it.
//
//   {"format":"boatswain-export-1","question":"...","segments":["32 hex digits",...],"parts":2,"lines":71003,
//    "gaps":1,"bytes":913402,"damaged":0}
//
// `segments` are digests of the names of the segments whose lines of this hour are in the parts: a later run adds the
// lines of others, in further parts, and nothing twice.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "segment/object_key.h"

namespace boatswain::exporting {

inline constexpr std::string_view manifest_name = "_boatswain.json";

struct Manifest {
    std::string question;  // what was selected, and in which form it is written
    std::set<std::string> segments;
    std::uint64_t parts = 0, lines = 0, gaps = 0, bytes = 0, damaged = 0;

    std::string json() const;
    bool operator==(const Manifest&) const = default;
};

// 32 hex digits that stand for a segment.
std::string digest_of(const segment::ObjectKey& key);

// Remedy::quarantine for what json() never wrote.
Result<Manifest> parse_manifest(std::string_view text);

}  // namespace boatswain::exporting
