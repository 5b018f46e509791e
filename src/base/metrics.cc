#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <functional>
#include <mutex>
#include <set>

namespace boatswain {
namespace {

class PrometheusCounter final : public Counter {
  public:
    explicit PrometheusCounter(prometheus::Counter& counter) : counter_(counter) {}
    void add(std::uint64_t n) override { counter_.Increment(static_cast<double>(n)); }
    void raise_to(double total) override {
        if (total > counter_.Value()) counter_.Increment(total - counter_.Value());
    }
    double value() const override { return counter_.Value(); }

  private:
    prometheus::Counter& counter_;
};

class PrometheusGauge final : public Gauge {
  public:
    explicit PrometheusGauge(prometheus::Gauge& gauge) : gauge_(gauge) {}
    void set(double value) override { gauge_.Set(value); }
    void add(double difference) override { gauge_.Increment(difference); }
    double value() const override { return gauge_.Value(); }

  private:
    prometheus::Gauge& gauge_;
};

template <class Series>
using Family = std::map<MetricLabels, std::unique_ptr<Series>>;

// The labels to count under: the given ones, or "_other" when the family is full.
template <class Series>
MetricLabels bounded(const Family<Series>& family, const MetricLabels& labels) {
    if (family.contains(labels) || family.size() < Metrics::series_max) return labels;
    MetricLabels other = labels;
    for (auto& [name, value] : other) value = Metrics::other;
    return other;
}

}  // namespace

struct Metrics::State {
    prometheus::Registry registry{prometheus::Registry::InsertBehavior::Merge};
    std::mutex adding;
    std::map<std::string, Family<Counter>, std::less<>> counters;
    std::map<std::string, Family<Gauge>, std::less<>> gauges;
    std::mutex naming;
    std::set<std::string, std::less<>> known;          // to the operator
    std::set<std::string, std::less<>> tenants;        // with series of their own
    std::size_t named[2] = {};                         // of those: others, known ones
    std::set<std::string, std::less<>> other_tenants;  // without
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(std::string_view name, std::string_view help, const MetricLabels& labels) {
    std::scoped_lock lock{state_->adding};
    auto& family = state_->counters[std::string{name}];
    auto counted_as = bounded(family, labels);
    auto& series = family[counted_as];
    if (!series) {
        auto& made =
            prometheus::BuildCounter().Name(std::string{name}).Help(std::string{help}).Register(state_->registry);
        series = std::make_unique<PrometheusCounter>(made.Add(counted_as));
    }
    return *series;
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, const MetricLabels& labels) {
    std::scoped_lock lock{state_->adding};
    auto& family = state_->gauges[std::string{name}];
    auto counted_as = bounded(family, labels);
    auto& series = family[counted_as];
    if (!series) {
        auto& made =
            prometheus::BuildGauge().Name(std::string{name}).Help(std::string{help}).Register(state_->registry);
        series = std::make_unique<PrometheusGauge>(made.Add(counted_as));
    }
    return *series;
}

std::string Metrics::tenant_label(std::string_view tenant) {
    std::scoped_lock lock{state_->naming};
    auto& tenants = state_->tenants;
    auto& others = state_->other_tenants;
    if (tenants.contains(tenant)) return std::string{tenant};
    bool is_known = tenant.starts_with('_') || state_->known.contains(tenant);
    bool named = state_->named[is_known] < tenants_max;
    if (named) {
        ++state_->named[is_known];
        tenants.emplace(tenant);
        if (auto other = others.find(tenant); other != others.end()) others.erase(other);
        gauge("boatswain_metrics_tenants", "Tenants with series of their own").set(static_cast<double>(tenants.size()));
    } else if (others.size() < others_max && !others.contains(tenant)) {
        others.emplace(tenant);
    }
    gauge("boatswain_metrics_other_tenants", "Tenants beyond those, counted together under _other")
        .set(static_cast<double>(others.size()));
    return std::string{named ? tenant : other};
}

void Metrics::know_tenants(const std::set<std::string>& tenants) {
    std::scoped_lock lock{state_->naming};
    state_->known.clear();
    state_->known.insert(tenants.begin(), tenants.end());
}

std::string Metrics::text() const { return prometheus::TextSerializer{}.Serialize(state_->registry.Collect()); }

}  // namespace boatswain
