// The fleet's health as JSON: what `boatswain fleet status --json` prints, and what an operator's page asks for.
#pragma once

#include <string>
#include <vector>

#include "base/json_writer.h"
#include "fleet/status.h"

namespace boatswain::fleet {

// Objects that the host stores in an hour, on the average since its start; nothing in its first minutes.
std::optional<std::uint64_t> objects_per_hour(const heartbeat::Heartbeat& beat);

// The members of an object that is open: time, ok, required, well, hosts, notes, not_found_out. `troubles`: what could
// not be asked, a sentence each.
void write_status(JsonWriter& json, const FleetHealth& standing, const std::vector<std::string>& troubles,
                  Timestamp now);

}  // namespace boatswain::fleet
