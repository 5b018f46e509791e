// Marathon and Mesos as the plan needs them: what they say, gathered into a Cluster, and what a plan orders, done.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "fleet/cluster.h"
#include "fleet/endpoint.h"
#include "fleet/plan.h"

namespace boatswain::fleet {

class Marathon {
  public:
    // `app` is the app's id, with or without its leading '/'. Remedy::stop for one that cannot be.
    static Result<std::string> parse_app_id(std::string_view text);

    explicit Marathon(Endpoint& endpoint, std::string app_id) : endpoint_(endpoint), app_(std::move(app_id)) {}

    Result<MarathonState> look();

    // Does one action. A lock (409) that we may not break is Remedy::back_off; what is gone already is success.
    Result<void> act(const Action& action);

  private:
    Result<std::string> text(const std::string& path, int also_accepted = 0, int* status = nullptr);
    Result<void> write(const std::string& method, const std::string& path, const std::string& body,
                       const std::vector<std::string>& over);
    Result<bool> may_break(std::string_view refusal, const std::vector<std::string>& over);

    Endpoint& endpoint_;
    const std::string app_;
};

// Masters of Mesos 1.0 and later by their v1 API, older ones by /slaves.
Result<MesosState> look_at_mesos(Endpoint& endpoint, Timestamp now);

}  // namespace boatswain::fleet
