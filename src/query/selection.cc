#include "query/selection.h"

#include <algorithm>

namespace boatswain::query {

bool Selection::holds(const Source& source) const {
    auto is_app = [&](const std::string& app) { return app == source.whose.app; };
    auto is_container = [&](const std::string& wanted) {
        return wanted == source.name || (wanted.size() >= id_prefix_min && source.id.starts_with(wanted));
    };
    if (!apps.empty() && std::ranges::none_of(apps, is_app)) return false;
    return containers.empty() || std::ranges::any_of(containers, is_container);
}

bool Selection::holds(const segment::FrameCounts& counts) const {
    return counts.lines + counts.gaps > 0 && range.touches(counts.first_time, counts.last_time);
}

bool Selection::holds(const Line& line) const {
    return range.contains(line.time) && (!stream || *stream == line.stream);
}

bool Selection::holds(const Gap& gap) const { return range.touches(gap.from, std::max(gap.from, gap.to)); }

Result<TenantId> parse_tenant(std::string_view name) { return TenantId::parse_any(name); }

}  // namespace boatswain::query
