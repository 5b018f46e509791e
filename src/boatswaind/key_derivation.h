// Derives recipients from the secrets that containers carry, on a thread of its own: one takes a tenth of a second on
// purpose, and the I/O thread must not stand still for it.
//
// Fair: tenants take turns, one secret each, and a tenant has at most waiting_of_tenant_max secrets here. Of its
// containers beyond that only the names are kept, and they ask again when there is room. So a tenant with a thousand
// secrets delays another one's by a single derivation.
//
// A secret is derived once however many containers carry it, and only the containers that asked are named when the
// answer is there: nobody has to try all others.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/secret.h"
#include "record/source.h"
#include "tenancy/carried.h"

namespace boatswain::boatswaind {

class KeyDerivationWorker {
  public:
    static constexpr std::size_t waiting_of_tenant_max = 16;
    // Of all tenants; past it only the first secret of a tenant is taken, so that everybody has a turn.
    static constexpr std::size_t waiting_max = 1024;

    // `derived` is called from the thread after each that succeeded; take_ready() then names the containers.
    KeyDerivationWorker(tenancy::CarriedKeys& keys, std::function<void()> derived);
    ~KeyDerivationWorker();

    // `container`, by its id, waits for the key of `secret`.
    void request(const TenantId& tenant, const std::string& secret, const std::string& container);

    // Containers that should ask again: CarriedKeys recalls their key now, or there is room for their request. Call it
    // after each `derived`, and every second or so (room also comes when a container goes, memory when it comes back).
    std::vector<std::string> take_ready();

    std::size_t waiting() const;  // secrets

  private:
    struct Request {
        Secret secret;
        std::set<std::string> containers;
    };
    struct Tenant {
        TenantId id = TenantId::unassigned();
        std::deque<Request> requests;
        std::set<std::string> later;  // containers that there was no room for
    };
    void derive(std::stop_token stop);
    void settle(const TenantId& tenant, std::set<std::string> containers, bool derived);
    std::size_t room_of(const Tenant& tenant) const;  // mutex_ is held

    tenancy::CarriedKeys& keys_;
    std::function<void()> derived_;
    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::map<std::string, Tenant> tenants_;  // that have something here
    std::deque<std::string> run_queue_;      // of tenants with a request, the next one first
    std::size_t waiting_ = 0;                // requests
    std::set<std::string> ready_;            // containers
    std::jthread thread_;
};

}  // namespace boatswain::boatswaind
