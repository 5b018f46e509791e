#include "crypto/sealing_cipher.h"

#include <openssl/evp.h>

#include <stdexcept>

namespace boatswain::crypto {
namespace {

void require(bool done, const char* what) {
    if (!done) throw std::logic_error{std::string{"ChaCha20-Poly1305: "} + what};
}

unsigned char* as_bytes(char* p) { return reinterpret_cast<unsigned char*>(p); }
const unsigned char* as_bytes(const char* p) { return reinterpret_cast<const unsigned char*>(p); }

}  // namespace

SealingCipher::SealingCipher() : context_(EVP_CIPHER_CTX_new()) {
    require(
        context_ != nullptr && EVP_EncryptInit_ex(context_, EVP_chacha20_poly1305(), nullptr, nullptr, nullptr) == 1,
        "not there");
}

SealingCipher::~SealingCipher() { EVP_CIPHER_CTX_free(context_); }

void SealingCipher::begin(const Key32& key, const std::array<std::uint8_t, 12>& nonce) {
    require(EVP_EncryptInit_ex(context_, nullptr, nullptr, key.data(), nonce.data()) == 1, "set key");
}

void SealingCipher::encrypt(std::string_view plaintext, char* out) {
    int size = 0;
    require(EVP_EncryptUpdate(context_, as_bytes(out), &size, as_bytes(plaintext.data()),
                              static_cast<int>(plaintext.size())) == 1 &&
                static_cast<std::size_t>(size) == plaintext.size(),
            "encrypt");
}

void SealingCipher::finish(char* tag) {
    int size = 0;
    require(EVP_EncryptFinal_ex(context_, as_bytes(tag), &size) == 1 &&
                EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag_bytes), tag) == 1,
            "finish");
}

void SealingCipher::seal_to(std::string& out, const Key32& key, const std::array<std::uint8_t, 12>& nonce,
                            std::string_view plaintext) {
    auto at = out.size();
    out.resize(at + plaintext.size() + tag_bytes);
    begin(key, nonce);
    if (!plaintext.empty()) encrypt(plaintext, out.data() + at);
    finish(out.data() + at + plaintext.size());
}

std::string SealingCipher::seal(const Key32& key, const std::array<std::uint8_t, 12>& nonce,
                                std::string_view plaintext) {
    std::string sealed;
    seal_to(sealed, key, nonce, plaintext);
    return sealed;
}

}  // namespace boatswain::crypto
