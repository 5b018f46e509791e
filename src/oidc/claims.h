// Who presents a token whose signature was found good: what its claims say, as the settings map them.
//
// Invariants
//   - Names are compared byte by byte: nothing is trimmed, folded or split.
//   - A tenant of our own ("_...") is never named by a token.
//   - What is not there where it is wanted, or of another type, makes the token nobody's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "oidc/settings.h"
#include "record/source.h"

namespace boatswain::oidc {

inline constexpr std::size_t apps_max = 100;

struct Bearer {
    TenantId tenant;
    std::vector<std::string> apps;  // empty: all of the tenant
    std::string subject;            // `sub`, made printable and cut
    Timestamp expires{};
};

// `claims` is the payload, as JSON.
//   iss, aud        have to be the issuer, and one of the audiences
//   exp             has to be there, at most lifetime_max away; iat and nbf have come, where they are there
//   the tenant      a text, or a list of one
//   the apps        where a claim is named for them: a text, or a list; "*" stands for all, and none is refused
std::optional<Bearer> bearer_of(std::string_view claims, const Settings& settings, Timestamp now);

}  // namespace boatswain::oidc
