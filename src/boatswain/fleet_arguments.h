// The options of `boatswain fleet`, for arguments.cc. What may come from the environment: BOATSWAIN_MARATHON,
// BOATSWAIN_MESOS, BOATSWAIN_FLEET_APP, BOATSWAIN_FLEET_PROXY, BOATSWAIN_FLEET_KEY (a file's name) and, read by the
// commands themselves, BOATSWAIN_MARATHON_AUTH and BOATSWAIN_MESOS_AUTH.
#pragma once

#include <CLI/CLI.hpp>

#include "base/result.h"
#include "boatswain/fleet_commands.h"

namespace boatswain::tool {

struct FleetGiven {
    FleetSync sync;
    FleetStatus status;
    FleetKeyNew key_new;
    FleetKeyDerive key_derive;
};

struct FleetCommands {
    CLI::App *fleet, *sync, *status, *key, *key_new, *key_derive;
};

FleetCommands add_fleet(CLI::App& tool, FleetGiven& given);

// Checks what was given and completes it from the environment; an error is for the usage line.
Result<FleetSync> complete_sync(FleetSync given);
Result<FleetStatus> complete_status(FleetStatus given);

// Of an option or argument of `fleet`, where they are few.
std::vector<std::string> fleet_choices(const std::string& option);

}  // namespace boatswain::tool
