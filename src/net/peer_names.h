// The names in a certificate of TLS that the peer showed.
//
//   uri:spiffe://cluster/ns/a   each URI of its alternative names (RFC 5280 section 4.2.1.6)
//   dns:client.example          each DNS name of these
//   cn:client                   its subject's common name, where there is one alone
//
// Names with a zero byte in them, or longer than peer_name_bytes_max, are left out; peer_names_max are looked at.
#pragma once

#include <optional>
#include <string>
#include <vector>

struct ssl_st;

namespace boatswain::net {

inline constexpr std::size_t peer_names_max = 100, peer_name_bytes_max = 512;

// Nothing: it showed no certificate. Only after a handshake that ended well.
std::optional<std::vector<std::string>> names_of_peer(const ssl_st* session);

}  // namespace boatswain::net
