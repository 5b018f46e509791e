#include "query/catalog.h"

#include <algorithm>

#include "base/bytes.h"
#include "query/selection.h"

namespace boatswain::query {

namespace {

constexpr std::string_view format_prefix = "v1/";
constexpr std::string_view heartbeats_prefix = "v1/fleet/";  // docs/formats/heartbeat.md
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

std::string prefix_of(const TenantId& tenant, const HourPlace& place) {
    constexpr std::size_t hour_text_size = 13;  // 2026-11-23T10
    if (!place.spanning) return segment::hour_prefix(tenant, place.hour);
    return segment::span_prefix(tenant) + to_text(place.hour).substr(0, hour_text_size) + "/";
}

std::optional<HourPlace> place_of(const TenantId& tenant, std::string_view prefix) {
    bool spanning = prefix.starts_with(segment::span_prefix(tenant));
    auto under = spanning ? segment::span_prefix(tenant) : segment::tenant_prefix(tenant) + std::string{hour_part};
    if (!prefix.starts_with(under) || !prefix.ends_with('/')) return std::nullopt;
    auto text = prefix.substr(under.size(), prefix.size() - under.size() - 1);
    auto hour = parse_time(std::string{text} + ":00:00Z");
    if (!hour) return std::nullopt;
    HourPlace place{*hour, spanning};
    return prefix_of(tenant, place) == prefix ? std::optional{place} : std::nullopt;
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
        else if (prefix != heartbeats_prefix)
            ++foreign_;
        return found.size() <= listed_max;
    }));
    if (found.size() > listed_max) return too_many("tenants", std::string{format_prefix});
    std::ranges::sort(found);
    return found;
}

Result<std::vector<HourPlace>> Catalog::hours(const TenantId& tenant, const HourSpan& span) {
    std::vector<HourPlace> found;
    auto under = segment::tenant_prefix(tenant);
    CHECK(for_each_prefix(under, [&](std::string_view prefix) {
        auto place = place_of(tenant, prefix);
        if (!place)
            ++foreign_;
        else if (place->hour <= span.last && (place->spanning || place->hour >= span.first))
            found.push_back(*place);
        return found.size() <= listed_max;
    }));
    if (found.size() > listed_max) return too_many("hours", under);
    std::ranges::sort(found);
    return found;
}

Result<std::vector<SegmentInfo>> Catalog::segments(const TenantId& tenant, const HourPlace& place) {
    std::vector<SegmentInfo> found;
    auto under = prefix_of(tenant, place);
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
