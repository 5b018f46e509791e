// logs: lines, in the order of their times.
#include <algorithm>
#include <deque>

#include "boatswain/commands.h"
#include "boatswain/line_format.h"
#include "boatswain/logs_context.h"
#include "boatswain/logs_follow.h"
#include "boatswain/pager.h"
#include "boatswain/previous_runs.h"
#include "boatswain/reading.h"
#include "query/backward.h"
#include "query/crew.h"
#include "query/filter_pod.h"
#include "query/filter_source.h"
#include "query/filter_stream.h"
#include "query/filter_text.h"
#include "query/merge.h"
#include "query/selection.h"

namespace boatswain::tool {

namespace {

// Everything that reading lines needs, opened.
struct Reading {
    std::unique_ptr<store::Store> store;
    std::vector<open::Identity> identities;
    query::Selection selection;
    query::FilterPtr finds;  // what --grep or --regex asks for; with context the selection does not
    query::Limits limits;
    std::uint64_t lines_found = 0;
};

bool has_context(const Logs& request) { return request.context.before > 0 || request.context.after > 0; }

// What --grep and --regex find; nothing where neither is given.
Result<query::FilterPtr> finds_of(const Logs& request) {
    if (request.grep) return query::line_has(*request.grep);
    if (!request.regex) return nullptr;
    auto regex = query::line_matches(*request.regex);
    if (!regex) return std::unexpected(std::move(regex).error().within("--regex"));
    return std::move(*regex);
}

// Who printed.
query::FilterPtr sources_of(const Logs& request) {
    std::vector<query::FilterPtr> filters;
    if (!request.apps.empty()) filters.push_back(query::app_is_one_of(request.apps));
    if (request.asks_for_pods())
        filters.push_back(
            query::pod_is({.space = request.space, .pod = request.pod, .containers = request.containers}));
    else if (!request.containers.empty())
        filters.push_back(query::container_is_one_of(request.containers));
    return query::all_of(std::move(filters));
}

query::FilterPtr filter_of(const Logs& request) {
    auto sources = sources_of(request);
    return request.stream ? query::all_of({std::move(sources), query::stream_is(*request.stream)}) : sources;
}

Result<Reading> prepare(const Logs& request, query::Budget& budget, query::Crew& crew, Console& console) {
    Reading reading{.store = {},
                    .identities = {},
                    .selection = {.range = request.range},
                    .finds = {},
                    .limits = {.budget = budget, .bounds = request.allowance.bounds(), .crew = &crew}};
    TRY(reading.finds, finds_of(request));
    reading.selection.filter = filter_of(request);
    if (reading.finds && !has_context(request))
        reading.selection.filter = query::all_of({reading.selection.filter, reading.finds});
    if (request.tenant) {
        TRY(reading.selection.tenant, query::parse_tenant(*request.tenant));
    }
    TRY(reading.identities, read_identities(request.identities, console));
    TRY(reading.store, open_store(request.store, console));
    return reading;
}

// Of each container that is asked for the run before its last one, whatever is asked of its lines.
Result<void> choose_previous(const Logs& request, Reading& reading, Console& console, Progress& progress) {
    auto all = reading.selection;
    all.filter = sources_of(request);
    TRY(auto runs, previous_runs(*reading.store, reading.identities, all, reading.limits, progress));
    progress.forget();
    if (runs.empty()) console.note("none of them has an earlier run in this stretch of time");
    reading.selection.filter =
        query::all_of({std::move(reading.selection.filter), query::source_is_one_of(std::move(runs))});
    return {};
}

void show(const Printed& printed, Console& console, Progress& progress) {
    progress.clear();
    if (!printed.aside) return console.out.write(printed.text);
    console.err.write(printed.text);
}

// `complete` becomes false where the limit ends it.
Result<query::Tally> show_all(const Logs& request, Reading& reading, Console& console, Progress& progress,
                              bool& complete) {
    std::uint64_t left = request.limit.value_or(UINT64_MAX);
    complete = left > 0;
    if (left == 0) return query::Tally{.hours_total = 1};
    return query::read_lines(*reading.store, reading.identities, reading.selection, reading.limits, progress,
                             [&](const query::Entry& entry) {
                                 if (entry.is_line()) ++reading.lines_found;
                                 show(print(entry, request.format, console.out), console, progress);
                                 complete = --left > 0;
                                 return complete && !console.out.ended();
                             });
}

// Where the last lines begin in the newest hour; nothing where all of it is to be read, or that cannot be told.
std::optional<Timestamp> begin_in_newest_hour(const Logs& request, Reading& reading, Timestamp hour) {
    auto newest = reading.selection;
    newest.range.since = std::max(newest.range.since, hour);
    if (newest.range.since >= newest.range.until) return std::nullopt;
    auto begin =
        query::begin_of_last(*reading.store, reading.identities, newest, reading.limits, request.tail.value_or(0));
    // What is wrong is met again by who reads.
    return begin && *begin > newest.range.since ? std::optional{*begin} : std::nullopt;
}

// The last lines lie in the last hours: the end of the newest is tried first, then all of it, then four times as many
// hours, until they hold enough.
Result<query::Tally> show_last(const Logs& request, Reading& reading, Console& console, Progress& progress,
                               bool& complete) {
    auto& budget = reading.limits.budget;
    TRY(auto hours, query::hours_with_segments(*reading.store, reading.selection, budget));
    struct Kept {
        Printed printed;
        query::Share held;
    };
    std::deque<Kept> last;
    query::Tally tally;
    auto begin = hours.empty() ? std::nullopt : begin_in_newest_hour(request, reading, hours.back());
    for (std::size_t tried = begin ? 0 : 1;; tried = std::max<std::size_t>(1, 4 * tried)) {
        auto selection = reading.selection;
        bool everything = tried > 0 && tried >= hours.size();
        if (tried == 0)
            selection.range.since = *begin;
        else if (!everything)
            selection.range.since = std::max(selection.range.since, hours[hours.size() - tried]);
        last.clear();
        reading.lines_found = 0;
        progress.forget();
        // The newest hour may lie past the end of the range, where segments are only looked into for what they begin
        // with.
        if (selection.range.since >= selection.range.until) continue;
        std::optional<Error> over;
        auto keep = [&](const query::Entry& entry) {
            if (entry.is_line()) ++reading.lines_found;
            Kept kept{print(entry, request.format, console.out), {}};
            kept.printed.text.shrink_to_fit();  // formatted by appending: it may have twice the room that it needs
            auto held = budget.hold(sizeof(Kept) + kept.printed.text.capacity(), "the last lines");
            if (!held) {
                over = std::move(held).error();
                return false;
            }
            kept.held = std::move(*held);
            last.push_back(std::move(kept));
            if (last.size() > *request.tail) last.pop_front();
            return true;
        };
        auto read = query::read_lines(*reading.store, reading.identities, selection, reading.limits, progress, keep);
        if (!read) return std::unexpected(std::move(read).error());
        if (over) return std::unexpected(std::move(*over));
        tally = *read;
        complete = everything;
        if (everything || last.size() == *request.tail) break;
    }
    for (const auto& kept : last) show(kept.printed, console, progress);
    return tally;
}

Result<query::Tally> show_lines(const Logs& request, Reading& reading, Console& console, Progress& progress,
                                bool& complete) {
    if (!has_context(request))
        return request.tail ? show_last(request, reading, console, progress, complete)
                            : show_all(request, reading, console, progress, complete);
    ContextReading with_context{.store = *reading.store,
                                .identities = reading.identities,
                                .selection = reading.selection,
                                .limits = reading.limits,
                                .finds = reading.finds};
    auto read = show_with_context(request, with_context, console, progress);
    reading.lines_found = with_context.lines_found;
    complete = with_context.complete;
    return read;
}

// As grep's: 0 where a line was found, 1 where none was, 2 for trouble.
int as_grep(int code, std::uint64_t lines_found) {
    if (code == exit_error) return exit_usage;
    return code == exit_ok && lines_found == 0 ? exit_nothing_found : code;
}

Result<void> follow(const Logs& request, Reading& reading, Console& console, Progress& progress) {
    auto put = [&](const Printed& printed) {
        ++reading.lines_found;
        show(printed, console, progress);
        return !console.out.ended();
    };
    auto shows = [&](const query::Entry* entry) {
        if (entry != nullptr) return put(print(*entry, request.format, console.out));
        console.out.flush();
        return !console.out.ended();
    };
    auto held = [&](const query::Entry& entry) -> std::function<bool()> {
        return [&put, printed = print(entry, request.format, console.out)] { return put(printed); };
    };
    auto note = [&](const std::string& text) {
        progress.clear();
        console.note(text);
    };
    return follow_lines({.store = *reading.store,
                         .identities = reading.identities,
                         .selection = reading.selection,
                         .limits = reading.limits,
                         .observer = progress,
                         .tail = request.tail},
                        {.show = shows, .held = held, .note = note});
}

int show_logs(const Logs& request, Console& console, std::uint64_t& lines_found) {
    query::Budget budget{request.allowance.memory};
    query::Crew crew;
    auto reading = prepare(request, budget, crew, console);
    if (!reading) return failed(console, reading.error());
    Progress progress{
        console, {.apps = request.apps, .containers = request.containers, .space = request.space, .pod = request.pod}};
    if (request.previous)
        if (auto chosen = choose_previous(request, *reading, console, progress); !chosen)
            return failed(console, chosen.error());
    if (request.follow) {
        auto followed = follow(request, *reading, console, progress);
        lines_found = reading->lines_found;
        return followed ? exit_ok : failed(console, followed.error());
    }
    bool complete = true;
    auto read = show_lines(request, *reading, console, progress, complete);
    console.out.flush();
    lines_found = reading->lines_found;
    if (!read) {
        progress.tell_damages();
        return failed(console, read.error());
    }
    // Whoever stopped reading wants to hear nothing more.
    if (console.out.ended()) return exit_ok;
    return conclude(console, progress,
                    {.store = *reading->store,
                     .tally = *read,
                     .selection = reading->selection,
                     .identities = reading->identities,
                     .complete = complete,
                     .says_when_nothing_matches = !request.grep && !request.regex});
}

}  // namespace

int run(const Logs& request, Console& console) {
    Pager pager{request.shown.pager && !request.follow && request.format == LogFormatChoice::text, console};
    if (request.shown.local_times) console.out.show_local_times();
    if (request.format == LogFormatChoice::csv) console.out.write(csv_heading(has_context(request)));
    std::uint64_t lines_found = 0;
    auto code = show_logs(request, console, lines_found);
    return request.grep || request.regex ? as_grep(code, lines_found) : code;
}

}  // namespace boatswain::tool
