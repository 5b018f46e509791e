// Counters and gauges, in Prometheus' model (prometheus-cpp keeps and prints them).
//
// Names are boatswain_<noun>_<unit>_total for counters, boatswain_<noun>_<unit> for gauges. Label values come
// from outside, so each family is bounded: past `series_max` label sets, values are counted in one series whose
// labels all say "_other".
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace boatswain {

using MetricLabels = std::map<std::string, std::string>;

class Counter {
  public:
    virtual ~Counter() = default;
    virtual void add(std::uint64_t n = 1) = 0;
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
    static constexpr std::size_t series_max = 1000;  // per family

    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    Counter& counter(std::string_view name, std::string_view help, const MetricLabels& labels = {});
    Gauge& gauge(std::string_view name, std::string_view help, const MetricLabels& labels = {});

    // The exposition in Prometheus' text format 0.0.4.
    std::string text() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace boatswain
