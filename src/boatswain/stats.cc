// stats: how much each app printed on each day, from footers alone. labels: what a selector of LogQL can ask for.
#include <fmt/format.h>

#include <map>
#include <set>
#include <tuple>

#include "base/json_writer.h"
#include "base/text.h"
#include "boatswain/commands.h"
#include "boatswain/patience.h"
#include "boatswain/reading.h"
#include "logql/label_values.h"
#include "query/filter_source.h"
#include "query/merge.h"

namespace boatswain::tool {

namespace {

struct AppDay {
    std::uint64_t lines = 0, gaps = 0;
    std::uint64_t text_bytes = 0;    // with times and headings
    std::uint64_t sealed_bytes = 0;  // of the frames alone
    std::uint64_t objects = 0;       // that hold something of it
    query::Share held{};
};
using AppDays = std::map<std::tuple<TenantId, std::string, std::string>, AppDay>;  // tenant, app, day

std::string day_of(Timestamp time) { return to_text(std::chrono::floor<std::chrono::days>(time)).substr(0, 10); }

// A frame counts for the day of its first line.
Result<void> gather(AppDays& days, const query::SegmentInfo& info, const open::Footer& footer,
                    const query::Selection& selection, query::Budget& budget) {
    constexpr std::uint64_t row_bytes = 600;
    std::set<AppDay*> seen;
    for (const auto& frame : footer.frames) {
        const auto& source = footer.sources[frame.source];
        if (!selection.wants(query::FrameSummary{{info.key, source}, frame})) continue;
        auto [place, is_new] = days.try_emplace({info.key.tenant, source.whose.app, day_of(frame.counts.first_time)});
        auto& day = place->second;
        if (is_new) {
            TRY(day.held, budget.hold(row_bytes, "the apps and days"));
        }
        day.lines += frame.counts.lines;
        day.gaps += frame.counts.gaps;
        day.text_bytes += frame.text_bytes;
        day.sealed_bytes += frame.compressed_bytes;
        if (seen.insert(&day).second) ++day.objects;
    }
    return {};
}

double ratio_of(const AppDay& day) {
    return day.sealed_bytes == 0 ? 0 : static_cast<double>(day.text_bytes) / static_cast<double>(day.sealed_bytes);
}

void print_days(const AppDays& days, bool json, Output& out) {
    Table table{{"TENANT", "APP", "DAY", ">LINES", ">TEXT", ">SEALED", ">RATIO", ">OBJECTS", ">GAPS"}};
    for (const auto& [key, day] : days) {
        const auto& [tenant, app, date] = key;
        if (json)
            out.write(json_object()
                          .member("tenant", tenant.str())
                          .member("app", app)
                          .member("day", date)
                          .member("lines", day.lines)
                          .member("text_bytes", day.text_bytes)
                          .member("sealed_bytes", day.sealed_bytes)
                          .member("objects", day.objects)
                          .member("gaps", day.gaps)
                          .take_line());
        else
            table.add({tenant.str(), app, date, std::to_string(day.lines), human_size(day.text_bytes),
                       human_size(day.sealed_bytes), fmt::format("{:.1f}", ratio_of(day)), std::to_string(day.objects),
                       std::to_string(day.gaps)});
    }
    if (!json && !days.empty()) table.print(out);
}

// What both commands read: footers of a stretch. What `each` keeps may hold shares of `budget`.
using EachFooter = std::function<Result<void>(const query::SegmentInfo&, const open::Footer&, const query::Selection&,
                                              query::Budget&)>;
Result<int> read_all_footers(const FooterQuestion& request, query::Budget& budget, Console& console,
                             const EachFooter& each, const std::function<void()>& print) {
    TRY(auto identities, read_identities(request.identities, console));
    query::Selection selection{.tenant = {}, .range = request.range};
    if (!request.apps.empty()) selection.filter = query::app_is_one_of(request.apps);
    if (request.tenant) {
        TRY(selection.tenant, query::parse_tenant(*request.tenant));
    }
    TRY(auto store, open_store(request.store, console));
    Progress progress{console, {.apps = request.apps}};
    Result<void> taken;
    query::Limits limits{.budget = budget, .bounds = request.allowance.bounds()};
    TRY(auto tally, query::read_footers(
                        *store, identities, selection, limits, progress,
                        [&](const query::SegmentInfo& info, const open::Footer& footer) {
                            taken = each(info, footer, selection, budget);
                            return taken.has_value();
                        }));
    CHECK(taken);
    progress.clear();
    print();
    console.out.flush();
    return conclude(console, progress,
                    {.store = *store, .tally = tally, .selection = selection, .identities = identities});
}

}  // namespace

int run(const Stats& request, Console& console) {
    query::Budget budget{request.of.allowance.memory};
    AppDays days;
    auto done = read_all_footers(
        request.of, budget, console,
        [&](const query::SegmentInfo& info, const open::Footer& footer, const query::Selection& selection,
            query::Budget& room) { return gather(days, info, footer, selection, room); },
        [&] { print_days(days, request.of.json, console.out); });
    return done ? *done : failed(console, done.error());
}

int run(const LabelsCommand& request, Console& console) {
    query::Budget budget{request.of.allowance.memory};
    logql::LabelValues found{budget, logql::LabelValues::Keep::values, request.name};
    auto take = [&](const query::SegmentInfo& info, const open::Footer& footer, const query::Selection& selection,
                    query::Budget&) -> Result<void> {
        for (const auto& frame : footer.frames) {
            query::Origin origin{info.key, footer.sources[frame.source]};
            if (selection.wants(query::FrameSummary{origin, frame})) CHECK(found.take(origin));
        }
        return {};
    };
    auto print = [&] {
        for (const auto& [name, values] : found.all()) {
            if (!request.name && !request.of.json) {
                console.out.write(fmt::format("{} ({})\n", name, counted(values.size(), "value")));
                continue;
            }
            for (const auto& value : values)
                console.out.write(request.of.json
                                      ? json_object().member("label", name).member("value", value).take_line()
                                      : terminal_safe(value) + "\n");
        }
    };
    auto done = read_all_footers(request.of, budget, console, take, print);
    return done ? *done : failed(console, done.error());
}

}  // namespace boatswain::tool
