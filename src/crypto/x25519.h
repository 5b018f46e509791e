// X25519 (RFC 7748).
#pragma once

#include "crypto/key32.h"

namespace boatswain::crypto {

// `scalar` times `point`. False when the product is all zeros (a point of low order), which age refuses.
[[nodiscard]] bool x25519(const Key32& scalar, const Key32& point, Key32& product);
Key32 x25519_public_key(const Key32& scalar);

}  // namespace boatswain::crypto
