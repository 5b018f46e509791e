#include "boatswaind/assigning.h"

#include <filesystem>
#include <optional>
#include <system_error>

namespace boatswain::boatswaind {
namespace {

std::string_view ruling(tenancy::Forged forged) {
    switch (forged) {
        case tenancy::Forged::quarantine: return "quarantine";
        case tenancy::Forged::ignore_env: return "ignore-env";
        case tenancy::Forged::trust_env: return "trust-env";
    }
    return "unknown";
}

std::string joined(const std::vector<std::string>& words) {
    std::string all;
    for (const auto& word : words) all += (all.empty() ? "" : ", ") + word;
    return all;
}

// Names and no values: they are a tenant's.
std::string contradiction(const std::vector<std::string>& forged) {
    return joined(forged) + (forged.size() == 1 ? " contradicts" : " contradict") + " the path of its Mesos sandbox";
}

std::optional<std::string> read_link(const std::string& path) {
    std::error_code trouble;
    auto target = std::filesystem::read_symlink(path, trouble);
    if (trouble) return std::nullopt;
    return target.string();
}

}  // namespace

Result<tenancy::RuleSet> parse_tenancy(const config::Config& config) {
    return tenancy::parse_rules({.tenant = config.tenancy.tenant,
                                 .app = config.tenancy.app,
                                 .component = config.tenancy.component,
                                 .instance = config.tenancy.instance,
                                 .recipient = config.tenancy.recipient,
                                 .labels = config.tenancy.labels});
}

tenancy::Unassigned policy_of(const config::Config& config) {
    return config.tenancy.unassigned == config::Unassigned::drop ? tenancy::Unassigned::drop
                                                                 : tenancy::Unassigned::quarantine;
}

tenancy::Forged forged_of(const config::Config& config) {
    switch (config.tenancy.forged) {
        case config::Forged::quarantine: return tenancy::Forged::quarantine;
        case config::Forged::ignore_env: return tenancy::Forged::ignore_env;
        case config::Forged::trust_env: return tenancy::Forged::trust_env;
    }
    return tenancy::Forged::quarantine;
}

Assigning::Assigning(tenancy::RuleSet rules, tenancy::Unassigned policy, tenancy::Forged forged, Path keyring,
                     Metrics& metrics, Log& log, std::function<void()> derived)
    : rules_(std::move(rules)),
      environment_keys_(rules_.environment_keys()),
      policy_(policy),
      forged_(forged),
      keyring_(std::move(keyring)),
      metrics_(metrics),
      log_(log),
      tenants_gauge_(metrics.gauge("boatswain_keyring_tenants", "Tenants that the keyring has a key for")),
      problems_(metrics.counter("boatswain_keyring_problems_total", "Key files that could not be understood")),
      deriving_(carried_, std::move(derived)) {}

void Assigning::change(tenancy::RuleSet rules, tenancy::Unassigned policy, tenancy::Forged forged) {
    rules_ = std::move(rules);
    environment_keys_ = rules_.environment_keys();
    policy_ = policy;
    forged_ = forged;
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

void Assigning::count_forgery(const engine::ContainerFacts& facts, const std::vector<std::string>& forged) {
    if (logged_forgeries_.contains(facts.id)) return;
    if (logged_forgeries_.size() >= logged_forgeries_max) logged_forgeries_.clear();
    logged_forgeries_.insert(facts.id);
    metrics_
        .counter("boatswain_forged_identities_total",
                 "Containers whose environment or labels contradict their Mesos sandbox",
                 {{"ruled", std::string{ruling(forged_)}}})
        .add();
    log_.warning("a Mesos task claims to be another one", {{"container", facts.id.substr(0, 12)},
                                                           {"name", facts.name},
                                                           {"claims", joined(forged)},
                                                           {"ruled", ruling(forged_)}});
}

Attribution Assigning::attribute(const engine::ContainerFacts& facts, const std::vector<std::string>& forged) {
    if (forged.empty() || forged_ == tenancy::Forged::trust_env) return tenancy::attribute(rules_, facts);
    auto whose = tenancy::attribute(rules_, tenancy::ignore_claims(facts));
    if (forged_ == tenancy::Forged::ignore_env) return whose;
    whose.tenant = TenantId::unassigned();
    whose.tenant_rule = std::string{tenancy::forged_rule} + " " + contradiction(forged);
    return whose;
}

intake::docker::Assignment Assigning::assign(const engine::ContainerFacts& as_told) {
    auto facts = as_told;
    tenancy::follow_sandbox_link(facts.mounts, read_link);
    auto forged = tenancy::forged_claims(facts);
    if (!forged.empty()) count_forgery(facts, forged);
    bool quarantined = !forged.empty() && forged_ == tenancy::Forged::quarantine;
    auto whose = attribute(facts, forged);
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
    // What is quarantined for a forgery is evidence: it is not dropped, whatever is done with lines of no tenant.
    auto decision = tenancy::decide(whose, keys, carried, quarantined ? tenancy::Unassigned::quarantine : policy_);
    if (!forged.empty() && !quarantined)
        decision.reason += "; " + contradiction(forged) + ", and tenancy.forged is " + std::string{ruling(forged_)};
    metrics_
        .counter("boatswain_assignments_total", "Decisions about containers' lines",
                 {{"action", std::string{tenancy::to_string(decision.action)}}})
        .add();
    whose.tenant = decision.tenant;
    return {.decision = std::move(decision), .whose = std::move(whose), .labels = tenancy::kept_labels(rules_, facts)};
}

}  // namespace boatswain::boatswaind
