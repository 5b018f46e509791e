// The places where credentials come from, one function each (credentials.h has their order).
//
// Each gives nothing when it does not apply (a variable is not set, no file, nobody answers), and an error when it
// should give credentials and cannot.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/credentials.h"

namespace boatswain::store {

using MaybeCredentials = Result<std::optional<Credentials>>;

MaybeCredentials from_environment(const Environment& environment);

// AssumeRoleWithWebIdentity at `region`'s STS; the request carries the token and needs no signature.
MaybeCredentials from_web_identity(const Environment& environment, HttpClient& http, const std::string& region);

// The profile of the options, else of AWS_PROFILE, else "default": in the shared credentials file, then in the shared
// configuration file. A profile that is named must be there, and so must be the profile in a credentials file that
// AWS_SHARED_CREDENTIALS_FILE names: nothing falls through to another identity.
MaybeCredentials from_shared_files(const Environment& environment, const CredentialOptions& options);

// What the profile, `named` or of AWS_PROFILE or "default", says of its region: in the configuration file, then in the
// credentials file. Trouble with a file is none here: it shows where its credentials are looked for.
std::optional<std::string> region_of_shared_files(const Environment& environment,
                                                  const std::optional<std::string>& named);

// The service that an orchestrator runs for its containers (AWS SDKs and Tools Reference Guide, "Container credential
// provider"): Amazon ECS, EKS Pod Identity, and whoever copies them.
MaybeCredentials from_container(const Environment& environment, HttpClient& http);

// Where from_container() asks. Over http only at addresses that no other host has; Remedy::stop for others.
Result<std::optional<std::string>> container_endpoint(const Environment& environment);

// A token by PUT, then the role's name, then its keys (Amazon EC2 user guide, "Use IMDSv2"). Remedy::re_resolve, with
// the reason, when nobody answers there.
MaybeCredentials from_instance_metadata(const Environment& environment, HttpClient& http);

}  // namespace boatswain::store
