// SHA-256 (FIPS 180-4), HMAC (RFC 2104) and HKDF (RFC 5869) over it, by OpenSSL.
//
// Here and in the files beside this one: OpenSSL fails only when it has no memory or no algorithms. That is a broken
// invariant and throws std::runtime_error.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "crypto/key32.h"

namespace boatswain::crypto {

std::string sha256(std::string_view bytes);  // 32 raw bytes

// Of bytes that come in pieces.
class Sha256 {
  public:
    Sha256();
    Sha256(Sha256&&) noexcept;
    ~Sha256();

    void update(std::string_view bytes);
    std::string finish();  // 32 raw bytes; nothing can follow

  private:
    struct Context;
    std::unique_ptr<Context> context_;
};

Key32 hmac_sha256(std::string_view key, std::string_view message);

// 32 bytes of output. `info` has at most 128 bytes.
Key32 hkdf_sha256(std::string_view secret, std::string_view salt, std::string_view info);

// Whether they are equal, in a time that does not tell where they differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace boatswain::crypto
