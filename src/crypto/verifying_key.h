// Public keys of other people's signatures: RSA with PKCS #1 v1.5 and SHA-256 (RS256), ECDSA over P-256 with SHA-256
// (ES256), Ed25519 (EdDSA), as RFC 7518 and RFC 8037 name them.
//
// Invariants
//   - A key knows its one algorithm: nobody can have it check by another one.
//   - A key that could not be trusted cannot be made: RSA below 2048 bits, points that lie on no curve.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

struct evp_pkey_st;

namespace boatswain::crypto {

inline constexpr int rsa_bits_min = 2048, rsa_bits_max = 8192;  // checking costs with the square of the size

enum class SignatureKind { rs256, es256, eddsa };
// "RS256", "ES256", "EdDSA".
std::string_view to_string(SignatureKind kind);
std::optional<SignatureKind> signature_kind_of(std::string_view name);

// Can be copied cheaply. Thread-safe.
class VerifyingKey {
  public:
    // Numbers as big-endian bytes. Nothing: no key that is accepted.
    static std::optional<VerifyingKey> rsa(std::string_view modulus, std::string_view exponent);
    static std::optional<VerifyingKey> p256(std::string_view x, std::string_view y);  // 32 bytes each
    static std::optional<VerifyingKey> ed25519(std::string_view point);               // 32 bytes

    SignatureKind kind() const { return kind_; }
    // `signature` as JWS has it: of ES256 the two numbers, 32 bytes each.
    bool verifies(std::string_view message, std::string_view signature) const;

  private:
    VerifyingKey(SignatureKind kind, std::shared_ptr<evp_pkey_st> key) : kind_(kind), key_(std::move(key)) {}
    static std::optional<VerifyingKey> checked(SignatureKind kind, evp_pkey_st* key);

    SignatureKind kind_;
    std::shared_ptr<evp_pkey_st> key_;  // copies share it; nobody changes it
};

}  // namespace boatswain::crypto
