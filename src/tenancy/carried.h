// A key that a container carries itself: a recipient, or a secret that one is derived from.
//
// Deriving is slow on purpose (about a tenth of a second and 17 MiB), and a hundred replicas carry the same secret, so
// results are remembered: under a keyed hash of tenant and secret, never the secret itself. The memory is bounded; what
// is over the bound is derived again. Call it from a worker, not from the thread that reads sockets.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "record/source.h"
#include "segment/recipient.h"

namespace boatswain::tenancy {

// Thread-safe.
class CarriedKeys {
  public:
    static constexpr std::size_t remembered_max = 1024;

    CarriedKeys();

    // What `carried` (tenancy::carried_key) means for `tenant`: "age1..." is a recipient, white space around it passed
    // over; any other text is a secret, taken byte for byte. An identity ("AGE-SECRET-KEY-1...") is refused: it opens,
    // and has no place in an environment. Remedy::quarantine or Remedy::back_off; no error repeats what was carried.
    Result<segment::Recipient> resolve(const TenantId& tenant, std::string_view carried);

    // The same, as far as it can be said at once: nothing when a recipient has to be derived first.
    std::optional<Result<segment::Recipient>> recall(const TenantId& tenant, std::string_view carried) const;

    std::size_t remembered() const;

  private:
    std::string digest(const TenantId& tenant, std::string_view secret) const;

    std::string hash_key_;  // random, of this process
    mutable std::mutex guard_;
    std::map<std::string, segment::Recipient> by_digest_;
    std::list<std::string> oldest_first_;
};

}  // namespace boatswain::tenancy
