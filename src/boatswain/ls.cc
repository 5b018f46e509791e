// ls: which tenants the store holds; of one tenant, the sources that printed, or the segments.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "boatswain/commands.h"
#include "boatswain/reading.h"
#include "query/catalog.h"
#include "query/merge.h"

namespace boatswain::tool {

namespace {

constexpr std::size_t id_shown = 12;  // of a container's 64 digits, as docker ps shows it

// What was found of one tenant without opening anything.
struct TenantSummary {
    Timestamp first, last;
    std::size_t hours = 0;
    std::uint64_t segments = 0;
    std::uint64_t bytes = 0;
};

Result<std::optional<TenantSummary>> summarise(query::Catalog& catalog, const TenantId& tenant, const Ls& request) {
    TRY(auto hours, catalog.hours(tenant, query::hours_of(request.range)));
    if (hours.empty()) return std::optional<TenantSummary>{};
    TenantSummary summary{.first = hours.front().hour, .last = hours.back().hour, .hours = hours.size()};
    if (!request.sizes) return summary;
    for (const auto& place : hours) {
        TRY(auto segments, catalog.segments(tenant, place));
        summary.segments += segments.size();
        for (const auto& segment : segments) summary.bytes += segment.size;
    }
    return summary;
}

// What a table of so many rows holds until it is printed.
Result<void> hold_rows(query::Budget& budget, std::vector<query::Share>& held, std::size_t rows) {
    constexpr std::uint64_t row_bytes = 600;
    TRY(held.emplace_back(), budget.hold(rows * row_bytes, "the rows of the table"));
    return {};
}

Result<void> list_tenants(const Ls& request, store::Store& store, query::Budget& budget, Console& console) {
    query::Catalog catalog{store, &budget};
    std::vector<query::Share> held;
    TRY(auto tenants, catalog.tenants());
    if (!request.json) CHECK(hold_rows(budget, held, tenants.size()));
    std::vector<std::string> headings{"TENANT", "FIRST HOUR", "LAST HOUR", ">HOURS"};
    if (request.sizes) headings.insert(headings.end(), {">SEGMENTS", ">SIZE"});
    Table table{headings};
    bool shown = false;
    for (const auto& tenant : tenants) {
        TRY(auto summary, summarise(catalog, tenant, request));
        if (!summary) continue;
        shown = true;
        auto [first, last, hours, segments, bytes] = *summary;
        if (request.json) {
            auto json = json_object();
            json.member("tenant", tenant.str())
                .member("first_hour", hour_text(first))
                .member("last_hour", hour_text(last))
                .member("hours", hours);
            if (request.sizes) json.member("segments", segments).member("bytes", bytes);
            console.out.write(json.take_line());
            continue;
        }
        std::vector<std::string> cells{tenant.str(), hour_text(first), hour_text(last), std::to_string(hours)};
        if (request.sizes) cells.insert(cells.end(), {std::to_string(segments), human_size(bytes)});
        table.add(std::move(cells));
    }
    if (!request.json && shown) table.print(console.out);
    if (!shown)
        console.note("there is no segment in " + printable(store.describe()) +
                     (tenants.empty() ? "" : " in this stretch of time"));
    if (catalog.foreign() > 0)
        console.note(fmt::format("{} in the store {} not Boatswain's", counted(catalog.foreign(), "name"),
                                 catalog.foreign() == 1 ? "is" : "are"));
    return {};
}

Result<void> list_segments(const Ls& request, const TenantId& tenant, store::Store& store, query::Budget& budget,
                           Console& console) {
    query::Catalog catalog{store, &budget};
    std::vector<query::Share> held;
    TRY(auto hours, catalog.hours(tenant, query::hours_of(request.range)));
    Table table{{"HOUR", "HOST", "EPOCH", ">SEQUENCE", ">SIZE", "OBJECT"}};
    for (const auto& place : hours) {
        TRY(auto segments, catalog.segments(tenant, place));
        if (!request.json) CHECK(hold_rows(budget, held, segments.size()));
        for (const auto& [key, size] : segments) {
            if (request.json)
                console.out.write(json_object()
                                      .member("object", key.str())
                                      .member("tenant", key.tenant.str())
                                      .member("hour", hour_text(key.hour))
                                      .member("host", key.host)
                                      .member("epoch", key.epoch)
                                      .member("sequence", key.sequence)
                                      .member("bytes", size)
                                      .take_line());
            else
                table.add({hour_text(key.hour), key.host, key.epoch, std::to_string(key.sequence), human_size(size),
                           key.str()});
        }
    }
    if (!request.json && !hours.empty()) table.print(console.out);
    if (hours.empty())
        console.note(fmt::format(
            "there is no segment of tenant \"{}\" in this stretch of time; `boatswain ls` shows what there is{}",
            printable(tenant.str()), suggestion_for_tenant(store, tenant)));
    if (catalog.foreign() > 0) console.note(counted(catalog.foreign(), "name") + " under this tenant: not Boatswain's");
    return {};
}

// What the footers of many segments say of one source.
struct SourceSummary {
    Source source;  // as the latest footer describes it
    std::uint64_t lines = 0, bytes = 0, gaps = 0, segments = 0;
    Timestamp first = Timestamp::max(), last = Timestamp::min();
    query::Share held{};
};
using Sources = std::map<std::tuple<std::string, std::string>, SourceSummary>;  // by host and id

Result<void> gather(Sources& sources, const query::SegmentInfo& info, const open::Footer& footer,
                    const query::Selection& selection, query::Budget& budget) {
    constexpr std::uint64_t summary_bytes = sizeof(SourceSummary) + 1'000;
    std::set<std::size_t> seen;
    for (const auto& frame : footer.frames) {
        const auto& source = footer.sources[frame.source];
        if (!selection.wants(query::FrameSummary{{info.key, source}, frame})) continue;
        auto& summary = sources[{info.key.host, source.id}];
        if (summary.segments == 0) {
            TRY(summary.held, budget.hold(summary_bytes, "the sources of the tenant"));
        }
        summary.source = source;
        summary.source.labels.clear();
        summary.lines += frame.counts.lines;
        summary.bytes += frame.counts.message_bytes;
        summary.gaps += frame.counts.gaps;
        summary.segments += seen.insert(frame.source).second ? 1 : 0;
        summary.first = std::min(summary.first, frame.counts.first_time);
        summary.last = std::max(summary.last, frame.counts.last_time);
    }
    return {};
}

void print_sources(const Sources& sources, const TenantId& tenant, bool json, Console& console) {
    std::vector<std::pair<std::string, const SourceSummary*>> ordered;
    for (const auto& [place, summary] : sources) ordered.emplace_back(std::get<0>(place), &summary);
    std::ranges::sort(ordered, {}, [](const auto& one) {
        return std::tie(one.second->source.whose.app, one.second->source.whose.component, one.second->first,
                        one.second->source.id);
    });
    Table table{
        {"APP", "COMPONENT", "INSTANCE", "CONTAINER", "NAME", "HOST", ">LINES", ">SIZE", ">GAPS", "FIRST", "LAST"}};
    for (const auto& [host, summary] : ordered) {
        const auto& [source, lines, bytes, gaps, segments, first, last, held] = *summary;
        if (!json) {
            table.add({source.whose.app, source.whose.component, source.whose.instance, source.id.substr(0, id_shown),
                       source.name, host, std::to_string(lines), human_size(bytes), std::to_string(gaps),
                       short_time(first), short_time(last)});
            continue;
        }
        console.out.write(json_object()
                              .member("tenant", tenant.str())
                              .member("app", source.whose.app)
                              .member("component", source.whose.component)
                              .member("instance", source.whose.instance)
                              .member("container", source.id)
                              .member("name", source.name)
                              .member("image", source.image)
                              .member("reader", source.reader)
                              .member("host", host)
                              .member("lines", lines)
                              .member("message_bytes", bytes)
                              .member("gaps", gaps)
                              .member("segments", segments)
                              .member("first", first)
                              .member("last", last)
                              .take_line());
    }
    if (!json) table.print(console.out);
}

Result<int> list_sources(const Ls& request, const TenantId& tenant, store::Store& store, query::Budget& budget,
                         Console& console) {
    TRY(auto identities, read_identities(request.identities, console));
    query::Selection selection{.tenant = tenant, .range = request.range};
    Progress progress{console};
    Sources sources;
    Result<void> gathered;
    query::Limits limits{.budget = budget, .bounds = request.allowance.bounds()};
    TRY(auto tally, query::read_footers(
                        store, identities, selection, limits, progress,
                        [&](const query::SegmentInfo& info, const open::Footer& footer) {
                            gathered = gather(sources, info, footer, selection, budget);
                            return gathered.has_value();
                        }));
    CHECK(gathered);
    progress.clear();
    if (!sources.empty()) print_sources(sources, tenant, request.json, console);
    if (!sources.empty()) tally.entries = 1;  // what was asked for was found
    return conclude(console, progress,
                    {.store = store, .tally = tally, .selection = selection, .identities = identities});
}

Result<int> list(const Ls& request, Console& console) {
    TRY(auto store, open_store(request.store, console));
    query::Budget budget{request.allowance.memory};
    if (!request.tenant) {
        CHECK(list_tenants(request, *store, budget, console));
        return exit_ok;
    }
    TRY(auto tenant, query::parse_tenant(*request.tenant));
    if (!request.segments && !request.identities.empty()) return list_sources(request, tenant, *store, budget, console);
    CHECK(list_segments(request, tenant, *store, budget, console));
    return exit_ok;
}

}  // namespace

int run(const Ls& request, Console& console) {
    auto listed = list(request, console);
    return listed ? *listed : failed(console, listed.error());
}

}  // namespace boatswain::tool
