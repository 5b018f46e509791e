#include "logql/entry_query.h"

#include "logql/level.h"
#include "query/backward.h"

namespace boatswain::logql {

namespace {

// Makes a record of a line and runs it through the pipeline; false: the line is left out.
bool process(const Ground& ground, const LogQuery& query, const query::Entry& entry, Record& record) {
    record.time = entry.text.line.time;
    record.line = entry.text.line.bytes;
    record.labels.clear();
    add_origin_labels(entry, record.labels);
    if (ground.levels || query.names_level)
        record.labels.set(level_label, detected_level(record.labels, record.line), LabelKind::metadata);
    return query.process(record);
}

query::FilterPtr filter_of(const Ground& ground, const LogQuery& query) {
    auto filter = query.filter();
    return ground.scope ? query::all_of({ground.scope, std::move(filter)}) : filter;
}

query::Selection selection_of(const Ground& ground, const LogQuery& query, const query::TimeRange& range) {
    return {.tenant = ground.tenant, .range = range, .filter = filter_of(ground, query), .numbered = ground.numbered};
}

}  // namespace

Result<query::Tally> read_lines(const Ground& ground, const LogQuery& query, const query::TimeRange& range,
                                const EachLine& each) {
    Record record;
    return query::read_lines(ground.store, ground.identities, selection_of(ground, query, range), ground.limits,
                             ground.observer, [&](const query::Entry& entry) {
                                 if (!entry.is_line()) return each(entry, nullptr);
                                 return !process(ground, query, entry, record) || each(entry, &record);
                             });
}

Result<query::Tally> read_lines_backward(const Ground& ground, const LogQuery& query, const query::TimeRange& range,
                                         std::uint64_t most, const EachLine& each) {
    Record record;
    auto accepts = [&](const query::Entry& entry) { return !entry.is_line() || process(ground, query, entry, record); };
    // What is handed out went through the pipeline once before: to hold lines costs less than to hold records.
    return query::read_lines_backward(ground.store, ground.identities, selection_of(ground, query, range),
                                      ground.limits, ground.observer, most, accepts, [&](const query::Entry& entry) {
                                          if (!entry.is_line()) return each(entry, nullptr);
                                          (void)process(ground, query, entry, record);
                                          return each(entry, &record);
                                      });
}

EntryQuery::EntryQuery(const Ground& ground, const LogQuery& query)
    : ground_(ground), query_(query), filter_(filter_of(ground, query)) {}

bool EntryQuery::wants(const query::Origin& origin) const {
    return !filter_ || filter_->match(origin) != query::Match::none;
}

bool EntryQuery::lets_through(const query::Entry& entry, const Record*& record) {
    record = nullptr;
    if (!wants(entry.origin()) || (filter_ && filter_->match(entry) == query::Match::none)) return false;
    if (!entry.is_line()) return true;
    if (!process(ground_, query_, entry, record_)) return false;
    record = &record_;
    return true;
}

}  // namespace boatswain::logql
