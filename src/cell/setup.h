// What a cell is told when it begins, and how it is handed a question: packets over its control socket, which is
// descriptor `control_descriptor` of its process (docs/formats/cell.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "record/source.h"

namespace boatswain::cell {

// The word by which the program knows that it is to be a cell.
inline constexpr const char* cell_word = "cell";
inline constexpr int control_descriptor = 3;
inline constexpr std::size_t packet_bytes_max = 4096;

struct CellSetup {
    TenantId tenant = TenantId::unassigned();
    std::string version;  // as answers name it
    std::uint64_t footer_cache = 0;
    std::uint32_t questions_max = 1;  // at a time
    std::uint64_t read_ahead = 0;     // of the store: Store::read_ahead_bytes()
};
std::string pack(const CellSetup& setup);
Result<CellSetup> parse_setup(std::string_view bytes);

// What a cell says once, when it is confined or cannot be; after that it says nothing over this socket.
struct CellReady {
    bool is_confined = false;
    std::string missing;  // of the confinement (sandbox::Confinement), or why there is none; empty: nothing
};
std::string pack(const CellReady& ready);
Result<CellReady> parse_ready(std::string_view bytes);

// A question: the descriptors of its channel and of its tenant's identities.
struct Handed {
    Fd channel, identities;
};

Result<void> send_packet(const Fd& control, std::string_view bytes);
// An empty packet: the other end is gone.
Result<std::string> receive_packet(const Fd& control);
Result<void> hand(const Fd& control, const Handed& handed);
// Remedy::re_resolve: the server is gone.
Result<Handed> receive_handed(const Fd& control);

}  // namespace boatswain::cell
