// The public keys that an issuer of tokens publishes (JWKS, RFC 7517), and tokens checked with them.
//
// Invariants
//   - The key decides the algorithm, never the token: a token has to say the one of the key that its `kid` names, or is
//     nobody's. There is no `none`, no HMAC, no padding to choose.
//   - Nothing in a token brings a key: `jwk`, `jku`, `x5c` and `x5u` are not looked at. `crit` and `b64` are refused.
//   - A key that is for something else (use, key_ops, alg), too weak, or published with its private half is left out.
//   - The signature is checked before any claim is looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/verifying_key.h"

namespace boatswain::oidc {

inline constexpr std::size_t jwks_bytes_max = 256U << 10;
inline constexpr std::size_t keys_max = 64;  // in a set, of whatever kind
inline constexpr std::size_t kid_bytes_max = 256;

struct PublishedKey {
    std::string kid;  // may be empty: the key has no name
    crypto::VerifyingKey key;
};

enum class Signature {
    good,
    bad,          // of nobody, or of no form that we take
    unknown_key,  // it names a key that the set does not have: the issuer may have published it since
};

class KeySet {
  public:
    // Keys of the wanted kinds; the others are left out and counted. No key at all is an error: Remedy::quarantine.
    static Result<KeySet> parse(std::string_view json, const std::vector<crypto::SignatureKind>& wanted);

    std::size_t size() const { return keys_.size(); }
    std::size_t left_out() const { return left_out_; }
    // Of a token; `payload` gets its claims (JSON that nobody has parsed yet) when it is good.
    Signature check(std::string_view token, std::string& payload) const;

  private:
    std::vector<PublishedKey> keys_;
    std::size_t left_out_ = 0;
};

}  // namespace boatswain::oidc
