#include "query/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/selection.h"
#include "query/store_for_test.h"

namespace boatswain::query {
namespace {

using namespace testing;

const Timestamp ten = at("2026-11-23T10:00:00Z");

HourPlace after(int hours) { return {.hour = ten + std::chrono::hours{hours}}; }

TEST(Catalog, ListsTenantsHoursAndSegmentsInOrderOverManyPages) {
    MemoryStore store;
    for (auto name : {"umbrella", "acme", "Ünïcode & co", "_unassigned", "globex", "hooli", "initech"})
        for (std::uint64_t i = 1; i <= 5; ++i) store.objects[key(name, ten + std::chrono::hours{i % 4}, i).str()] = "x";
    store.objects["v1/fleet/host=node-7.json"] = "a heartbeat is not foreign";
    Catalog catalog{store};
    std::vector<std::string> names;
    for (const auto& tenant : *catalog.tenants()) names.push_back(tenant.str());
    EXPECT_THAT(names, ::testing::UnorderedElementsAre("umbrella", "acme", "Ünïcode & co", "_unassigned", "globex",
                                                       "hooli", "initech"));
    EXPECT_THAT(*catalog.hours(tenant("Ünïcode & co")), ::testing::ElementsAre(after(0), after(1), after(2), after(3)));
    auto segments = *catalog.segments(tenant("acme"), after(1));
    ASSERT_EQ(segments.size(), 2U);
    EXPECT_EQ(segments[0].key.sequence, 1U);
    EXPECT_EQ(segments[1].key.sequence, 5U);
    EXPECT_EQ(catalog.foreign(), 0U);
}

// The pages of a day serve the hours that lie in them whole, and change no answer.
TEST(Catalog, SaysOfEachHourWhatAListingOfItSays) {
    for (std::size_t page : {1U, 2U, 7U, 50U, 1000U}) {
        MemoryStore store;
        store.page_entries = page;
        for (std::uint64_t i = 0; i < 60; ++i) {
            auto place = key("acme", ten + std::chrono::hours{i * 7 % 20}, i + 1, "node-" + std::to_string(i % 3));
            store.objects[place.str()] = "x";
            if (i % 10 == 0) store.objects[segment::hour_prefix(tenant("acme"), place.hour) + "foreign"] = "x";
        }
        Catalog by_day{store}, by_hour{store};
        auto hours = *by_day.hours(tenant("acme"));
        EXPECT_EQ(hours.size(), 20U);
        for (const auto& place : hours) {
            auto names = [](const std::vector<SegmentInfo>& infos) {
                std::vector<std::string> names;
                for (const auto& info : infos) names.push_back(info.key.str());
                return names;
            };
            EXPECT_EQ(names(*by_day.segments(tenant("acme"), place)), names(*by_hour.segments(tenant("acme"), place)));
        }
        EXPECT_EQ(by_day.foreign(), by_hour.foreign()) << page;
    }
}

// 24 hours of 30 segments, in pages of 100: 8 pages instead of 24 hours.
TEST(Catalog, OfABusyDayAsManyPagesAreAskedForAsItHas) {
    struct Counting final : MemoryStore {
        int lists = 0;
        Result<store::ListPage> list(std::string_view prefix, bool delimited,
                                     const std::optional<std::string>& next) override {
            ++lists;
            return MemoryStore::list(prefix, delimited, next);
        }
    } store;
    store.page_entries = 100;
    auto day = at("2026-11-23T00:00:00Z");
    for (std::uint64_t i = 0; i < 24 * 30; ++i)
        store.objects[key("acme", day + std::chrono::hours{i % 24}, i + 1).str()] = "x";
    Catalog catalog{store};
    auto hours = *catalog.hours(tenant("acme"));
    store.lists = 0;
    std::size_t segments = 0;
    for (const auto& place : hours) segments += catalog.segments(tenant("acme"), place)->size();
    EXPECT_EQ(segments, 24U * 30U);
    EXPECT_EQ(store.lists, 8);

    Catalog backward{store};
    hours = *backward.hours(tenant("acme"));
    store.lists = 0;
    EXPECT_EQ(backward.segments(tenant("acme"), hours.back())->size(), 30U);
    EXPECT_EQ(store.lists, 2) << "not all pages before it";
}

TEST(Catalog, LeavesOutHoursOutsideTheSpan) {
    MemoryStore store;
    for (std::uint64_t i = 1; i <= 9; ++i) store.objects[key("acme", ten + std::chrono::hours{i}, i).str()] = "x";
    auto hours = *Catalog{store}.hours(tenant("acme"), {ten + std::chrono::hours{3}, ten + std::chrono::hours{5}});
    EXPECT_THAT(hours, ::testing::ElementsAre(after(3), after(4), after(5)));
}

TEST(Catalog, KeepsSpanningSegmentsOfEveryEarlierHour) {
    MemoryStore store;
    for (std::uint64_t i = 1; i <= 9; i += 2) {
        auto spanning = key("acme", ten + std::chrono::hours{i}, i);
        spanning.spanning = true;
        store.objects[spanning.str()] = "x";
    }
    Catalog catalog{store};
    auto hours = *catalog.hours(tenant("acme"), {after(4).hour, after(6).hour});
    EXPECT_THAT(hours, ::testing::ElementsAre(HourPlace{after(1).hour, true}, HourPlace{after(3).hour, true},
                                              HourPlace{after(5).hour, true}));
    auto segments = *catalog.segments(tenant("acme"), hours[1]);
    ASSERT_EQ(segments.size(), 1U);
    EXPECT_EQ(segments[0].key.sequence, 3U);
    EXPECT_EQ(catalog.foreign(), 0U);
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
    EXPECT_THAT(*under_acme.hours(tenant("acme")), ::testing::ElementsAre(after(0)));
    EXPECT_EQ(under_acme.foreign(), 4U);

    store.objects["v1/tenant=acme/hour=2026-11-23T10/host=node-1/e1.0000000002.age.tmp"] = "x";
    store.objects["v1/tenant=acme/hour=2026-11-23T10/host=node-1/e1.2.age"] = "x";
    Catalog in_the_hour{store};
    EXPECT_EQ(in_the_hour.segments(tenant("acme"), after(0))->size(), 1U);
    EXPECT_EQ(in_the_hour.foreign(), 2U);
}

TEST(Catalog, FindsNothingInAnEmptyStore) {
    MemoryStore store;
    EXPECT_TRUE(Catalog{store}.tenants()->empty());
    EXPECT_TRUE(Catalog{store}.hours(tenant("acme"))->empty());
}

}  // namespace
}  // namespace boatswain::query
