// Bech32 (BIP 173), the text form of age keys: a prefix, "1", data in 5-bit characters, six characters of checksum.
//
// Strict: one case only, known characters only, at most 90 characters, padding bits zero. Errors say what is wrong and
// never repeat the text, which may be a secret.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace boatswain::crypto {

inline constexpr std::size_t bech32_characters_max = 90;

struct Bech32 {
    std::string prefix;  // in the case of the text
    std::string bytes;
};

// Remedy::stop with what is wrong: "checksum does not match".
Result<Bech32> decode_bech32(std::string_view text);

// `prefix` in lower case, 1 to 83 characters; lower-case text.
std::string encode_bech32(std::string_view prefix, std::string_view bytes);

}  // namespace boatswain::crypto
