#include "logql/evaluate.h"

#include <algorithm>

#include "logql/series.h"

namespace boatswain::logql {

namespace {

// Sums of these are the same whether lines or series are added up.
bool adds_up(const RangeAggregation& aggregation) {
    switch (aggregation.function) {
        case RangeFunction::count:
        case RangeFunction::rate:
        case RangeFunction::bytes:
        case RangeFunction::bytes_rate:
        case RangeFunction::sum: return true;
        default: return false;
    }
}

Result<Numbers> constant(const Ground& ground, double value, bool is_scalar, std::size_t steps) {
    Numbers numbers;
    CHECK(hold_series(numbers, ground.limits.budget, 1, steps));
    numbers.is_scalar = is_scalar;
    auto series = empty_series({}, steps);
    std::ranges::fill(series.values, value);
    std::ranges::fill(series.present, 1);
    numbers.series.push_back(std::move(series));
    return numbers;
}

Result<Numbers> aggregation_of(const Ground& ground, const VectorAggregation& aggregation, const Steps& steps) {
    const auto* lines = std::get_if<RangeAggregation>(&aggregation.of->of);
    if (!lines) {
        TRY(auto of, compute(ground, *aggregation.of, steps));
        return aggregate_series(aggregation, std::move(of), steps.count());
    }
    // Without groups nobody needs what a parser finds, and so nobody hears of its errors: as Loki does it.
    bool is_one_group = aggregation.groups.grouping == Grouping::none;
    Groups one{.grouping = Grouping::by, .labels = {}};
    const auto& groups = is_one_group ? one : aggregation.groups;
    bool pushed = aggregation.function == VectorFunction::sum && adds_up(*lines);
    TRY(auto of, aggregate_range(ground, *lines, steps, pushed ? &groups : nullptr, !is_one_group || lines->unwrap));
    return aggregate_series(aggregation, std::move(of), steps.count());
}

Result<Numbers> replaced(const Ground& ground, const LabelReplace& replace, const Steps& steps) {
    TRY(auto numbers, compute(ground, *replace.of, steps));
    std::map<MetricLabels, bool> seen;
    for (auto& series : numbers.series) {
        auto text = label_of(series.labels, replace.source);
        if (replace.regex->matches_whole(text))
            set_label(series.labels, replace.target, replace.regex->replace_all(text, replace.replacement));
        if (!seen.emplace(series.labels, true).second)
            return fail(Remedy::stop, "label_replace() made two series of the same labels: " + to_text(series.labels));
    }
    return numbers;
}

}  // namespace

Result<Steps> Steps::of_range(Timestamp start, Timestamp end, Nanoseconds step) {
    if (step <= Nanoseconds{0})
        return fail(Remedy::stop,
                    "zero or negative query resolution step widths are not accepted. Try a positive integer");
    if ((end - start) / step > static_cast<std::int64_t>(steps_max))
        return fail(
            Remedy::stop,
            "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step "
            "parameter");
    auto floor = [&](Timestamp time) {
        auto count = time.time_since_epoch() / step;
        if (time.time_since_epoch() % step < Nanoseconds{0}) --count;
        return Timestamp{count * step};
    };
    Steps steps{.first = floor(start), .last = floor(end), .step = step};
    if (steps.last < end) steps.last += step;
    return steps;
}

Result<Numbers> compute(const Ground& ground, const Metric& metric, const Steps& steps) {
    if (const auto* number = std::get_if<Metric::Number>(&metric.of))
        return constant(ground, number->value, true, steps.count());
    if (const auto* vector = std::get_if<Metric::Vector>(&metric.of))
        return constant(ground, vector->value, false, steps.count());
    if (const auto* lines = std::get_if<RangeAggregation>(&metric.of))
        return aggregate_range(ground, *lines, steps, nullptr, true);
    if (const auto* aggregation = std::get_if<VectorAggregation>(&metric.of))
        return aggregation_of(ground, *aggregation, steps);
    if (const auto* replace = std::get_if<LabelReplace>(&metric.of)) return replaced(ground, *replace, steps);
    const auto& binary = std::get<Binary>(metric.of);
    TRY(auto left, compute(ground, *binary.left, steps));
    TRY(auto right, compute(ground, *binary.right, steps));
    return join_series(binary, std::move(left), std::move(right), steps.count());
}

}  // namespace boatswain::logql
