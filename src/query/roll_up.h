// Makes the roll-up of a tenant's day (docs/formats/rollup.md): opens each of its segments once, so that readers need
// not.
//
// What an older roll-up says of hours that did not change is kept as it is. Nothing is held but the parts of one day,
// and of a few segments what is being made of them. Segments that none of the identities opens, and damaged ones, are
// left out: readers open them themselves, and say what is wrong.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "open/identity.h"
#include "query/budget.h"
#include "query/merge.h"
#include "store/store.h"

namespace boatswain::query {

struct RollUpOptions {
    bool grams = true;   // filters for questions about a text: reads every frame
    bool again = false;  // hours that did not change, too
    Timestamp now{};     // when it is made
};

struct RolledUpDay {
    std::size_t hours = 0;
    std::size_t hours_kept = 0;  // as an older roll-up had them
    std::uint64_t segments = 0;
    std::uint64_t left_out = 0;  // segments that are damaged, or for others
    std::uint64_t text_bytes = 0;
    std::uint64_t bytes = 0;  // of the object; 0: nothing changed, or there is nothing
};

// `day` is a midnight. The error is the store's, or says that the budget was used up: nothing was replaced then.
Result<RolledUpDay> roll_up_day(store::Store& store, std::span<const open::Identity> identities, const TenantId& tenant,
                                Timestamp day, const RollUpOptions& options, const Limits& limits, Observer& observer);

// The days of `tenant` in `range` that have segments.
Result<std::vector<Timestamp>> days_with_segments(store::Store& store, const TenantId& tenant, const TimeRange& range,
                                                  Budget& budget);

}  // namespace boatswain::query
