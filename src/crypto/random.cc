#include "crypto/random.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <stdexcept>

namespace boatswain::crypto {

void random_bytes(void* out, std::size_t bytes) {
    if (RAND_priv_bytes(static_cast<unsigned char*>(out), static_cast<int>(bytes)) != 1)
        throw std::runtime_error{"OpenSSL: random bytes"};
}

void wipe(void* bytes, std::size_t size) { OPENSSL_cleanse(bytes, size); }

}  // namespace boatswain::crypto
