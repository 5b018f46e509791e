// query: what a LogQL query selects, as lines or as numbers.
#include <fmt/format.h>

#include "boatswain/commands.h"
#include "boatswain/line_format.h"
#include "boatswain/logs_follow.h"
#include "boatswain/number_format.h"
#include "boatswain/pager.h"
#include "boatswain/query_page.h"
#include "boatswain/reading.h"
#include "logql/entry_query.h"
#include "logql/evaluate.h"
#include "query/crew.h"

namespace boatswain::tool {

namespace {

// Nothing else says for how long: as Loki does.
constexpr std::chrono::hours stretch_default{1};
constexpr std::int64_t points_default = 250;
constexpr std::chrono::seconds step_min{1};
// Ends of containers that may stand among the last lines and are not shown.
constexpr std::uint64_t ends_beside = 1'000;

// What a pipeline left of a line, in the place of what was printed.
Printed print_record(const query::Entry& entry, const logql::Record* record, LogFormatChoice format,
                     const Output& out) {
    if (!record) return print(entry, format, out);
    auto text = entry.text;
    text.line.bytes = record->line;
    query::Entry changed{.segment = entry.segment, .source = entry.source, .text = text};
    if (format == LogFormatChoice::json) return as_json(changed, &record->labels);
    return print(changed, format, out);
}

// Ends of containers come with ordinals; they are for programs that follow a source, not for people.
bool is_shown(const query::Entry& entry) { return !entry.is_end(); }

Result<query::Tally> show_lines(const Query& request, const logql::Ground& ground, const logql::LogQuery& query,
                                QueryPage& page, bool& is_cut, Console& console, Progress& progress) {
    auto left = request.limit.value_or(UINT64_MAX);
    if (left == 0) return query::Tally{.hours_total = 1};
    if (request.format == LogFormatChoice::csv) console.out.write(csv_heading());
    return logql::read_lines(ground, query, page.rest(), [&](const query::Entry& entry, const logql::Record* record) {
        if (!is_shown(entry)) return true;
        progress.clear();
        if (request.limit) page.cursor.add(entry);
        auto printed = print_record(entry, record, request.format, console.out);
        (printed.aside ? console.err : console.out).write(printed.text);
        if (record) --left;
        is_cut = left == 0;
        return left > 0 && !console.out.ended();
    });
}

// Oldest first, as all lines are printed: so the last ones are held until the first of them is found.
Result<query::Tally> show_last_lines(const Query& request, const logql::Ground& ground, const logql::LogQuery& query,
                                     QueryPage& page, bool& is_cut, Console& console, Progress& progress) {
    std::vector<Printed> last;
    auto read = logql::read_lines_backward(ground, query, page.rest(), *request.tail + ends_beside,
                                           [&](const query::Entry& entry, const logql::Record* record) {
                                               if (!is_shown(entry)) return true;
                                               page.cursor.add(entry);
                                               last.push_back(print_record(entry, record, request.format, console.out));
                                               is_cut = last.size() == *request.tail;
                                               return !is_cut;
                                           });
    progress.clear();
    if (request.format == LogFormatChoice::csv) console.out.write(csv_heading());
    for (auto at = last.rbegin(); at != last.rend(); ++at) (at->aside ? console.err : console.out).write(at->text);
    return read;
}

// A stretch or a step asks for numbers over time; nothing of both for those of now.
Result<logql::Steps> steps_of(const Query& request, Timestamp now) {
    auto end = request.range.until == Timestamp::max() ? now : request.range.until;
    bool has_start = request.range.since != Timestamp::min();
    if (!has_start && !request.step) return logql::Steps::instant(end);
    auto start = has_start ? request.range.since : end - stretch_default;
    auto step = request.step.value_or(
        std::max<Nanoseconds>(step_min, std::chrono::floor<std::chrono::seconds>((end - start) / points_default)));
    return logql::Steps::of_range(start, end, step);
}

Result<query::Tally> show_numbers(const Query& request, const logql::Ground& ground, const logql::Metric& metric,
                                  Timestamp now, Console& console, Progress& progress) {
    TRY(auto steps, steps_of(request, now));
    TRY(auto numbers, logql::compute(ground, metric, steps));
    progress.clear();
    print_numbers(numbers, steps, request.format, console.out);
    return numbers.tally;
}

// What there is of the range, or its last lines, and then what comes.
Result<void> follow(const Query& request, const logql::Ground& ground, const logql::LogQuery& query,
                    const query::TimeRange& range, Console& console, Progress& progress) {
    logql::EntryQuery lines{ground, query};
    query::Selection selection{.tenant = ground.tenant, .range = range, .filter = query.filter()};
    auto put = [&](const Printed& printed) {
        progress.clear();
        (printed.aside ? console.err : console.out).write(printed.text);
        return !console.out.ended();
    };
    auto held = [&](const query::Entry& entry) -> std::function<bool()> {
        const logql::Record* record = nullptr;
        if (!lines.lets_through(entry, record)) return nullptr;
        return [&put, printed = print_record(entry, record, request.format, console.out)] { return put(printed); };
    };
    auto shows = [&](const query::Entry* entry) {
        if (entry != nullptr) {
            auto shown = held(*entry);
            return !shown || shown();
        }
        console.out.flush();
        return !console.out.ended();
    };
    auto note = [&](const std::string& text) {
        progress.clear();
        console.note(text);
    };
    if (request.format == LogFormatChoice::csv) console.out.write(csv_heading());
    return follow_lines({.store = ground.store,
                         .identities = ground.identities,
                         .selection = selection,
                         .limits = ground.limits,
                         .observer = progress,
                         .tail = request.tail},
                        {.show = shows, .held = held, .note = note});
}

int check(const Query& request, Console& console) {
    auto parsed = logql::parse_query(request.logql);
    if (!parsed) return failed(console, parsed.error());
    bool is_lines = std::holds_alternative<logql::LogQuery>(*parsed);
    console.out.write(is_lines ? "valid: it selects lines\n" : "valid: it gives numbers\n");
    return exit_ok;
}

}  // namespace

int run(const Query& request, Console& console) {
    if (request.check) return check(request, console);
    Pager pager{request.shown.pager && !request.follow && request.format == LogFormatChoice::text, console};
    if (request.shown.local_times) console.out.show_local_times();
    auto parsed = logql::parse_query(request.logql);
    if (!parsed) return failed(console, parsed.error());
    query::Budget budget{request.allowance.memory};
    query::Crew crew;
    auto identities = read_identities(request.identities, console);
    if (!identities) return failed(console, identities.error());
    query::Selection whose;
    if (request.tenant) {
        auto tenant = query::parse_tenant(*request.tenant);
        if (!tenant) return failed(console, tenant.error());
        whose.tenant = *tenant;
    }
    auto store = open_store(request.store, console);
    if (!store) return failed(console, store.error());

    Progress progress{console};
    logql::Ground ground{.store = **store,
                         .identities = *identities,
                         .tenant = whose.tenant,
                         .limits = {.budget = budget, .bounds = request.allowance.bounds(), .crew = &crew},
                         .observer = progress,
                         .numbered = request.limit || request.tail || !request.cursor.empty()};
    auto now = console.clock.now();
    auto range = request.range;
    if (range.since == Timestamp::min()) range.since = std::min(now, range.until) - stretch_default;
    auto read = Result<query::Tally>{query::Tally{}};
    bool is_cut = false;
    std::string cursor;
    if (request.follow) {
        const auto* lines = std::get_if<logql::LogQuery>(&*parsed);
        if (lines == nullptr)
            return failed(console, fail(Remedy::stop, "--follow is for queries that select lines").error());
        auto followed = follow(request, ground, *lines, range, console, progress);
        return followed ? exit_ok : failed(console, followed.error());
    }
    if (const auto* lines = std::get_if<logql::LogQuery>(&*parsed)) {
        auto page = page_of(request, range);
        if (!page) return failed(console, page.error());
        if (!request.cursor.empty()) ground.scope = query::behind(page->cursor);
        read = request.tail ? show_last_lines(request, ground, *lines, *page, is_cut, console, progress)
                            : show_lines(request, ground, *lines, *page, is_cut, console, progress);
        if (is_cut && page->cursor.has_begun()) cursor = page->str();
    } else if (!request.cursor.empty()) {
        return failed(console, fail(Remedy::stop, "--cursor is for queries that select lines").error());
    } else {
        read = show_numbers(request, ground, *std::get<logql::MetricPtr>(*parsed), now, console, progress);
    }
    console.out.flush();
    if (!read) {
        progress.tell_damages();
        return failed(console, read.error());
    }
    if (console.out.ended()) return exit_ok;
    if (!cursor.empty())
        console.note(
            fmt::format("{} ended this; what is left: --cursor '{}'", request.tail ? "--tail" : "--limit", cursor));
    return conclude(console, progress,
                    {.store = **store,
                     .tally = *read,
                     .selection = whose,
                     .identities = *identities,
                     .says_when_nothing_matches = false});
}

}  // namespace boatswain::tool
