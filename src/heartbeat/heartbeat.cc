#include "heartbeat/heartbeat.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/json_reader.h"
#include "base/json_writer.h"
#include "crypto/digest.h"
#include "crypto/key32.h"

namespace boatswain::heartbeat {
namespace {

constexpr std::string_view format_name = "boatswain-heartbeat-1";
constexpr std::string_view mac_context{"boatswain/heartbeat/1\0", 22};
constexpr std::string_view mac_member = ",\"mac\":\"";
constexpr std::string_view object_end = "\"}\n";
constexpr std::size_t mac_digits = 64;
constexpr std::size_t troubles_max = 16;
constexpr std::size_t text_bytes_max = 300;
constexpr std::int64_t interval_seconds_max = 86'400;
constexpr std::string_view host_part = "host=", suffix = ".json";

std::optional<std::string> text_of(const json::object& fields, std::string_view name) {
    auto text = json::get<std::string_view>(fields, name);
    if (!text || text->size() > text_bytes_max) return std::nullopt;
    return std::string{*text};
}

std::optional<Timestamp> time_of(const json::object& fields, std::string_view name) {
    auto text = text_of(fields, name);
    return text ? parse_time(*text) : std::nullopt;
}

std::optional<std::uint64_t> number_of(const json::object& fields, std::string_view name) {
    auto number = json::get<std::int64_t>(fields, name);
    if (!number || *number < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*number);
}

// What was sealed, and the mac that the object carries; nothing when it has none.
struct Sealed {
    std::string_view bytes, mac;
};
std::optional<Sealed> sealed_part(std::string_view object_bytes) {
    auto tail = mac_member.size() + mac_digits + object_end.size();
    if (object_bytes.size() < tail || !object_bytes.ends_with(object_end)) return std::nullopt;
    auto at = object_bytes.size() - tail;
    if (object_bytes.substr(at, mac_member.size()) != mac_member) return std::nullopt;
    return Sealed{object_bytes.substr(0, at), object_bytes.substr(at + mac_member.size(), mac_digits)};
}

std::string mac_of(std::string_view bytes, const HostKey& key) {
    return to_hex(crypto::as_view(crypto::hmac_sha256(key.secret(), std::string{mac_context} + std::string{bytes})));
}

bool is_proven(std::string_view object_bytes, const HostKey& key) {
    auto sealed = sealed_part(object_bytes);
    if (!sealed) return false;
    auto wanted = mac_of(sealed->bytes, key);
    return crypto::equal_in_constant_time(wanted, sealed->mac);
}

Result<Heartbeat> parse(std::string_view bytes) {
    auto other = fail(Remedy::quarantine, "not a heartbeat of this format");
    if (bytes.size() > heartbeat_bytes_max) return other;
    json::parser parser;
    auto root = json::parse_object(parser, bytes, "heartbeat");
    if (!root || text_of(*root, "format") != format_name) return other;
    const auto& fields = *root;
    auto host = text_of(fields, "host");
    auto time = time_of(fields, "time");
    auto interval = number_of(fields, "interval_seconds");
    if (!host || host->empty() || !time || !interval || *interval == 0 || *interval > interval_seconds_max)
        return fail(Remedy::quarantine, "a heartbeat without a host, a time or an interval");
    Heartbeat heartbeat{.host = std::move(*host),
                        .version = text_of(fields, "version").value_or(""),
                        .epoch = text_of(fields, "epoch").value_or(""),
                        .started = time_of(fields, "started"),
                        .time = *time,
                        .interval_seconds = static_cast<std::int64_t>(*interval),
                        .held_for = text_of(fields, "held_for").value_or(""),
                        .containers = number_of(fields, "containers"),
                        .reading = number_of(fields, "reading"),
                        .held = number_of(fields, "held"),
                        .lag_bytes = number_of(fields, "lag_bytes"),
                        .spool_bytes = number_of(fields, "spool_bytes"),
                        .spool_bytes_max = number_of(fields, "spool_bytes_max"),
                        .spool_segments = number_of(fields, "spool_segments"),
                        .spool_oldest = time_of(fields, "spool_oldest"),
                        .last_segment = time_of(fields, "last_segment"),
                        .stored_segments = number_of(fields, "stored_segments"),
                        .stored_bytes = number_of(fields, "stored_bytes"),
                        .put_requests = number_of(fields, "put_requests")};
    heartbeat.healthy = json::get<bool>(fields, "healthy");
    json::for_each_text(fields, "troubles", [&](std::string_view text) {
        if (heartbeat.troubles.size() < troubles_max && text.size() <= text_bytes_max)
            heartbeat.troubles.emplace_back(text);
    });
    return heartbeat;
}

}  // namespace

std::string object_key(std::string_view host) {
    return std::string{fleet_prefix} + std::string{host_part} + percent_encode(host) + std::string{suffix};
}

std::optional<std::string> host_of(std::string_view key) {
    auto start = std::string{fleet_prefix} + std::string{host_part};
    if (!key.starts_with(start) || !key.ends_with(suffix) || key.size() <= start.size() + suffix.size())
        return std::nullopt;
    auto host = percent_decode(key.substr(start.size(), key.size() - start.size() - suffix.size()));
    return host && object_key(*host) == key ? host : std::nullopt;
}

std::string to_object(const Heartbeat& one, const std::optional<HostKey>& key) {
    auto json = json_object();
    json.member("format", format_name)
        .member("host", one.host)
        .member("version", one.version)
        .member("epoch", one.epoch)
        .member_if_there("started", one.started)
        .member("time", one.time)
        .member("interval_seconds", one.interval_seconds)
        .member_if_there("healthy", one.healthy)
        .member("troubles", one.troubles)
        .member_if_there("containers", one.containers)
        .member_if_there("reading", one.reading)
        .member_if_there("held", one.held)
        .member_unless_empty("held_for", one.held_for)
        .member_if_there("lag_bytes", one.lag_bytes)
        .member_if_there("spool_bytes", one.spool_bytes)
        .member_if_there("spool_bytes_max", one.spool_bytes_max)
        .member_if_there("spool_segments", one.spool_segments)
        .member_if_there("spool_oldest", one.spool_oldest)
        .member_if_there("last_segment", one.last_segment)
        .member_if_there("stored_segments", one.stored_segments)
        .member_if_there("stored_bytes", one.stored_bytes)
        .member_if_there("put_requests", one.put_requests);
    auto text = json.take_line();
    if (!key) return text;
    text.resize(text.size() - std::string_view{"}\n"}.size());
    auto mac = mac_of(text, *key);
    return text + std::string{mac_member} + mac + std::string{object_end};
}

Result<Read> read_object(std::string_view bytes, std::string_view host, const std::optional<Key>& key) {
    TRY(auto heartbeat, parse(bytes));
    Read read{.heartbeat = std::move(heartbeat)};
    if (read.heartbeat.host != host) {
        // Another host's words under this one's name: whoever put them there had no key for it.
        read.heartbeat.host = host;
        read.proof = Proof::forged;
        return read;
    }
    auto of_host = key ? key_of(*key, host) : std::nullopt;
    if (of_host) read.proof = is_proven(bytes, *of_host) ? Proof::proven : Proof::forged;
    return read;
}

Result<Fleet> read_fleet(store::Store& store, const std::optional<Key>& key) {
    Fleet fleet;
    std::vector<std::string> keys;
    CHECK(store::for_each_object(store, fleet_prefix, [&](const store::ObjectInfo& object) {
        if (host_of(object.key)) keys.push_back(object.key);
        return keys.size() < heartbeats_max;
    }));
    for (const auto& name : keys) {
        auto host = *host_of(name);
        auto bytes = store.read(name, {.first = 0, .length = heartbeat_bytes_max + 1});
        if (!bytes && bytes.error().remedy == Remedy::re_resolve) continue;  // gone since it was listed
        if (!bytes) return std::unexpected(std::move(bytes).error());
        auto read = read_object(bytes->bytes, host, key);
        if (read)
            fleet.heartbeats.push_back(std::move(*read));
        else
            fleet.problems.push_back("host " + printable(host) + ": " + read.error().what);
    }
    std::ranges::sort(fleet.heartbeats, {}, [](const Read& read) { return read.heartbeat.host; });
    return fleet;
}

Result<void> put(store::Store& store, const Heartbeat& heartbeat, const std::optional<HostKey>& key) {
    auto bytes = to_object(heartbeat, key);
    return store.replace(object_key(heartbeat.host), bytes, crypto::sha256(bytes));
}

}  // namespace boatswain::heartbeat
