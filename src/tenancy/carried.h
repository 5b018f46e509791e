// Keys that containers carry themselves: recipients, and recipients that are derived from secrets.
//
// Deriving is slow on purpose (about a tenth of a second and 17 MiB), and a hundred replicas carry the same secret, so
// results are remembered: under a keyed hash of tenant and secret, never the secret itself. The memory is bounded, in
// all and for each tenant. What a container uses is never forgotten: whoever holds what recall() gave keeps it there.
// So a tenant with endless secrets pushes out its own idle keys and then gets no more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "record/source.h"
#include "tenancy/carried_key.h"

namespace boatswain::tenancy {

// Thread-safe.
class CarriedKeys {
  public:
    struct Bounds {
        std::size_t remembered_max = 4096;
        std::size_t remembered_of_tenant_max = 256;
    };

    // Shared with the containers that use it.
    using Key = std::shared_ptr<const CarriedKey>;

    CarriedKeys() : CarriedKeys(Bounds{}) {}
    explicit CarriedKeys(Bounds bounds);

    // What `carried` means for `tenant`, as far as it can be said at once: nothing when a recipient has to be derived
    // first. Remedy::quarantine says why it is no key; no error repeats what was carried.
    std::optional<Result<Key>> recall(const TenantId& tenant, const CarriedText& carried);

    // Derives what recall() could not say. Call it from a worker, not from the thread that reads sockets.
    // Remedy::back_off: no memory to derive with, or no room to remember it.
    Result<Key> derive(const TenantId& tenant, std::string_view secret);

    // Whether one more key of the tenant can be remembered: there is room, or an idle one gives way.
    bool has_room(const TenantId& tenant) const;

    std::size_t remembered() const;

  private:
    struct Remembered {
        Key key;
        std::uint64_t used = 0;  // when it was asked for last, by uses_
    };
    using OfTenant = std::map<std::string, Remembered>;  // by digest

    std::string digest(const TenantId& tenant, std::string_view secret) const;
    // The mutex_ is held for these. find() gives null for one that is not remembered.
    Key find(const TenantId& tenant, const std::string& digest);
    // Forgets the idle key of `keys` that was asked for longest ago; false when all are in use.
    bool forget_one(OfTenant& keys);
    bool make_room(const std::string& tenant);

    const Bounds bounds_;
    std::string hash_key_;  // random, of this process
    mutable std::mutex mutex_;
    std::map<std::string, OfTenant> by_tenant_;
    std::size_t remembered_ = 0;
    std::uint64_t uses_ = 0;
};

}  // namespace boatswain::tenancy
