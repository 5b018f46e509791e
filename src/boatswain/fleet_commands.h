// What `boatswain fleet` can be asked to do. fleet_arguments.h makes these of the command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/time.h"
#include "boatswain/output.h"
#include "fleet/plan.h"

namespace boatswain::tool {

// Exit codes of `fleet`, as monitoring systems read them.
inline constexpr int exit_fleet_ok = 0;
inline constexpr int exit_fleet_amiss = 1;    // something is missing, stale, waited for or refused
inline constexpr int exit_fleet_unknown = 2;  // it could not be found out

// Where Marathon and Mesos are, and which app it is about.
struct FleetPlace {
    std::string marathon;  // addresses, with ',' between; may be empty for status
    std::string mesos;     // empty: as Marathon says
    std::string app;
    std::optional<std::string> marathon_auth_file, mesos_auth_file;  // else from the environment
    std::optional<std::string> ca_file;
    std::string proxy;  // empty: none for http, that of the environment for https
    std::string timeout = "30s";
};

struct FleetSync {
    FleetPlace place;
    bool once = false;
    bool dry_run = false;
    bool no_events = false;
    bool json = false;
    std::string interval = "30s", hold = "15m", stuck = "10m", drop_max = "25%";
    bool force_drop = false, force_unique = false, allow_restart = false;
    std::optional<std::string> state_file;
    std::optional<std::string> listen;
    std::string log_format = "text";
    // Made of the texts above when they are valid.
    Nanoseconds every{};
    fleet::Options options;
};

struct FleetStatus {
    FleetPlace place;   // without Marathon: heartbeats alone
    std::string store;  // empty: no heartbeats
    std::optional<std::string> key_file;
    std::string expect;  // hosts with ',' between, or the path of a file with one a line
    bool json = false;
    bool watch = false;
    std::string interval = "10s";
    Nanoseconds every{};
};

struct FleetKeyNew {
    std::string file = "boatswain-fleet.key";
};
struct FleetKeyDerive {
    std::string host;
    std::string key_file;
};

int run(const FleetSync& request, Console& console);
int run(const FleetStatus& request, Console& console);
int run(const FleetKeyNew& request, Console& console);
int run(const FleetKeyDerive& request, Console& console);

}  // namespace boatswain::tool
