// Keys that other tools use and Boatswain does not, told from their text: so that a person reads "an SSH key" and not
// that a checksum is wrong.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace boatswain::crypto {

// What `text` is, when it is a recipient, an identity or a file of another kind than age's X25519: "an SSH key". Holds
// nothing of the key itself, which may be a secret, but a plugin's name.
std::optional<std::string> other_kind_of_key(std::string_view text);

// Calls `take` with every line of a file of keys; blank ones and those that start with '#' are passed over. Stops at an
// error, and adds which line it was.
Result<void> for_each_key(std::string_view file, const std::function<Result<void>(std::string_view)>& take);

// What to do about it, in one sentence.
inline constexpr std::string_view x25519_alone =
    "Boatswain speaks X25519 keys alone (age1... and AGE-SECRET-KEY-1...), as `boatswain keys new` and `age-keygen` "
    "make them";

}  // namespace boatswain::crypto
