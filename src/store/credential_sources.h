// The places where credentials come from, one function each (credentials.h has their order).
//
// Each gives nothing when it does not apply (a variable is not set, no file, nobody answers), and an error when it
// should give credentials and cannot.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "store/credentials.h"

namespace boatswain::store {

using MaybeCredentials = Result<std::optional<Credentials>>;

MaybeCredentials from_environment(const Environment& environment);

// The text of a shared credentials file ("[profile]", "name = value"). A profile that is not there is nothing; one
// without keys is an error. Errors name the profile and the line, never a value.
MaybeCredentials from_profile(std::string_view file_text, std::string_view profile);

// `wanted`: a profile that must be there; else AWS_PROFILE, which must be there too, or "default".
MaybeCredentials from_shared_file(const Environment& environment, const std::optional<std::string>& wanted);

// AssumeRoleWithWebIdentity at `region`'s STS; the request carries the token and needs no signature.
MaybeCredentials from_web_identity(const Environment& environment, HttpClient& http, const std::string& region);

// A token by PUT, then the role's name, then its keys (Amazon EC2 user guide, "Use IMDSv2").
MaybeCredentials from_instance_metadata(const Environment& environment, HttpClient& http);

}  // namespace boatswain::store
