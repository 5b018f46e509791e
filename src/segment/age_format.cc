#include "segment/age_format.h"

namespace boatswain::segment {

std::array<std::uint8_t, 12> age_chunk_nonce(std::uint64_t index, bool last) {
    std::array<std::uint8_t, 12> nonce{};
    for (std::size_t i = 0; i < 8; ++i) nonce[10 - i] = static_cast<std::uint8_t>(index >> (8 * i));
    nonce[11] = last ? 1 : 0;
    return nonce;
}

}  // namespace boatswain::segment
