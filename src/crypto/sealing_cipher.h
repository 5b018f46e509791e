// ChaCha20-Poly1305 (RFC 8439), the sealing direction. The opening one is in open/, which no daemon links.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/key32.h"

struct evp_cipher_ctx_st;

namespace boatswain::crypto {

// One OpenSSL context for as many messages as come. What fails is a bug, and throws.
class SealingCipher {
  public:
    static constexpr std::size_t tag_bytes = 16;

    SealingCipher();
    SealingCipher(const SealingCipher&) = delete;
    SealingCipher& operator=(const SealingCipher&) = delete;
    ~SealingCipher();

    void begin(const Key32& key, const std::array<std::uint8_t, 12>& nonce);
    void encrypt(std::string_view plaintext, char* out);  // as many bytes
    void finish(char* tag);                               // tag_bytes

    // All of it at once: ciphertext and tag, appended.
    void seal_to(std::string& out, const Key32& key, const std::array<std::uint8_t, 12>& nonce,
                 std::string_view plaintext);
    std::string seal(const Key32& key, const std::array<std::uint8_t, 12>& nonce, std::string_view plaintext);

  private:
    evp_cipher_ctx_st* context_;
};

}  // namespace boatswain::crypto
