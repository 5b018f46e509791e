// The roll-up of a tenant and a day: footers of its segments and filters of their frames, in one object
// (docs/formats/rollup.md). A cache: whoever reads it takes from it what it says of segments that were found by listing.
//
// It is made and read by holders of the tenant's identity alone; a proof made with the identity says so.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "open/age_reader.h"
#include "open/fetch.h"
#include "open/identity.h"
#include "open/zstd_frame.h"
#include "record/source.h"
#include "rollup/gram_reader.h"

namespace boatswain::rollup {

inline constexpr std::size_t hours_max = 24;
inline constexpr std::size_t index_json_bytes_max = 1U << 20;
inline constexpr std::size_t proofs_max = 64;
// Text of the footers of one hour.
inline constexpr std::uint64_t footers_text_bytes_max = 256U << 20;

// "v1/tenant=acme/rollup=2026-11-30.age"; `day` is a midnight.
std::string rollup_key(const TenantId& tenant, Timestamp day);
// The day that a key of `tenant` names; nothing for any other key.
std::optional<Timestamp> parse_rollup_key(const TenantId& tenant, std::string_view key);

// What a roll-up says of one segment.
struct SegmentSummary {
    std::string key;
    std::uint64_t size = 0;   // of the object
    std::string header_mac;   // 32 bytes
    std::string footer_json;  // as in the segment
};

// The text of the footers of an hour, and back. Remedy::quarantine for what is not exactly one.
std::string pack_summaries(std::span<const SegmentSummary> summaries);
Result<std::vector<SegmentSummary>> parse_summaries(std::string_view text);

// An hour as it goes into a roll-up.
struct HourParts {
    Timestamp hour{};
    std::uint64_t segments = 0;
    std::string listing;  // SHA-256 of what was listed, hex
    std::string footers;  // pack_summaries(), compressed
    std::uint64_t footers_text_bytes = 0;
    std::optional<std::string> grams;  // bands, one after the other
};

// The object, sealed for `identities` and proven by them. Remedy::stop without an identity or with too many.
Result<std::string> seal_rollup(const TenantId& tenant, Timestamp day, Timestamp built_at,
                                std::span<const HourParts> hours, std::span<const open::Identity> identities);

// A part of the plaintext.
struct Part {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
};

struct IndexHour {
    std::uint64_t segments = 0;
    std::string listing;
    Part footers;
    std::uint64_t footers_text_bytes = 0;  // decompressed; at most footers_text_bytes_max
    std::optional<Part> grams;
};
using Index = std::map<Timestamp, IndexHour>;

// The JSON of an index. Remedy::quarantine for what is none of `tenant` and `day`, or has a part beyond `parts_bytes`.
Result<Index> parse_index(std::string_view json, const TenantId& tenant, Timestamp day, std::uint64_t parts_bytes);

// Not for several threads at once.
class Rollup {
  public:
    // Fetches and proves the index. Errors: Remedy::quarantine for what is not to be believed, Remedy::stop where it is
    // sealed for none of `identities`, else what `fetch` says.
    static Result<Rollup> open(std::uint64_t object_bytes, open::FetchRange fetch,
                               std::span<const open::Identity> identities, const TenantId& tenant, Timestamp day);

    const Index& index() const { return index_; }
    // The bytes of a part of index().
    Result<std::string> read(const Part& part);
    // Takes footers_text_bytes of memory twice.
    Result<std::vector<SegmentSummary>> summaries(const IndexHour& hour);
    // The filters of `frames` frames, those of all its segments; borrows this, which is not to be moved.
    Result<GramReader> filters(const IndexHour& hour, std::size_t frames);
    // What reading filters takes, with the rows and answers of a band.
    static constexpr std::uint64_t filters_memory_max = 8U << 20;

  private:
    Rollup(open::AgeReader age, Index index) : age_(std::move(age)), index_(std::move(index)) {}

    open::AgeReader age_;
    Index index_;
    open::Decompressor decompressor_;
};

}  // namespace boatswain::rollup
