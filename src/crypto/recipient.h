// An age X25519 recipient: the public half of a tenant's key ("age1...", the age specification's X25519 recipient
// encoding: Bech32 with the prefix "age"). What the host holds; it can seal with it and open nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace boatswain::crypto {

class Recipient {
  public:
    // Remedy::stop with a sentence that says what is wrong ("not an age recipient: checksum does not match"). An
    // identity ("AGE-SECRET-KEY-1...") given by mistake is refused by name and not repeated in the error.
    static Result<Recipient> parse(std::string_view text);
    explicit Recipient(const std::array<std::uint8_t, 32>& public_key) : public_key_(public_key) {}

    const std::array<std::uint8_t, 32>& public_key() const { return public_key_; }
    std::string str() const;
    bool operator==(const Recipient&) const = default;

  private:
    std::array<std::uint8_t, 32> public_key_;
};

// Recipients, one a line; blank lines and lines that start with '#' are passed over. At most recipients_max.
inline constexpr std::size_t recipients_max = 20;
Result<std::vector<Recipient>> parse_recipients(std::string_view text);

}  // namespace boatswain::crypto
