// Who we are to S3: keys, and where they come from.
//
// Looked for in this order; the first place that has some is used, and asked again when they are about to expire:
//   1. the profile that the store's url names, in the shared files (then nowhere else)
//   2. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
//   3. AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN: exchanged at STS (AWS_ENDPOINT_URL_STS)
//   4. the shared credentials file, AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials, then the shared configuration
//      file, AWS_CONFIG_FILE or ~/.aws/config; profile AWS_PROFILE or "default": its keys, or its credential_process
//   5. the container's own service, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI (ECS) or _FULL_URI (EKS Pod Identity)
//   6. the instance metadata service, version 2 (AWS_EC2_METADATA_SERVICE_ENDPOINT), unless
//      AWS_EC2_METADATA_DISABLED=true
// The names and their order are those of the AWS SDKs ("Standardized credential providers", AWS SDKs and Tools
// Reference Guide), so that what works for them works here. A place that is named and has none is an error: another
// identity than the one that was meant is never taken in silence.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "http/client/http_client.h"
#include "store/environment.h"

namespace boatswain::store {

using http::HttpClient;

struct Credentials {
    std::string access_key;
    Secret secret_key;     // never in an error, a log or a url
    Secret session_token;  // empty for keys that last
    std::optional<Timestamp> expires;
    std::string source;      // for people: "the environment", "profile default of /home/x/.aws/credentials"
    bool renewable = false;  // asking the source again may give others
};

// Drops blanks and newlines around the keys and the token (environment.h has the rule). What then keeps them from being
// used, without the secret: an empty part, a blank inside, quotes around it.
std::optional<std::string> tidy(Credentials& credentials);

// What credentials may be had from, besides the environment.
struct CredentialOptions {
    std::optional<std::string> profile;  // of the shared files, and from nowhere else
    std::string region;
    // Why this process may start no program (credential_process); empty: it may.
    std::string no_programs_because{};
};

// Thread-safe. The references outlive it.
class CredentialChain {
  public:
    static constexpr std::chrono::minutes refresh_before_expiry{5};
    static constexpr std::chrono::minutes reread_after{5};  // sources that do not say when their keys expire
    static constexpr std::chrono::seconds ask_again_after{
        10};  // keys of a very short life are not asked for at each call

    CredentialChain(HttpClient& http, const Clock& clock, Environment environment, CredentialOptions options);

    // Remedy::stop when there are none, or when a file that should hold them is wrong; Remedy::back_off when the
    // service that gave them before does not answer now.
    Result<Credentials> get();

    // The server said that these are expired or unknown: the next get() asks their source again.
    void refused(const Credentials& credentials);

  private:
    Result<Credentials> find();
    bool is_fresh() const;

    HttpClient& http_;
    const Clock& clock_;
    const Environment environment_;
    const CredentialOptions options_;

    std::mutex mutex_;
    std::optional<Credentials> kept_;
    Timestamp asked_{};
    bool refused_ = false;
};

}  // namespace boatswain::store
