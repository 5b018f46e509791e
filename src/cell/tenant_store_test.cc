#include "cell/tenant_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cell/messages.h"
#include "query/store_for_test.h"

namespace boatswain::cell {
namespace {

using namespace ::testing;
using query::testing::MemoryStore;

class TenantStoreTest : public Test {
  protected:
    void SetUp() override {
        for (const auto* key : {"v1/tenant=acme/hour=1/a", "v1/tenant=acme2/hour=1/a", "v1/tenant=globex/hour=1/a"})
            store.objects.emplace(key, "bytes");
    }
    bool reads(std::string_view key, std::uint64_t length = 5) {
        return of_acme.read(key, {.first = 0, .length = length}).has_value();
    }
    bool lists(std::string_view prefix) { return of_acme.list(prefix, true, {}).has_value(); }

    MemoryStore store;
    TenantStore of_acme{store, query::testing::tenant("acme")};
};

TEST_F(TenantStoreTest, GivesRangesOfATenantsObjects) {
    EXPECT_TRUE(reads("v1/tenant=acme/hour=1/a"));
    EXPECT_FALSE(reads("v1/tenant=acme2/hour=1/a"));
    EXPECT_FALSE(reads("v1/tenant=globex/hour=1/a"));
    EXPECT_FALSE(reads("v1/tenant=acme/../tenant=globex/hour=1/a"));
    EXPECT_FALSE(reads("v1/tenant=acme"));
    EXPECT_FALSE(reads("v1/tenant=acme/hour=1/a", read_bytes_max + 1));
    EXPECT_FALSE(of_acme.read("v1/tenant=acme/hour=1/a")) << "whole objects are not bounded";
}

TEST_F(TenantStoreTest, ListsATenantsNames) {
    EXPECT_TRUE(lists("v1/tenant=acme/"));
    EXPECT_TRUE(lists("v1/tenant=acme/hour=1/"));
    for (const auto* prefix : {"", "v1/", "v1/tenant=", "v1/tenant=acme", "v1/tenant=acme2/", "v1/tenant=globex/",
                               "v1/tenant=acme/../tenant=globex/"})
        EXPECT_FALSE(lists(prefix)) << prefix;
}

TEST_F(TenantStoreTest, WritesNothing) {
    EXPECT_FALSE(of_acme.put("v1/tenant=acme/x", "", ""));
    EXPECT_FALSE(of_acme.replace("v1/tenant=acme/x", "", ""));
    EXPECT_EQ(store.objects.size(), 3);
}

// Where a listing is to go on is text of the cell's, which a store may take for anything.
TEST_F(TenantStoreTest, LeavesOutWhatTheStoreListsElsewhere) {
    class Elsewhere final : public MemoryStore {
        Result<store::ListPage> list(std::string_view, bool, const std::optional<std::string>&) override {
            return store::ListPage{.objects = {{"v1/tenant=globex/a", 1}, {"v1/tenant=acme/a", 1}},
                                   .prefixes = {"v1/tenant=globex/", "v1/tenant=acme/b/"},
                                   .next = {},
                                   .foreign = 1,
                                   .last_foreign = "v1/tenant=globex/~"};
        }
    } elsewhere;
    auto page = TenantStore{elsewhere, query::testing::tenant("acme")}.list("v1/tenant=acme/", true, "forged");
    ASSERT_TRUE(page);
    ASSERT_EQ(page->objects.size(), 1);
    EXPECT_EQ(page->objects[0].key, "v1/tenant=acme/a");
    EXPECT_THAT(page->prefixes, ElementsAre("v1/tenant=acme/b/"));
    EXPECT_EQ(page->last_foreign, "");
}

}  // namespace
}  // namespace boatswain::cell
