// The chain stanza: what the header of a segment tells about its place in the chain, outside of the ciphertext
// (docs/formats/segment.md, "The chain stanza").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace boatswain::segment {

inline constexpr std::string_view chain_stanza_type = "boatswain-chain";

struct Chain {
    std::string host;
    std::string epoch;
    std::uint64_t sequence = 0;
    std::string previous_sha256;  // hex; empty for the first of a chain

    bool operator==(const Chain&) const = default;
};

// 64 lower-case hex digits.
bool is_sha256_hex(std::string_view text);

// The stanza with its empty body, as it stands in an age header.
std::string chain_stanza(const Chain& chain);

}  // namespace boatswain::segment
