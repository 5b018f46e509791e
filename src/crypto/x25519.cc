#include "crypto/x25519.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace boatswain::crypto {
namespace {

struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};

void require(bool done, const char* what) {
    if (!done) throw std::runtime_error{std::string{"OpenSSL: "} + what};
}

}  // namespace

bool x25519(const Key32& scalar, const Key32& point, Key32& product) {
    std::unique_ptr<EVP_PKEY, Free> ours{
        EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, scalar.data(), scalar.size())};
    std::unique_ptr<EVP_PKEY, Free> theirs{
        EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, point.data(), point.size())};
    require(ours && theirs, "X25519 keys");
    std::unique_ptr<EVP_PKEY_CTX, Free> context{EVP_PKEY_CTX_new(ours.get(), nullptr)};
    require(context && EVP_PKEY_derive_init(context.get()) == 1 &&
                EVP_PKEY_derive_set_peer(context.get(), theirs.get()) == 1,
            "X25519");
    std::size_t size = product.size();
    // OpenSSL itself refuses the all-zero product; the check behind it does not rely on that.
    if (EVP_PKEY_derive(context.get(), product.data(), &size) != 1 || size != product.size()) return false;
    static constexpr Key32 zeros{};
    return CRYPTO_memcmp(product.data(), zeros.data(), zeros.size()) != 0;
}

Key32 x25519_public_key(const Key32& scalar) {
    std::unique_ptr<EVP_PKEY, Free> key{
        EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, scalar.data(), scalar.size())};
    Key32 result{};
    std::size_t size = result.size();
    require(key && EVP_PKEY_get_raw_public_key(key.get(), result.data(), &size) == 1, "X25519 public key");
    return result;
}

}  // namespace boatswain::crypto
