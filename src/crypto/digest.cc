#include "crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstring>
#include <stdexcept>

#include "base/secret.h"

namespace boatswain::crypto {
namespace {

void require(bool done, const char* what) {
    if (!done) throw std::runtime_error{std::string{"OpenSSL: "} + what};
}

}  // namespace

std::string sha256(std::string_view bytes) {
    Sha256 digest;
    digest.update(bytes);
    return digest.finish();
}

struct Sha256::Context {
    EVP_MD_CTX* evp = EVP_MD_CTX_new();

    ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
    require(context_->evp != nullptr && EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr) == 1, "SHA-256");
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
    require(EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()) == 1, "SHA-256");
}

std::string Sha256::finish() {
    std::string digest(32, '\0');
    require(EVP_DigestFinal_ex(context_->evp, reinterpret_cast<unsigned char*>(digest.data()), nullptr) == 1,
            "SHA-256");
    return digest;
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

bool equal_in_constant_time(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace boatswain::crypto
