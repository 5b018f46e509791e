// ChaCha20-Poly1305 (RFC 8439), the opening direction.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "crypto/key32.h"

struct evp_cipher_ctx_st;

namespace boatswain::open {

// One OpenSSL context for as many messages as come.
class Aead {
  public:
    Aead();
    Aead(Aead&& other) noexcept;
    Aead& operator=(Aead&&) = delete;
    ~Aead();

    // Opens `sealed` (ciphertext and 16-byte tag) into `out`, which has room for sealed.size() - 16 bytes. False when
    // it was not sealed with this key and nonce; what `out` holds then is not to be used.
    [[nodiscard]] bool open(const crypto::Key32& key, const std::array<std::uint8_t, 12>& nonce,
                            std::string_view sealed, char* out);

  private:
    evp_cipher_ctx_st* context_;
};

}  // namespace boatswain::open
