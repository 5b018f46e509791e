// What the plan is made from: Mesos' agents and Marathon's app, as they were at one moment. Values only.
//
// mesos_json.h and marathon_json.h make them of the two systems' answers; nothing here knows HTTP or JSON.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"

namespace boatswain::fleet {

struct PortRange {
    std::uint32_t first = 0, last = 0;  // both included
    bool operator==(const PortRange&) const = default;
};

struct Resources {
    double cpus = 0, mem = 0, disk = 0, gpus = 0;  // mem and disk in MiB
    std::vector<PortRange> ports;
};
using ResourcesByRole = std::map<std::string, Resources>;  // "*": not reserved for a role

// An agent that is registered with the leading master.
struct Agent {
    std::string id;
    std::string hostname;
    std::string address;  // without port; empty: unknown
    std::string version;
    std::map<std::string, std::string> attributes;  // values as Marathon compares them: "0.5", "[1-2,4-5]", "{a,b}"
    ResourcesByRole total;
    std::optional<ResourcesByRole> used;  // nothing: the master did not say for which role
    std::string region, zone;
    bool active = true;        // connected, not deactivated, not drained
    bool deactivated = false;  // by an operator (Mesos 1.9 and later)
    bool draining = false;     // DRAINING or DRAINED: Mesos kills, or has killed, all its tasks
};

// An agent that registered before the master failed over and has not come back yet.
struct RecoveredAgent {
    std::string id;
    std::string hostname;
};

struct MesosState {
    std::vector<Agent> agents;
    std::vector<RecoveredAgent> recovered;
    // Machines in maintenance, by host name or, where the schedule names none, by address.
    std::set<std::string> down;
    std::set<std::string> in_window;  // scheduled, and their window has begun or is about to
    std::set<std::string> maybe_in_window;  // scheduled, but the master did not say when
    std::string region;  // of the master; empty: none
};

enum class Operator { unique, cluster, group_by, like, unlike, max_per, is, unknown };

struct Constraint {
    std::string field;  // "hostname", "@region", "@zone", or an attribute
    Operator op = Operator::unknown;
    std::string value;
    std::string text;  // as it stands in the app: "hostname UNIQUE"
};

// Of Marathon's dozen states, what matters here.
enum class TaskState {
    starting,     // staging, starting, or anything else on its way up
    running,
    killing,
    unreachable,  // Marathon has lost sight of it; it takes a place in the count all the same
    ended,
};

struct Task {
    std::string id;
    std::string host;
    std::string agent_id;  // empty in old versions
    TaskState state = TaskState::starting;
    std::optional<bool> healthy;  // nothing: no health check has answered
    std::optional<Timestamp> started;
    bool operator==(const Task&) const = default;
};

struct App {
    std::string id;  // "/infra/boatswain"
    std::uint32_t instances = 0;
    double cpus = 0, mem = 0, disk = 0, gpus = 0;
    std::vector<Constraint> constraints;
    std::vector<std::string> roles;           // whose resources it takes; empty: unreserved ones and those of `role`
    std::string role;                         // empty: Marathon's own
    std::vector<std::uint32_t> fixed_ports;   // that must be free on the host
    std::uint32_t other_ports = 0;            // any that are free
    bool has_health_checks = false;
    std::vector<Task> tasks;
    std::vector<std::string> deployments;  // ids
};

struct DeploymentAction {
    std::string action;  // "ScaleApplication"
    std::string app;     // empty for a pod's
};

struct Deployment {
    std::string id;
    std::optional<Timestamp> version;  // when it was begun
    std::vector<std::string> apps;
    bool has_pods = false;
    std::vector<DeploymentAction> actions;  // of all steps
};

// Why Marathon turns offers down, in its words and with its counts.
struct RejectReason {
    std::string reason;  // "UnfulfilledConstraint"
    std::int64_t declined = 0, processed = 0;
};

struct QueueItem {
    std::uint32_t count = 0;          // still to launch
    std::int64_t delay_seconds = 0;   // back-off before the next launch
    std::vector<RejectReason> reasons;
    std::map<std::string, std::vector<std::string>> by_host;  // of the last offers
};

struct MarathonState {
    std::optional<App> app;  // nothing: there is no such app
    std::vector<Deployment> deployments;  // those that touch the app
    std::optional<QueueItem> queue;
    std::string role = "*";  // that Marathon is registered with
    std::string version;
    std::string mesos_url;   // of the leading master, as Marathon says
};

struct Cluster {
    MesosState mesos;
    MarathonState marathon;
};

}  // namespace boatswain::fleet
