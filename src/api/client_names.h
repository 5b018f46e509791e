// Whose a client's certificate is: names of certificates, each with a tenant and its apps.
//
// One line a name: NAME TENANT APPS, where NAME is uri:URI, dns:NAME or cn:NAME, percent-encoded but for ':', '/', '.'
// and '@', and TENANT and APPS are as in the file of tokens.
//
// Invariants
//   - Names are compared byte by byte; there are no patterns.
//   - A certificate whose names are of several lines is of nobody, unless these say the same.
//   - While the file cannot be read, or holds anything that is no such line, no certificate is anybody's.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "base/time.h"
#include "record/source.h"

namespace boatswain::api {

inline constexpr std::size_t client_names_max = 10'000;
inline constexpr std::uint64_t client_names_bytes_max = 4U << 20;

struct CertifiedClient {
    TenantId tenant;
    std::vector<std::string> apps;  // empty: all of the tenant
    std::string name;               // for the audit log
    bool reads_the_same(const CertifiedClient& other) const { return tenant == other.tenant && apps == other.apps; }
};
using ClientNames = std::map<std::string, CertifiedClient, std::less<>>;

// The error names the line.
Result<ClientNames> parse_client_names(std::string_view text);

// Thread-safe.
class ClientNamesFile {
  public:
    ClientNamesFile(Path file, const Clock& clock) : file_(std::move(file)), clock_(clock) {}

    // Whose a certificate with these names is (net/peer_names.h); nothing: nobody's.
    std::optional<CertifiedClient> find(const std::vector<std::string>& names);
    // Why no certificate is anybody's; nothing while all is well.
    std::optional<Error> trouble();

  private:
    void look();

    const Path file_;
    const Clock& clock_;
    std::mutex mutex_;  // of what follows
    std::optional<std::chrono::steady_clock::time_point> looked_;
    ClientNames names_;
    std::optional<Error> trouble_;
};

}  // namespace boatswain::api
