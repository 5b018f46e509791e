// An age X25519 identity: the private half of a tenant's key ("AGE-SECRET-KEY-1..."). Only people's tools hold one; no
// code of this folder is linked into boatswaind.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/recipient.h"

namespace boatswain::open {

class Identity {
  public:
    static Result<Identity> parse(std::string_view text);
    static Identity generate();
    static Identity from_scalar(const std::array<std::uint8_t, 32>& scalar);

    const std::array<std::uint8_t, 32>& scalar() const { return *scalar_; }
    crypto::Recipient recipient() const;
    std::string str() const;  // upper-case Bech32, as age-keygen writes it

  private:
    Identity() = default;
    SecretValue<std::array<std::uint8_t, 32>> scalar_;
};

// An identity file as age-keygen writes it: identities, one a line; '#' lines and blank ones are passed over. The error
// names the line and never repeats it.
Result<std::vector<Identity>> parse_identities(std::string_view text);
Result<std::vector<Identity>> read_identity_file(const Path& path);
// The same of a file that is open for reading, from its beginning.
Result<std::vector<Identity>> read_identities(const Fd& file);

}  // namespace boatswain::open
