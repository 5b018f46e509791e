#include "boatswaind/scrape_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boatswain::boatswaind {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ScrapeMetricsTest : public ::testing::Test {
  protected:
    std::string shown() {
        measured.ready = readiness(measured.condition);
        exhibit.show(measured);
        return metrics.text();
    }
    Metrics metrics;
    ScrapeMetrics exhibit{metrics, "1.2.3", Timestamp{1000s}};
    Measured measured{.condition = {.spool_bytes_max = 100}};
};

TEST_F(ScrapeMetricsTest, ShowsReadinessByPart) {
    measured.condition.intakes = {{.part = "engine", .troubles = {"the engine is not followed"}}};
    EXPECT_THAT(shown(), AllOf(HasSubstr("boatswain_ready 0\n"), HasSubstr("boatswain_not_ready{part=\"engine\"} 1\n"),
                               HasSubstr("boatswain_not_ready{part=\"store\"} 0\n"),
                               HasSubstr("boatswain_build_info{version=\"1.2.3\"} 1\n")));
    measured.condition.intakes = {{.part = "engine", .follows = true}};
    EXPECT_THAT(shown(), AllOf(HasSubstr("boatswain_ready 1\n"), HasSubstr("boatswain_not_ready{part=\"engine\"} 0\n"),
                               HasSubstr("boatswain_engine_connected 1\n")));
}

TEST_F(ScrapeMetricsTest, ATenantThatIsGoneGoesToZero) {
    measured.lag["acme"] = {.containers = 2, .bytes = 70, .time = 1500ms};
    measured.spooled_bytes["globex"] = 9;
    EXPECT_THAT(shown(), AllOf(HasSubstr("boatswain_tenant_containers{tenant=\"acme\"} 2\n"),
                               HasSubstr("boatswain_tenant_lag_bytes{tenant=\"acme\"} 70\n"),
                               HasSubstr("boatswain_tenant_lag_seconds{tenant=\"acme\"} 1.5\n"),
                               HasSubstr("boatswain_tenant_spool_bytes{tenant=\"globex\"} 9\n")));
    measured.lag.clear();
    measured.spooled_bytes.clear();
    EXPECT_THAT(shown(), AllOf(HasSubstr("boatswain_tenant_lag_bytes{tenant=\"acme\"} 0\n"),
                               HasSubstr("boatswain_tenant_lag_seconds{tenant=\"acme\"} 0\n"),
                               HasSubstr("boatswain_tenant_spool_bytes{tenant=\"globex\"} 0\n")));
}

TEST_F(ScrapeMetricsTest, TenantsBeyondTheBoundAreAddedUpUnderOther) {
    for (std::size_t i = 0; i < Metrics::tenants_max; ++i) metrics.tenant_label("known-" + std::to_string(i));
    measured.lag["late-1"] = {.containers = 1, .bytes = 10, .time = 2s};
    measured.lag["late-2"] = {.containers = 1, .bytes = 20, .time = 1s};
    EXPECT_THAT(shown(), AllOf(HasSubstr("boatswain_tenant_lag_bytes{tenant=\"_other\"} 30\n"),
                               HasSubstr("boatswain_tenant_lag_seconds{tenant=\"_other\"} 2\n"),
                               HasSubstr("boatswain_tenant_containers{tenant=\"_other\"} 2\n"),
                               HasSubstr("boatswain_metrics_other_tenants 2\n"), Not(HasSubstr("late-1"))));
}

TEST_F(ScrapeMetricsTest, ShowsTheProcess) {
    auto text = shown();
    EXPECT_THAT(text,
                AllOf(HasSubstr("process_start_time_seconds 1000\n"), HasSubstr("process_cpu_seconds_total "),
                      Not(HasSubstr("process_resident_memory_bytes 0\n")), Not(HasSubstr("process_open_fds 0\n"))));
}

}  // namespace
}  // namespace boatswain::boatswaind
