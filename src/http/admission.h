// Which connection makes room for a new one, so that nobody keeps others out by connecting: a newcomer always gets in.
//
// A client over its own share makes room among its own. When the server is full somebody makes room who waits for
// nothing: first the one idle for longest, then the one that has been sending its request for longest, and only when
// all are being answered the one whose answer takes longest. Pure: no socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace boatswain::http {

enum class Stage { idle, asking, answering };

struct Seat {
    std::string peer;  // net::Connection::peer_network()
    Stage stage = Stage::idle;
    std::uint64_t since = 0;  // when the stage began: any number that grows
};

struct Room {
    std::size_t seats_max = 0;
    std::size_t of_a_peer_max = 0;
    bool answering_gives_way = true;  // else, when all are being answered, the newcomer is closed
};

inline constexpr std::size_t the_newcomer = SIZE_MAX;

// The place in `seats` of the one to close before `peer` takes one more, or the_newcomer; nothing while there is room.
std::optional<std::size_t> makes_room(std::span<const Seat* const> seats, std::string_view peer, const Room& room);

}  // namespace boatswain::http
