// logs: lines, in the order of their times.
#include <deque>

#include "boatswain/commands.h"
#include "boatswain/line_format.h"
#include "boatswain/reading.h"
#include "query/merge.h"
#include "query/selection.h"

namespace boatswain::tool {

namespace {

// Everything that reading lines needs, opened.
struct Reading {
    std::unique_ptr<store::Store> store;
    std::vector<open::Identity> identities;
    query::Selection selection;
};

Result<Reading> prepare(const Logs& request, Console& console) {
    Reading reading{
        .selection = {
            .apps = request.apps, .containers = request.containers, .stream = request.stream, .range = request.range}};
    if (request.tenant) {
        TRY(reading.selection.tenant, query::parse_tenant(*request.tenant));
    }
    TRY(reading.identities, read_identities(request.identities, console));
    TRY(reading.store, store::open_store(request.store, console.clock));
    return reading;
}

void show(const Printed& printed, Console& console, Progress& progress) {
    progress.clear();
    if (!printed.aside) return console.out.write(printed.text);
    console.err.write(printed.text);
}

Result<query::Tally> show_all(const Logs& request, Reading& reading, Console& console, Progress& progress) {
    std::uint64_t left = request.limit.value_or(UINT64_MAX);
    if (left == 0) return query::Tally{.hours_total = 1};
    return query::read_lines(*reading.store, reading.identities, reading.selection, progress,
                             [&](const query::Entry& entry) {
                                 show(print(entry, request.format, console.out), console, progress);
                                 return --left > 0 && !console.out.ended();
                             });
}

// The last lines lie in the last hours: those are tried first, then four times as many, until they hold enough.
Result<query::Tally> show_last(const Logs& request, Reading& reading, Console& console, Progress& progress) {
    TRY(auto hours, query::hours_with_segments(*reading.store, reading.selection));
    std::deque<Printed> last;
    query::Tally tally;
    for (std::size_t tried = 1;; tried *= 4) {
        auto selection = reading.selection;
        bool everything = tried >= hours.size();
        if (!everything) selection.range.since = std::max(selection.range.since, hours[hours.size() - tried]);
        last.clear();
        progress.forget();
        // The newest hour may lie past the end of the range, where segments are only looked into for what they begin
        // with.
        if (selection.range.since >= selection.range.until) continue;
        auto read =
            query::read_lines(*reading.store, reading.identities, selection, progress, [&](const query::Entry& entry) {
                last.push_back(print(entry, request.format, console.out));
                if (last.size() > *request.tail) last.pop_front();
                return true;
            });
        if (!read) return std::unexpected(std::move(read).error());
        tally = *read;
        if (everything || last.size() == *request.tail) break;
    }
    for (const auto& printed : last) show(printed, console, progress);
    return tally;
}

}  // namespace

int run(const Logs& request, Console& console) {
    auto reading = prepare(request, console);
    if (!reading) return failed(console, reading.error());
    Progress progress{console};
    auto read =
        request.tail ? show_last(request, *reading, console, progress) : show_all(request, *reading, console, progress);
    console.out.flush();
    if (!read) {
        progress.tell_damages();
        return failed(console, read.error());
    }
    // Whoever stopped reading wants to hear nothing more.
    if (console.out.ended()) return exit_ok;
    return conclude(console, progress, *read, reading->selection, reading->identities);
}

}  // namespace boatswain::tool
