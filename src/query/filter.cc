#include "query/filter.h"

namespace boatswain::query {

namespace {

bool any_wants_grams(const std::vector<FilterPtr>& filters) {
    return std::ranges::any_of(filters, [](const FilterPtr& filter) { return filter->wants_grams(); });
}

class AllOf final : public Filter {
  public:
    explicit AllOf(std::vector<FilterPtr> filters) : filters_(std::move(filters)) {}
    Match match(const Origin& origin) const override { return join(origin); }
    Match match(const FrameSummary& frame) const override { return join(frame); }
    Match match(const Entry& entry) const override { return join(entry); }
    bool wants_grams() const override { return any_wants_grams(filters_); }

  private:
    template <class What>
    Match join(const What& what) const {
        auto answer = Match::all;
        for (const auto& filter : filters_) {
            answer = std::min(answer, filter->match(what));
            if (answer == Match::none) break;
        }
        return answer;
    }
    std::vector<FilterPtr> filters_;
};

class AnyOf final : public Filter {
  public:
    explicit AnyOf(std::vector<FilterPtr> filters) : filters_(std::move(filters)) {}
    Match match(const Origin& origin) const override { return join(origin); }
    Match match(const FrameSummary& frame) const override { return join(frame); }
    Match match(const Entry& entry) const override { return join(entry); }
    bool wants_grams() const override { return any_wants_grams(filters_); }

  private:
    template <class What>
    Match join(const What& what) const {
        auto answer = Match::none;
        for (const auto& filter : filters_) {
            answer = std::max(answer, filter->match(what));
            if (answer == Match::all) break;
        }
        return answer;
    }
    std::vector<FilterPtr> filters_;
};

class NoneOf final : public Filter {
  public:
    explicit NoneOf(FilterPtr filter) : filter_(std::move(filter)) {}
    Match match(const Origin& origin) const override { return opposite(filter_->match(origin)); }
    Match match(const FrameSummary& frame) const override { return opposite(filter_->match(frame)); }
    Match match(const Entry& entry) const override { return opposite(filter_->match(entry)); }
    bool wants_grams() const override { return filter_->wants_grams(); }

  private:
    FilterPtr filter_;
};

}  // namespace

FilterPtr all_of(std::vector<FilterPtr> filters) { return std::make_shared<AllOf>(std::move(filters)); }
FilterPtr any_of(std::vector<FilterPtr> filters) { return std::make_shared<AnyOf>(std::move(filters)); }
FilterPtr none_of(FilterPtr filter) { return std::make_shared<NoneOf>(std::move(filter)); }

}  // namespace boatswain::query
