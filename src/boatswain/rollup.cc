// rollup: one object a tenant and day that saves readers requests (query/roll_up.h).
#include <fmt/format.h>

#include "base/json_writer.h"
#include "base/text.h"
#include "boatswain/commands.h"
#include "boatswain/patience.h"
#include "boatswain/reading.h"
#include "query/roll_up.h"

namespace boatswain::tool {

namespace {

std::string day_text(Timestamp day) { return to_text(day).substr(0, 10); }

void report(const TenantId& tenant, Timestamp day, const query::RolledUpDay& done, bool json, Table& table,
            Output& out) {
    if (json) {
        out.write(json_object()
                      .member("tenant", tenant.str())
                      .member("day", day_text(day))
                      .member("segments", done.segments)
                      .member("left_out", done.left_out)
                      .member("hours", std::uint64_t{done.hours})
                      .member("hours_kept", std::uint64_t{done.hours_kept})
                      .member("text_bytes", done.text_bytes)
                      .member("bytes", done.bytes)
                      .take_line());
        return;
    }
    table.add({tenant.str(), day_text(day), std::to_string(done.segments), std::to_string(done.left_out),
               fmt::format("{} of {}", done.hours - done.hours_kept, done.hours),
               done.bytes == 0 ? "as before" : human_size(done.bytes)});
}

Result<int> make_rollups(const RollupCommand& request, query::Budget& budget, Console& console) {
    const auto& of = request.of;
    TRY(auto identities, read_identities(of.identities, console));
    TRY(auto store, open_store(of.store, console));
    query::Limits limits{.budget = budget, .bounds = of.allowance.bounds()};
    std::vector<TenantId> tenants;
    if (of.tenant) {
        TRY(tenants.emplace_back(TenantId::unassigned()), query::parse_tenant(*of.tenant));
    } else {
        TRY(tenants, query::Catalog(*store, &budget).tenants());
    }
    Table table{{"TENANT", "DAY", ">SEGMENTS", ">LEFT OUT", "HOURS MADE", ">SIZE"}};
    bool damaged = false, any = false;
    for (const auto& tenant : tenants) {
        TRY(auto days, query::days_with_segments(*store, tenant, of.range, budget));
        for (auto day : days) {
            Progress progress{console};
            TRY(auto done,
                query::roll_up_day(*store, identities, tenant, day,
                                   {.grams = !request.footers_only, .again = request.again, .now = console.clock.now()},
                                   limits, progress));
            damaged = progress.tell_damages() || damaged;
            if (done.segments == 0) continue;  // another tenant's
            any = true;
            report(tenant, day, done, of.json, table, console.out);
        }
    }
    if (!of.json && any) table.print(console.out);
    if (!any) console.note("there is no segment that the identities open in this stretch of time");
    console.out.flush();
    return damaged ? exit_error : exit_ok;
}

}  // namespace

int run(const RollupCommand& request, Console& console) {
    query::Budget budget{request.of.allowance.memory};
    auto done = make_rollups(request, budget, console);
    return done ? *done : failed(console, done.error());
}

}  // namespace boatswain::tool
