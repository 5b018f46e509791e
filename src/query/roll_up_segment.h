// One segment, read for a roll-up: what the roll-up is to say of it, or what one that is there should have said.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "open/identity.h"
#include "query/budget.h"
#include "query/catalog.h"
#include "rollup/grams.h"
#include "rollup/rollup.h"
#include "store/store.h"

namespace boatswain::query {

struct PreparedSegment {
    std::optional<rollup::SegmentSummary> summary{};  // none: damaged, gone, or for others
    std::vector<rollup::GramFilter> filters{};        // of its frames, where grams were asked for
    std::uint64_t text_bytes = 0;
    std::optional<Error> damage{};
    Share held{};
};

// With `grams` every frame is read. The error is the store's, or says that the budget was used up.
Result<PreparedSegment> prepare_segment(store::Store& store, const SegmentInfo& info,
                                        std::span<const open::Identity> identities, const Limits& limits, bool grams);

}  // namespace boatswain::query
