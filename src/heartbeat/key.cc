#include "heartbeat/key.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/key32.h"
#include "crypto/random.h"

namespace boatswain::heartbeat {
namespace {

constexpr std::string_view host_key_context{"boatswain/host-key/1\0", 21};
constexpr std::string_view fleet_word = "boatswain-fleet-key-1";
constexpr std::string_view host_word = "boatswain-host-key-1";

std::string_view next_word(std::string_view& rest) {
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    auto word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(word.size());
    return word;
}

}  // namespace

FleetKey FleetKey::make() {
    std::array<char, key_bytes> secret{};
    WipeAtEnd wiped{secret};
    crypto::random_bytes(secret.data(), secret.size());
    return FleetKey{Secret{{secret.data(), secret.size()}}};
}

HostKey FleetKey::of_host(std::string_view host) const {
    auto derived = crypto::hmac_sha256(secret(), std::string{host_key_context} + std::string{host});
    WipeAtEnd wiped{derived};
    return {std::string{host}, Secret{crypto::as_view(derived)}};
}

Result<Key> parse_key(std::string_view file) {
    std::optional<Key> found;
    auto wrong = [] {
        return fail(Remedy::stop,
                    "not a fleet key: one line, \"boatswain-fleet-key-1 HEX\" or \"boatswain-host-key-1 HOST HEX\" "
                    "(boatswain fleet key new makes one)");
    };
    while (!file.empty()) {
        auto line = file.substr(0, file.find('\n'));
        file.remove_prefix(std::min(file.size(), line.size() + 1));
        while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
        if (line.empty() || line.starts_with('#')) continue;
        if (found) return wrong();
        auto kind = next_word(line);
        auto host = kind == host_word ? percent_decode(next_word(line)) : std::optional<std::string>{""};
        auto secret = from_hex(next_word(line));
        bool known = kind == fleet_word || (kind == host_word && host && !host->empty());
        if (!known || !secret || secret->size() != key_bytes || !next_word(line).empty()) return wrong();
        WipeAtEnd wiped{*secret};
        if (kind == fleet_word)
            found = FleetKey{Secret{*secret}};
        else
            found = HostKey{std::move(*host), Secret{*secret}};
    }
    if (!found) return wrong();
    return std::move(*found);
}

Result<Key> read_key(const Path& path) {
    TRY(auto bytes, read_file(path, key_file_bytes_max));
    WipeAtEnd wiped{bytes};
    auto key = parse_key(bytes);
    if (!key) return std::unexpected(std::move(key).error().within(path.string()));
    return key;
}

std::string to_file(const FleetKey& key) {
    return "# Proves the heartbeats of all hosts. Keep it secret.\n" + std::string{fleet_word} + " " +
           to_hex(key.secret()) + "\n";
}

std::string to_file(const HostKey& key) {
    return "# Proves the heartbeats of one host. Keep it secret.\n" + std::string{host_word} + " " +
           percent_encode(key.host()) + " " + to_hex(key.secret()) + "\n";
}

std::optional<HostKey> key_of(const Key& key, std::string_view host) {
    if (const auto* fleet = std::get_if<FleetKey>(&key)) return fleet->of_host(host);
    const auto& own = std::get<HostKey>(key);
    return own.host() == host ? std::optional{own} : std::nullopt;
}

}  // namespace boatswain::heartbeat
