#include "live/proof.h"

#include <array>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/random.h"

namespace boatswain::live {
namespace {

constexpr std::string_view context{"boatswain/live/1\0", 17};

}  // namespace

std::string nonce() {
    std::array<char, 32> bytes{};
    crypto::random_bytes(bytes.data(), bytes.size());
    return to_hex({bytes.data(), bytes.size()});
}

std::string proof_of(Who who, const heartbeat::HostKey& key, const Handshake& said) {
    std::string text{context};
    text += who == Who::agent ? "agent" : "hub";
    for (auto part : {said.hub_nonce, said.agent_nonce, said.host, said.epoch, said.run}) {
        text += '\0';
        text += part;
    }
    return to_hex(crypto::as_view(crypto::hmac_sha256(key.secret(), text)));
}

bool is_proof(std::string_view proof, Who who, const heartbeat::HostKey& key, const Handshake& said) {
    return crypto::equal_in_constant_time(proof, proof_of(who, key, said));
}

crypto::Key32 part_key(std::string_view secret, std::string_view hub_nonce, const TenantId& tenant,
                       std::string_view host, std::string_view epoch) {
    auto whose = tenant.str() + '\0' + std::string{host} + '\0' + std::string{epoch};
    return crypto::hkdf_sha256(secret, hub_nonce, std::string{context} + crypto::sha256(whose));
}

}  // namespace boatswain::live
