#include "segment/age_primitives.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

namespace boatswain::segment {
namespace {

struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};

void require(bool done, const char* what) {
    if (!done) throw std::runtime_error{std::string{"OpenSSL: "} + what};
}

}  // namespace

std::array<std::uint8_t, 12> age_chunk_nonce(std::uint64_t index, bool last) {
    std::array<std::uint8_t, 12> nonce{};
    for (std::size_t i = 0; i < 8; ++i) nonce[10 - i] = static_cast<std::uint8_t>(index >> (8 * i));
    nonce[11] = last ? 1 : 0;
    return nonce;
}

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

Key32 hmac_sha256(std::string_view key, std::string_view message) {
    Key32 mac{};
    unsigned size = 0;
    require(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                 reinterpret_cast<const unsigned char*>(message.data()), message.size(), mac.data(), &size) != nullptr,
            "HMAC-SHA-256");
    return mac;
}

Key32 hkdf_sha256(std::string_view secret, std::string_view salt, std::string_view info) {
    std::array<char, 129> message{};
    require(info.size() < message.size(), "HKDF info is too long");
    std::memcpy(message.data(), info.data(), info.size());
    message[info.size()] = 1;  // the number of the output block; 32 bytes are one block
    // HMAC pads a key with zeros, so an empty salt and RFC 5869's salt of zeros are the same key.
    auto pseudorandom_key = hmac_sha256(salt.empty() ? std::string_view{"", 0} : salt, secret);
    WipeAtEnd wiped{pseudorandom_key};
    return hmac_sha256(as_view(pseudorandom_key), {message.data(), info.size() + 1});
}

void random_bytes(void* out, std::size_t bytes) {
    require(RAND_priv_bytes(static_cast<unsigned char*>(out), static_cast<int>(bytes)) == 1, "random bytes");
}

void wipe(void* bytes, std::size_t size) { OPENSSL_cleanse(bytes, size); }

}  // namespace boatswain::segment
