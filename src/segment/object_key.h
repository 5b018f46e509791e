// The name of a segment in the store. Decided once, at sealing, before the first upload.
//
//   v1/tenant=acme/hour=2026-11-23T10/host=node-7/20261123T043400Z-9f3a.0000000042.age
//   |  |           |                  |           epoch                 sequence number (10 digits, from 1)
//   |  tenant      hour (UTC) of the first record  host
//   format
//
// The hour is a promise to readers: no record of the segment lies more than segment_span_max after that hour. A segment
// that spans more (an agent that catches up with an old, quiet log) says so: its key has "span=" in the place of
// "hour=". Readers list the hours they need, and all of "span=", of which there are few.
//
// Tenant, host and epoch are percent-encoded (base/bytes.h), so nothing from outside chooses a bucket or a prefix.
// (host, epoch, sequence number, tenant) name a segment for ever: the epoch is drawn anew with each new state
// directory.
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

    std::string str() const;
    bool operator==(const ObjectKey&) const = default;
};

// Nothing for a key that is not exactly of the form above (a foreign object in the bucket).
std::optional<ObjectKey> parse_object_key(std::string_view key);

// "v1/tenant=acme/": what every key of a tenant starts with; and "v1/tenant=acme/hour=2026-11-23T10/".
std::string tenant_prefix(const TenantId& tenant);
std::string hour_prefix(const TenantId& tenant, Timestamp hour);
// "v1/tenant=acme/span=": what the keys of all spanning segments of a tenant start with.
std::string span_prefix(const TenantId& tenant);

}  // namespace boatswain::segment
