// logs --grep and --regex with lines around those that were found.
#pragma once

#include <span>

#include "boatswain/commands.h"
#include "boatswain/reading.h"
#include "query/context.h"

namespace boatswain::tool {

struct ContextReading {
    store::Store& store;
    std::span<const open::Identity> identities;
    const query::Selection& selection;  // of what may be around, too
    const query::Limits& limits;
    const query::FilterPtr& finds;
    std::uint64_t lines_found = 0;
    bool complete = true;  // becomes false where --limit or --tail ended it
};

Result<query::Tally> show_with_context(const Logs& request, ContextReading& reading, Console& console,
                                       Progress& progress);

}  // namespace boatswain::tool
