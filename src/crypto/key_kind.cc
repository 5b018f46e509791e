#include "crypto/key_kind.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace boatswain::crypto {
namespace {

constexpr std::size_t plugin_name_bytes_max = 24;
constexpr std::size_t looked_at_bytes_max = 128;

using Start = std::pair<std::string_view, std::string_view>;  // in lower case; what begins so

constexpr std::array starts{
    Start{"age1pq1", "an age recipient of the post-quantum kind (ML-KEM-768 with X25519)"},
    Start{"age-secret-key-pq-1", "an age identity of the post-quantum kind (ML-KEM-768 with X25519)"},
    Start{"age1tag1", "an age recipient of a hardware key (P-256, tagged)"},
    Start{"age1tagpq1", "an age recipient of a hardware key (post-quantum, tagged)"},
    Start{"ssh-", "an SSH key"},
    Start{"sk-ssh-", "an SSH key"},
    Start{"ecdsa-sha2-", "an SSH key"},
    Start{"sk-ecdsa-", "an SSH key"},
    Start{"---- begin ssh2", "an SSH key"},
    Start{"-----begin openssh private key", "an SSH key"},
    Start{"-----begin rsa private key", "an SSH key"},
    Start{"-----begin age encrypted file", "an encrypted file: decrypt it with age first"},
    Start{"age-encryption.org/", "an encrypted file: decrypt it with age first"},
    Start{"-----begin pgp", "a PGP key"},
    Start{"-----begin", "a PEM file"},
};

// An X25519 recipient; one with a letter misread as '1' looks like a plugin's.
constexpr std::size_t x25519_recipient_bytes = 62;

// A plugin's name, as between "age1" and the '1' before the data; nothing when it is none. Data holds no '1'.
std::optional<std::string_view> plugin_name(std::string_view text) {
    auto end = text.rfind('1');
    if (end == std::string_view::npos) return std::nullopt;
    auto name = text.substr(0, end);
    if (name.ends_with('-')) name.remove_suffix(1);
    auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
    if (name.size() < 2 || name.size() > plugin_name_bytes_max || !std::ranges::all_of(name, plain))
        return std::nullopt;
    return name;
}

}  // namespace

std::optional<std::string> other_kind_of_key(std::string_view text) {
    auto lower = lower_case(text.substr(0, looked_at_bytes_max));
    for (const auto& [start, kind] : starts)
        if (lower.starts_with(start)) return std::string{kind};
    if (text.size() == x25519_recipient_bytes) return std::nullopt;
    for (const auto& [start, kind] : {Start{"age1", "an age recipient"}, Start{"age-plugin-", "an age identity"}})
        if (auto name =
                lower.starts_with(start) ? plugin_name(std::string_view{lower}.substr(start.size())) : std::nullopt)
            return std::string{kind} + " of the plugin \"" + std::string{*name} + "\"";
    return std::nullopt;
}

Result<void> for_each_key(std::string_view file, const std::function<Result<void>(std::string_view)>& take) {
    for (std::size_t number = 1; !file.empty(); ++number) {
        auto end = std::min(file.find('\n'), file.size());
        auto line = file.substr(0, end);
        file.remove_prefix(std::min(end + 1, file.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty() || line.starts_with('#')) continue;
        if (auto taken = take(line); !taken)
            return std::unexpected(std::move(taken).error().within("line " + std::to_string(number)));
    }
    return {};
}

}  // namespace boatswain::crypto
