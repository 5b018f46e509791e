#include "segment/chain.h"

#include <algorithm>

#include "base/bytes.h"

namespace boatswain::segment {

bool is_sha256_hex(std::string_view text) {
    return text.size() == 64 &&
           std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string chain_stanza(const Chain& chain) {
    return "-> " + std::string{chain_stanza_type} + " " + percent_encode(chain.host) + " " +
           percent_encode(chain.epoch) + " " + std::to_string(chain.sequence) + " " +
           (chain.previous_sha256.empty() ? "-" : chain.previous_sha256) + "\n\n";
}

}  // namespace boatswain::segment
