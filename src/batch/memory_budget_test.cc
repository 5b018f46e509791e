#include "batch/memory_budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
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
    Charge charge{budget, "acme", 9 * mib};
    EXPECT_TRUE(budget.has_room("acme"));
    charge.resize(9 * mib + 1);
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

TEST(MemoryBudget, HoldsWhateverTheNumberOfTenants) {
    MemoryBudget budget{8 * mib};
    std::vector<Charge> charges;
    std::set<std::string> waiting;
    for (int n = 0; n < 2000; ++n) {
        auto tenant = "t-" + std::to_string(n);
        // Each takes what it may at once: a read whose frame grows to twice its size.
        if (auto bytes = budget.ask(tenant))
            charges.emplace_back(budget, tenant, std::min(2 * bytes, mib));
        else
            waiting.insert(tenant);
    }
    EXPECT_LE(budget.used(), budget.bytes_max());
    EXPECT_GE(charges.size(), 8U);
    EXPECT_EQ(budget.waiting(), 2000 - charges.size());
    EXPECT_TRUE(budget.is_short());
}

TEST(MemoryBudget, GivesTurnsInTheOrderOfComing) {
    MemoryBudget budget{8 * mib};
    std::optional<Charge> full{Charge{budget, "_full", 8 * mib}};
    for (const auto* tenant : {"c", "a", "b"}) EXPECT_EQ(budget.ask(tenant), 0U);
    EXPECT_EQ(budget.waiting(), 3U);
    full->resize(7 * mib);  // memory for one read
    EXPECT_EQ(budget.ask("a"), 0U) << "c came first";
    EXPECT_EQ(budget.ask("b"), 0U);
    EXPECT_FALSE(budget.has_room("a"));
    EXPECT_TRUE(budget.has_room("c"));
    EXPECT_GT(budget.ask("c"), 0U);
    EXPECT_EQ(budget.ask("c"), 0U) << "behind the others now";
    EXPECT_GT(budget.ask("a"), 0U);
    EXPECT_GT(budget.ask("b"), 0U);
    EXPECT_GT(budget.ask("c"), 0U);
    EXPECT_EQ(budget.waiting(), 0U);
    full.reset();
    EXPECT_EQ(budget.used(), 0U);
}

TEST(MemoryBudget, PassesOverWhoDoesNotAskAnyMore) {
    MemoryBudget budget{8 * mib};
    Charge full{budget, "_full", 8 * mib};
    EXPECT_EQ(budget.ask("gone"), 0U);
    EXPECT_EQ(budget.ask("here"), 0U);
    for (std::uint64_t i = 0; i <= MemoryBudget::absent_ticks_max; ++i) {
        budget.tick();
        EXPECT_EQ(budget.ask("here"), 0U);
    }
    EXPECT_EQ(budget.waiting(), 1U);
    full.resize(7 * mib);
    EXPECT_GT(budget.ask("here"), 0U);
}

TEST(MemoryBudget, KeepsAQuarterForPreferredTenantsWhoeverElseComes) {
    MemoryBudget budget{64 * mib};
    budget.prefer({"acme"});
    std::vector<Charge> made_up;
    for (int n = 0; n < 1000; ++n)
        if (auto tenant = "made-up-" + std::to_string(n); budget.ask(tenant)) made_up.emplace_back(budget, tenant, mib);
    EXPECT_EQ(budget.held(), 48 * mib);
    EXPECT_EQ(budget.waiting(), 1000 - made_up.size());
    EXPECT_EQ(budget.share("acme"), 48 * mib);
    EXPECT_EQ(budget.ask("acme"), MemoryBudget::read_bytes_max) << "it came last, and does not wait";
    Charge acme{budget, "acme", 16 * mib};
    EXPECT_EQ(budget.ask("acme"), 0U) << "all is taken";
    made_up.resize(40);
    EXPECT_EQ(budget.ask("made-up-999"), 0U) << "what made-up names give back is not theirs";
    EXPECT_GT(budget.ask("acme"), 0U);
}

TEST(MemoryBudget, KeepsAQuarterForTheOthers) {
    MemoryBudget budget{64 * mib};
    budget.prefer({"acme"});
    EXPECT_EQ(budget.share("acme"), 64 * mib) << "alone";
    Charge acme{budget, "acme", 48 * mib};
    Charge carried{budget, "carried", mib};
    EXPECT_EQ(budget.share("acme"), 48 * mib);
    EXPECT_EQ(budget.ask("acme"), 0U);
    EXPECT_EQ(budget.share("carried"), 16 * mib);
    EXPECT_EQ(budget.ask("carried"), MemoryBudget::read_bytes_max);
    EXPECT_EQ(budget.share("_unassigned"), 24 * mib) << "the operator's own is one with a key file";
}

TEST(MemoryBudget, MovesATenantThatGetsAKeyFile) {
    MemoryBudget budget{64 * mib};
    budget.prefer({"acme"});
    Charge full{budget, "carried", 48 * mib};
    EXPECT_EQ(budget.ask("late"), 0U);
    budget.prefer({"acme", "late"});
    EXPECT_GT(budget.ask("late"), 0U) << "with its place in the line";
    EXPECT_EQ(budget.waiting(), 0U);
}

TEST(MemoryBudget, CountsWhatIsThereAnyway) {
    MemoryBudget budget{8 * mib};
    auto facts = Charge::standing(budget, 3 * mib);
    EXPECT_EQ(budget.used(), 3 * mib);
    EXPECT_EQ(budget.held(), 0U);
    EXPECT_EQ(budget.share("acme"), 5 * mib);
    Charge lines{budget, "acme", 5 * mib};
    EXPECT_FALSE(budget.has_room("other"));
    lines.resize(0);
    facts.resize(7 * mib);
    EXPECT_EQ(budget.share("acme"), 4 * mib) << "half of it stays for lines";
}

TEST(MemoryBudget, ReadsLessWhereASmallShareIsLeft) {
    MemoryBudget budget{64 * mib};
    EXPECT_EQ(budget.ask("acme"), MemoryBudget::read_bytes_max);
    std::vector<Charge> others;
    for (int n = 0; n < 255; ++n) others.emplace_back(budget, "t-" + std::to_string(n), 1);
    EXPECT_EQ(budget.ask("acme"), 64 * mib / 256);
    Charge acme{budget, "acme", 250U << 10};
    EXPECT_EQ(budget.ask("acme"), MemoryBudget::read_bytes_min);
    acme.resize(256U << 10);
    EXPECT_EQ(budget.ask("acme"), 0U);
    EXPECT_TRUE(budget.has_its_share("acme"));
    EXPECT_EQ(budget.waiting(), 0U) << "it waits for its own batch, and for nobody else";
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
