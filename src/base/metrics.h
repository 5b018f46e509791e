// Counters and gauges, in Prometheus' model (prometheus-cpp keeps and prints them).
//
// Names are boatswain_<noun>_<unit>_total for counters, boatswain_<noun>_<unit> for gauges. Label values come
// from outside, so they are bounded twice:
//   - tenants: of those that the operator knows (know_tenants()) and of all others the first `tenants_max` each have
//     series of their own, the same ones in every family (tenant_label()); the rest share `tenant="_other"`. So names
//     that somebody makes up take no place of a known one. Which is so is shown: boatswain_metrics_tenants,
//     boatswain_metrics_other_tenants.
//   - any family: past `series_max` label sets, values are counted in one series whose labels all say "_other".
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace boatswain {

using MetricLabels = std::map<std::string, std::string>;

class Counter {
  public:
    virtual ~Counter() = default;
    virtual void add(std::uint64_t n = 1) = 0;
    // Of what somebody else counts: the total is `total` now. Lesser totals change nothing. From one thread.
    virtual void raise_to(double total) = 0;
    virtual double value() const = 0;
};

class Gauge {
  public:
    virtual ~Gauge() = default;
    virtual void set(double value) = 0;
    virtual void add(double difference) = 0;
    virtual double value() const = 0;
};

// Owns every series. Thread-safe. References stay valid as long as the Metrics.
class Metrics {
  public:
    static constexpr std::size_t series_max = 4000;      // per family
    static constexpr std::size_t tenants_max = 200;      // with series of their own: of known ones, and of others
    static constexpr std::size_t others_max = 10'000;    // tenants beyond those that are told apart, to be counted
    static constexpr std::string_view other = "_other";  // no tenant is called so (TenantId)

    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    Counter& counter(std::string_view name, std::string_view help, const MetricLabels& labels = {});
    Gauge& gauge(std::string_view name, std::string_view help, const MetricLabels& labels = {});

    // What stands for `tenant` as a label: its name, or "_other". A name stays for ever; "_other" can become the name
    // when the tenant becomes a known one.
    std::string tenant_label(std::string_view tenant);
    // The operator has a key for these, in place of those before. Reserved names ("_...") always are known.
    void know_tenants(const std::set<std::string>& tenants);

    // The exposition in Prometheus' text format 0.0.4.
    std::string text() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace boatswain
