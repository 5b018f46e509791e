#include "tenancy/carried_places.h"

#include <gtest/gtest.h>

#include <vector>

namespace boatswain::tenancy {
namespace {

TenantId tenant(std::string_view name) { return TenantId::parse(name).value(); }

TEST(CarriedPlaces, AreSoManyAndNoMore) {
    CarriedPlaces places{2};
    auto acme = places.take(tenant("acme")), globex = places.take(tenant("globex"));
    EXPECT_TRUE(acme);
    EXPECT_TRUE(globex);
    EXPECT_FALSE(places.take(tenant("initech")));
    EXPECT_EQ(places.take(tenant("acme")), acme) << "another container of the same tenant";
    EXPECT_EQ(places.taken(), 2U);
}

TEST(CarriedPlaces, AreFreeWhenTheLastContainerIsGone) {
    CarriedPlaces places{1};
    auto first = places.take(tenant("acme")), second = places.take(tenant("acme"));
    first.reset();
    EXPECT_FALSE(places.take(tenant("globex")));
    second.reset();
    EXPECT_EQ(places.taken(), 0U);
    EXPECT_TRUE(places.take(tenant("globex")));
}

TEST(CarriedPlaces, OfNoneAreNoTrouble) { EXPECT_FALSE(CarriedPlaces{0}.take(tenant("acme"))); }

TEST(CarriedPlaces, OutliveWhoGaveThem) {
    std::shared_ptr<const void> place;
    {
        CarriedPlaces places{1};
        place = places.take(tenant("acme"));
    }
    place.reset();
}

}  // namespace
}  // namespace boatswain::tenancy
