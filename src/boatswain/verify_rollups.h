// verify --rollups: each roll-up compared with the segments that it describes (query/roll_up_check.h).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "boatswain/commands.h"
#include "boatswain/output.h"
#include "open/identity.h"
#include "query/budget.h"
#include "query/range.h"
#include "record/source.h"
#include "store/store.h"

namespace boatswain::tool {

struct RollUpsVerified {
    std::uint64_t rollups = 0, segments = 0, left_out = 0, for_others = 0;
    std::vector<std::string> problems;  // with the roll-up's name
    std::uint64_t problem_count = 0;

    bool is_sound() const { return problem_count == 0; }
};

// Those of `tenant` (nothing: of all) whose day lies in `range` in part. The error is a store's, or over budget.
Result<RollUpsVerified> verify_rollups(store::Store& store, std::span<const open::Identity> identities,
                                       const std::optional<TenantId>& tenant, const query::TimeRange& range,
                                       const query::Limits& limits);

void print_rollups(const RollUpsVerified& verified, Console& console);
// A member "rollups" of the object that is being written.
void write_rollups(JsonWriter& json, const RollUpsVerified& verified);

}  // namespace boatswain::tool
