// What `boatswain serve --oidc FILE` says: whose tokens are accepted, and what in them names the tenant.
//
//   issuer = "https://login.example"     exactly as tokens have it in `iss`
//   audience = ["boatswain"]             one of these has to be in `aud`
//
// docs/operate/serve.md has all of them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/verifying_key.h"
#include "record/source.h"

namespace boatswain::oidc {

inline constexpr std::size_t audiences_max = 10, claim_bytes_max = 256, url_bytes_max = 2048;
inline constexpr std::uint64_t settings_bytes_max = 64U << 10;

struct Settings {
    std::string issuer;
    std::vector<std::string> audiences;
    std::string jwks;  // an URL, or a file; empty: what the issuer's discovery document names
    std::vector<crypto::SignatureKind> algorithms{crypto::SignatureKind::rs256, crypto::SignatureKind::es256,
                                                  crypto::SignatureKind::eddsa};
    std::string tenant_claim = "tenant";
    std::string apps_claim;                            // empty: tokens read all apps of their tenant
    std::optional<TenantId> tenant;                    // of all tokens, in place of a claim
    std::optional<Path> ca_file;                       // PEM, in place of the system's authorities
    std::chrono::milliseconds refresh{5 * 60'000};     // the set of keys is fetched so often
    std::chrono::milliseconds refetch_pause{10'000};   // and for a key that is not known at most so often
    std::chrono::milliseconds keep_keys{60 * 60'000};  // it is used so long while the issuer does not answer
    std::chrono::hours lifetime_max{24};               // of a token
    std::string client_id;                             // of the web page; empty: it does not sign in
    std::string scope = "openid";

    bool is_file() const { return !jwks.empty() && !jwks.contains("://"); }
};

// https, or http at this machine's loopback address. Nothing else in it that could name a secret or a fragment.
bool is_safe_url(std::string_view url);

// `path` is for errors.
Result<Settings> parse_settings(std::string_view text, std::string_view path);
// Refuses a file that others than its owner may write to: it says whom we believe.
Result<Settings> read_settings(const Path& file);

}  // namespace boatswain::oidc
