// Where to connect to or to listen at.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace boatswain::net {

struct Address {
    std::string unix_path;  // set: a unix socket; then host and port say nothing
    std::string host;       // a name or an IP address, IPv6 without brackets
    std::uint16_t port = 0;

    bool is_unix() const { return !unix_path.empty(); }
    bool operator==(const Address&) const = default;
};

// sockaddr_un::sun_path with its closing zero.
inline constexpr std::size_t unix_path_bytes_max = 107;

// Reads "/path", "unix:/path", "unix:///path", "tcp://host:port", "host:port", "[::1]:port". Port 0 is for listeners:
// any free one. Anything else is Remedy::stop with a sentence that says what is wrong.
Result<Address> parse_address(std::string_view text);

std::string to_text(const Address& address);  // "unix:/path", "host:port", "[::1]:port"

}  // namespace boatswain::net
