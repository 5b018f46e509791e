#include "intake/driver/room.h"

#include <gtest/gtest.h>

namespace boatswain::intake::driver {
namespace {

using Bound = Room::Bound;

HoldName hold(char container, unsigned number) { return {.container = std::string(64, container), .number = number}; }

std::string id(char container) { return std::string(64, container); }

TEST(Room, CountsAllHoldsOfOneContainerTogether) {
    Room room{100, 1000};
    room.set(hold('a', 1), "acme", 60);
    room.set(hold('a', 2), "acme", 40);
    EXPECT_EQ(room.against(id('a'), "acme", 1), Bound::container);
    EXPECT_EQ(room.against(id('b'), "acme", 1), Bound::none);
    room.forget(hold('a', 1));
    EXPECT_EQ(room.against(id('a'), "acme", 60), Bound::none);
    EXPECT_EQ(room.total(), 40U);
}

TEST(Room, LeavesToOthersAsMuchAsOneShareTakes) {
    Room room{1000, 1000};
    room.set(hold('a', 1), "acme", 500);
    EXPECT_EQ(room.against(id('c'), "acme", 1), Bound::share);
    EXPECT_EQ(room.against(id('b'), "bolt", 250), Bound::none);
    room.set(hold('b', 1), "bolt", 250);
    EXPECT_EQ(room.against(id('b'), "bolt", 1), Bound::share);
    EXPECT_EQ(room.against(id('d'), "dart", 125), Bound::none);
    EXPECT_EQ(room.against(id('d'), "dart", 251), Bound::all);
}

TEST(Room, MovesAllHoldsOfAContainerToTheShareThatIsKnownLater) {
    Room room{1000, 1000};
    room.set(hold('a', 1), "", 300);
    room.set(hold('a', 2), "", 200);
    room.set(hold('b', 1), "", 100);
    EXPECT_EQ(room.against(id('c'), "", 1), Bound::share);
    room.move(id('a'), "acme");
    EXPECT_EQ(room.against(id('c'), "", 1), Bound::none);
    EXPECT_EQ(room.against(id('a'), "acme", 1), Bound::share);
    EXPECT_EQ(room.total(), 600U);
}

TEST(Room, NeverTakesMoreThanAllHowManySharesSoever) {
    Room room{1 << 20, 1 << 20};
    for (unsigned i = 1; i < 500; ++i) {
        HoldName name{.container = std::string(60, 'a') + std::to_string(1000 + i), .number = 1};
        auto share = "tenant" + std::to_string(i);
        room.set(name, share, 0);
        while (room.against(name.container, share, 16) == Bound::none) room.add(name, 16);
    }
    EXPECT_LE(room.total(), 1U << 20);
}

TEST(Room, KnowsTheLastNumberOfAContainer) {
    Room room{100, 1000};
    EXPECT_EQ(room.last_number(id('b')), 0U);
    room.set(hold('a', 9), "", 1);
    room.set(hold('b', 2), "", 1);
    room.set(hold('b', 7), "", 1);
    room.set(hold('c', 1), "", 1);
    EXPECT_EQ(room.last_number(id('b')), 7U);
    EXPECT_EQ(room.last_number(id('d')), 0U);
}

TEST(Room, TakesWhatWasLookedAtForWhatWasAdded) {
    Room room{100, 1000};
    room.set(hold('a', 1), "acme", 10);
    room.add(hold('a', 1), 50);
    EXPECT_EQ(room.total(), 60U);
    room.set(hold('a', 1), 20);  // most of it was given back meanwhile
    EXPECT_EQ(room.total(), 20U);
    room.set(hold('b', 1), 20);  // nobody's
    EXPECT_EQ(room.total(), 20U);
    room.set(hold('a', 1), 0);
    EXPECT_TRUE(room.knows(hold('a', 1)));
    EXPECT_EQ(room.last_number(id('a')), 1U);
}

}  // namespace
}  // namespace boatswain::intake::driver
