// What fleet sync does next: a pure function of what Mesos and Marathon said, of what was seen before, and of the time.
//
// Invariants (plan_property_test.cc holds them over random clusters)
//   - Nothing is written while anything is unsure: no agents, a deployment that is not purely a scaling of our app, a
//     constraint that cannot be evaluated, an app that may be placed twice on a host.
//   - The count is never raised beyond what can be placed at once: the hosts that have an instance and those with room.
//   - The count is lowered only by naming instances, and only such whose host has gone or is being drained: no healthy
//     instance on an eligible host is ever killed. (Marathon's own choice would be wrong: an instance that waits for a
//     host is its last victim, a running one comes before it.)
//   - Lowering waits: `hold` since the host was first seen gone, no recovered agents, and not more than `drop_max` of
//     the fleet at once.
//   - Doing what a plan says twice, or by two who planned from the same state, ends where doing it once ends.
// Decision 0013 has the reasons.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "fleet/cluster.h"
#include "fleet/eligibility.h"

namespace boatswain::fleet {

struct Options {
    Nanoseconds hold = std::chrono::minutes{15};   // longer than Mesos' agent_reregister_timeout, 10 min by default
    Nanoseconds stuck = std::chrono::minutes{10};  // how long a scaling of ours may hold the app's lock
    double drop_max = 0.25;                        // of the instances, at once; one is always allowed
    bool force_drop = false;                       // drop_max does not count
    bool force_unique = false;                     // act though the constraints allow two instances on a host
    bool allow_restart = false;  // lower the count by number when nothing can be named: one healthy agent restarts
};

// What has to be remembered from one plan to the next. Written to a file it makes --once as careful as the loop.
struct History {
    std::map<std::string, Timestamp> gone_since;        // by task id
    std::map<std::string, Timestamp> deployment_since;  // by deployment id
    std::optional<Timestamp> surplus_since;
    bool operator==(const History&) const = default;
};

// Sets the count: PATCH {"instances": to}.
struct ScaleTo {
    std::uint32_t from = 0, to = 0;
    std::vector<std::string> over;  // deployments, purely scalings of our app, that may be cancelled by it
    bool operator==(const ScaleTo&) const = default;
};
// Kills these instances and lowers the count by as many.
struct RemoveInstances {
    std::vector<std::string> tasks;
    std::vector<std::string> hosts;  // of the tasks, in their order
    std::vector<std::string> over;
    bool operator==(const RemoveInstances&) const = default;
};
// Kills an instance that is out of sight, so that Marathon starts another one elsewhere. The count stays.
struct ReplaceInstance {
    std::string task;
    std::string host;
    bool operator==(const ReplaceInstance&) const = default;
};
// Ends a scaling that cannot end by itself: the lock goes, the count and the instances stay.
struct CancelDeployment {
    std::string deployment;
    bool operator==(const CancelDeployment&) const = default;
};
struct Action {
    std::variant<ScaleTo, RemoveInstances, ReplaceInstance, CancelDeployment> what;
    std::string why;
};

enum class Verdict {
    in_step,  // every eligible host has its instance, or one on its way; nothing to do
    act,
    wait,     // something is amiss, and waiting (for the hold time, for a deployment, for room) is right
    refuse,   // a person must look
};

struct HostLine {
    HostJudgement host;
    std::vector<Task> tasks;  // on this host
    bool covered = false;     // has a running instance, or one that starts
};

struct Plan {
    Verdict verdict = Verdict::in_step;
    std::vector<Action> actions;
    std::vector<std::string> notes;  // why it waits or refuses, and what a person should know; sentences
    std::vector<HostLine> hosts;     // in the order of their names
    std::vector<Task> gone;          // instances on hosts that Mesos does not know
    std::uint32_t instances = 0;     // the count that Marathon has
    std::uint32_t eligible = 0;      // hosts
    std::uint32_t covered = 0;       // eligible hosts with an instance
    std::uint32_t waiting = 0;       // instances without a host
    History history;                 // for the next plan
};

// `cluster` outlives the plan.
Plan make_plan(const Cluster& cluster, const History& history, const Options& options, Timestamp now);

// For people: "scale from 3 to 4 instances".
std::string describe(const Action& action);

// Whether a deployment is nothing but a scaling of this app.
bool is_pure_scaling(const Deployment& deployment, const std::string& app);

}  // namespace boatswain::fleet
