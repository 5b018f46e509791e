// How the fleet commands reach Marathon and Mesos.
#pragma once

#include <atomic>

#include "base/result.h"
#include "boatswain/fleet_commands.h"
#include "fleet/sync.h"

namespace boatswain::tool {

// `place` has been checked; `give_up` is borrowed.
Result<fleet::Connections> connections_of(const FleetPlace& place, const std::atomic<bool>* give_up);

}  // namespace boatswain::tool
