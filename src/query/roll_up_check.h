// Whether a roll-up says what its segments say: each that it names is opened again, and every gram of every line looked
// up in the filter of its frame. A roll-up that lies can hide lines from questions, and nothing else notices.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "open/identity.h"
#include "query/budget.h"
#include "query/catalog.h"
#include "store/store.h"

namespace boatswain::query {

// Of one roll-up at most so many are told; the rest is counted.
inline constexpr std::size_t roll_up_problems_max = 100;

struct RollUpCheck {
    std::uint64_t segments = 0;  // compared
    std::uint64_t left_out = 0;  // gone since (retention), or damaged: verify names those
    std::vector<std::string> problems{};
    std::uint64_t problem_count = 0;
    bool is_for_others = false;  // sealed for none of the identities: nothing was compared
};

// The error is the store's, or says that the budget was used up.
Result<RollUpCheck> check_roll_up(store::Store& store, std::span<const open::Identity> identities,
                                  const TenantId& tenant, const RollupInfo& listed, const Limits& limits);

}  // namespace boatswain::query
