// On which hosts an instance of the app could run: one judgement for each host name that Mesos knows.
//
// Three answers, because acting on a guess is what makes such tools dangerous:
//   eligible   an instance can run there: it counts for scaling up
//   unsure     it may come back, or may be about to leave: it keeps the count from being lowered, and never raises it
//   no         it cannot, and `why` says so in words
// Whether there is room for it right now is another question: an agent that is full is eligible, but nothing is scaled
// up for it before something leaves.
#pragma once

#include <string>
#include <vector>

#include "fleet/cluster.h"
#include "fleet/constraint.h"

namespace boatswain::fleet {

enum class Eligibility { eligible, unsure, no };

struct HostJudgement {
    std::string hostname;
    Eligibility standing = Eligibility::no;
    std::string why;               // of unsure and no; a clause: "is draining"
    bool has_room = false;         // for one more instance, now
    std::string no_room;           // why not: "port 9435 is taken"
    bool leaving = false;          // Mesos kills its tasks, or has
    const Agent* agent = nullptr;  // none of a recovered one; borrowed from the cluster
};

// By host name, each once. Agents of one host name count once; the best of them speaks for it. `cluster` outlives what
// is returned.
std::vector<HostJudgement> judge_hosts(const Cluster& cluster, const App& app, const ConstraintSet& constraints);

// Whose resources the app takes: "*" is unreserved ones.
std::vector<std::string> accepted_roles(const App& app, const std::string& marathon_role);

}  // namespace boatswain::fleet
