// The name of a segment in the store. Decided once, at sealing, before the first upload.
//
//   v1/tenant=acme/hour=2026-11-23T10/host=node-7/20261123T043400Z-9f3a.0000000042.age
//   |  |           |                  |           epoch                 sequence number (10 digits, from 1)
//   |  tenant      hour (UTC) of the first record  host
//   format
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

// A batch is sealed before a line would be further than this from the hour of its first record, in whole hours: a line of
// hour L lies in a segment whose key names an hour from L - segment_span_max to L + segment_span_max. Readers find the
// segments of a stretch of time by it (query/range.h), so a writer may make it smaller, never larger.
inline constexpr std::chrono::hours segment_span_max{1};

struct ObjectKey {
    TenantId tenant = TenantId::unassigned();
    Timestamp hour{};  // cut to the hour
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

}  // namespace boatswain::segment
