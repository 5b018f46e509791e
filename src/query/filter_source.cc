#include "query/filter_source.h"

#include <algorithm>

namespace boatswain::query {

namespace {

// A filter that asks for nothing but the source.
class OfSource : public Filter {
  public:
    Match match(const Origin& origin) const final { return match_if(holds(origin.source)); }
    Match match(const FrameSummary& frame) const final { return match(frame.origin); }
    Match match(const Entry& entry) const final { return match(entry.origin()); }

  private:
    virtual bool holds(const Source& source) const = 0;
};

class AppIsOneOf final : public OfSource {
  public:
    explicit AppIsOneOf(std::vector<std::string> apps) : apps_(std::move(apps)) {}

  private:
    bool holds(const Source& source) const override {
        return std::ranges::find(apps_, source.whose.app) != apps_.end();
    }
    std::vector<std::string> apps_;
};

class ContainerIsOneOf final : public OfSource {
  public:
    explicit ContainerIsOneOf(std::vector<std::string> containers) : containers_(std::move(containers)) {}

  private:
    bool holds(const Source& source) const override {
        return std::ranges::any_of(containers_, [&](const std::string& wanted) { return is_named(source, wanted); });
    }
    std::vector<std::string> containers_;
};

}  // namespace

bool is_named(const Source& source, std::string_view wanted) {
    return wanted == source.name || (wanted.size() >= id_prefix_min && source.id.starts_with(wanted));
}

FilterPtr app_is_one_of(std::vector<std::string> apps) { return std::make_shared<AppIsOneOf>(std::move(apps)); }

FilterPtr container_is_one_of(std::vector<std::string> containers) {
    return std::make_shared<ContainerIsOneOf>(std::move(containers));
}

}  // namespace boatswain::query
