#include "logql/series.h"

#include <algorithm>
#include <cmath>

#include "base/json_writer.h"

namespace boatswain::logql {

namespace {

using Rows = std::vector<const Series*>;

double aggregated(VectorFunction function, const std::vector<double>& values) {
    double sum = 0;
    for (double value : values) sum += value;
    auto count = static_cast<double>(values.size());
    double squares = 0;
    for (double value : values) squares += (value - sum / count) * (value - sum / count);
    switch (function) {
        case VectorFunction::avg: return sum / count;
        case VectorFunction::min: return std::ranges::min(values);
        case VectorFunction::max: return std::ranges::max(values);
        case VectorFunction::count: return count;
        case VectorFunction::stddev: return std::sqrt(squares / count);
        case VectorFunction::stdvar: return squares / count;
        default: return sum;
    }
}

Numbers reduced(const VectorAggregation& aggregation, const Numbers& of, std::size_t steps) {
    std::map<MetricLabels, Rows> groups;
    for (const auto& series : of.series) groups[grouped(series.labels, aggregation.groups)].push_back(&series);
    Numbers result;
    for (const auto& [labels, rows] : groups) {
        auto series = empty_series(labels, steps);
        for (std::size_t step = 0; step < steps; ++step) {
            std::vector<double> values;
            for (const auto* row : rows)
                if (row->present[step]) values.push_back(row->values[step]);
            if (values.empty()) continue;
            series.present[step] = 1;
            series.values[step] = aggregated(aggregation.function, values);
        }
        result.series.push_back(std::move(series));
    }
    return result;
}

// Of each group and step the k largest, or smallest, stay.
Numbers chosen(const VectorAggregation& aggregation, Numbers of, std::size_t steps) {
    bool largest = aggregation.function == VectorFunction::topk;
    std::map<MetricLabels, std::vector<Series*>> groups;
    auto by = aggregation.groups;
    if (by.grouping == Grouping::none) by.grouping = Grouping::by;  // one group
    for (auto& series : of.series) groups[grouped(series.labels, by)].push_back(&series);
    for (std::size_t step = 0; step < steps; ++step)
        for (auto& [labels, rows] : groups) {
            std::vector<Series*> there;
            for (auto* row : rows)
                if (row->present[step]) there.push_back(row);
            std::ranges::stable_sort(there, [&](const Series* a, const Series* b) {
                return largest ? a->values[step] > b->values[step] : a->values[step] < b->values[step];
            });
            for (std::size_t i = aggregation.parameter; i < there.size(); ++i) there[i]->present[step] = 0;
        }
    std::erase_if(of.series, [](const Series& series) { return std::ranges::count(series.present, 1) == 0; });
    if (steps == 1)
        std::ranges::stable_sort(of.series, [&](const Series& a, const Series& b) {
            return largest ? a.values[0] > b.values[0] : a.values[0] < b.values[0];
        });
    return of;
}

std::optional<double> calculated(const Binary& binary, double left, double right, bool right_stays) {
    auto compared = [&](bool holds) -> std::optional<double> {
        if (binary.as_bool) return holds ? 1 : 0;
        return holds ? std::optional{right_stays ? right : left} : std::nullopt;
    };
    switch (binary.op) {
        case BinaryOperator::add: return left + right;
        case BinaryOperator::subtract: return left - right;
        case BinaryOperator::multiply: return left * right;
        case BinaryOperator::divide: return left / right;
        case BinaryOperator::modulo: return std::fmod(left, right);
        case BinaryOperator::power: return std::pow(left, right);
        case BinaryOperator::equal: return compared(left == right);
        case BinaryOperator::not_equal: return compared(left != right);
        case BinaryOperator::greater: return compared(left > right);
        case BinaryOperator::greater_equal: return compared(left >= right);
        case BinaryOperator::less: return compared(left < right);
        case BinaryOperator::less_equal: return compared(left <= right);
        default: return std::nullopt;
    }
}

Numbers with_scalar(const Binary& binary, const Numbers& left, const Numbers& right, std::size_t steps) {
    bool scalar_left = left.is_scalar;
    Numbers result;
    result.is_scalar = left.is_scalar && right.is_scalar;
    const auto& rows = scalar_left && !right.is_scalar ? right : left;
    const auto& scalar = scalar_left && !right.is_scalar ? left.series.front() : right.series.front();
    for (const auto& row : rows.series) {
        auto series = empty_series(row.labels, steps);
        for (std::size_t step = 0; step < steps; ++step) {
            if (!row.present[step]) continue;
            auto own = row.values[step], other = scalar.values[step];
            bool swapped = &rows == &right;
            auto value = swapped ? calculated(binary, other, own, true) : calculated(binary, own, other, false);
            if (!value) continue;
            series.present[step] = 1;
            series.values[step] = *value;
        }
        result.series.push_back(std::move(series));
    }
    return result;
}

MetricLabels signature(const Binary& binary, const MetricLabels& labels) {
    return grouped(labels, {.grouping = binary.on ? Grouping::by : Grouping::without, .labels = binary.labels});
}

Numbers set_operation(const Binary& binary, Numbers left, Numbers right, std::size_t steps) {
    auto covered = [&](const Numbers& by) {
        std::map<MetricLabels, std::vector<char>> steps_of;
        for (const auto& row : by.series) {
            auto& there = steps_of[signature(binary, row.labels)];
            there.resize(steps);
            for (std::size_t i = 0; i < steps; ++i) there[i] = there[i] || row.present[i];
        }
        return steps_of;
    };
    auto keep = [&](Numbers& rows, const std::map<MetricLabels, std::vector<char>>& by, bool wanted) {
        for (auto& row : rows.series) {
            auto found = by.find(signature(binary, row.labels));
            for (std::size_t i = 0; i < steps; ++i)
                if ((found != by.end() && found->second[i]) != wanted) row.present[i] = 0;
        }
    };
    if (binary.op == BinaryOperator::either) {
        keep(right, covered(left), false);
        for (auto& row : right.series) left.series.push_back(std::move(row));
    } else {
        keep(left, covered(right), binary.op == BinaryOperator::both);
    }
    std::erase_if(left.series, [](const Series& series) { return std::ranges::count(series.present, 1) == 0; });
    return left;
}

// Of series that are matched, the labels of the result.
MetricLabels result_labels(const Binary& binary, const MetricLabels& many, const MetricLabels& one) {
    if (binary.many == Binary::Many::none) return signature(binary, many);
    auto labels = many;
    for (const auto& name : binary.include) set_label(labels, name, label_of(one, name));
    return labels;
}

Result<Numbers> matched(const Binary& binary, const Numbers& left, const Numbers& right, std::size_t steps) {
    bool right_is_many = binary.many == Binary::Many::right;
    const auto& many = right_is_many ? right : left;
    const auto& one = right_is_many ? left : right;
    std::map<MetricLabels, Rows> ones;
    for (const auto& row : one.series) ones[signature(binary, row.labels)].push_back(&row);
    std::map<MetricLabels, Series> results;
    for (const auto& row : many.series) {
        auto found = ones.find(signature(binary, row.labels));
        if (found == ones.end()) continue;
        for (std::size_t step = 0; step < steps; ++step) {
            if (!row.present[step]) continue;
            const Series* partner = nullptr;
            for (const auto* candidate : found->second) {
                if (!candidate->present[step]) continue;
                if (partner)
                    return fail(Remedy::stop, "multiple matches for labels " + to_text(found->first) +
                                                  ": found duplicate series on one side of the operation");
                partner = candidate;
            }
            if (!partner) continue;
            auto value = right_is_many ? calculated(binary, partner->values[step], row.values[step], true)
                                       : calculated(binary, row.values[step], partner->values[step], false);
            if (!value) continue;
            auto labels = result_labels(binary, row.labels, partner->labels);
            auto& series = results.try_emplace(labels, empty_series(labels, steps)).first->second;
            if (series.present[step])
                return fail(Remedy::stop, "multiple matches for labels " + to_text(labels) +
                                              ": many-to-one matching must be explicit (group_left/group_right)");
            series.present[step] = 1;
            series.values[step] = *value;
        }
    }
    Numbers numbers;
    for (auto& [labels, series] : results) numbers.series.push_back(std::move(series));
    return numbers;
}

}  // namespace

MetricLabels grouped(const MetricLabels& labels, const Groups& groups) {
    if (groups.grouping == Grouping::none) return labels;
    MetricLabels kept;
    for (const auto& label : labels) {
        bool is_named = std::ranges::find(groups.labels, label.first) != groups.labels.end();
        if (is_named == (groups.grouping == Grouping::by)) kept.push_back(label);
    }
    return kept;
}

std::string_view label_of(const MetricLabels& labels, std::string_view name) {
    auto found = std::ranges::find(labels, name, &std::pair<std::string, std::string>::first);
    return found == labels.end() ? std::string_view{} : std::string_view{found->second};
}

void set_label(MetricLabels& labels, std::string_view name, std::string_view value) {
    std::erase_if(labels, [&](const auto& label) { return label.first == name; });
    if (value.empty()) return;
    auto place = std::ranges::lower_bound(labels, name, {}, &std::pair<std::string, std::string>::first);
    labels.emplace(place, name, value);
}

std::string to_text(const MetricLabels& labels) {
    std::string text = "{";
    for (const auto& [name, value] : labels) text += (text.size() > 1 ? ", " : "") + name + "=" + json_quote(value);
    return text + "}";
}

Series empty_series(MetricLabels labels, std::size_t steps) {
    return {.labels = std::move(labels), .values = std::vector<double>(steps), .present = std::vector<char>(steps)};
}

Result<void> hold_series(Numbers& numbers, query::Budget& budget, std::size_t series, std::size_t steps) {
    constexpr std::size_t labels_bytes = 500;
    TRY(auto share, budget.hold(series * (labels_bytes + steps * (sizeof(double) + 1)), "series of the answer"));
    numbers.held.push_back(std::move(share));
    return {};
}

Result<Numbers> aggregate_series(const VectorAggregation& aggregation, Numbers of, std::size_t steps) {
    auto tally = of.tally;
    auto held = std::move(of.held);
    Numbers result;
    switch (aggregation.function) {
        case VectorFunction::topk:
        case VectorFunction::bottomk: result = chosen(aggregation, std::move(of), steps); break;
        case VectorFunction::sort:
        case VectorFunction::sort_desc: {
            bool descends = aggregation.function == VectorFunction::sort_desc;
            if (steps == 1)
                std::ranges::stable_sort(of.series, [&](const Series& a, const Series& b) {
                    return descends ? a.values[0] > b.values[0] : a.values[0] < b.values[0];
                });
            result = std::move(of);
            break;
        }
        default:
            // sum(x) is one group; sum by and without are those.
            auto one =
                aggregation.groups.grouping == Grouping::none
                    ? VectorAggregation{.function = aggregation.function,
                                        .groups = {.grouping = Grouping::by, .labels = {}},
                                        .of = nullptr}
                    : VectorAggregation{.function = aggregation.function, .groups = aggregation.groups, .of = nullptr};
            result = reduced(one, of, steps);
    }
    result.tally = tally;
    result.held = std::move(held);
    return result;
}

Result<Numbers> join_series(const Binary& binary, Numbers left, Numbers right, std::size_t steps) {
    auto tally = left.tally;
    tally.damaged += right.tally.damaged;
    tally.entries += right.tally.entries;
    tally.for_others += right.tally.for_others;
    tally.segments_opened += right.tally.segments_opened;
    tally.hours_total += right.tally.hours_total;
    auto held = std::move(left.held);
    std::ranges::move(right.held, std::back_inserter(held));
    Result<Numbers> result{Numbers{}};
    if (left.is_scalar || right.is_scalar)
        result = with_scalar(binary, left, right, steps);
    else if (binary.op >= BinaryOperator::both)
        result = set_operation(binary, std::move(left), std::move(right), steps);
    else
        result = matched(binary, left, right, steps);
    if (!result) return result;
    result->tally = tally;
    result->held = std::move(held);
    return result;
}

}  // namespace boatswain::logql
