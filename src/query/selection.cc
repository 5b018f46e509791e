#include "query/selection.h"

#include <algorithm>

namespace boatswain::query {

bool Selection::wants(const Origin& origin) const { return !filter || filter->match(origin) != Match::none; }

bool Selection::wants(const FrameSummary& frame) const {
    const auto& counts = frame.frame.counts;
    return (counts.lines + counts.gaps > 0 || (numbered && counts.end)) &&
           range.touches(counts.first_time, counts.last_time) && (!filter || filter->match(frame) != Match::none);
}

bool Selection::wants(const Entry& entry) const {
    const auto& gap = entry.text.gap;
    bool in_range = entry.is_line() || entry.is_end() ? range.contains(entry.time())
                                                      : range.touches(gap.from, std::max(gap.from, gap.to));
    return in_range && (!filter || filter->match(entry) != Match::none);
}

Result<TenantId> parse_tenant(std::string_view name) { return TenantId::parse_any(name); }

}  // namespace boatswain::query
