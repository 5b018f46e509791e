// Credentials as services and programs hand them out: one JSON object. It comes from outside, bounded by its sender's
// bound; an error names what is wrong and never a value.
#pragma once

#include <string_view>

#include "base/result.h"
#include "store/credentials.h"

namespace boatswain::store {

struct CredentialShape {
    std::string_view token;       // how the session token is called: "Token", "SessionToken"
    bool must_expire = false;     // credentials that never do are no answer
    bool says_version_1 = false;  // "Version": 1 must be there
};

// Remedy::back_off when it is not what it should be: another answer may come.
Result<Credentials> parse_credentials(std::string_view json, const CredentialShape& shape);

}  // namespace boatswain::store
