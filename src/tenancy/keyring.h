// The keyring: tenant -> recipients. A directory of public keys:
//
//   TENANT.pub         the tenant's recipients, one a line ('#' starts a comment line)
//   _unassigned.pub    the operator's: for lines that belong to no known tenant, or to one without a key
//   _break-glass.pub   added to every tenant's recipients (optional)
//
// Read again when the directory changes. A file that cannot be understood keeps what it said before, if it was read before;
// else its tenant has no key. Either way it is reported, never guessed at.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "record/source.h"
#include "segment/recipient.h"

namespace boatswain::tenancy {

inline constexpr std::string_view break_glass_name = "_break-glass";

// Thread-safe.
class Keyring {
  public:
    explicit Keyring(Path directory) : directory_(std::move(directory)) {}

    // Reads the directory. The result lists what is wrong with single files ("acme.pub: line 2: not an age recipient: ...");
    // a directory that cannot be read at all is an error, and the keys stay as they were.
    Result<std::vector<std::string>> reload();

    // The tenant's recipients, break-glass included; empty: no key.
    std::vector<segment::Recipient> recipients(const TenantId& tenant) const;

    std::vector<std::string> tenants() const;
    const Path& directory() const { return directory_; }
    // Grows by one with each reload() that changed something.
    std::uint64_t generation() const;

  private:
    Path directory_;
    mutable std::mutex guard_;
    std::map<std::string, std::vector<segment::Recipient>> recipients_;
    std::uint64_t generation_ = 0;
};

}  // namespace boatswain::tenancy
