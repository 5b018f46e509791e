#include "segment/sha256.h"

#include <openssl/evp.h>

#include <stdexcept>

namespace boatswain::segment {
namespace {

void require(bool done) {
    if (!done) throw std::runtime_error{"OpenSSL: SHA-256"};
}

}  // namespace

struct Sha256::Context {
    EVP_MD_CTX* evp = EVP_MD_CTX_new();

    ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
    require(context_->evp != nullptr && EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr) == 1);
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
    require(EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()) == 1);
}

std::string Sha256::finish() {
    std::string digest(32, '\0');
    require(EVP_DigestFinal_ex(context_->evp, reinterpret_cast<unsigned char*>(digest.data()), nullptr) == 1);
    return digest;
}

}  // namespace boatswain::segment
