// Tokens that a platform signs itself, short-lived, for its users' pages: JWTs (RFC 7519) by HMAC-SHA-256, with a key
// that the platform and this server share.
//
// Invariants
//   - One algorithm. A token that says another one, or "none", is nobody's, and so is one with `crit`. Nothing else in
//     its head is looked at: no kid, jku or x5c chooses a key.
//   - The signature is compared, in a time that tells nothing, before anything is parsed.
//   - It names one tenant (never one of our own), says when it ends, and that is soon.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/tokens.h"
#include "base/file.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"

namespace boatswain::api {

inline constexpr std::chrono::hours signed_valid_max{24};
inline constexpr std::size_t signing_key_bytes_min = 32, signing_keys_max = 10;
inline constexpr std::string_view signed_audience = "boatswain";

struct Claims {
    TenantId tenant;
    std::vector<std::string> apps;  // empty: all of the tenant
    std::string subject;            // whom it was made for, for the audit log; may be empty
    Timestamp expires{};
};

// Keys, one a line, from a file that its owner alone may read. The first one signs; the others are still accepted.
Result<std::vector<Secret>> read_signing_keys(const Path& file);

std::string sign_token(const Secret& key, const Claims& claims);

// Whose `text` is; nothing when it is not signed by one of `keys`, or says anything that it must not.
std::optional<Token> verify_token(std::string_view text, const std::vector<Secret>& keys, Timestamp now);

}  // namespace boatswain::api
