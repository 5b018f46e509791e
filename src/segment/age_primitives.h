// The few cryptographic steps of age v1 (https://c2sp.org/age) that sealing and opening share, on OpenSSL.
//
// OpenSSL fails here only when it has no memory or no algorithms: that is a broken invariant and throws. What can be
// wrong with bytes from outside is in the signatures.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/secret.h"

namespace boatswain::segment {

using Key32 = std::array<std::uint8_t, 32>;

inline constexpr std::string_view age_version_line = "age-encryption.org/v1\n";
inline constexpr std::string_view age_x25519_info = "age-encryption.org/v1/X25519";
inline constexpr std::size_t age_file_key_bytes = 16;
inline constexpr std::size_t age_nonce_bytes = 16;         // of the payload
inline constexpr std::size_t age_chunk_bytes = 64U << 10;  // of plaintext
inline constexpr std::size_t age_tag_bytes = 16;
inline constexpr std::size_t age_sealed_chunk_bytes = age_chunk_bytes + age_tag_bytes;
inline constexpr std::size_t age_body_columns = 64;

// How many bytes the chunks of `plaintext_bytes` take, tags included. An empty plaintext has one empty chunk.
constexpr std::uint64_t age_sealed_bytes(std::uint64_t plaintext_bytes) {
    std::uint64_t chunks = plaintext_bytes == 0 ? 1 : (plaintext_bytes + age_chunk_bytes - 1) / age_chunk_bytes;
    return plaintext_bytes + chunks * age_tag_bytes;
}

// The nonce of chunk `index`: an 11-byte big-endian counter, and 1 for the last chunk.
std::array<std::uint8_t, 12> age_chunk_nonce(std::uint64_t index, bool last);

// `scalar` times `point`. False when the product is all zeros (a point of low order), which age refuses.
[[nodiscard]] bool x25519(const Key32& scalar, const Key32& point, Key32& product);
Key32 x25519_public_key(const Key32& scalar);

// HKDF-SHA-256 (RFC 5869), 32 bytes of output. `info` has at most 128 bytes.
Key32 hkdf_sha256(std::string_view secret, std::string_view salt, std::string_view info);
Key32 hmac_sha256(std::string_view key, std::string_view message);

void random_bytes(void* out, std::size_t bytes);
void wipe(void* bytes, std::size_t size);

inline std::string_view as_view(const Key32& key) { return {reinterpret_cast<const char*>(key.data()), key.size()}; }

using boatswain::WipeAtEnd;

}  // namespace boatswain::segment
