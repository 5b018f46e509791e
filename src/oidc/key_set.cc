#include "oidc/key_set.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/text.h"
#include "oidc/jwt.h"

namespace boatswain::oidc {
namespace {

using crypto::SignatureKind;
using crypto::VerifyingKey;

std::optional<std::string> bytes_of(const json::object& key, std::string_view name) {
    auto text = json::view_of(key, name);
    return text.empty() ? std::nullopt : from_base64url(text);
}

std::optional<VerifyingKey> material_of(const json::object& key) {
    auto type = json::view_of(key, "kty"), curve = json::view_of(key, "crv");
    auto x = bytes_of(key, "x"), y = bytes_of(key, "y"), n = bytes_of(key, "n"), e = bytes_of(key, "e");
    if (type == "RSA" && n && e) return VerifyingKey::rsa(*n, *e);
    if (type == "EC" && curve == "P-256" && x && y) return VerifyingKey::p256(*x, *y);
    if (type == "OKP" && curve == "Ed25519" && x) return VerifyingKey::ed25519(*x);
    return std::nullopt;
}

// Whether the issuer means it for signatures, where it says for what.
bool is_for_signatures(const json::object& key) {
    if (json::field(key, "use") && json::view_of(key, "use") != "sig") return false;
    if (!json::field(key, "key_ops")) return true;
    bool verifies = false;
    json::for_each_text(key, "key_ops", [&](std::string_view what) { verifies = verifies || what == "verify"; });
    return verifies;
}

std::optional<PublishedKey> key_of(const json::element& element, const std::vector<SignatureKind>& wanted) {
    auto fields = json::as_object(element);
    if (!fields || jwt::has_a_name_twice(*fields) || !is_for_signatures(*fields)) return std::nullopt;
    // Whoever reads the set could sign: the private half is there.
    for (const char* secret : {"d", "k", "p", "q", "dp", "dq", "qi"})
        if (json::field(*fields, secret)) return std::nullopt;
    auto kid = json::view_of(*fields, "kid");
    if (kid.size() > kid_bytes_max || (json::field(*fields, "kid") && kid.empty())) return std::nullopt;
    auto key = material_of(*fields);
    if (!key || std::ranges::count(wanted, key->kind()) == 0) return std::nullopt;
    if (json::field(*fields, "alg") && json::view_of(*fields, "alg") != to_string(key->kind())) return std::nullopt;
    return PublishedKey{.kid = std::string{kid}, .key = std::move(*key)};
}

// ID tokens and access tokens. Others that an issuer signs for the same audience are not for reading: of a logout
// (OpenID Connect Back-Channel Logout section 2.4), of a proof of possession.
bool is_type_of_bearer(const json::object& head) {
    if (!json::field(head, "typ")) return true;
    auto type = json::view_of(head, "typ");
    for (const char* ours : {"JWT", "at+jwt", "application/at+jwt"})
        if (equal_in_any_case(type, ours)) return true;
    return false;
}

}  // namespace

Result<KeySet> KeySet::parse(std::string_view text, const std::vector<SignatureKind>& wanted) {
    if (text.size() > jwks_bytes_max)
        return fail(Remedy::quarantine, "the set of keys is longer than " + size_to_text(jwks_bytes_max));
    json::parser parser;
    TRY(auto root, json::parse_object(parser, text, "the set of keys"));
    KeySet set;
    auto take = [&](const json::element& element) {
        if (auto key = key_of(element, wanted))
            set.keys_.push_back(std::move(*key));
        else
            ++set.left_out_;
    };
    if (!json::for_each(root, "keys", keys_max, take))
        return fail(Remedy::quarantine, "the set has more than " + std::to_string(keys_max) + " keys");
    if (set.keys_.empty())
        return fail(Remedy::quarantine,
                    "the set has no key that can be used (RSA of 2048 bits or more, P-256, "
                    "Ed25519; for signatures; without its private half); left out: " +
                        std::to_string(set.left_out_));
    return set;
}

Signature KeySet::check(std::string_view token, std::string& payload) const {
    auto parts = jwt::split(token);
    if (!parts) return Signature::bad;
    auto head = from_base64url(parts->head), signature = from_base64url(parts->signature);
    if (!head || !signature || signature->empty()) return Signature::bad;
    json::parser parser;
    auto fields = json::parse_object(parser, *head, "head");
    if (!fields || jwt::has_a_name_twice(*fields) || json::field(*fields, "crit") || json::field(*fields, "b64") ||
        !is_type_of_bearer(*fields))
        return Signature::bad;
    auto said = crypto::signature_kind_of(json::view_of(*fields, "alg"));
    if (!said) return Signature::bad;
    bool is_named = json::field(*fields, "kid").has_value();
    auto kid = json::view_of(*fields, "kid");
    if (is_named && (kid.empty() || kid.size() > kid_bytes_max)) return Signature::bad;
    // Without a name there has to be one key alone (OpenID Connect Core section 10.1).
    if (!is_named && keys_.size() != 1) return Signature::bad;
    bool is_known = false;
    for (const auto& one : keys_) {
        if (is_named && one.kid != kid) continue;
        is_known = true;
        if (one.key.kind() != *said || !one.key.verifies(parts->is_signed, *signature)) continue;
        auto claims = from_base64url(parts->payload);
        if (!claims) return Signature::bad;
        payload = std::move(*claims);
        return Signature::good;
    }
    return is_known ? Signature::bad : Signature::unknown_key;
}

}  // namespace boatswain::oidc
