#include "boatswaind/assigning.h"

namespace boatswain::boatswaind {

Result<tenancy::RuleSet> parse_tenancy(const config::Config& config) {
    return tenancy::parse_rules({.tenant = config.tenancy.tenant,
                                 .app = config.tenancy.app,
                                 .component = config.tenancy.component,
                                 .instance = config.tenancy.instance,
                                 .recipient = config.tenancy.recipient,
                                 .labels = config.tenancy.labels});
}

Assigning::Assigning(tenancy::RuleSet rules, tenancy::Unassigned policy, Path keyring, Metrics& metrics, Log& log,
                     std::function<void()> derived)
    : rules_(std::move(rules)),
      environment_keys_(rules_.environment_keys()),
      policy_(policy),
      keyring_(std::move(keyring)),
      metrics_(metrics),
      log_(log),
      tenants_gauge_(metrics.gauge("boatswain_keyring_tenants", "Tenants that the keyring has a key for")),
      problems_(metrics.counter("boatswain_keyring_problems_total", "Key files that could not be understood")),
      deriving_(carried_, std::move(derived)) {}

void Assigning::change(tenancy::RuleSet rules, tenancy::Unassigned policy) {
    rules_ = std::move(rules);
    environment_keys_ = rules_.environment_keys();
    policy_ = policy;
}

bool Assigning::refresh_keys(bool always) {
    if (!always && !keyring_.changed_on_disk()) return false;
    auto before = keyring_.generation();
    auto problems = keyring_.reload();
    if (!problems) {
        problems_.add();
        log_.error("keyring not read; the keys stay as they were",
                   {{"keyring", keyring_.directory().string()}, {"error", problems.error()}});
        return false;
    }
    for (const auto& problem : *problems) {
        problems_.add();
        log_.error("key file not understood", {{"keyring", keyring_.directory().string()}, {"problem", problem}});
    }
    tenants_gauge_.set(static_cast<double>(tenants()));
    if (keyring_.generation() == before) return false;
    log_.info("keyring read", {{"keyring", keyring_.directory().string()}, {"tenants", tenants()}});
    return true;
}

intake::docker::Assignment Assigning::assign(const engine::ContainerFacts& facts) {
    auto whose = tenancy::attribute(rules_, facts);
    auto keys = keyring_.keys_for(whose.tenant);
    std::optional<Result<segment::Recipient>> carried;
    // The keyring wins, so what a container of its tenants carries is not even looked at.
    if (auto key = tenancy::carried_key(rules_, facts);
        key && keys.tenant.empty() && whose.tenant != TenantId::unassigned()) {
        carried = carried_.recall(whose.tenant, *key);
        if (!carried) {
            deriving_.request(whose.tenant, *key);
            tenancy::Decision later{.action = tenancy::Decision::Action::hold,
                                    .tenant = whose.tenant,
                                    .recipients = {},
                                    .reason = "the key that the container carries is being derived"};
            return {.decision = std::move(later), .whose = std::move(whose), .labels = {}, .soon = true};
        }
    }
    auto decision = tenancy::decide(whose, keys, carried, policy_);
    metrics_
        .counter("boatswain_assignments_total", "Decisions about containers' lines",
                 {{"action", std::string{tenancy::to_string(decision.action)}}})
        .add();
    whose.tenant = decision.tenant;
    return {.decision = std::move(decision), .whose = std::move(whose), .labels = tenancy::kept_labels(rules_, facts)};
}

}  // namespace boatswain::boatswaind
