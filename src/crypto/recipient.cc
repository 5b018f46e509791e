#include "crypto/recipient.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "crypto/bech32.h"
#include "crypto/key_kind.h"
#include "crypto/x25519.h"

namespace boatswain::crypto {
namespace {

constexpr std::string_view prefix = "age";
constexpr std::string_view identity_prefix = "age-secret-key-";
constexpr std::string_view plugin_identity_prefix = "age-plugin-";

bool starts_like_an_identity(std::string_view text) {
    return starts_in_any_case(text, identity_prefix) || starts_in_any_case(text, plugin_identity_prefix);
}

// A point of low order gives the same "shared secret" to everyone. Refused here, where the key is read, so that it does
// not stop the sealing of lines later.
bool is_of_low_order(const Key32& point) {
    Key32 any_scalar{};
    any_scalar.fill(0x42);
    Key32 product{};
    return !x25519(any_scalar, point, product);
}

}  // namespace

Result<Recipient> Recipient::parse(std::string_view text) {
    if (starts_like_an_identity(text))
        return fail(Remedy::stop,
                    "not an age recipient but an identity, which is secret: give its public half, age1...");
    if (auto kind = other_kind_of_key(text))
        return fail(Remedy::stop, "not an age X25519 recipient but " + *kind + ": " + std::string{x25519_alone});
    auto decoded = decode_bech32(text);
    if (!decoded) return std::unexpected(std::move(decoded).error().within("not an age recipient"));
    if (decoded->prefix != prefix) return fail(Remedy::stop, "not an age recipient: it does not start with age1");
    Key32 key{};
    if (decoded->bytes.size() != key.size())
        return fail(Remedy::stop, "not an age X25519 recipient: it holds " + std::to_string(decoded->bytes.size()) +
                                      " bytes and not 32");
    std::memcpy(key.data(), decoded->bytes.data(), key.size());
    if (is_of_low_order(key))
        return fail(Remedy::stop, "not an age recipient: the key is a point of low order, which protects nothing");
    return Recipient{key};
}

std::string Recipient::str() const { return encode_bech32(prefix, as_view(public_key_)); }

Result<std::vector<Recipient>> parse_recipients(std::string_view text) {
    std::vector<Recipient> recipients;
    CHECK(for_each_key(text, [&](std::string_view line) -> Result<void> {
        TRY(auto recipient, Recipient::parse(line));
        if (std::ranges::find(recipients, recipient) != recipients.end()) return {};
        if (recipients.size() == recipients_max)
            return fail(Remedy::stop, "more than " + std::to_string(recipients_max) + " recipients");
        recipients.push_back(recipient);
        return {};
    }));
    return recipients;
}

}  // namespace boatswain::crypto
