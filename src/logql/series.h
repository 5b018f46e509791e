// Series of numbers, and what joins and splits them by their labels.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "logql/evaluate.h"

namespace boatswain::logql {

// What of `labels` tells groups apart.
MetricLabels grouped(const MetricLabels& labels, const Groups& groups);

std::string_view label_of(const MetricLabels& labels, std::string_view name);
void set_label(MetricLabels& labels, std::string_view name, std::string_view value);

// {app="cart", host="node-7"}
std::string to_text(const MetricLabels& labels);

Series empty_series(MetricLabels labels, std::size_t steps);

// Room for so many series, of the budget.
Result<void> hold_series(Numbers& numbers, query::Budget& budget, std::size_t series, std::size_t steps);

// The lines of one range aggregation, counted. `coarser`: groups of the sum around it, by which it may group at once;
// nullptr: none.
Result<Numbers> aggregate_range(const Ground& ground, const RangeAggregation& aggregation, const Steps& steps,
                                const Groups* coarser, bool errors_matter);

Result<Numbers> aggregate_series(const VectorAggregation& aggregation, Numbers of, std::size_t steps);
Result<Numbers> join_series(const Binary& binary, Numbers left, Numbers right, std::size_t steps);

}  // namespace boatswain::logql
