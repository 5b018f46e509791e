// Sizes and constants of an age v1 file (https://c2sp.org/age) that sealing and opening share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace boatswain::segment {

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

}  // namespace boatswain::segment
