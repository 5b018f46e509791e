#include "query/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/selection.h"
#include "query/test_store.h"

namespace boatswain::query {
namespace {

using namespace testing;

const Timestamp ten = at("2026-11-23T10:00:00Z");

TEST(Catalog, ListsTenantsHoursAndSegmentsInOrderOverManyPages) {
    MemoryStore store;
    for (auto name : {"umbrella", "acme", "Ünïcode & co", "_unassigned", "globex", "hooli", "initech"})
        for (std::uint64_t i = 1; i <= 5; ++i) store.objects[key(name, ten + std::chrono::hours{i % 4}, i).str()] = "x";
    Catalog catalog{store};
    std::vector<std::string> names;
    for (const auto& tenant : *catalog.tenants()) names.push_back(tenant.str());
    EXPECT_THAT(names, ::testing::UnorderedElementsAre("umbrella", "acme", "Ünïcode & co", "_unassigned", "globex",
                                                       "hooli", "initech"));
    EXPECT_THAT(*catalog.hours(tenant("Ünïcode & co")),
                ::testing::ElementsAre(ten, ten + std::chrono::hours{1}, ten + std::chrono::hours{2},
                                       ten + std::chrono::hours{3}));
    auto segments = *catalog.segments(tenant("acme"), ten + std::chrono::hours{1});
    ASSERT_EQ(segments.size(), 2U);
    EXPECT_EQ(segments[0].key.sequence, 1U);
    EXPECT_EQ(segments[1].key.sequence, 5U);
    EXPECT_EQ(catalog.foreign(), 0U);
}

TEST(Catalog, LeavesOutHoursOutsideTheSpan) {
    MemoryStore store;
    for (std::uint64_t i = 1; i <= 9; ++i) store.objects[key("acme", ten + std::chrono::hours{i}, i).str()] = "x";
    auto hours = *Catalog{store}.hours(tenant("acme"), {ten + std::chrono::hours{3}, ten + std::chrono::hours{5}});
    EXPECT_THAT(hours, ::testing::ElementsAre(ten + std::chrono::hours{3}, ten + std::chrono::hours{4},
                                              ten + std::chrono::hours{5}));
}

TEST(Catalog, PassesOverForeignNamesAndCountsThem) {
    MemoryStore store;
    store.objects[key("acme", ten, 1).str()] = "x";
    for (auto foreign : {"v1/README", "v1/tenant=/hour=2026-11-23T10/x", "v1/tenant=a%2Fb/hour=2026-11-23T10/x",
                         "v1/tenant=%41cme/x", "v1/other=acme/x"})
        store.objects[foreign] = "x";
    Catalog catalog{store};
    EXPECT_THAT(*catalog.tenants(), ::testing::ElementsAre(tenant("acme")));
    EXPECT_EQ(catalog.foreign(), 5U);

    for (auto foreign : {"v1/tenant=acme/note", "v1/tenant=acme/hour=2026-11-23T1/x",
                         "v1/tenant=acme/hour=2026-11-23T25/x", "v1/tenant=acme/day=2026-11-23/x"})
        store.objects[foreign] = "x";
    Catalog under_acme{store};
    EXPECT_THAT(*under_acme.hours(tenant("acme")), ::testing::ElementsAre(ten));
    EXPECT_EQ(under_acme.foreign(), 4U);

    store.objects["v1/tenant=acme/hour=2026-11-23T10/host=node-1/e1.0000000002.age.tmp"] = "x";
    store.objects["v1/tenant=acme/hour=2026-11-23T10/host=node-1/e1.2.age"] = "x";
    Catalog in_the_hour{store};
    EXPECT_EQ(in_the_hour.segments(tenant("acme"), ten)->size(), 1U);
    EXPECT_EQ(in_the_hour.foreign(), 2U);
}

TEST(Catalog, FindsNothingInAnEmptyStore) {
    MemoryStore store;
    EXPECT_TRUE(Catalog{store}.tenants()->empty());
    EXPECT_TRUE(Catalog{store}.hours(tenant("acme"))->empty());
}

}  // namespace
}  // namespace boatswain::query
