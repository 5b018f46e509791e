// Lines, and numbers made of them.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "api/asking.h"
#include "api/routes.h"
#include "base/json_writer.h"
#include "logql/format.h"

namespace boatswain::api {
namespace {

// Gaps that may stand among the last lines, beside those that were asked for.
constexpr std::uint64_t gaps_beside = 1000;

// How far before its time a query looks, `most` at the most.
Nanoseconds reach_of(const logql::Metric& metric, Nanoseconds most) {
    struct {
        Nanoseconds most;
        Nanoseconds operator()(const logql::Metric::Number&) const { return {}; }
        Nanoseconds operator()(const logql::Metric::Vector&) const { return {}; }
        Nanoseconds operator()(const logql::RangeAggregation& range) const {
            return std::min(most, std::min(most, range.range) + std::min(most, std::max(range.offset, Nanoseconds{})));
        }
        Nanoseconds operator()(const logql::VectorAggregation& of) const { return reach_of(*of.of, most); }
        Nanoseconds operator()(const logql::Binary& of) const {
            return std::max(reach_of(*of.left, most), reach_of(*of.right, most));
        }
        Nanoseconds operator()(const logql::LabelReplace& of) const { return reach_of(*of.of, most); }
    } reach{most};
    return std::visit(reach, metric.of);
}

Result<logql::Numbers> compute(Asking& asking, const logql::Metric& metric, const logql::Steps& steps,
                               Nanoseconds length) {
    auto range_max = asking.limits().range_max;
    length += reach_of(metric, range_max + Nanoseconds{1});
    if (length > range_max) return too_long(length, range_max);
    TRY(auto numbers, logql::compute(asking.ground(), metric, steps));
    if (numbers.series.size() > series_max)
        return fail(Remedy::stop,
                    fmt::format("maximum number of series ({}) reached for a single query; consider reducing query "
                                "cardinality by adding more specific stream selectors, reducing the time range, or "
                                "aggregating results with functions like sum(), count() or topk()",
                                series_max));
    return numbers;
}

// Of lines that come one after the other: the first, and then each that is at least `interval` from the last one kept.
class Thinning {
  public:
    explicit Thinning(Nanoseconds interval) : interval_(interval) {}
    bool keeps(Timestamp time) {
        if (last_ && std::chrono::abs(time - *last_) < interval_) return false;
        last_ = time;
        return true;
    }

  private:
    Nanoseconds interval_;
    std::optional<Timestamp> last_;
};

Result<http::Answer> lines(Asking& asking, const logql::LogQuery& query, const query::TimeRange& range) {
    TRY(auto limit, limit_of(asking.given()));
    TRY(auto backward, is_backward(asking.given()));
    TRY(auto interval, interval_of(asking.given()));
    bool categorised = asking.question().categorised;
    Streams streams{categorised, asking.budget()};
    Thinning thinning{interval};
    Result<void> added;
    auto each = [&](const query::Entry& entry, const logql::Record* record) {
        if (asking.is_over()) return false;
        if (record == nullptr) {
            asking.met().gap(entry);
            return true;
        }
        if (!thinning.keeps(record->time)) return true;
        added = streams.add(*record);
        return added && streams.lines() < limit;
    };
    auto ground = asking.ground();
    ground.levels = true;
    // Which of the last lines are kept is known only from the latest on: all of a piece of time are held.
    auto most = interval > Nanoseconds{} ? std::numeric_limits<std::uint64_t>::max() : limit + gaps_beside;
    TRY(auto tally, backward ? logql::read_lines_backward(ground, query, range, most, each)
                             : logql::read_lines(ground, query, range, each));
    CHECK(added);
    CHECK(asking.whole());
    return json_answer(to_json({.type = "streams",
                                .categorised = categorised,
                                .result = streams.json(),
                                .effort = asking.effort(tally, streams.lines()),
                                .warnings = asking.met().warnings(tally)}));
}

}  // namespace

Result<http::Answer> query_range(Asking& asking) {
    TRY(auto parsed, asking.query());
    TRY(auto range, asking.range());
    if (const auto* of_lines = std::get_if<logql::LogQuery>(&parsed)) return lines(asking, *of_lines, range);
    TRY(auto step, step_of(asking.given(), range));
    TRY(auto steps, logql::Steps::of_range(range.since, range.until, step));
    TRY(auto numbers, compute(asking, *std::get<logql::MetricPtr>(parsed), steps, range.until - range.since));
    return json_answer(to_json({.type = "matrix",
                                .result = matrix_json(numbers, steps),
                                .effort = asking.effort(numbers.tally, numbers.series.size()),
                                .warnings = asking.met().warnings(numbers.tally)}));
}

Result<http::Answer> query_instant(Asking& asking) {
    TRY(auto parsed, asking.query());
    TRY(auto time, time_of(asking.given(), "time", asking.question().now));
    if (std::holds_alternative<logql::LogQuery>(parsed))
        return fail(Remedy::stop,
                    "log queries are not supported as an instant query type, please change your query to a range "
                    "query type");
    auto steps = logql::Steps::instant(time);
    TRY(auto numbers, compute(asking, *std::get<logql::MetricPtr>(parsed), steps, Nanoseconds{}));
    return json_answer(to_json({.type = numbers.is_scalar ? "scalar" : "vector",
                                .result = numbers.is_scalar ? scalar_json(numbers, steps) : vector_json(numbers, steps),
                                .effort = asking.effort(numbers.tally, numbers.series.size()),
                                .warnings = asking.met().warnings(numbers.tally)}));
}

Result<http::Answer> format_query(Asking& asking) {
    auto formatted = logql::format_query(asking.given().value("query"));
    auto json = json_object();
    if (formatted) return json_answer(json.member("status", "success").member("data", *formatted).take_line());
    auto answer =
        json_answer(json.member("status", "invalid-query").member("error", formatted.error().what).take_line());
    answer.status = 400;
    return answer;
}

}  // namespace boatswain::api
