#include "tenancy/derive.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <memory>
#include <string>

#include "base/secret.h"
#include "crypto/x25519.h"

namespace boatswain::tenancy {
namespace {

// The figures of docs/formats/derivation.md. They can never change: a change would be another version in the salt.
constexpr std::string_view salt_prefix = "boatswain/derive/v1/";
constexpr std::uint64_t scrypt_n = 1 << 14;
constexpr std::uint32_t scrypt_r = 8;
constexpr std::uint32_t scrypt_p = 4;
// scrypt needs 128 * r * (N + p) bytes, a little over 16 MiB; OpenSSL refuses to use more than it may.
constexpr std::uint64_t scrypt_memory_max = 32 << 20;

template <auto release>
struct Releaser {
    void operator()(auto* owned) const { release(owned); }
};
using Kdf = std::unique_ptr<EVP_KDF, Releaser<EVP_KDF_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, Releaser<EVP_KDF_CTX_free>>;

// OpenSSL takes parameters as non-const pointers and does not write through these.
OSSL_PARAM octets(const char* name, std::string_view bytes) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(bytes.data()), bytes.size());
}

}  // namespace

Result<void> check_secret(std::string_view secret) {
    if (secret.size() < secret_bytes_min)
        return fail(Remedy::quarantine, "the secret is shorter than " + std::to_string(secret_bytes_min) + " bytes");
    if (secret.size() > secret_bytes_max)
        return fail(Remedy::quarantine, "the secret is longer than " + std::to_string(secret_bytes_max) + " bytes");
    return {};
}

Result<std::array<std::uint8_t, 32>> derive_scalar(const TenantId& tenant, std::string_view secret) {
    CHECK(check_secret(secret));
    auto salt = std::string{salt_prefix} + tenant.str();
    auto n = scrypt_n, memory = scrypt_memory_max;
    auto r = scrypt_r, p = scrypt_p;
    OSSL_PARAM params[] = {octets(OSSL_KDF_PARAM_PASSWORD, secret),
                           octets(OSSL_KDF_PARAM_SALT, salt),
                           OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
                           OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
                           OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
                           OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory),
                           OSSL_PARAM_construct_end()};
    Kdf kdf{EVP_KDF_fetch(nullptr, "SCRYPT", nullptr)};
    KdfContext context{kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr};
    std::array<std::uint8_t, 32> scalar{};
    if (!context || EVP_KDF_derive(context.get(), scalar.data(), scalar.size(), params) != 1)
        return fail(Remedy::back_off, "derive a key: OpenSSL's scrypt failed (it needs 17 MiB of memory)");
    return scalar;
}

Result<crypto::Recipient> derive_recipient(const TenantId& tenant, std::string_view secret) {
    TRY(auto scalar, derive_scalar(tenant, secret));
    WipeAtEnd wiped{scalar};
    return crypto::Recipient{crypto::x25519_public_key(scalar)};
}

}  // namespace boatswain::tenancy
