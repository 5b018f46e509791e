#include "query/catalog.h"

#include <algorithm>

#include "base/bytes.h"
#include "query/selection.h"

namespace boatswain::query {

namespace {

constexpr std::string_view format_prefix = "v1/";
constexpr std::string_view tenant_part = "v1/tenant=";
constexpr std::string_view hour_part = "hour=";

// Only what the sealing side would have written is read: each name is made again from what was understood, and
// compared.
std::optional<TenantId> tenant_of(std::string_view prefix) {
    if (!prefix.starts_with(tenant_part) || !prefix.ends_with('/')) return std::nullopt;
    auto encoded = prefix.substr(tenant_part.size(), prefix.size() - tenant_part.size() - 1);
    auto name = percent_decode(encoded);
    if (!name) return std::nullopt;
    auto tenant = parse_tenant(*name);
    if (!tenant || segment::tenant_prefix(*tenant) != prefix) return std::nullopt;
    return *tenant;
}

std::optional<Timestamp> hour_of(const TenantId& tenant, std::string_view prefix) {
    auto under = segment::tenant_prefix(tenant) + std::string{hour_part};
    if (!prefix.starts_with(under) || !prefix.ends_with('/')) return std::nullopt;
    auto text = prefix.substr(under.size(), prefix.size() - under.size() - 1);
    auto hour = parse_time(std::string{text} + ":00:00Z");
    if (!hour || segment::hour_prefix(tenant, *hour) != prefix) return std::nullopt;
    return hour;
}

std::unexpected<Error> too_many(std::string_view what, const std::string& under) {
    return fail(Remedy::stop, "list " + under + ": more than " + std::to_string(listed_max) + " " + std::string{what} +
                                  "; ask for less with --tenant, --since and --until");
}

}  // namespace

Result<void> Catalog::for_each_prefix(const std::string& under, const std::function<bool(std::string_view)>& each) {
    std::optional<std::string> next;
    do {
        TRY(auto page, store_.list(under, true, next));
        foreign_ += page.objects.size();
        for (const auto& prefix : page.prefixes)
            if (!each(prefix)) return {};
        next = std::move(page.next);
    } while (next);
    return {};
}

Result<std::vector<TenantId>> Catalog::tenants() {
    std::vector<TenantId> found;
    CHECK(for_each_prefix(std::string{format_prefix}, [&](std::string_view prefix) {
        if (auto tenant = tenant_of(prefix))
            found.push_back(*tenant);
        else
            ++foreign_;
        return found.size() <= listed_max;
    }));
    if (found.size() > listed_max) return too_many("tenants", std::string{format_prefix});
    std::ranges::sort(found);
    return found;
}

Result<std::vector<Timestamp>> Catalog::hours(const TenantId& tenant, const HourSpan& span) {
    std::vector<Timestamp> found;
    auto under = segment::tenant_prefix(tenant);
    CHECK(for_each_prefix(under, [&](std::string_view prefix) {
        auto hour = hour_of(tenant, prefix);
        if (!hour)
            ++foreign_;
        else if (*hour >= span.first && *hour <= span.last)
            found.push_back(*hour);
        return found.size() <= listed_max;
    }));
    if (found.size() > listed_max) return too_many("hours", under);
    std::ranges::sort(found);
    return found;
}

Result<std::vector<SegmentInfo>> Catalog::segments(const TenantId& tenant, Timestamp hour) {
    std::vector<SegmentInfo> found;
    auto under = segment::hour_prefix(tenant, hour);
    CHECK(store::for_each_object(store_, under, [&](const store::ObjectInfo& object) {
        if (auto key = segment::parse_object_key(object.key))
            found.push_back({.key = std::move(*key), .size = object.size});
        else
            ++foreign_;
        return found.size() <= listed_max;
    }));
    if (found.size() > listed_max) return too_many("segments", under);
    return found;
}

}  // namespace boatswain::query
