#include "batch/memory_budget.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace boatswain::batch {
namespace {

constexpr std::size_t mib = 1U << 20;

TEST(MemoryBudget, GivesBackWhatAChargeHeld) {
    MemoryBudget budget{10 * mib};
    {
        Charge charge{budget, "acme", 3 * mib};
        EXPECT_EQ(budget.used(), 3 * mib);
        EXPECT_EQ(budget.used("acme"), 3 * mib);
        EXPECT_EQ(budget.used("globex"), 0U);
        charge.resize(5 * mib);
        charge.resize(mib);
        EXPECT_EQ(budget.used(), mib);
    }
    EXPECT_EQ(budget.used(), 0U);
    EXPECT_EQ(budget.peak(), 5 * mib);
}

TEST(MemoryBudget, CountsAMovedChargeOnce) {
    MemoryBudget budget{10 * mib};
    Charge first{budget, "acme", mib};
    Charge second{std::move(first)};
    EXPECT_EQ(budget.used(), mib);
    first.resize(5 * mib);
    EXPECT_EQ(budget.used(), mib) << "what was moved from holds nothing";
    Charge third{budget, "globex", 2 * mib};
    third = std::move(second);
    EXPECT_EQ(budget.used(), mib) << "assigning gives back what was held";
    EXPECT_EQ(budget.used("globex"), 0U);
    auto& itself = third;
    third = std::move(itself);
    EXPECT_EQ(third.bytes(), mib);
    Charge{}.resize(mib);
}

TEST(MemoryBudget, GivesOneTenantAllOfIt) {
    MemoryBudget budget{10 * mib};
    Charge charge{budget, "acme", 10 * mib - 1};
    EXPECT_TRUE(budget.has_room("acme"));
    charge.resize(10 * mib);
    EXPECT_FALSE(budget.has_room("acme"));
}

TEST(MemoryBudget, LetsNoTenantTakeMoreThanItsShareWhileOthersAreActive) {
    MemoryBudget budget{12 * mib};
    Charge flood{budget, "flood", 6 * mib};
    EXPECT_TRUE(budget.has_room("flood"));
    Charge small{budget, "small", 1};
    EXPECT_FALSE(budget.has_room("flood")) << "half of it now";
    EXPECT_TRUE(budget.has_room("small"));
    EXPECT_TRUE(budget.has_room("nobody yet"));
    flood.resize(6 * mib - 1);
    EXPECT_TRUE(budget.has_room("flood"));
}

TEST(MemoryBudget, AlwaysLeavesATenantItsMinimum) {
    MemoryBudget budget{4 * mib};
    Charge flood{budget, "flood", 9 * mib};
    EXPECT_FALSE(budget.has_room("flood"));
    Charge other{budget, "other", MemoryBudget::tenant_bytes_min - 1};
    EXPECT_TRUE(budget.has_room("other")) << "over the bound, and still";
    other.resize(MemoryBudget::tenant_bytes_min);
    EXPECT_FALSE(budget.has_room("other"));
}

TEST(MemoryBudget, AddsUpOverThreads) {
    MemoryBudget budget{10 * mib};
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&, i] {
                for (std::size_t n = 0; n < 2000; ++n) Charge{budget, std::to_string(i % 2), n}.resize(n / 2);
            });
    }
    EXPECT_EQ(budget.used(), 0U);
    EXPECT_EQ(budget.used("0"), 0U);
    EXPECT_LE(budget.peak(), 4U * 2000);
}

}  // namespace
}  // namespace boatswain::batch
