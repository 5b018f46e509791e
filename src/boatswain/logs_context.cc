#include "boatswain/logs_context.h"

#include "boatswain/line_format.h"

namespace boatswain::tool {

namespace {

// Prints groups, with "--" between them where people read.
class GroupPrinter {
  public:
    GroupPrinter(LogFormatChoice format, Console& console, Progress& progress)
        : format_(format), console_(console), progress_(progress) {}

    void operator()(const query::GroupEntry& entry, std::uint64_t group) {
        progress_.clear();
        if (format_ == LogFormatChoice::text && last_group_ != 0 && group != last_group_) console_.out.write("--\n");
        last_group_ = group;
        InGroup place{.group = group, .found = entry.role == query::Role::found};
        auto printed = print(entry.kept.entry(), format_, console_.out, &place);
        (printed.aside ? console_.err : console_.out).write(printed.text);
    }

  private:
    LogFormatChoice format_;
    Console& console_;
    Progress& progress_;
    std::uint64_t last_group_ = 0;
};

// Takes the entries of one reading.
class Taker {
  public:
    Taker(const Logs& request, ContextReading& reading, query::GroupSink& sink)
        : request_(request), reading_(reading), context_(request.context, reading.limits.budget, sink) {}

    // False: that is enough, or the budget is used up.
    bool take(const query::Entry& entry) {
        bool is_found = entry.is_line() && reading_.finds->match(entry) == query::Match::all;
        if (is_found && finds_) ++reading_.lines_found;
        taken_ = context_.take(entry, is_found);
        if (!taken_) return false;
        if (!request_.limit || context_.counted() < *request_.limit) return true;
        context_.find_no_more();
        finds_ = false;
        reading_.complete = false;
        return context_.is_due();
    }
    Result<void> finish() {
        CHECK(taken_);
        context_.finish();
        return {};
    }

  private:
    const Logs& request_;
    ContextReading& reading_;
    query::Context context_;
    bool finds_ = true;
    Result<void> taken_;
};

Result<query::Tally> show_all(const Logs& request, ContextReading& reading, Console& console, Progress& progress) {
    query::GroupsInTurn groups{GroupPrinter{request.format, console, progress}};
    Taker taker{request, reading, groups};
    TRY(auto tally, query::read_lines(
                        reading.store, reading.identities, reading.selection, reading.limits, progress,
                        [&](const query::Entry& entry) { return taker.take(entry) && !console.out.ended(); }));
    CHECK(taker.finish());
    return tally;
}

// As without context: the last hours first, then four times as many. Lines before the first hits may lie in earlier
// hours than they do: these are looked for once more in four times as many hours, and no further, since a source may
// have begun there.
Result<query::Tally> show_last(const Logs& request, ContextReading& reading, Console& console, Progress& progress) {
    TRY(auto hours, query::hours_with_segments(reading.store, reading.selection, reading.limits.budget));
    bool had_enough = false;
    for (std::size_t tried = 1;; tried *= 4) {
        auto selection = reading.selection;
        bool everything = tried >= hours.size();
        if (!everything) selection.range.since = std::max(selection.range.since, hours[hours.size() - tried]);
        // The newest hour may lie past the end of the range, where segments are only looked into for what they begin
        // with.
        if (selection.range.since >= selection.range.until) continue;
        reading.lines_found = 0;
        progress.forget();
        query::LastGroups groups{*request.tail, request.context};
        Taker taker{request, reading, groups};
        TRY(auto tally, query::read_lines(
                            reading.store, reading.identities, selection, reading.limits, progress,
                            [&](const query::Entry& entry) { return taker.take(entry); }));
        CHECK(taker.finish());
        bool enough = groups.counted() == *request.tail;
        if (!everything && (!enough || (!groups.reaches_back() && !had_enough))) {
            had_enough = enough;
            continue;
        }
        reading.complete = everything;
        groups.write(GroupPrinter{request.format, console, progress});
        return tally;
    }
}

}  // namespace

Result<query::Tally> show_with_context(const Logs& request, ContextReading& reading, Console& console,
                                       Progress& progress) {
    if (request.limit && *request.limit == 0) {
        reading.complete = false;
        return query::Tally{.hours_total = 1};
    }
    return request.tail ? show_last(request, reading, console, progress)
                        : show_all(request, reading, console, progress);
}

}  // namespace boatswain::tool
