#include "http/admission.h"

#include <gtest/gtest.h>

#include <vector>

namespace boatswain::http {
namespace {

std::optional<std::size_t> asked(const std::vector<Seat>& seats, std::string_view peer, Room room) {
    std::vector<const Seat*> places;
    for (const auto& seat : seats) places.push_back(&seat);
    return makes_room(places, peer, room);
}

TEST(Admission, ClosesNobodyWhileThereIsRoom) {
    EXPECT_EQ(asked({}, "a", {.seats_max = 3, .of_a_peer_max = 2}), std::nullopt);
    EXPECT_EQ(asked({{.peer = "a"}, {.peer = "b"}}, "a", {.seats_max = 3, .of_a_peer_max = 2}), std::nullopt);
}

TEST(Admission, TakesTheLongestIdleThenTheSlowestRequestThenTheSlowestAnswer) {
    Room full{.seats_max = 3, .of_a_peer_max = 9};
    Seat answering{"a", Stage::answering, 1}, asking{"b", Stage::asking, 2}, idle{"c", Stage::idle, 3};
    EXPECT_EQ(asked({answering, asking, idle}, "d", full), 2U);
    EXPECT_EQ(asked({answering, asking, {"c", Stage::asking, 1}}, "d", full), 2U);
    EXPECT_EQ(asked({{"c", Stage::answering, 2}, answering, {"c", Stage::answering, 3}}, "d", full), 1U);
    EXPECT_EQ(asked({{"c", Stage::idle, 5}, {"c", Stage::idle, 4}, idle}, "d", full), 2U);
}

TEST(Admission, TakesOnlyFromAPeerThatHasItsShare) {
    Room room{.seats_max = 9, .of_a_peer_max = 2};
    std::vector<Seat> seats{{"quiet", Stage::idle, 1}, {"loud", Stage::answering, 2}, {"loud", Stage::answering, 3}};
    EXPECT_EQ(asked(seats, "loud", room), 1U);
    EXPECT_EQ(asked(seats, "quiet", room), std::nullopt);
    EXPECT_EQ(asked(seats, "loud", {.seats_max = 3, .of_a_peer_max = 2}), 1U);
}

TEST(Admission, SparesWhoIsBeingAnsweredWhereThatIsWanted) {
    Room room{.seats_max = 2, .of_a_peer_max = 2, .answering_gives_way = false};
    Seat answering{"a", Stage::answering, 1}, asking{"a", Stage::asking, 2};
    EXPECT_EQ(asked({answering, asking}, "a", room), 1U);
    EXPECT_EQ(asked({answering, answering}, "a", room), the_newcomer);
}

}  // namespace
}  // namespace boatswain::http
