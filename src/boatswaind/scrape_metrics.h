// The metrics that are measured when somebody asks, beside the counters that the parts keep: readiness, lag, spool,
// memory, the process itself.
//
// What a tenant or a part had, and has no longer, goes to zero; a series that was shown once does not vanish.
#pragma once

#include <map>
#include <string>

#include "base/file.h"
#include "base/metrics.h"
#include "boatswaind/health_snapshot.h"

namespace boatswain::boatswaind {

struct Measured {
    HealthSnapshot condition;
    serve::Health ready;
    std::map<std::string, intake::TenantLag> lag;        // by tenant
    std::map<std::string, std::uint64_t> spooled_bytes;  // by tenant
    std::optional<Nanoseconds> spool_oldest;             // how long the oldest segment has waited
    std::uint64_t memory_bytes_max = 0;
};

class ScrapeMetrics {
  public:
    // `started`: of this process. Outlived by `metrics`.
    ScrapeMetrics(Metrics& metrics, std::string_view version, Timestamp started);
    void show(const Measured& measured);

  private:
    void show_tenants(const Measured& measured);
    void show_process();
    void set(std::string_view name, std::string_view help, double value, const MetricLabels& labels = {}) {
        metrics_.gauge(name, help, labels).set(value);
    }

    Metrics& metrics_;
    std::map<std::string, bool> shown_;  // labels of tenants that were shown before
    Fd statm_, descriptors_;             // of /proc/self: held open, for a sandbox may forbid to open them later
};

}  // namespace boatswain::boatswaind
