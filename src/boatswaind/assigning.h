// Whose a container is and who may read it: rules, keyring and policy together, as the intake asks for them.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "boatswaind/deriving.h"
#include "config/config.h"
#include "intake/docker/assigner.h"
#include "tenancy/carried.h"
#include "tenancy/forgery.h"
#include "tenancy/keyring.h"
#include "tenancy/policy.h"
#include "tenancy/rules.h"

namespace boatswain::boatswaind {

// The [tenancy] section, parsed. Remedy::stop names the rule and its mistake.
Result<tenancy::RuleSet> parse_tenancy(const config::Config& config);

tenancy::Unassigned policy_of(const config::Config& config);
tenancy::Forged forged_of(const config::Config& config);

class Assigning {
  public:
    // `derived` is called from a thread of its own when a key that a container carries is ready: assign() then gives
    // another answer.
    Assigning(tenancy::RuleSet rules, tenancy::Unassigned policy, tenancy::Forged forged, Path keyring,
              Metrics& metrics, Log& log, std::function<void()> derived);

    // Takes new rules: for containers found from now on, and for all at the next reassign().
    void change(tenancy::RuleSet rules, tenancy::Unassigned policy, tenancy::Forged forged);
    // Reads the keyring again if it changed on disk, or `always`; true when keys changed.
    bool refresh_keys(bool always);

    intake::docker::Assignment assign(const engine::ContainerFacts& facts);
    bool keeps(std::string_view environment_key) const {
        return environment_keys_.contains(environment_key) || tenancy::is_claim(environment_key);
    }
    std::size_t tenants() const { return keyring_.tenants().size(); }

  private:
    // Containers whose forgery was logged: of more than these, some may be logged again.
    static constexpr std::size_t logged_forgeries_max = 4096;

    Attribution attribute(const engine::ContainerFacts& facts, const std::vector<std::string>& forged);
    void count_forgery(const engine::ContainerFacts& facts, const std::vector<std::string>& forged);

    tenancy::RuleSet rules_;
    std::set<std::string, std::less<>> environment_keys_;
    tenancy::Unassigned policy_;
    tenancy::Forged forged_;
    std::set<std::string> logged_forgeries_;  // ids of containers
    tenancy::Keyring keyring_;
    tenancy::CarriedKeys carried_;
    Metrics& metrics_;
    Log& log_;
    Gauge& tenants_gauge_;
    Counter& problems_;
    Deriving deriving_;  // last: its thread uses the keys above
};

}  // namespace boatswain::boatswaind
