// Bytes that nobody can guess, and bytes that nobody shall find.
#pragma once

#include <cstddef>

namespace boatswain::crypto {

void random_bytes(void* out, std::size_t bytes);

// Overwrites them, and no compiler leaves that out.
void wipe(void* bytes, std::size_t size);

}  // namespace boatswain::crypto
