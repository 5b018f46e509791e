#include "crypto/verifying_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <array>
#include <string>

namespace boatswain::crypto {
namespace {

template <auto release>
struct Release {
    template <class T>
    void operator()(T* thing) const {
        release(thing);
    }
};
using Number = std::unique_ptr<BIGNUM, Release<BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Release<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Release<OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Release<ECDSA_SIG_free>>;

constexpr std::size_t coordinate_bytes = 32;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Number number_of(std::string_view bytes) {
    return Number{BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr)};
}

// What OpenSSL says of a key that it does not take stays in the thread's queue of errors, and TLS would find it there.
struct ForgetErrors {
    ForgetErrors() = default;
    ForgetErrors(const ForgetErrors&) = delete;
    ForgetErrors& operator=(const ForgetErrors&) = delete;
    ~ForgetErrors() { ERR_clear_error(); }
};

EVP_PKEY* key_from(const char* type, const Builder& builder) {
    Parameters parameters{OSSL_PARAM_BLD_to_param(builder.get())};
    KeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
    EVP_PKEY* key = nullptr;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
        return nullptr;
    return key;
}

// Two numbers, 32 bytes each, in the form that OpenSSL wants. Empty: they are none.
std::string der_of(std::string_view signature) {
    if (signature.size() != 2 * coordinate_bytes) return {};
    auto r = number_of(signature.substr(0, coordinate_bytes)), s = number_of(signature.substr(coordinate_bytes));
    EcdsaSignature both{ECDSA_SIG_new()};
    if (!r || !s || !both || ECDSA_SIG_set0(both.get(), r.get(), s.get()) != 1) return {};
    (void)r.release();  // `both` owns them now
    (void)s.release();
    unsigned char* der = nullptr;
    int size = i2d_ECDSA_SIG(both.get(), &der);
    if (size <= 0) return {};
    std::string text{reinterpret_cast<char*>(der), static_cast<std::size_t>(size)};
    OPENSSL_free(der);
    return text;
}

}  // namespace

std::string_view to_string(SignatureKind kind) {
    switch (kind) {
        case SignatureKind::rs256: return "RS256";
        case SignatureKind::es256: return "ES256";
        case SignatureKind::eddsa: return "EdDSA";
    }
    return "";
}

std::optional<SignatureKind> signature_kind_of(std::string_view name) {
    for (auto kind : {SignatureKind::rs256, SignatureKind::es256, SignatureKind::eddsa})
        if (to_string(kind) == name) return kind;
    return std::nullopt;
}

std::optional<VerifyingKey> VerifyingKey::checked(SignatureKind kind, evp_pkey_st* key) {
    if (key == nullptr) return std::nullopt;
    std::shared_ptr<EVP_PKEY> owned{key, EVP_PKEY_free};
    KeyContext context{EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr)};
    if (!context || EVP_PKEY_public_check(context.get()) != 1) return std::nullopt;
    return VerifyingKey{kind, std::move(owned)};
}

std::optional<VerifyingKey> VerifyingKey::rsa(std::string_view modulus, std::string_view exponent) {
    constexpr std::size_t exponent_bytes_max = 4;  // a longer one only costs
    ForgetErrors forget;
    if (modulus.size() > rsa_bits_max / 8 || exponent.empty() || exponent.size() > exponent_bytes_max)
        return std::nullopt;
    auto n = number_of(modulus), e = number_of(exponent);
    Builder builder{OSSL_PARAM_BLD_new()};
    if (!n || !e || !builder || BN_num_bits(n.get()) < rsa_bits_min || !BN_is_odd(n.get()) || !BN_is_odd(e.get()) ||
        BN_is_one(e.get()) || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
        return std::nullopt;
    return checked(SignatureKind::rs256, key_from("RSA", builder));
}

std::optional<VerifyingKey> VerifyingKey::p256(std::string_view x, std::string_view y) {
    ForgetErrors forget;
    if (x.size() != coordinate_bytes || y.size() != coordinate_bytes) return std::nullopt;
    constexpr char uncompressed = 4;
    auto point = std::string{uncompressed} + std::string{x} + std::string{y};
    Builder builder{OSSL_PARAM_BLD_new()};
    if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
        return std::nullopt;
    return checked(SignatureKind::es256, key_from("EC", builder));
}

std::optional<VerifyingKey> VerifyingKey::ed25519(std::string_view point) {
    ForgetErrors forget;
    if (point.size() != coordinate_bytes) return std::nullopt;
    auto* key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(point), point.size());
    if (key == nullptr) return std::nullopt;
    return VerifyingKey{SignatureKind::eddsa, {key, EVP_PKEY_free}};
}

bool VerifyingKey::verifies(std::string_view message, std::string_view signature) const {
    ForgetErrors forget;
    DigestContext context{EVP_MD_CTX_new()};
    std::string der;
    if (kind_ == SignatureKind::es256) {
        der = der_of(signature);
        signature = der;
    }
    if (!context || signature.empty()) return false;
    const auto* digest = kind_ == SignatureKind::eddsa ? nullptr : EVP_sha256();  // Ed25519 has its own
    if (EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key_.get()) != 1) return false;
    return EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message), message.size()) ==
           1;
}

}  // namespace boatswain::crypto
