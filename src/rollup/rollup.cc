#include "rollup/rollup.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/json_reader.h"
#include "base/json_writer.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "segment/age_writer.h"
#include "segment/chain.h"
#include "segment/format.h"
#include "segment/object_key.h"
#include "segment/seal.h"

namespace boatswain::rollup {
namespace {

constexpr std::string_view magic = "BSWNRLP2";
constexpr std::size_t trailer_bytes = 16;
constexpr std::size_t proof_bytes = 64;
constexpr std::size_t mac_bytes = 32;
constexpr std::uint64_t version = 2;
constexpr int zstd_level = 3;
constexpr std::size_t day_text_size = 10;  // 2026-11-30
constexpr std::string_view key_part = "rollup=";
constexpr std::string_view key_end = ".age";

std::unexpected<Error> refuse(const std::string& what) { return fail(Remedy::quarantine, "roll-up: " + what); }

std::string day_text(Timestamp day) { return to_text(day).substr(0, day_text_size); }

void append_number(std::string& out, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 255);
}

// Reads `text` from its start; false once it was too short.
class Cursor {
  public:
    explicit Cursor(std::string_view text) : rest_(text) {}
    std::uint64_t number(std::size_t bytes) {
        std::uint64_t value = 0;
        auto raw = take(bytes);
        for (std::size_t i = raw.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(raw[i]);
        return value;
    }
    std::string_view take(std::uint64_t bytes) {
        if (bytes > rest_.size()) {
            sound_ = false;
            return {};
        }
        auto taken = rest_.substr(0, bytes);
        rest_.remove_prefix(bytes);
        return taken;
    }
    bool sound() const { return sound_; }
    bool at_end() const { return rest_.empty(); }

  private:
    std::string_view rest_;
    bool sound_ = true;
};

crypto::Key32 proof_of(const open::Identity& identity, std::string_view header_mac, std::string_view index) {
    const auto& scalar = identity.scalar();
    std::string_view secret{reinterpret_cast<const char*>(scalar.data()), scalar.size()};
    auto key = crypto::hkdf_sha256(secret, {}, "boatswain rollup v2");
    auto proof = crypto::hmac_sha256(crypto::as_view(key), std::string{header_mac} + std::string{index});
    crypto::wipe(key.data(), key.size());
    return proof;
}

std::string_view public_key_of(const crypto::Recipient& recipient) {
    return {reinterpret_cast<const char*>(recipient.public_key().data()), recipient.public_key().size()};
}

bool is_proven(std::string_view proofs, std::string_view header_mac, std::string_view index,
               std::span<const open::Identity> identities) {
    for (; !proofs.empty(); proofs.remove_prefix(proof_bytes))
        for (const auto& identity : identities)
            if (proofs.substr(0, mac_bytes) == public_key_of(identity.recipient()) &&
                crypto::equal_in_constant_time(proofs.substr(mac_bytes, mac_bytes),
                                               crypto::as_view(proof_of(identity, header_mac, index))))
                return true;
    return false;
}

// Left open, for what else is said of it.
JsonWriter& write_part(JsonWriter& json, std::string_view name, const std::string& bytes, std::uint64_t offset) {
    return json.object(name).member("offset", offset).member("bytes", std::uint64_t{bytes.size()});
}

std::optional<Part> parse_part(const std::optional<json::object>& fields) {
    auto offset = json::get<std::uint64_t>(fields, "offset"), bytes = json::get<std::uint64_t>(fields, "bytes");
    if (!offset || !bytes) return std::nullopt;
    return Part{.offset = *offset, .bytes = *bytes};
}

bool lies_within(const Part& part, std::uint64_t bytes) {
    return part.offset <= bytes && part.bytes <= bytes - part.offset;
}

}  // namespace

std::string rollup_key(const TenantId& tenant, Timestamp day) {
    return segment::tenant_prefix(tenant) + std::string{key_part} + day_text(day) + std::string{key_end};
}

std::optional<Timestamp> parse_rollup_key(const TenantId& tenant, std::string_view key) {
    auto start = segment::tenant_prefix(tenant) + std::string{key_part};
    if (key.size() != start.size() + day_text_size + key_end.size() || !key.starts_with(start)) return std::nullopt;
    auto day = parse_time(std::string{key.substr(start.size(), day_text_size)} + "T00:00:00Z");
    return day && rollup_key(tenant, *day) == key ? day : std::nullopt;
}

std::string pack_summaries(std::span<const SegmentSummary> summaries) {
    std::string text;
    for (const auto& one : summaries) {
        append_number(text, one.key.size(), 4);
        text += one.key;
        append_number(text, one.size, 8);
        text += one.header_mac;
        append_number(text, one.footer_json.size(), 4);
        text += one.footer_json;
    }
    return text;
}

Result<std::vector<SegmentSummary>> parse_summaries(std::string_view text) {
    std::vector<SegmentSummary> summaries;
    Cursor cursor{text};
    while (!cursor.at_end()) {
        SegmentSummary one;
        one.key = cursor.take(cursor.number(4));
        one.size = cursor.number(8);
        one.header_mac = cursor.take(mac_bytes);
        one.footer_json = cursor.take(cursor.number(4));
        if (!cursor.sound()) return refuse("footers are cut short");
        if (one.key.empty() || one.key.size() > segment::key_bytes_max) return refuse("a key of a wrong length");
        if (one.footer_json.size() > segment::footer_json_bytes_max) return refuse("a footer that is too long");
        if (!summaries.empty() && summaries.back().key >= one.key) return refuse("keys out of order");
        summaries.push_back(std::move(one));
    }
    return summaries;
}

Result<std::string> seal_rollup(const TenantId& tenant, Timestamp day, Timestamp built_at,
                                std::span<const HourParts> hours, std::span<const open::Identity> identities) {
    if (identities.empty() || identities.size() > crypto::recipients_max)
        return fail(Remedy::stop, "a roll-up is made with 1 to " + std::to_string(crypto::recipients_max) +
                                      " identities, not " + std::to_string(identities.size()));
    // All footers first: a question needs those of many hours, and filters only when it looks for a text.
    std::uint64_t grams_at = 0, footers_at = 0;
    for (const auto& hour : hours) grams_at += hour.footers.size();
    auto json = json_object();
    json.member("version", version)
        .member("tenant", tenant.str())
        .member("day", day_text(day))
        .member("built_at", built_at);
    json.array("hours");
    for (const auto& hour : hours) {
        json.object().member("hour", hour.hour).member("segments", hour.segments).member("listing", hour.listing);
        write_part(json, "footers", hour.footers, footers_at).member("text_bytes", hour.footers_text_bytes).end();
        footers_at += hour.footers.size();
        if (hour.grams) {
            write_part(json, "grams", *hour.grams, grams_at).end();
            grams_at += hour.grams->size();
        }
        json.end();
    }
    auto index = segment::Compressor{zstd_level}.compress(json.take());

    std::vector<crypto::Recipient> recipients;
    for (const auto& identity : identities) recipients.push_back(identity.recipient());
    auto end_bytes = index.size() + proof_bytes * identities.size() + trailer_bytes;
    TRY(auto writer, segment::AgeWriter::begin(recipients, grams_at + end_bytes));
    TRY(auto header, open::parse_age_header(writer.written()));
    std::string end = index;
    for (const auto& identity : identities) {
        end += public_key_of(identity.recipient());
        end += crypto::as_view(proof_of(identity, header.value().mac, index));
    }
    append_number(end, index.size(), 4);
    append_number(end, identities.size(), 4);
    end += magic;

    for (const auto& hour : hours) writer.append(hour.footers);
    for (const auto& hour : hours)
        if (hour.grams) writer.append(*hour.grams);
    writer.append(end);
    return writer.finish();
}

Result<Index> parse_index(std::string_view text, const TenantId& tenant, Timestamp day, std::uint64_t parts_bytes) {
    json::parser parser;
    TRY(auto fields, json::parse_object(parser, text, "roll-up"));
    auto said = json::get<std::uint64_t>(fields, "version");
    if (!said || *said == 0 || *said > version) return refuse("a version that this reader does not know");
    if (json::view_of(fields, "tenant") != tenant.str() || json::view_of(fields, "day") != day_text(day))
        return refuse("of another tenant or day");
    Index index;
    std::optional<std::string> wrong;
    bool fits = json::for_each(fields, "hours", hours_max, [&](const json::element& element) {
        auto one = json::as_object(element);
        auto hour = json::time_of(one, "hour");
        auto footers = parse_part(json::object_of(one, "footers"));
        auto text_bytes = json::get<std::uint64_t>(json::object_of(one, "footers"), "text_bytes");
        auto segments = json::get<std::uint64_t>(one, "segments");
        bool is_of_day = hour && *hour >= day && *hour < day + std::chrono::days{1} &&
                         std::chrono::floor<std::chrono::hours>(*hour) == *hour;
        if (!is_of_day || !footers || !segments || !text_bytes || *text_bytes > footers_text_bytes_max ||
            !lies_within(*footers, parts_bytes)) {
            wrong = "an hour that is not as it should be";
            return;
        }
        IndexHour read{.segments = *segments,
                       .listing = json::text_of(one, "listing"),
                       .footers = std::move(*footers),
                       .footers_text_bytes = *text_bytes};
        if (json::field(one, "grams")) {
            read.grams = parse_part(json::object_of(one, "grams"));
            if (!read.grams || !lies_within(*read.grams, parts_bytes)) wrong = "grams outside their place";
        }
        if (!index.emplace(*hour, std::move(read)).second) wrong = "an hour that stands twice";
    });
    if (!fits) wrong = "more hours than a day has";
    if (wrong) return refuse(*wrong);
    return index;
}

Result<Rollup> Rollup::open(std::uint64_t object_bytes, open::FetchRange fetch,
                            std::span<const open::Identity> identities, const TenantId& tenant, Timestamp day) {
    TRY(auto age, open::AgeReader::open(object_bytes, std::move(fetch), identities));
    auto left = age.plaintext_bytes();
    if (left < trailer_bytes) return refuse("too short");
    left -= trailer_bytes;
    TRY(auto trailer, age.read(left, trailer_bytes));
    Cursor cursor{trailer};
    auto index_bytes = cursor.number(4), proofs = cursor.number(4);
    if (cursor.take(magic.size()) != magic) return refuse("not one, or of another version");
    if (proofs > proofs_max || proof_bytes * proofs > left || index_bytes > left - proof_bytes * proofs)
        return refuse("its lengths do not fit in the object");
    auto parts_bytes = left - proof_bytes * proofs - index_bytes;
    TRY(auto end, age.read(parts_bytes, index_bytes + proof_bytes * proofs));
    auto packed = std::string_view{end}.substr(0, index_bytes);
    if (!is_proven(std::string_view{end}.substr(index_bytes), age.header().mac, packed, identities))
        return refuse("not made with an identity of this reader");
    open::Decompressor decompressor;
    TRY(auto json, decompressor.decompress(packed, index_json_bytes_max));
    TRY(auto index, parse_index(json, tenant, day, parts_bytes));
    age.drop_header();
    return Rollup{std::move(age), std::move(index)};
}

Result<std::string> Rollup::read(const Part& part) { return age_.read(part.offset, part.bytes); }

Result<std::vector<SegmentSummary>> Rollup::summaries(const IndexHour& hour) {
    TRY(auto bytes, read(hour.footers));
    TRY(auto text, decompressor_.decompress(bytes, footers_text_bytes_max, hour.footers_text_bytes));
    TRY(auto summaries, parse_summaries(text));
    if (summaries.size() != hour.segments) return refuse("another number of footers than its index says");
    return summaries;
}

Result<GramReader> Rollup::filters(const IndexHour& hour, std::size_t frames) {
    if (!hour.grams) return refuse("an hour without grams");
    return GramReader{frames, hour.grams->offset, hour.grams->bytes,
                      [this](std::uint64_t first, std::uint64_t length) { return age_.read(first, length); }};
}

}  // namespace boatswain::rollup
