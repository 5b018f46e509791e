// SHA-256 (FIPS 180-4) of bytes that come in pieces: what chains segments.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace boatswain::segment {

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

}  // namespace boatswain::segment
