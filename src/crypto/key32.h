// 32 bytes: a key, a scalar or point of X25519, a SHA-256 digest or MAC.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace boatswain::crypto {

using Key32 = std::array<std::uint8_t, 32>;

inline std::string_view as_view(const Key32& key) { return {reinterpret_cast<const char*>(key.data()), key.size()}; }

}  // namespace boatswain::crypto
