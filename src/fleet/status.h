// How the fleet stands, host by host: what Mesos and Marathon say (where there are any), and what the agents say
// themselves in their heartbeats. A pure function of both.
//
// A host is amiss when it should have an agent and has none, or when its agent is late, unhealthy, in trouble, or not
// who it says it is. Hosts that should have one: those that are eligible (Marathon), those that are expected, and
// without Marathon those that have left a heartbeat.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fleet/plan.h"
#include "heartbeat/heartbeat.h"

namespace boatswain::fleet {

struct HostStatus {
    std::string host;
    std::string agent;     // of Mesos: "active", "draining", ...; empty: Mesos was not asked
    std::string instance;  // "running", "starting", ...; empty: Marathon was not asked
    std::string health;    // "healthy", "unhealthy", "unknown"
    std::optional<heartbeat::Read> heartbeat;
    std::optional<Nanoseconds> heard;  // how long ago
    bool required = false;             // an agent should run there
    bool ok = true;
    std::string why;  // of what is amiss, or why no agent is required
};

struct FleetHealth {
    std::vector<HostStatus> hosts;   // by name
    std::vector<std::string> notes;  // sentences
    std::size_t required = 0, well = 0;
    bool ok = true;
};

struct StatusInput {
    const Cluster* cluster = nullptr;              // of Marathon and Mesos; none: not asked
    const Plan* plan = nullptr;                    // made of it
    const heartbeat::Fleet* heartbeats = nullptr;  // none: no store
    std::vector<std::string> expected;
};

// How long ago `time` was; of times beyond all reason, as far as a difference can be told. Negative: in the future.
Nanoseconds age_of(Timestamp time, Timestamp now);

FleetHealth make_status(const StatusInput& input, Timestamp now);

// Why Marathon turns offers down, in words: "InsufficientPorts" is "a port that the app needs is taken".
std::string reject_reason_text(std::string_view reason);

// Names in a list with ',' between, or lines of a file; '#' begins a comment.
std::vector<std::string> parse_hosts(std::string_view text);

}  // namespace boatswain::fleet
