#include "boatswaind/tenant_resolver.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "base/bytes.h"
#include "tenancy/pod_words.h"

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

// The variable that tenancy.recipient read by default until it was empty by default.
constexpr std::string_view former_default = "BOATSWAIN_RECIPIENT";

}  // namespace

Result<tenancy::RuleSet> parse_tenancy(const config::Config& config) {
    return tenancy::parse_rules({.tenant = config.tenancy.tenant,
                                 .app = config.tenancy.app,
                                 .component = config.tenancy.component,
                                 .instance = config.tenancy.instance,
                                 .recipient = config.tenancy.recipient,
                                 .labels = config.tenancy.labels});
}

std::vector<std::string> advice_on_recipients(const config::Config& config, const tenancy::RuleSet& rules) {
    if (!config.origins.contains("tenancy.recipient"))
        return {
            "tenancy.recipient is empty by default: keys that containers carry are not read. To take recipients from " +
            std::string{former_default} + " as before, write recipient = [\"env:" + std::string{former_default} +
            "\"]; to take secrets, [\"secret:env:" + std::string{former_default} + "\"]"};
    std::vector<std::string> advice;
    for (const auto& rule : rules.recipient)
        if (!rule.is_secret())
            advice.push_back("tenancy.recipient: " + rule.text() +
                             " gives age recipients only (age1...). If containers carry secrets there, to derive a key "
                             "from, write \"secret:" +
                             rule.text() + "\"");
    return advice;
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

TenantResolver::TenantResolver(tenancy::RuleSet rules, tenancy::Unassigned policy, tenancy::Forged forged, Path keyring,
                               Path last_good, std::size_t carried_max, Metrics& metrics, Log& log, const Clock& clock,
                               std::function<void()> derived, bool keeps)
    : rules_(std::move(rules)),
      environment_keys_(rules_.environment_keys()),
      label_keys_(rules_.label_keys()),
      policy_(policy),
      forged_(forged),
      keyring_(std::move(keyring), std::move(last_good), keeps),
      places_(carried_max),
      metrics_(metrics),
      log_(log),
      clock_(clock),
      tenants_gauge_(metrics.gauge("boatswain_keyring_tenants", "Tenants that the keyring has a key for")),
      removed_gauge_(metrics.gauge("boatswain_keyring_removed_tenants",
                                   "Tenants whose key file was removed, and nothing says that it is gone on purpose")),
      carried_gauge_(metrics.gauge("boatswain_carried_tenants",
                                   "Tenants without a key file whose key a container carries (tenancy.carried_max)")),
      over_max_(metrics.counter("boatswain_carried_over_max_total",
                                "Decisions against a key that a container carries: too many such tenants")),
      problems_(metrics.counter("boatswain_keyring_problems_total", "Key files that could not be understood")),
      deriving_(carried_, std::move(derived)) {}

bool TenantResolver::change(tenancy::RuleSet rules, tenancy::Unassigned policy, tenancy::Forged forged) {
    auto environment = rules.environment_keys(), labels = rules.label_keys();
    bool more = !std::ranges::includes(environment_keys_, environment) || !std::ranges::includes(label_keys_, labels) ||
                rules.labels != rules_.labels;
    rules_ = std::move(rules);
    environment_keys_ = std::move(environment);
    label_keys_ = std::move(labels);
    policy_ = policy;
    forged_ = forged;
    return more;
}

RemovedKeys removed_keys_of(const config::Config& config) {
    return {.hold = config.tenancy.removed_key == config::RemovedKey::hold,
            .hold_max = config.tenancy.removed_key_hold};
}

bool TenantResolver::is_too_old(Timestamp since) const { return clock_.now() - since >= removed_terms_.hold_max; }

tenancy::RemovedKey TenantResolver::removal_of(const tenancy::Keys& keys) const {
    if (!removed_terms_.hold || !keys.removed_since) return tenancy::RemovedKey::not_removed;
    return is_too_old(*keys.removed_since) ? tenancy::RemovedKey::too_old : tenancy::RemovedKey::hold;
}

// Logs those that are new. True: of some the hold has ended since.
bool TenantResolver::count_removed() {
    auto removed = removed_terms_.hold ? keyring_.removed() : tenancy::RemovedKeys{};
    removed_gauge_.set(static_cast<double>(removed.size()));
    std::size_t told = 0;
    for (const auto& [tenant, since] : removed)
        if (!known_removed_.contains(tenant) && told++ < key_troubles_max)
            log_.warning("a key file was removed: its tenant's lines are held",
                         {{"tenant", tenant}, {"until", to_text(since + removed_terms_.hold_max)}});
    known_removed_ = std::move(removed);
    auto too_old = static_cast<std::size_t>(
        std::ranges::count_if(known_removed_, [&](const auto& one) { return is_too_old(one.second); }));
    return std::exchange(too_old_, too_old) < too_old;
}

std::vector<std::string> TenantResolver::removed_keys() const {
    std::vector<std::string> sentences;
    for (const auto& [tenant, since] : known_removed_) {
        if (sentences.size() >= key_troubles_max) break;
        auto file = printable(tenant);
        sentences.push_back(file + ".pub was removed from the keyring (noticed at " + to_text(since).substr(0, 19) +
                            "Z): the tenant's lines are " +
                            (is_too_old(since)
                                 ? "dropped, as tenancy.removed_key_hold is over"
                                 : "held until " + to_text(since + removed_terms_.hold_max).substr(0, 19) + "Z") +
                            ". Put it back, or say with " + file + ".gone that it is gone on purpose");
    }
    return sentences;
}

TenantResolver::KeysRead TenantResolver::read_keys(bool always) {
    KeysRead read{.always = always, .is = std::nullopt};
    if (!always && !keyring_.changed_on_disk(clock_.now())) return read;
    auto before = keyring_.generation();
    read.is = keyring_.reload(clock_.now());
    read.changed = keyring_.generation() != before;
    return read;
}

bool TenantResolver::take(KeysRead read) {
    bool changed = tell_of_keys(std::move(read));
    return count_removed() || changed;
}

bool TenantResolver::tell_of_keys(KeysRead read) {
    if (!read.is) return false;
    auto keyring = keyring_.directory().string();
    if (const auto& problems = *read.is; !problems) {
        if (keyring_error_ == problems.error().what) return false;  // looked at every second
        keyring_error_ = problems.error().what;
        problems_.add();
        log_.error("keyring not read; the keys stay as they were", {{"keyring", keyring}, {"error", problems.error()}});
        return read.changed;
    }
    keyring_error_.clear();
    std::set<std::string> logged = read.always ? std::set<std::string>{} : std::move(logged_problems_);
    logged_problems_ = {(*read.is)->begin(), (*read.is)->end()};
    for (const auto& problem : **read.is) {
        if (logged.contains(problem)) continue;
        problems_.add();
        log_.error("key file not understood", {{"keyring", keyring}, {"problem", problem}});
    }
    auto tenants_now = tenants();
    tenants_gauge_.set(static_cast<double>(tenants_now));
    if (read.changed) log_.info("keyring read", {{"keyring", keyring}, {"tenants", tenants_now}});
    return read.changed;
}

std::set<std::string> TenantResolver::tenant_names() const {
    auto names = keyring_.tenants();
    return {names.begin(), names.end()};
}

// All of them at once: those that find none are remembered again, and one that is gone is forgotten.
std::vector<std::string> TenantResolver::take_ready() {
    auto ready = deriving_.take_ready();
    carried_gauge_.set(static_cast<double>(places_.taken()));
    if (!places_.has_room()) return ready;
    auto waiting = std::exchange(without_place_, {});
    ready.insert(ready.end(), waiting.begin(), waiting.end());
    return ready;
}

// Named once, and then in what is logged of each container: there may be thousands.
void TenantResolver::tell_of_no_place(const TenantId& tenant) {
    over_max_.add();
    if (std::exchange(logged_no_place_, true)) return;
    log_.warning("too many tenants without a key file; more are unassigned",
                 {{"tenant", tenant.str()}, {"tenancy.carried_max", places_.taken()}});
}

void TenantResolver::count_forgery(const SourceFacts& facts, const std::vector<std::string>& forged) {
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

intake::Starter TenantResolver::starter(const SourceFacts& facts) {
    if (trust_images_ || !images_ || facts.named_by_platform) return {.facts = facts, .why = {}};
    return images_(facts);
}

Attribution TenantResolver::attribute(const SourceFacts& facts, const SourceFacts& starter,
                                      const std::vector<std::string>& forged) {
    if (forged.empty() || forged_ == tenancy::Forged::trust_env) return tenancy::attribute(rules_, facts, starter);
    auto whose = tenancy::attribute(rules_, tenancy::ignore_claims(facts), tenancy::ignore_claims(starter));
    if (forged_ == tenancy::Forged::ignore_env) return whose;
    whose.tenant = TenantId::unassigned();
    whose.tenant_rule = std::string{tenancy::forged_rule} + " " + contradiction(forged);
    return whose;
}

bool TenantResolver::keeps(std::string_view environment_key) {
    if (environment_keys_.contains(environment_key) || tenancy::is_claim(environment_key)) return true;
    if (environment_key == former_default && rules_.recipient.empty() && !std::exchange(logged_unread_, true))
        log_.warning("a container carries a key, and no rule of tenancy.recipient reads one",
                     {{"variable", former_default},
                      {"to_read_recipients", "tenancy.recipient = [\"env:" + std::string{former_default} + "\"]"},
                      {"to_read_secrets", "tenancy.recipient = [\"secret:env:" + std::string{former_default} + "\"]"}});
    return false;
}

// Once for each rule, not for each container.
void TenantResolver::tell_of_unnamed_secrets(const tenancy::CarriedText& carried) {
    if (logged_rules_.contains(carried.rule) || !tenancy::read_carried(carried).perhaps_a_secret) return;
    if (logged_rules_.size() >= tenancy::rules_max) return;
    logged_rules_.insert(carried.rule);
    log_.warning("a container carries text that is no age recipient, and the rule does not say that it is a secret",
                 {{"rule", carried.rule}, {"if_it_is_a_secret", "write secret:" + carried.rule}});
}

std::optional<std::string> TenantResolver::share_of(const SourceFacts& facts) {
    intake::Starter told{.facts = facts, .why = {}};
    if (tenancy::reads_words(rules_, facts)) told = starter(facts);
    if (told.is != intake::Starter::Is::known) return std::nullopt;
    auto whose = tenancy::attribute(rules_, facts, told.facts);
    bool known = whose.tenant != TenantId::unassigned() && !keyring_.keys_for(whose.tenant).tenant.empty();
    return known ? whose.tenant.str() : std::string{};
}

intake::Assignment TenantResolver::assign(const SourceFacts& facts) {
    auto forged = tenancy::forged_claims(facts);
    if (!forged.empty()) count_forgery(facts, forged);
    bool quarantined = !forged.empty() && forged_ == tenancy::Forged::quarantine;
    using Is = intake::Starter::Is;
    intake::Starter told{.facts = facts, .why = {}};
    if (tenancy::reads_words(rules_, facts)) told = starter(facts);
    if (told.is != Is::known) {
        intake::Assignment held{.soon = told.is == Is::asked};
        held.decision.lack = tenancy::Lack::words;
        held.decision.reason = std::move(told.why);
        held.whose.app = facts.name;
        return held;
    }
    without_place_.erase(facts.id);
    auto whose = attribute(facts, told.facts, forged);
    auto keys = keyring_.keys_for(whose.tenant);
    std::optional<Result<tenancy::CarriedKey>> carried;
    // The keyring wins, so what a container of its tenants carries is not even looked at.
    tenancy::CarriedKeys::Key in_use;
    bool quoted_secret = false;
    if (auto text = tenancy::carried_text(rules_, told.facts);
        text && keys.tenant.empty() && keys.held.empty() && whose.tenant != TenantId::unassigned()) {
        tell_of_unnamed_secrets(*text);
        auto known = carried_.recall(whose.tenant, *text);
        if (known && *known) {
            in_use = **known;
            quoted_secret = in_use->derived && tenancy::is_in_quotes(text->text);
            carried = *in_use;
        } else if (known) {
            carried = std::unexpected(known->error());
        } else {
            deriving_.request(whose.tenant, text->text, facts.id);
            tenancy::Decision later{.action = tenancy::Decision::Action::hold,
                                    .tenant = whose.tenant,
                                    .recipients = {},
                                    .reason = "a key is being derived from the secret that the container carries"};
            return {.decision = std::move(later), .whose = std::move(whose), .labels = {}, .soon = true};
        }
    }
    // What is quarantined for a forgery is evidence, and who has no tenant because its image or its pod is gone may well
    // have one: none of it is dropped, whatever is done with lines of no tenant.
    bool not_known =
        std::ranges::any_of(facts.attributes, [](const auto& one) { return tenancy::says_not_known(one.first); });
    auto policy = quarantined || not_known || !told.why.empty() ? tenancy::Unassigned::quarantine : policy_;
    auto removed = removal_of(keys);
    auto decision = tenancy::decide(whose, keys, carried, policy, removed);
    using Action = tenancy::Decision::Action;
    std::shared_ptr<const void> place;
    if (decision.action == Action::seal && keys.tenant.empty()) {
        place = places_.take(whose.tenant);
        if (place) {
            logged_no_place_ = false;
        } else {
            tell_of_no_place(whose.tenant);
            if (without_place_.size() < without_place_max) without_place_.insert(facts.id);
            decision = tenancy::decide_without_place(whose, keys, policy, removed);
        }
        carried_gauge_.set(static_cast<double>(places_.taken()));
    }
    if (!forged.empty() && !quarantined)
        decision.reason += "; " + contradiction(forged) + ", and tenancy.forged is " + std::string{ruling(forged_)};
    if (rules_.recipient.empty() && decision.action != Action::seal && whose.tenant != TenantId::unassigned())
        decision.reason += " (tenancy.recipient has no rule: a key that the container carries is not looked at)";
    if (!told.why.empty() && decision.action != Action::seal) decision.reason += "; " + told.why;
    if (quoted_secret && decision.action == Action::seal) decision.reason += " (the quotes around it are part of it)";
    metrics_
        .counter("boatswain_assignments_total", "Decisions about containers' lines",
                 {{"action", std::string{tenancy::to_string(decision.action)}}})
        .add();
    whose.tenant = decision.tenant;
    return {.decision = std::move(decision),
            .whose = std::move(whose),
            .labels = tenancy::kept_labels(rules_, facts),
            .carried = std::move(in_use),
            .place = std::move(place)};
}

WordFilter words_kept(TenantResolver& assigning, const intake::docker::Selection& selection) {
    return {.environment = [&](std::string_view key) { return assigning.keeps(key); },
            .label = [&](std::string_view key) { return assigning.names_label(key) || selection.names_label(key); },
            .more_labels = [&](std::string_view key) { return assigning.keeps_label(key); },
            .mount = [](std::string_view destination) { return tenancy::is_sandbox_mount(destination); }};
}

Result<void> check_keyring_stays(const TenantResolver& assigning, const config::Config& fresh) {
    if (assigning.keyring() == fresh.tenancy.keyring) return {};
    return fail(Remedy::stop, "tenancy.keyring is " + fresh.tenancy.keyring.string() + " now and was " +
                                  assigning.keyring().string() +
                                  " at the start: another directory is taken over by a restart only, because the "
                                  "running process may be confined to this one");
}

}  // namespace boatswain::boatswaind
