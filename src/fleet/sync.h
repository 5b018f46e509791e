// Fleet sync: look, plan, act; once or for ever.
//
// One thread looks and acts. What the health page needs of it is behind a lock (SyncHealth).
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"
#include "fleet/endpoint.h"
#include "fleet/plan.h"
#include "fleet/systems.h"

namespace boatswain::fleet {

struct Outcome {
    Action action;
    Result<void> result;
};

// One look at the cluster and what came of it.
struct Look {
    std::unique_ptr<const Cluster> cluster;  // the plan borrows from it
    Plan plan;
    std::vector<Outcome> outcomes;  // of the actions that were tried; none in a dry run
    std::string mesos;              // the address that Mesos was asked at
};

struct Connections {
    EndpointOptions marathon;
    EndpointOptions mesos;  // no addresses: those that Marathon names, to which no credential is sent
};

class Syncer {
  public:
    Syncer(Connections connections, std::string app, Options options, const Clock& clock);

    // Mesos is asked first when its address is known, else where Marathon says it is. Whatever changes between the two
    // answers looks like an instance whose host has gone, which is waited for, or like a host that is not there yet.
    Result<Look> look();
    // Carries out the plan, action by action; the first that fails ends it, since the next look knows more.
    void act(Look& look);

    const History& history() const { return history_; }
    void remember(History history) { history_ = std::move(history); }

    Endpoint& marathon() { return marathon_; }
    // Of Mesos; nothing before the first look when it has to be found.
    Endpoint* mesos() { return mesos_.get(); }

  private:
    Result<void> find_mesos(const MarathonState& marathon);

    Connections connections_;
    const std::string app_;
    const Options options_;
    const Clock& clock_;
    Endpoint marathon_;
    Marathon app_at_marathon_;
    std::unique_ptr<Endpoint> mesos_;
    std::string found_mesos_;  // as Marathon named it
    History history_;
};

std::string_view to_string(Verdict verdict);
// One object, one line: what was seen, what is to be done and why, what came of it.
std::string look_as_json(const Look& look, Timestamp now);
// For people; several lines.
std::string look_as_text(const Look& look, const std::string& app, bool dry_run);

}  // namespace boatswain::fleet
