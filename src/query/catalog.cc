#include "query/catalog.h"

#include <algorithm>

#include "base/bytes.h"
#include "query/selection.h"
#include "rollup/rollup.h"
#include "store/pages.h"

namespace boatswain::query {

namespace {

constexpr std::string_view format_prefix = "v1/";
constexpr std::string_view heartbeats_prefix = "v1/fleet/";  // docs/formats/heartbeat.md
constexpr std::string_view tenant_part = "v1/tenant=";
constexpr std::string_view hour_part = "hour=";
constexpr std::uint64_t tenant_memory = sizeof(TenantId) + 128;

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

std::uint64_t memory_of(const SegmentInfo& info) {
    return 2 * sizeof(SegmentInfo) + info.key.tenant.str().capacity() + info.key.host.capacity() +
           info.key.epoch.capacity();
}

Result<void> Catalog::check_room(std::uint64_t bytes, std::string_view what) const {
    if (budget_ != nullptr && bytes > budget_->room()) return std::unexpected(over_budget(*budget_, what));
    return {};
}

Result<void> Catalog::for_each_prefix(const std::string& under, const std::function<bool(std::string_view)>& each,
                                      const std::function<bool(const store::ObjectInfo&)>& is_ours) {
    store::Pages pages{store_, under, true};
    while (pages.more()) {
        TRY(auto page, pages.next());
        for (const auto& object : page.objects)
            if (!is_ours || !is_ours(object)) ++foreign_;
        for (const auto& prefix : page.prefixes)
            if (!each(prefix)) return {};
    }
    return {};
}

Result<std::vector<TenantId>> Catalog::tenants() {
    std::vector<TenantId> found;
    Result<void> fits;
    CHECK(for_each_prefix(std::string{format_prefix}, [&](std::string_view prefix) {
        if (auto tenant = tenant_of(prefix))
            found.push_back(*tenant);
        else if (prefix != heartbeats_prefix)
            ++foreign_;
        fits = check_room(found.size() * tenant_memory, "the names of the tenants");
        return fits && found.size() <= listed_max;
    }));
    CHECK(fits);
    if (found.size() > listed_max) return too_many("tenants", std::string{format_prefix});
    std::ranges::sort(found);
    return found;
}

Result<std::vector<HourPlace>> Catalog::hours(const TenantId& tenant, const HourSpan& span,
                                              std::vector<RollupInfo>* rollups) {
    std::vector<HourPlace> found;
    Result<void> fits;
    auto under = segment::tenant_prefix(tenant);
    CHECK(for_each_prefix(
        under,
        [&](std::string_view prefix) {
            auto place = place_of(tenant, prefix);
            if (!place)
                ++foreign_;
            else if (place->hour <= span.last && (place->spanning || place->hour >= span.first))
                found.push_back(*place);
            fits = check_room(found.size() * sizeof(HourPlace), "the hours of a tenant");
            return fits && found.size() <= listed_max;
        },
        [&](const store::ObjectInfo& object) {
            auto day = rollup::parse_rollup_key(tenant, object.key);
            if (day && rollups != nullptr && rollups->size() < listed_max) rollups->push_back({*day, object.size});
            return day.has_value();
        }));
    CHECK(fits);
    if (found.size() > listed_max) return too_many("hours", under);
    std::ranges::sort(found);
    for (const auto& place : found)
        if (!place.spanning) ++hours_of_day_[{tenant, std::chrono::floor<std::chrono::days>(place.hour)}];
    return found;
}

Result<void> Catalog::read_page(const TenantId& tenant, Timestamp day, Day& found) {
    constexpr std::size_t date_size = 10;  // 2026-11-23
    auto under = segment::tenant_prefix(tenant) + std::string{hour_part};
    auto hour_size = segment::hour_prefix(tenant, day).size();
    if (!found.pages)
        found.pages = std::make_unique<store::Pages>(store_, under + to_text(day).substr(0, date_size), false);
    TRY(auto page, found.pages->next());
    auto before = std::max(found.whole_before, day);
    bool is_last = !found.pages->more();
    if (is_last) found.whole_before = day + std::chrono::days{1};
    std::uint64_t memory = 0;
    for (const auto& object : page.objects) {
        auto place = place_of(tenant, std::string_view{object.key}.substr(0, hour_size));
        if (!place) continue;  // hours() counted it
        if (!is_last) found.whole_before = place->hour;
        if (auto key = segment::parse_object_key(object.key)) {
            auto& infos = found.hours[place->hour];
            infos.push_back({.key = std::move(*key), .size = object.size});
            memory += memory_of(infos.back());
        } else {
            ++found.foreign[place->hour];
        }
    }
    found.of_last_page = std::chrono::floor<std::chrono::hours>(std::max(found.whole_before, day) - before);
    if (budget_ != nullptr) {
        TRY(found.held.emplace_back(), budget_->hold(memory, "the names of the segments of a day"));
    }
    return {};
}

bool Catalog::Day::next_page_has(Timestamp hour) const {
    constexpr std::chrono::hours spares{2};
    return pages && pages->more() && of_last_page >= spares && hour - whole_before < of_last_page;
}

// Nothing: the hour has to be listed on its own.
std::optional<std::vector<SegmentInfo>> Catalog::from_day(const TenantId& tenant, const HourPlace& place) {
    auto day = std::chrono::floor<std::chrono::days>(place.hour);
    auto hours = hours_of_day_.find({tenant, day});
    if (place.spanning || hours == hours_of_day_.end() || hours->second < day_hours_min) return std::nullopt;
    auto& [known_day, known] = days_[tenant];
    // Trouble of the store is met again, and told, by who lists the hour.
    auto read_on = [&] {
        auto read = read_page(tenant, day, known);
        if (!read) known = {};
        return read.has_value();
    };
    if (known_day != day) {
        known = {};  // before another one takes its room
        known_day = day;
        if (!read_on()) return std::nullopt;
    }
    while (place.hour >= known.whole_before && known.next_page_has(place.hour))
        if (!read_on()) return std::nullopt;
    if (place.hour >= known.whole_before) return std::nullopt;
    foreign_ += std::exchange(known.foreign[place.hour], 0);
    return std::move(known.hours[place.hour]);
}

Result<std::vector<SegmentInfo>> Catalog::segments(const TenantId& tenant, const HourPlace& place) {
    if (auto listed = from_day(tenant, place)) return std::move(*listed);
    std::vector<SegmentInfo> found;
    std::uint64_t memory = 0;
    Result<void> fits;
    auto under = prefix_of(tenant, place);
    CHECK(store::for_each_object(store_, under, [&](const store::ObjectInfo& object) {
        if (auto key = segment::parse_object_key(object.key)) {
            found.push_back({.key = std::move(*key), .size = object.size});
            memory += memory_of(found.back());
            fits = check_room(memory, "the names of the segments of an hour");
        } else {
            ++foreign_;
        }
        return fits && found.size() <= listed_max;
    }));
    CHECK(fits);
    if (found.size() > listed_max) return too_many("segments", under);
    return found;
}

}  // namespace boatswain::query
