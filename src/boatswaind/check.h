// `boatswaind check`: what the agent would start with, and what is wrong with it, without starting anything.
#pragma once

#include "config/config.h"

namespace boatswain::boatswaind {

// The host's name is part of every key (segment/object_key.h): UTF-8, and short enough that every tenant's keys stay
// within 1024 bytes. A name that no segment could be sealed under is refused before a line is read.
inline constexpr std::size_t encoded_host_bytes_max = 255;
Result<void> check_host(const config::Config& config);

// Whether there is anything to read. Remedy::stop.
Result<void> check_ways_in(const config::Config& config);
// Hubs are proven to with the host's key: without one, none can be followed. Remedy::stop.
Result<void> check_hubs(const config::Config& config);

// Remedy::stop names the private keys that lie in this keyring, and says what to do with them. A keyring that cannot be
// read is success here.
Result<void> check_no_identity(const Path& keyring);

// Prints the effective configuration on standard output and every problem on standard error. The exit code: 0 when the
// agent would start, else 1.
int check(const config::Config& config);

}  // namespace boatswain::boatswaind
