// A query, parsed and checked: lines that a pipeline selects and changes, or numbers made of them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "logql/stage.h"
#include "query/filter.h"
#include "query/regex.h"

namespace boatswain::logql {

enum class MatchOperator : std::uint8_t { equal, not_equal, matches, matches_not };

struct Matcher {
    std::string label;
    MatchOperator op = MatchOperator::equal;
    std::string value;
    std::shared_ptr<const query::Regex> regex{};  // of `matches` and `matches_not`; they mean the whole value

    // Of an absent label: of "".
    bool holds(std::string_view text) const;
};

// {app="cart"} | json | level="error"
struct LogQuery {
    std::vector<Matcher> matchers;
    std::vector<StagePtr> stages;
    bool names_level = false;  // `detected_level` stands in the query (logql/level.h)

    // What of the query can be asked of sources, frames and lines as they are stored: matchers, and line filters before
    // the first stage that replaces the line. Whatever it leaves out, the query would leave out too.
    query::FilterPtr filter() const;
    // Runs the stages; false: the line is left out.
    bool process(Record& record) const;
};

enum class Grouping : std::uint8_t { none, by, without };
struct Groups {
    Grouping grouping = Grouping::none;
    std::vector<std::string> labels;
};

enum class RangeFunction : std::uint8_t {
    count,
    rate,
    bytes,
    bytes_rate,
    absent,
    sum,
    avg,
    min,
    max,
    first,
    last,
    stddev,
    stdvar,
    quantile,
};

struct Unwrap {
    enum class Conversion : std::uint8_t { number, duration, bytes };
    std::string label;
    Conversion conversion = Conversion::number;
    std::vector<StagePtr> filters;  // behind it
};

// count_over_time({app="cart"} |= "x" [5m] offset 1h)
struct RangeAggregation {
    RangeFunction function = RangeFunction::count;
    double parameter = 0;  // of quantile
    LogQuery lines;
    std::optional<Unwrap> unwrap;
    Nanoseconds range{};
    Nanoseconds offset{};
    Groups groups;
};

struct Metric;
using MetricPtr = std::unique_ptr<const Metric>;

enum class VectorFunction : std::uint8_t { sum, avg, min, max, count, stddev, stdvar, topk, bottomk, sort, sort_desc };

struct VectorAggregation {
    VectorFunction function = VectorFunction::sum;
    std::size_t parameter = 0;  // of topk and bottomk
    Groups groups;
    MetricPtr of;
};

enum class BinaryOperator : std::uint8_t {
    add,
    subtract,
    multiply,
    divide,
    modulo,
    power,
    equal,
    not_equal,
    greater,
    greater_equal,
    less,
    less_equal,
    both,
    either,
    unless,
};

struct Binary {
    BinaryOperator op = BinaryOperator::add;
    bool as_bool = false;
    bool on = false;                  // labels are those that count; otherwise those that do not
    std::vector<std::string> labels;  // of on() or ignoring()
    enum class Many : std::uint8_t { none, left, right } many = Many::none;
    std::vector<std::string> include;  // labels of the one side that results get
    MetricPtr left, right;
};

struct LabelReplace {
    MetricPtr of;
    std::string target, replacement, source;
    std::shared_ptr<const query::Regex> regex;
};

struct Metric {
    struct Number {
        double value = 0;
    };  // a scalar
    struct Vector {
        double value = 0;
    };  // vector(1)
    std::variant<Number, Vector, RangeAggregation, VectorAggregation, Binary, LabelReplace> of;

    bool is_number() const { return std::holds_alternative<Number>(of); }
};

using Query = std::variant<LogQuery, MetricPtr>;

// Parentheses, aggregations and operators within each other.
inline constexpr std::size_t depth_max = 100;
// Stages of one pipeline.
inline constexpr std::size_t stages_max = 100;

// Remedy::stop: "parse error at line 1, col 17: ...", as Loki says it.
Result<Query> parse_query(std::string_view text);

}  // namespace boatswain::logql
