// Range aggregations: numbers out of lines.
#include <algorithm>
#include <cmath>
#include <limits>

#include "logql/series.h"
#include "logql/units.h"

namespace boatswain::logql {

namespace {

// All that is kept of the lines between two neighbouring edges.
struct Piece {
    std::uint64_t count = 0;
    double sum = 0, squares = 0;
    double min = std::numeric_limits<double>::infinity(), max = -std::numeric_limits<double>::infinity();
    Timestamp first_time = Timestamp::max(), last_time = Timestamp::min();
    double first = 0, last = 0;
    std::vector<double> values;  // of quantile alone

    void add(Timestamp time, double value, bool keep) {
        ++count;
        sum += value;
        squares += value * value;
        min = std::min(min, value);
        max = std::max(max, value);
        if (time < first_time) first_time = time, first = value;
        if (time >= last_time) last_time = time, last = value;
        if (keep) values.push_back(value);
    }
    void add(const Piece& other) {
        count += other.count;
        sum += other.sum;
        squares += other.squares;
        min = std::min(min, other.min);
        max = std::max(max, other.max);
        if (other.first_time < first_time) first_time = other.first_time, first = other.first;
        if (other.last_time >= last_time) last_time = other.last_time, last = other.last;
        values.insert(values.end(), other.values.begin(), other.values.end());
    }
};

double quantile_of(std::vector<double> values, double quantile) {
    if (quantile < 0) return -std::numeric_limits<double>::infinity();
    if (quantile > 1) return std::numeric_limits<double>::infinity();
    std::ranges::sort(values);
    auto rank = quantile * static_cast<double>(values.size() - 1);
    auto lower = static_cast<std::size_t>(std::floor(rank));
    auto upper = std::min(values.size() - 1, lower + 1);
    auto weight = rank - std::floor(rank);
    return values[lower] * (1 - weight) + values[upper] * weight;
}

// The moments at which a window begins or ends, in order. Piece i lies in (edge i - 1, edge i].
class Edges {
  public:
    Edges(const RangeAggregation& aggregation, const Steps& steps) : aggregation_(aggregation), steps_(steps) {
        for (std::size_t i = 0; i < steps.count(); ++i) {
            edges_.push_back(begin_of(i));
            edges_.push_back(end_of(i));
        }
        std::ranges::sort(edges_);
        edges_.erase(std::unique(edges_.begin(), edges_.end()), edges_.end());
    }
    Timestamp begin_of(std::size_t step) const { return end_of(step) - aggregation_.range; }
    Timestamp end_of(std::size_t step) const { return steps_.at(step) - aggregation_.offset; }
    std::size_t piece_of(Timestamp time) const {
        return static_cast<std::size_t>(std::ranges::lower_bound(edges_, time) - edges_.begin());
    }
    // What a reader has to read: windows are open at their beginning and closed at their end.
    query::TimeRange range() const { return {edges_.front() + Nanoseconds{1}, edges_.back() + Nanoseconds{1}}; }
    std::size_t count() const { return edges_.size(); }

  private:
    const RangeAggregation& aggregation_;
    const Steps& steps_;
    std::vector<Timestamp> edges_;
};

class RangeSums {
  public:
    RangeSums(const Ground& ground, const RangeAggregation& aggregation, const Steps& steps, const Groups* coarser,
              bool errors_matter)
        : ground_(ground),
          aggregation_(aggregation),
          steps_(steps),
          edges_(aggregation, steps),
          groups_(coarser ? *coarser : aggregation.groups),
          errors_matter_(errors_matter) {}

    Result<Numbers> run() {
        auto tally = read_lines(ground_, aggregation_.lines, edges_.range(),
                                [&](const query::Entry&, const Record* record) { return !record || take(*record); });
        if (trouble_) return std::unexpected(std::move(*trouble_));
        if (!tally) return std::unexpected(std::move(tally).error());
        Numbers numbers;
        numbers.tally = *tally;
        bool is_absent = aggregation_.function == RangeFunction::absent;
        CHECK(hold_series(numbers, ground_.limits.budget, is_absent ? 1 : pieces_.size(), steps_.count()));
        if (is_absent) {
            numbers.series.push_back(absent());
            return numbers;
        }
        for (const auto& [labels, pieces] : pieces_) numbers.series.push_back(series_of(labels, pieces));
        return numbers;
    }

  private:
    using Pieces = std::map<std::size_t, Piece>;

    bool stop(std::string what) {
        trouble_ = Error{.remedy = Remedy::stop, .what = std::move(what), .cause = {}};
        return false;
    }

    bool take(const Record& record) {
        Record copy;
        const Record* at = &record;
        double value = 1;
        if (aggregation_.unwrap) {
            copy = record;
            if (copy.replaced.data() == record.line.data() || !record.replaced.empty()) copy.line = copy.replaced;
            auto unwrapped = unwrap(copy);
            if (!unwrapped) return true;
            value = *unwrapped;
            at = &copy;
        } else if (aggregation_.function == RangeFunction::bytes ||
                   aggregation_.function == RangeFunction::bytes_rate) {
            value = static_cast<double>(record.line.size());
        }
        if (errors_matter_ && at->labels.has(error_label))
            return stop("pipeline error: '" + std::string{at->labels.value(error_label)} +
                        "': " + std::string{at->labels.value(error_details_label)} +
                        ". Use a label filter to intentionally skip this error: | __error__=\"\"");
        auto found = pieces_.find(labels_of(at->labels));
        if (found == pieces_.end()) {
            if (pieces_.size() == series_max)
                return stop("maximum number of series (" + std::to_string(series_max) +
                            ") reached for a single query: group it by fewer labels, or select less");
            found = pieces_.emplace(labels_of(at->labels), Pieces{}).first;
        }
        bool keep = aggregation_.function == RangeFunction::quantile;
        auto [piece, is_new] = found->second.try_emplace(edges_.piece_of(at->time));
        auto bytes = (is_new ? sizeof(Piece) + 64 : 0) + (keep ? 2 * sizeof(double) : 0);
        if (bytes > 0 && !hold(bytes)) return false;
        piece->second.add(at->time, value, keep);
        return true;
    }

    // In large portions: a share for each piece would be more than the piece.
    bool hold(std::size_t bytes) {
        constexpr std::size_t portion = 1U << 20;
        if (bytes > room_) {
            auto share = ground_.limits.budget.hold(portion, "numbers of the query");
            if (!share) {
                trouble_ = std::move(share).error();
                return false;
            }
            held_.push_back(std::move(*share));
            room_ += portion;
        }
        room_ -= bytes;
        return true;
    }

    std::optional<double> unwrap(Record& record) const {
        const auto& unwrap = *aggregation_.unwrap;
        if (!record.labels.has(unwrap.label)) return std::nullopt;
        auto text = std::string{record.labels.value(unwrap.label)};
        auto value = parse(text);
        if (!value) record.labels.set_error("SampleExtractionErr", "the value of " + unwrap.label + " is no number");
        // What was taken out is no label of the series.
        record.labels.erase(unwrap.label);
        for (const auto& filter : unwrap.filters)
            if (!filter->process(record)) return std::nullopt;
        return value.value_or(0);
    }
    std::optional<double> parse(std::string_view text) const {
        switch (aggregation_.unwrap->conversion) {
            case Unwrap::Conversion::duration:
                if (auto nanoseconds = parse_duration(text)) return *nanoseconds / 1e9;
                return std::nullopt;
            case Unwrap::Conversion::bytes: return parse_bytes(text);
            case Unwrap::Conversion::number: break;
        }
        return parse_number(text);
    }

    MetricLabels labels_of(const Labels& labels) const {
        MetricLabels all;
        for (auto& label : labels.sorted()) all.emplace_back(std::move(label.name), std::move(label.value));
        return grouped(all, groups_);
    }

    Series series_of(const MetricLabels& labels, const Pieces& pieces) const {
        auto series = empty_series(labels, steps_.count());
        for (std::size_t step = 0; step < steps_.count(); ++step) {
            Piece window;
            auto end = pieces.upper_bound(edges_.piece_of(edges_.end_of(step)));
            for (auto at = pieces.upper_bound(edges_.piece_of(edges_.begin_of(step))); at != end; ++at)
                window.add(at->second);
            if (window.count == 0) continue;
            series.present[step] = 1;
            series.values[step] = value_of(std::move(window));
        }
        return series;
    }

    double value_of(Piece window) const {
        auto count = static_cast<double>(window.count);
        auto seconds = static_cast<double>(aggregation_.range.count()) / 1e9;
        auto mean = window.sum / count;
        auto variance = std::max(0.0, window.squares / count - mean * mean);
        switch (aggregation_.function) {
            case RangeFunction::count: return count;
            case RangeFunction::rate: return (aggregation_.unwrap ? window.sum : count) / seconds;
            case RangeFunction::bytes:
            case RangeFunction::sum: return window.sum;
            case RangeFunction::bytes_rate: return window.sum / seconds;
            case RangeFunction::avg: return mean;
            case RangeFunction::min: return window.min;
            case RangeFunction::max: return window.max;
            case RangeFunction::first: return window.first;
            case RangeFunction::last: return window.last;
            case RangeFunction::stddev: return std::sqrt(variance);
            case RangeFunction::stdvar: return variance;
            case RangeFunction::quantile: return quantile_of(std::move(window.values), aggregation_.parameter);
            case RangeFunction::absent: break;
        }
        return 0;
    }

    // 1 at each step whose window has no line; labels are those that the selector says exactly.
    Series absent() const {
        MetricLabels labels;
        for (const auto& matcher : aggregation_.lines.matchers)
            if (matcher.op == MatchOperator::equal) set_label(labels, matcher.label, matcher.value);
        auto series = empty_series(std::move(labels), steps_.count());
        std::ranges::fill(series.present, 1);
        std::ranges::fill(series.values, 1);
        for (const auto& [name, pieces] : pieces_) {
            auto found = series_of(name, pieces);
            for (std::size_t i = 0; i < found.present.size(); ++i)
                if (found.present[i]) series.present[i] = 0;
        }
        return series;
    }

    const Ground& ground_;
    const RangeAggregation& aggregation_;
    const Steps& steps_;
    Edges edges_;
    Groups groups_;
    bool errors_matter_;
    std::map<MetricLabels, Pieces> pieces_;
    std::optional<Error> trouble_;
    std::vector<query::Share> held_;
    std::size_t room_ = 0;
};

}  // namespace

Result<Numbers> aggregate_range(const Ground& ground, const RangeAggregation& aggregation, const Steps& steps,
                                const Groups* coarser, bool errors_matter) {
    return RangeSums{ground, aggregation, steps, coarser, errors_matter}.run();
}

}  // namespace boatswain::logql
