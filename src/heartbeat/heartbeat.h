// Heartbeats: how an agent says in the store how it stands. docs/formats/heartbeat.md is the specification.
//
// They hold nothing secret, and are the one kind of object that is overwritten.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "heartbeat/key.h"
#include "store/store.h"

namespace boatswain::heartbeat {

inline constexpr std::size_t heartbeat_bytes_max = 16 << 10;
inline constexpr std::size_t heartbeats_max = 100'000;  // of one fleet
inline constexpr std::string_view fleet_prefix = "v1/fleet/";
inline constexpr int late_intervals = 3;
inline constexpr auto ahead_max = std::chrono::minutes{5};

// What can be amiss, as the format names it.
namespace trouble {
inline constexpr std::string_view engine = "engine";            // it is not followed
inline constexpr std::string_view spool_write = "spool_write";  // segments cannot be written to disk
inline constexpr std::string_view spool_full = "spool_full";    // reading pauses
inline constexpr std::string_view store = "store";              // it does not take segments
inline constexpr std::string_view keyring = "keyring";          // a key file is broken
inline constexpr std::string_view held = "held";                // containers wait, for a key as a rule
inline constexpr std::string_view key_removed = "key_removed";  // a key file was removed
inline constexpr std::string_view conflict = "conflict";        // it held something else under the host's keys
}  // namespace trouble

struct Heartbeat {
    std::string host;
    std::string version;
    std::string epoch;
    std::optional<Timestamp> started;
    Timestamp time{};
    std::int64_t interval_seconds = 60;
    std::optional<bool> healthy;
    std::vector<std::string> troubles;
    std::string held_for;  // why containers are held, in words that name nobody; empty: none is
    std::optional<std::uint64_t> containers, reading, held, lag_bytes, spool_bytes, spool_bytes_max, spool_segments;
    std::optional<Timestamp> spool_oldest, last_segment;
    std::optional<std::uint64_t> stored_segments, stored_bytes, put_requests;  // since the start
    bool operator==(const Heartbeat&) const = default;
};

// "v1/fleet/host=node-7.json"
std::string object_key(std::string_view host);
std::optional<std::string> host_of(std::string_view object_key);

// The object's bytes. Without a key it proves nothing.
std::string to_object(const Heartbeat& heartbeat, const std::optional<HostKey>& key);

enum class Proof {
    proven,
    not_checked,  // the reader has no key for this host
    forged,       // no mac, a wrong one, or of another host than the object's name says
};

struct Read {
    Heartbeat heartbeat;
    Proof proof = Proof::not_checked;
};

// `host` is that of the object's key. Remedy::quarantine for what is no heartbeat.
Result<Read> read_object(std::string_view bytes, std::string_view host, const std::optional<Key>& key);

// Of all hosts; what cannot be read is named in `problems`, a sentence each.
struct Fleet {
    std::vector<Read> heartbeats;  // by host
    std::vector<std::string> problems;
};
Result<Fleet> read_fleet(store::Store& store, const std::optional<Key>& key);

Result<void> put(store::Store& store, const Heartbeat& heartbeat, const std::optional<HostKey>& key);

}  // namespace boatswain::heartbeat
