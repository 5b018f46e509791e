// How many bytes each set of labels printed, from footers alone.
//
// A footer says how many bytes a frame has, and from when to when. Of a frame that lies in several steps, or beyond the
// range, each step gets as much as it has of the frame's time.
#include <algorithm>
#include <cmath>
#include <map>

#include "api/asking.h"
#include "api/routes.h"
#include "base/json_writer.h"
#include "logql/record.h"

namespace boatswain::api {
namespace {

constexpr std::uint64_t names_default = 100, names_max = 5000;

class Volumes {
  public:
    static Result<Volumes> begin(Asking& asking, Nanoseconds step) {
        Volumes volumes{asking};
        TRY(volumes.range_, asking.range());
        auto length = volumes.range_.until - volumes.range_.since;
        volumes.step_ = step == Nanoseconds{} ? length : step;
        if (length / volumes.step_ > static_cast<std::int64_t>(logql::steps_max))
            return fail(Remedy::stop,
                        "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of "
                        "the step parameter");
        volumes.steps_ = static_cast<std::size_t>((length + volumes.step_ - Nanoseconds{1}) / volumes.step_);
        TRY(volumes.names_max_, count_of(asking.given(), "limit", names_default, names_max));
        CHECK(volumes.set_target());
        return volumes;
    }

    Result<query::Tally> read() {
        return asking_->each_frame(range_, filter_, [&](const query::Origin& origin, const open::FooterFrame& frame) {
            return take(origin, frame);
        });
    }

    struct Named {
        std::string metric;  // JSON
        std::vector<double> bytes;
        double total = 0;
    };
    // The largest first; those of the same size by name.
    std::vector<Named> sorted() const {
        std::vector<Named> all;
        for (const auto& [metric, bytes] : found_) {
            all.push_back({.metric = metric, .bytes = bytes});
            for (auto one : bytes) all.back().total += one;
        }
        std::ranges::sort(all, [](const Named& a, const Named& b) {
            return std::pair{-a.total, a.metric} < std::pair{-b.total, b.metric};
        });
        if (all.size() > names_max_) all.resize(names_max_);
        return all;
    }
    // A step is named by its end.
    Timestamp time_of_step(std::size_t step) const {
        return std::min(range_.until, range_.since + static_cast<std::int64_t>(step + 1) * step_);
    }

  private:
    explicit Volumes(Asking& asking) : asking_(&asking) {}

    // Which labels volumes are told apart by: targetLabels, or those that the selector names; of {} all.
    Result<void> set_target() {
        auto by = asking_->given().value("aggregateBy");
        if (!by.empty() && by != "series" && by != "labels")
            return fail(Remedy::stop, "invalid aggregation option: aggregateBy is series or labels");
        by_label_ = by == "labels";
        auto text = asking_->given().value("query");
        TRY(filter_, asking_->selector_if_given());
        auto targets = asking_->given().value("targetLabels");
        while (!targets.empty()) {
            auto one = targets.substr(0, targets.find(','));
            targets.remove_prefix(std::min(targets.size(), one.size() + 1));
            if (!one.empty()) target_.emplace_back(one);
        }
        if (target_.empty() && filter_) {
            TRY(auto matchers, asking_->matchers(text));
            for (const auto& matcher : matchers) target_.push_back(matcher.label);
        }
        all_labels_ = target_.empty();
        if (all_labels_)
            for (auto name : logql::origin_label_names()) target_.emplace_back(name);
        std::ranges::sort(target_);
        target_.erase(std::unique(target_.begin(), target_.end()), target_.end());
        return {};
    }

    Result<void> take(const query::Origin& origin, const open::FooterFrame& frame) {
        auto metric = json_object();
        std::size_t named = 0;
        for (const auto& name : target_) {
            auto value = logql::origin_label(origin, name);
            if (value.empty() && !all_labels_) return {};  // as if the selector asked for the label
            if (value.empty()) continue;
            ++named;
            metric.member(name, value);
            if (by_label_) CHECK(add(json_object().member(name, "").take(), frame));
        }
        if (by_label_ || named == 0) return {};
        return add(metric.take(), frame);
    }

    Result<void> add(std::string metric, const open::FooterFrame& frame) {
        constexpr std::uint64_t node_bytes = 200;
        auto found = found_.find(metric);
        if (found == found_.end()) {
            CHECK(asking_->hold(node_bytes + 2 * (metric.size() + steps_ * sizeof(double)), "the volumes"));
            found = found_.emplace(std::move(metric), std::vector<double>(steps_)).first;
        }
        const auto& counts = frame.counts;
        auto bytes = static_cast<double>(counts.message_bytes);
        auto length = static_cast<double>((counts.last_time - counts.first_time).count());
        auto first = std::max(counts.first_time, range_.since), last = std::min(counts.last_time, range_.until);
        if (length <= 0) {
            found->second[step_of_time(first)] += bytes;
            return {};
        }
        for (auto step = step_of_time(first); step < steps_; ++step) {
            auto begin = std::max(first, range_.since + static_cast<std::int64_t>(step) * step_);
            auto end = std::min(last, time_of_step(step));
            if (begin >= last) break;
            found->second[step] += bytes * static_cast<double>((end - begin).count()) / length;
        }
        return {};
    }

    std::size_t step_of_time(Timestamp time) const {
        return std::min(steps_ - 1, static_cast<std::size_t>((time - range_.since) / step_));
    }

    Asking* asking_;
    query::TimeRange range_;
    query::FilterPtr filter_;
    Nanoseconds step_{};
    std::size_t steps_ = 1;
    std::uint64_t names_max_ = names_default;
    bool by_label_ = false;
    bool all_labels_ = false;
    std::vector<std::string> target_;
    std::map<std::string, std::vector<double>> found_;  // by metric, as JSON
};

}  // namespace

Result<http::Answer> volume(Asking& asking) {
    TRY(auto volumes, Volumes::begin(asking, Nanoseconds{}));
    TRY(auto tally, volumes.read());
    auto result = json_array();
    auto sorted = volumes.sorted();
    for (const auto& one : sorted)
        result.object()
            .raw_member("metric", one.metric)
            .raw_member("value", sample_json(volumes.time_of_step(0), std::round(one.total)))
            .end();
    return json_answer(to_json({.type = "vector",
                                .result = result.take(),
                                .effort = asking.effort(tally, sorted.size()),
                                .warnings = asking.met().warnings(tally)}));
}

Result<http::Answer> volume_range(Asking& asking) {
    TRY(auto range, asking.range());
    TRY(auto step, step_of(asking.given(), range));
    TRY(auto volumes, Volumes::begin(asking, step));
    TRY(auto tally, volumes.read());
    auto result = json_array();
    auto sorted = volumes.sorted();
    for (const auto& one : sorted) {
        result.object().raw_member("metric", one.metric).array("values");
        for (std::size_t i = 0; i < one.bytes.size(); ++i)
            if (auto bytes = std::round(one.bytes[i]); bytes > 0)
                result.raw(sample_json(volumes.time_of_step(i), bytes));
        result.end().end();
    }
    return json_answer(to_json({.type = "matrix",
                                .result = result.take(),
                                .effort = asking.effort(tally, sorted.size()),
                                .warnings = asking.met().warnings(tally)}));
}

}  // namespace boatswain::api
