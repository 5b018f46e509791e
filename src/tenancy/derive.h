// A secret that a container carries becomes an age identity by a fixed derivation (docs/formats/derivation.md), so that
// whoever has the secret can read with stock age after `boatswain keys derive`:
//
//   scalar = scrypt(password = secret, salt = "boatswain/derive/v1/" + tenant, N = 2^14, r = 8, p = 4, 32 bytes)
//   identity = age X25519 identity with that scalar
//
// The host derives, keeps the recipient and forgets the rest at once.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "crypto/recipient.h"
#include "record/source.h"

namespace boatswain::tenancy {

inline constexpr std::size_t secret_bytes_min = 8;
inline constexpr std::size_t secret_bytes_max = 4096;

// Whether a key can be derived from `secret`: its length. Remedy::quarantine says why not, and does not repeat it.
Result<void> check_secret(std::string_view secret);

// The 32-byte scalar. Remedy::quarantine for a secret that is too short or too long (the error does not repeat it).
Result<std::array<std::uint8_t, 32>> derive_scalar(const TenantId& tenant, std::string_view secret);

// Its public half. The scalar is wiped.
Result<crypto::Recipient> derive_recipient(const TenantId& tenant, std::string_view secret);

}  // namespace boatswain::tenancy
