#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace boatswain {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, CountAndShowInPrometheusText) {
    Metrics metrics;
    metrics.counter("boatswain_lines_total", "Lines", {{"tenant", "acme"}}).add(3);
    metrics.counter("boatswain_lines_total", "Lines", {{"tenant", "acme"}}).add();
    auto& gauge = metrics.gauge("boatswain_spool_bytes", "Bytes");
    gauge.set(10);
    gauge.add(-2.5);
    EXPECT_EQ(metrics.counter("boatswain_lines_total", "Lines", {{"tenant", "acme"}}).value(), 4);
    EXPECT_EQ(gauge.value(), 7.5);
    EXPECT_THAT(metrics.text(), HasSubstr("# TYPE boatswain_lines_total counter"));
    EXPECT_THAT(metrics.text(), HasSubstr("boatswain_lines_total{tenant=\"acme\"} 4"));
    EXPECT_THAT(metrics.text(), HasSubstr("# HELP boatswain_spool_bytes Bytes"));
    EXPECT_THAT(metrics.text(), HasSubstr("boatswain_spool_bytes 7.5"));
}

TEST(Metrics, GiveTheSameSeriesForTheSameLabels) {
    Metrics metrics;
    auto& first = metrics.counter("a_total", "A", {{"x", "1"}});
    for (int i = 0; i < 100; ++i) metrics.counter("a_total", "A", {{"x", std::to_string(i)}});
    EXPECT_EQ(&first, &metrics.counter("a_total", "A", {{"x", "1"}})) << "references stay valid while families grow";
}

TEST(Metrics, CountUnderOtherWhenAFamilyIsFull) {
    Metrics metrics;
    for (std::size_t i = 0; i < Metrics::series_max + 500; ++i)
        metrics.counter("a_total", "A", {{"tenant", std::to_string(i)}, {"kind", "x"}}).add();
    auto& other = metrics.counter("a_total", "A", {{"tenant", "one more"}, {"kind", "y"}});
    EXPECT_EQ(other.value(), 500);
    EXPECT_THAT(metrics.text(), HasSubstr("a_total{kind=\"_other\",tenant=\"_other\"} 500"));
    EXPECT_EQ(metrics.counter("a_total", "A", {{"tenant", "7"}, {"kind", "x"}}).value(), 1) << "known ones go on";
    for (std::size_t i = 0; i < Metrics::series_max + 5; ++i)
        metrics.gauge("g", "G", {{"t", std::to_string(i)}}).set(1);
    EXPECT_THAT(metrics.text(), HasSubstr("g{t=\"_other\"} 1"));
}

TEST(Metrics, NameOnlySoManyTenantsAndShowHowManyShareOther) {
    Metrics metrics;
    auto name = [](std::size_t i) { return "tenant-" + std::to_string(i); };
    for (std::size_t i = 0; i < Metrics::tenants_max; ++i) EXPECT_EQ(metrics.tenant_label(name(i)), name(i));
    for (std::size_t i = 0; i < 30; ++i) EXPECT_EQ(metrics.tenant_label(name(Metrics::tenants_max + i)), "_other");
    EXPECT_EQ(metrics.tenant_label(name(Metrics::tenants_max + 3)), "_other") << "told once more, counted once";
    EXPECT_EQ(metrics.tenant_label(name(7)), name(7)) << "a tenant keeps its name";
    EXPECT_THAT(metrics.text(), HasSubstr("boatswain_metrics_tenants 200\n"));
    EXPECT_THAT(metrics.text(), HasSubstr("boatswain_metrics_other_tenants 30\n"));
}

TEST(Metrics, MadeUpTenantsTakeNoPlaceOfAKnownOne) {
    Metrics metrics;
    metrics.know_tenants({"acme", "globex"});
    for (std::size_t i = 0; i < Metrics::tenants_max + 10; ++i) metrics.tenant_label("made-up-" + std::to_string(i));
    EXPECT_EQ(metrics.tenant_label("acme"), "acme");
    EXPECT_EQ(metrics.tenant_label("_unassigned"), "_unassigned") << "the operator's own";
    EXPECT_EQ(metrics.tenant_label("late"), "_other");
    EXPECT_THAT(metrics.text(), HasSubstr("boatswain_metrics_other_tenants 11\n"));
    metrics.know_tenants({"globex", "late"});
    EXPECT_EQ(metrics.tenant_label("late"), "late") << "it has a key by now";
    EXPECT_EQ(metrics.tenant_label("globex"), "globex");
    EXPECT_EQ(metrics.tenant_label("acme"), "acme") << "a name stays";
    EXPECT_THAT(metrics.text(), HasSubstr("boatswain_metrics_other_tenants 10\n"));
}

TEST(Metrics, LabelValuesCannotForgeALine) {
    Metrics metrics;
    metrics.counter("a_total", "A", {{"tenant", "x\"} 1\nforged_total 9\\"}}).add();
    EXPECT_THAT(metrics.text(), Not(HasSubstr("\nforged_total")));
}

TEST(Metrics, AreCountedByManyThreads) {
    Metrics metrics;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i)
            threads.emplace_back([&] {
                for (int n = 0; n < 500; ++n) metrics.counter("a_total", "A", {{"n", std::to_string(n % 50)}}).add();
            });
    }
    for (int n = 0; n < 50; ++n) EXPECT_EQ(metrics.counter("a_total", "A", {{"n", std::to_string(n)}}).value(), 80);
}

}  // namespace
}  // namespace boatswain
