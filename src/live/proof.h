// How agent and hub show each other that they know the host's key, and the key of a stream's part:
// docs/formats/live.md, "The connection" and "A stream".
#pragma once

#include <string>
#include <string_view>

#include "crypto/key32.h"
#include "heartbeat/key.h"
#include "record/source.h"

namespace boatswain::live {

enum class Who { agent, hub };

// What both sides have said by then; borrowed.
struct Handshake {
    std::string_view hub_nonce, agent_nonce, host, epoch, run;
};

std::string nonce();  // 32 random bytes in hex
std::string proof_of(Who who, const heartbeat::HostKey& key, const Handshake& said);
// In a time that does not tell where they differ.
bool is_proof(std::string_view proof, Who who, const heartbeat::HostKey& key, const Handshake& said);

inline constexpr std::size_t part_secret_bytes = 32;
// The key of a part's records. A secret.
crypto::Key32 part_key(std::string_view secret, std::string_view hub_nonce, const TenantId& tenant,
                       std::string_view host, std::string_view epoch);

}  // namespace boatswain::live
