#include "logql/evaluate.h"

namespace boatswain::logql {

Result<query::Tally> read_lines(const Ground& ground, const LogQuery& query, const query::TimeRange& range,
                                const EachLine& each) {
    query::Selection selection{.tenant = ground.tenant, .range = range, .filter = query.filter()};
    Record record;
    return query::read_lines(ground.store, ground.identities, selection, ground.limits, ground.observer,
                             [&](const query::Entry& entry) {
                                 if (!entry.is_line()) return each(entry, nullptr);
                                 record.time = entry.text.line.time;
                                 record.line = entry.text.line.bytes;
                                 record.labels.clear();
                                 add_origin_labels(entry, record.labels);
                                 return !query.process(record) || each(entry, &record);
                             });
}

}  // namespace boatswain::logql
