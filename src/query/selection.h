// Which entries a question is about. What is absent asks for everything.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "query/filter.h"
#include "query/range.h"
#include "record/source.h"

namespace boatswain::query {

struct Selection {
    std::optional<TenantId> tenant;
    TimeRange range;
    FilterPtr filter{};
    // Entries have ordinals, and closing records are among them: every line of a frame that is read has to be counted.
    bool numbered = false;

    // Whether a source, a frame, an entry has to be read, or shown.
    bool wants(const Origin& origin) const;
    bool wants(const FrameSummary& frame) const;
    bool wants(const Entry& entry) const;
};

// A tenant as people name it, "_unassigned" included.
Result<TenantId> parse_tenant(std::string_view name);

}  // namespace boatswain::query
