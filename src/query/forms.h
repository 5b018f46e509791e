// Both forms of a key in one hour (docs/formats/segment.md, "The second form"): the same bytes are one object, other
// bytes are a conflict of which both are shown.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "query/catalog.h"
#include "store/store.h"

namespace boatswain::query {

struct Forms {
    std::uint64_t copies = 0;     // objects taken out: the first form of their key holds the same bytes
    std::uint64_t conflicts = 0;  // numbers that are left with several objects
};

// `infos`: of one hour or several, in the order of their names. Takes the copies out. Reads the object of the first
// form wherever one of the second has its size, in pieces. Errors are the store's own trouble.
Result<Forms> settle_forms(store::Store& store, std::vector<SegmentInfo>& infos);

}  // namespace boatswain::query
