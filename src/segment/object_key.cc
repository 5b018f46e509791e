#include "segment/object_key.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "segment/format.h"

namespace boatswain::segment {
namespace {

constexpr std::string_view before_tenant = "v1/tenant=";
constexpr std::string_view before_hour = "/hour=";
constexpr std::string_view before_span = "/span=";
constexpr std::string_view before_host = "/host=";
constexpr std::string_view suffix = ".age";
constexpr std::size_t hour_text_size = 13;  // 2026-11-22T10
constexpr std::size_t sequence_digits = 10;

std::string hour_text(Timestamp hour) { return to_text(hour).substr(0, hour_text_size); }

std::string sequence_text(std::uint64_t sequence) {
    auto digits = std::to_string(sequence);
    return std::string(sequence_digits - std::min(digits.size(), sequence_digits), '0') + digits;
}

bool is_hash(std::string_view text) {
    return text.size() == key_hash_digits &&
           std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// What lies before the next `end`, which is taken away too.
std::optional<std::string_view> take_until(std::string_view& rest, std::string_view end) {
    auto at = rest.find(end);
    if (at == std::string_view::npos) return std::nullopt;
    auto taken = rest.substr(0, at);
    rest.remove_prefix(at + end.size());
    return taken;
}

std::optional<TenantId> tenant_of(std::string_view part) {
    auto name = percent_decode(part);
    if (!name) return std::nullopt;
    auto tenant = TenantId::parse_any(*name);
    return tenant ? std::optional{*tenant} : std::nullopt;
}

}  // namespace

std::string tenant_prefix(const TenantId& tenant) {
    return std::string{before_tenant} + percent_encode(tenant.str()) + "/";
}

std::string hour_prefix(const TenantId& tenant, Timestamp hour) {
    return tenant_prefix(tenant) + "hour=" + hour_text(hour) + "/";
}

std::string span_prefix(const TenantId& tenant) { return tenant_prefix(tenant) + "span="; }

std::string ObjectKey::str() const {
    auto start = spanning ? span_prefix(tenant) + hour_text(hour) + "/" : hour_prefix(tenant, hour);
    return start + "host=" + percent_encode(host) + "/" + percent_encode(epoch) + "." + sequence_text(sequence) +
           (hash.empty() ? "" : "." + hash) + std::string{suffix};
}

ObjectKey ObjectKey::second_form(std::string_view sha256) const {
    auto second = *this;
    second.hash = to_hex(sha256).substr(0, key_hash_digits);
    return second;
}

ObjectKey ObjectKey::first_form() const {
    auto first = *this;
    first.hash.clear();
    return first;
}

bool agrees(const ObjectKey& key, std::string_view sha256_hex) { return sha256_hex.starts_with(key.hash); }

std::optional<ObjectKey> parse_object_key(std::string_view key) {
    if (key.size() > key_bytes_max || !key.starts_with(before_tenant) || !key.ends_with(suffix)) return std::nullopt;
    auto rest = key.substr(before_tenant.size(), key.size() - before_tenant.size() - suffix.size());
    bool spanning = rest.find(before_span) < rest.find(before_hour);
    auto tenant_part = take_until(rest, spanning ? before_span : before_hour);
    auto hour_part = take_until(rest, before_host);
    auto host_part = take_until(rest, "/");
    // A number has 10 digits and a hash 16, so the last part between dots says which form this is.
    std::string_view hash;
    if (auto dot = rest.rfind('.'); dot != std::string_view::npos && is_hash(rest.substr(dot + 1))) {
        hash = rest.substr(dot + 1);
        rest = rest.substr(0, dot);
    }
    if (!tenant_part || !hour_part || !host_part || rest.size() < sequence_digits + 1) return std::nullopt;

    auto tenant = tenant_of(*tenant_part);
    auto hour = parse_time(std::string{*hour_part} + ":00:00Z");
    auto host = percent_decode(*host_part);
    auto epoch = percent_decode(rest.substr(0, rest.size() - sequence_digits - 1));
    std::uint64_t sequence = 0;
    std::from_chars(rest.data() + rest.size() - sequence_digits, rest.data() + rest.size(), sequence);
    if (!tenant || !hour || !host || host->empty() || !epoch || epoch->empty() || sequence == 0) return std::nullopt;

    ObjectKey parsed{.tenant = *tenant,
                     .hour = *hour,
                     .spanning = spanning,
                     .host = *host,
                     .epoch = *epoch,
                     .sequence = sequence,
                     .hash = std::string{hash}};
    // There is one key for one meaning: whatever was read leniently above shows here.
    return parsed.str() == key ? std::optional{parsed} : std::nullopt;
}

}  // namespace boatswain::segment
