// For tests: keys that sign, as an issuer has them, their public halves as JWKS, and tokens made with them.
#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace boatswain::oidc::testing {

// One key; made once for all tests of a program, since RSA keys take their time.
class SigningKey {
  public:
    static const SigningKey& rsa() {
        static const SigningKey key{"RS256", EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048})};
        return key;
    }
    static const SigningKey& weak_rsa() {
        static const SigningKey key{"RS256", EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024})};
        return key;
    }
    static const SigningKey& other_rsa() {
        static const SigningKey key{"RS256", EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048})};
        return key;
    }
    static const SigningKey& p256() {
        static const SigningKey key{"ES256", EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
        return key;
    }
    static const SigningKey& ed25519() {
        static const SigningKey key{"EdDSA", EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
        return key;
    }

    // {"kid":KID,...}, with `more` members (",\"use\":\"sig\"").
    std::string jwk(const std::string& kid, const std::string& more = {}) const {
        auto text = "{\"kid\":\"" + kid + "\"" + more;
        if (algorithm_ == "RS256")
            return text + R"(,"kty":"RSA","n":")" + number(OSSL_PKEY_PARAM_RSA_N) + R"(","e":")" +
                   number(OSSL_PKEY_PARAM_RSA_E) + "\"}";
        if (algorithm_ == "ES256")
            return text + R"(,"kty":"EC","crv":"P-256","x":")" + number(OSSL_PKEY_PARAM_EC_PUB_X, 32) + R"(","y":")" +
                   number(OSSL_PKEY_PARAM_EC_PUB_Y, 32) + "\"}";
        return text + R"(,"kty":"OKP","crv":"Ed25519","x":")" + to_base64url(raw()) + "\"}";
    }
    std::string token(const std::string& claims, const std::string& kid) const {
        return with_head(R"({"alg":")" + algorithm_ + R"(","kid":")" + kid + "\"}", claims);
    }
    std::string with_head(const std::string& head, const std::string& claims) const {
        auto what = to_base64url(head) + "." + to_base64url(claims);
        return what + "." + to_base64url(sign(what));
    }
    const std::string& algorithm() const { return algorithm_; }
    // n, as its bytes: what is public of it.
    std::string modulus() const { return *from_base64url(number(OSSL_PKEY_PARAM_RSA_N)); }

  private:
    SigningKey(std::string algorithm, EVP_PKEY* key) : algorithm_(std::move(algorithm)), key_(key, EVP_PKEY_free) {}

    std::string number(const char* name, int width = 0) const {
        BIGNUM* value = nullptr;
        EVP_PKEY_get_bn_param(key_.get(), name, &value);
        std::string bytes(static_cast<std::size_t>(width > 0 ? width : BN_num_bytes(value)), '\0');
        BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
        BN_free(value);
        return to_base64url(bytes);
    }
    std::string raw() const {
        std::string bytes(32, '\0');
        auto size = bytes.size();
        EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(bytes.data()), &size);
        return bytes;
    }
    std::string sign(const std::string& what) const {
        std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
        EVP_DigestSignInit(context.get(), nullptr, algorithm_ == "EdDSA" ? nullptr : EVP_sha256(), nullptr, key_.get());
        std::string signature(1024, '\0');
        auto size = signature.size();
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       reinterpret_cast<const unsigned char*>(what.data()), what.size());
        signature.resize(size);
        return algorithm_ == "ES256" ? two_numbers(signature) : signature;
    }
    static std::string two_numbers(const std::string& der) {
        const auto* at = reinterpret_cast<const unsigned char*>(der.data());
        std::unique_ptr<ECDSA_SIG, void (*)(ECDSA_SIG*)> both{
            d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), ECDSA_SIG_free};
        std::string bytes(64, '\0');
        auto* out = reinterpret_cast<unsigned char*>(bytes.data());
        BN_bn2binpad(ECDSA_SIG_get0_r(both.get()), out, 32);
        BN_bn2binpad(ECDSA_SIG_get0_s(both.get()), out + 32, 32);
        return bytes;
    }

    std::string algorithm_;
    std::shared_ptr<EVP_PKEY> key_;  // tests copy it
};

inline std::string set_of(const std::vector<std::string>& keys) {
    std::string text = "{\"keys\":[";
    for (const char* comma = ""; const auto& key : keys) text += std::exchange(comma, ",") + key;
    return text + "]}";
}

}  // namespace boatswain::oidc::testing
