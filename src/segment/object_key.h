// The name of a segment in the store. Decided once, at sealing, before the first upload.
//
//   v1/tenant=acme/hour=2026-11-23T10/host=node-7/20261123T043400Z-9f3a.0000000042.age
//   |  |           |                  |           epoch                 sequence number (10 digits, from 1)
//   |  tenant      hour (UTC) of the first record  host
//   format
//
// A segment whose key is taken by something else goes under the second form, "...0000000042.SHA16.age": the first 16
// hex digits of its SHA-256, which nobody can know before it is there (docs/decisions/0027-a-key-that-is-taken.md).
//
// The hour is a promise to readers: no record of the segment lies more than segment_span_max after that hour. A segment
// that spans more (an agent that catches up with an old, quiet log) says so: its key has "span=" in the place of
// "hour=". Readers list the hours they need, and all of "span=", of which there are few.
//
// Tenant, host and epoch are percent-encoded (base/bytes.h), so nothing from outside chooses a bucket or a prefix.
// The epoch is drawn by chance with each new state directory, and when a key of the epoch before was taken.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "record/source.h"

namespace boatswain::segment {

// No line of a segment under hour=H is earlier than H or later than the end of hour H + segment_span_max.
inline constexpr std::chrono::hours segment_span_max{1};

struct ObjectKey {
    TenantId tenant = TenantId::unassigned();
    Timestamp hour{};       // of the first record, cut to the hour
    bool spanning = false;  // records reach further than segment_span_max beyond that hour
    std::string host;
    std::string epoch;
    std::uint64_t sequence = 0;
    std::string hash;  // of the second form: 16 hex digits; empty: the first form

    std::string str() const;
    ObjectKey second_form(std::string_view sha256) const;  // for an object of this SHA-256, 32 raw bytes
    ObjectKey first_form() const;
    bool operator==(const ObjectKey&) const = default;
};

inline constexpr std::size_t key_hash_digits = 16;
// By so much the second form is longer than the first.
inline constexpr std::size_t second_form_bytes = 1 + key_hash_digits;

// Nothing for a key that is not exactly of a form above (a foreign object in the bucket).
std::optional<ObjectKey> parse_object_key(std::string_view key);

// Whether an object of this SHA-256 (hex) may lie under the key: the first form takes any.
bool agrees(const ObjectKey& key, std::string_view sha256_hex);

// "v1/tenant=acme/": what every key of a tenant starts with; and "v1/tenant=acme/hour=2026-11-23T10/".
std::string tenant_prefix(const TenantId& tenant);
std::string hour_prefix(const TenantId& tenant, Timestamp hour);
// "v1/tenant=acme/span=": what the keys of all spanning segments of a tenant start with.
std::string span_prefix(const TenantId& tenant);

}  // namespace boatswain::segment
