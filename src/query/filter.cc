#include "query/filter.h"

namespace boatswain::query {

namespace {

bool any_wants_grams(const std::vector<FilterPtr>& filters) {
    return std::ranges::any_of(filters, [](const FilterPtr& filter) { return filter->wants_grams(); });
}

// Where all of several scans agree.
class ScanForAll final : public LineScan {
  public:
    explicit ScanForAll(std::vector<std::unique_ptr<LineScan>> scans) : scans_(std::move(scans)) {}
    std::size_t next(std::size_t from) override {
        std::size_t agree = 0;
        for (std::size_t i = 0; agree < scans_.size() && from != std::string_view::npos; i = (i + 1) % scans_.size()) {
            auto at = scans_[i]->next(from);
            agree = at == from ? agree + 1 : 1;
            from = at;
        }
        return from;
    }

  private:
    std::vector<std::unique_ptr<LineScan>> scans_;
};

// Where the first of several scans stops.
class ScanForAny final : public LineScan {
  public:
    explicit ScanForAny(std::vector<std::unique_ptr<LineScan>> scans)
        : scans_(std::move(scans)), found_(scans_.size()), asked_(scans_.size()) {}
    std::size_t next(std::size_t from) override {
        auto first = std::string_view::npos;
        for (std::size_t i = 0; i < scans_.size(); ++i) {
            if (!asked_[i] || found_[i] < from) found_[i] = scans_[i]->next(from);
            asked_[i] = true;
            first = std::min(first, found_[i]);
        }
        return first;
    }

  private:
    std::vector<std::unique_ptr<LineScan>> scans_;
    std::vector<std::size_t> found_;
    std::vector<bool> asked_;
};

class AllOf final : public Filter {
  public:
    explicit AllOf(std::vector<FilterPtr> filters) : filters_(std::move(filters)) {}
    Match match(const Origin& origin) const override { return join(origin); }
    Match match(const FrameSummary& frame) const override { return join(frame); }
    Match match(const Entry& entry) const override { return join(entry); }
    std::unique_ptr<LineScan> scan(std::string_view text) const override {
        std::vector<std::unique_ptr<LineScan>> scans;
        for (const auto& filter : filters_)
            if (auto scan = filter->scan(text)) scans.push_back(std::move(scan));
        if (scans.size() == 1) return std::move(scans.front());
        return scans.empty() ? nullptr : std::make_unique<ScanForAll>(std::move(scans));
    }
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
    std::unique_ptr<LineScan> scan(std::string_view text) const override {
        std::vector<std::unique_ptr<LineScan>> scans;
        for (const auto& filter : filters_) {
            scans.push_back(filter->scan(text));
            if (!scans.back()) return nullptr;
        }
        return std::make_unique<ScanForAny>(std::move(scans));
    }
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
