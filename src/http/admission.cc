#include "http/admission.h"

#include <algorithm>
#include <tuple>

namespace boatswain::http {

std::optional<std::size_t> makes_room(std::span<const Seat* const> seats, std::string_view peer, const Room& room) {
    auto is_own = [&](const Seat* seat) { return seat->peer == peer; };
    bool over_its_share = static_cast<std::size_t>(std::ranges::count_if(seats, is_own)) >= room.of_a_peer_max;
    if (!over_its_share && seats.size() < room.seats_max) return std::nullopt;
    std::optional<std::size_t> first;
    auto order = [&](std::size_t at) { return std::tuple{seats[at]->stage, seats[at]->since}; };
    for (std::size_t at = 0; at < seats.size(); ++at) {
        if (over_its_share && !is_own(seats[at])) continue;
        if (!room.answering_gives_way && seats[at]->stage == Stage::answering) continue;
        if (!first || order(at) < order(*first)) first = at;
    }
    return first ? first : the_newcomer;
}

}  // namespace boatswain::http
