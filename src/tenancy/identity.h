// Private keys that lie where only public ones belong.
//
// The promise is that a host seals and never opens. A keyring on a host with an identity in it breaks that for
// everything that the identity opens, so agent and `boatswaind check` refuse such a keyring.
//
// Recognized by name: `*.key`, in any case. By text, in any case: age identities ("AGE-SECRET-KEY-"), those of age's
// plugins ("AGE-PLUGIN-"), and private keys in PEM ("PRIVATE KEY-----": OpenSSH and others). Only the first
// `identity_look_bytes` of a file are looked at. What is no regular file is not opened, and a file that cannot be read
// is judged by its name alone (tenancy/key_file.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace boatswain::tenancy {

inline constexpr std::size_t identity_look_bytes = 64 << 10;

bool is_named_as_identity(std::string_view file_name);
bool is_identity_text(std::string_view text);

// For people: what to do about the identities `names` (file names, at least one) in the keyring `directory`.
// Never holds anything of their text.
std::string identities_refused(const Path& directory, const std::vector<std::string>& names);

}  // namespace boatswain::tenancy
