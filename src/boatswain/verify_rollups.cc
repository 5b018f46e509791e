#include "boatswain/verify_rollups.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/text.h"
#include "query/roll_up_check.h"
#include "rollup/rollup.h"

namespace boatswain::tool {

namespace {

constexpr std::size_t shown_max = 100;

}  // namespace

Result<RollUpsVerified> verify_rollups(store::Store& store, std::span<const open::Identity> identities,
                                       const std::optional<TenantId>& tenant, const query::TimeRange& range,
                                       const query::Limits& limits) {
    RollUpsVerified all;
    query::Catalog catalog{store, &limits.budget};
    std::vector<TenantId> tenants;
    if (tenant)
        tenants.push_back(*tenant);
    else {
        TRY(tenants, catalog.tenants());
    }
    for (const auto& whose : tenants) {
        std::vector<query::RollupInfo> listed;
        CHECK(catalog.hours(whose, {}, &listed));
        for (const auto& one : listed) {
            if (one.day >= range.until || one.day + std::chrono::days{1} <= range.since) continue;
            TRY(auto checked, query::check_roll_up(store, identities, whose, one, limits));
            if (checked.is_for_others) {
                ++all.for_others;
                continue;
            }
            ++all.rollups;
            all.segments += checked.segments;
            all.left_out += checked.left_out;
            all.problem_count += checked.problem_count;
            for (const auto& problem : checked.problems)
                if (all.problems.size() < shown_max)
                    all.problems.push_back(rollup::rollup_key(whose, one.day) + ": " + problem);
        }
    }
    return all;
}

void print_rollups(const RollUpsVerified& verified, Console& console) {
    console.out.write(fmt::format("\n{} compared with {}", counted(verified.rollups, "roll-up"),
                                  counted(verified.segments, "segment")));
    if (verified.left_out > 0) console.out.write(fmt::format(", {} not: gone since, or damaged", verified.left_out));
    if (verified.for_others > 0)
        console.out.write(fmt::format("; {} passed over: sealed for other keys", verified.for_others));
    console.out.write("\n");
    if (verified.is_sound()) return;
    console.out.write(console.out.paint("1;31", counted(verified.problem_count, "problem")) +
                      " of roll-ups, which `boatswain rollup --again` mends:\n");
    for (const auto& problem : verified.problems) console.out.write("  " + printable(problem, 2000) + "\n");
    if (verified.problem_count > verified.problems.size())
        console.out.write(fmt::format("  and {} more\n", verified.problem_count - verified.problems.size()));
}

void write_rollups(JsonWriter& json, const RollUpsVerified& verified) {
    json.object("rollups")
        .member("compared", verified.rollups)
        .member("segments", verified.segments)
        .member("left_out", verified.left_out)
        .member("for_others", verified.for_others)
        .member("problem_count", verified.problem_count)
        .array("problems");
    for (const auto& problem : verified.problems) json.value(problem);
    json.end().end();
}

}  // namespace boatswain::tool
