// The hub: agents connect to it, it tells them which tenants are followed, and hands their lines to who follows
// (docs/formats/live.md).
//
// Invariants
//   - It opens a tenant's stream only while somebody follows that tenant, with that tenant's identities; what an agent
//     says of one tenant reaches followers of that tenant alone.
//   - Nobody who follows slows an agent or another follower: each has a bounded queue (hub/follower.h).
//   - An agent is who it says only after it has proven the host's key; one connection a host.
//
// Belongs to the I/O thread, but for follow() and what it returns.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "heartbeat/key.h"
#include "http/server.h"
#include "hub/follower.h"
#include "open/identity.h"

namespace boatswain::hub {

inline constexpr std::size_t agents_max = 2'000;
// What waits to be sent to one agent: it is given up when it takes nothing.
inline constexpr std::size_t orders_bytes_max = 1U << 20;

class Hub {
  public:
    // `key`: the fleet's, or of one host. Borrowed: metrics and log.
    Hub(boost::asio::any_io_executor executor, heartbeat::Key key, Metrics& metrics, Log& log);
    ~Hub();
    Hub(const Hub&) = delete;
    Hub& operator=(const Hub&) = delete;

    // For an http::Server of its own: agents are not its clients' guests.
    http::Handler handler();
    static http::Limits limits();

    // Follows a tenant from now on, by any thread, until what is returned is gone. The first events name the hosts that
    // are there. The hub outlives it.
    std::shared_ptr<Follower> follow(const TenantId& tenant, std::vector<open::Identity> identities);

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace boatswain::hub
