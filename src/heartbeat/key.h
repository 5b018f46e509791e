// Keys that prove heartbeats: one of the whole fleet, from which one for each host is derived, so that a host that has
// only its own can speak for no other. docs/formats/heartbeat.md is the specification; decision 0012 has the reasons.
//
// Secrets: they are in no error, no log, and not printable by accident.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/file.h"
#include "base/result.h"
#include "base/secret.h"

namespace boatswain::heartbeat {

inline constexpr std::size_t key_bytes = 32;
inline constexpr std::uint64_t key_file_bytes_max = 64 << 10;

class HostKey {
  public:
    HostKey(std::string host, Secret secret) : host_(std::move(host)), secret_(std::move(secret)) {}
    const std::string& host() const { return host_; }
    std::string_view secret() const { return secret_.view(); }  // key_bytes raw bytes

  private:
    std::string host_;
    Secret secret_;
};

class FleetKey {
  public:
    static FleetKey make();  // of the system's random source
    explicit FleetKey(Secret secret) : secret_(std::move(secret)) {}
    HostKey of_host(std::string_view host) const;
    std::string_view secret() const { return secret_.view(); }

  private:
    Secret secret_;
};

using Key = std::variant<FleetKey, HostKey>;

Result<Key> parse_key(std::string_view file);
Result<Key> read_key(const Path& path);
std::string to_file(const FleetKey& key);
std::string to_file(const HostKey& key);

// The key of `host`: derived, or the one at hand when it is that host's. Nothing otherwise.
std::optional<HostKey> key_of(const Key& key, std::string_view host);

}  // namespace boatswain::heartbeat
