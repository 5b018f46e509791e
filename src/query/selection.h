// Which lines a question is about. Empty lists and absent values ask for everything.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "open/segment_reader.h"
#include "query/range.h"
#include "record/line.h"
#include "record/source.h"

namespace boatswain::query {

struct Selection {
    std::optional<TenantId> tenant;
    std::vector<std::string> apps;        // any of these, exactly
    std::vector<std::string> containers;  // any of these: a container's name, or the start of its id
    std::optional<Stream> stream;
    TimeRange range;

    bool holds(const Source& source) const;
    // Whether a frame with these times can hold a matching entry.
    bool holds(const segment::FrameCounts& counts) const;
    bool holds(const Line& line) const;
    // A gap belongs to no stream: what is missing may be of either.
    bool holds(const Gap& gap) const;
};

// As engines accept them: shorter starts of an id would be names by accident.
inline constexpr std::size_t id_prefix_min = 4;

// A tenant as people name it, "_unassigned" included.
Result<TenantId> parse_tenant(std::string_view name);

}  // namespace boatswain::query
