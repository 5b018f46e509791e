#include "open/aead.h"

#include <openssl/evp.h>

#include <stdexcept>
#include <utility>

#include "segment/age_format.h"

namespace boatswain::open {

Aead::Aead() : context_(EVP_CIPHER_CTX_new()) {
    if (context_ == nullptr || EVP_DecryptInit_ex(context_, EVP_chacha20_poly1305(), nullptr, nullptr, nullptr) != 1)
        throw std::runtime_error{"OpenSSL: no ChaCha20-Poly1305"};
}
Aead::Aead(Aead&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
Aead::~Aead() { EVP_CIPHER_CTX_free(context_); }

bool Aead::open(const crypto::Key32& key, const std::array<std::uint8_t, 12>& nonce, std::string_view sealed,
                char* out) {
    if (sealed.size() < segment::age_tag_bytes) return false;
    auto ciphertext = sealed.substr(0, sealed.size() - segment::age_tag_bytes);
    std::array<char, segment::age_tag_bytes> tag{};  // OpenSSL wants it mutable
    sealed.copy(tag.data(), tag.size(), ciphertext.size());
    unsigned char nothing = 0;
    auto* to = ciphertext.empty() ? &nothing : reinterpret_cast<unsigned char*>(out);
    int size = 0;
    return EVP_DecryptInit_ex(context_, nullptr, nullptr, key.data(), nonce.data()) == 1 &&
           EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()), tag.data()) == 1 &&
           EVP_DecryptUpdate(context_, to, &size, reinterpret_cast<const unsigned char*>(ciphertext.data()),
                             static_cast<int>(ciphertext.size())) == 1 &&
           EVP_DecryptFinal_ex(context_, to, &size) == 1;
}

}  // namespace boatswain::open
