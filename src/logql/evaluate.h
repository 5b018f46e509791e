// Answers queries from a store.
//
// Lines: in the order of their times, each through the pipeline. Numbers: for each step, over the lines of the window
// (step - range, step]. A window is cut at the edges of all windows, and of each piece only sums are kept: memory goes
// with series and steps, not with lines (quantile_over_time alone keeps its values).
//
// What was met on the way (damaged objects, gaps) goes to the observer, as with query::read_lines().
#pragma once

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "logql/query.h"
#include "open/identity.h"
#include "query/merge.h"
#include "query/selection.h"
#include "store/store.h"

namespace boatswain::logql {

// Where and for whom a query is answered. All borrowed.
struct Ground {
    store::Store& store;
    std::span<const open::Identity> identities;
    std::optional<TenantId> tenant;
    query::Limits limits;
    query::Observer& observer;
    // What the one who asks may see at all, whatever the query says; empty: everything of the tenant.
    query::FilterPtr scope{};
    // Lines have the label `detected_level` even where a query does not name it.
    bool levels = false;
    // Entries have ordinals, and closing records are handed out too (query/selection.h).
    bool numbered = false;
};

// Hands out each line that the pipeline lets through, with its record, and each gap (and closing record), with nullptr. False: enough.
using EachLine = std::function<bool(const query::Entry& entry, const Record* record)>;
Result<query::Tally> read_lines(const Ground& ground, const LogQuery& query, const query::TimeRange& range,
                                const EachLine& each);

// The last `most` of these, the latest first (query/backward.h); gaps count.
Result<query::Tally> read_lines_backward(const Ground& ground, const LogQuery& query, const query::TimeRange& range,
                                         std::uint64_t most, const EachLine& each);

// More are refused, as Loki does.
inline constexpr std::size_t series_max = 10'000;
inline constexpr std::size_t steps_max = 11'000;

// Moments at which numbers are asked for: first, first + step, ..., last.
struct Steps {
    Timestamp first{};
    Timestamp last{};
    Nanoseconds step{};  // more than 0, but where first == last

    // The range [start, end] with both ends moved outwards to multiples of `step`, as Loki does. Remedy::stop when
    // there are more than steps_max.
    static Result<Steps> of_range(Timestamp start, Timestamp end, Nanoseconds step);
    static Steps instant(Timestamp time) { return {.first = time, .last = time, .step = Nanoseconds{1}}; }
    std::size_t count() const { return static_cast<std::size_t>((last - first) / step) + 1; }
    Timestamp at(std::size_t index) const { return first + static_cast<std::int64_t>(index) * step; }
};

using MetricLabels = std::vector<std::pair<std::string, std::string>>;  // by name

struct Series {
    MetricLabels labels;
    std::vector<double> values;  // one of each step
    std::vector<char> present;   // whether there is one
};

struct Numbers {
    bool is_scalar = false;      // one series without labels
    std::vector<Series> series;  // by labels, or as sort() and topk() order them
    query::Tally tally;
    std::vector<query::Share> held;
};

// Errors: the store's, over budget, too many series, a pipeline error (Remedy::stop), series that cannot be matched.
Result<Numbers> compute(const Ground& ground, const Metric& metric, const Steps& steps);

}  // namespace boatswain::logql
