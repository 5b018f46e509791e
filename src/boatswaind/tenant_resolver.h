// Whose a container is and who may read it: rules, keyring and policy together, as the intake asks for them.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "boatswaind/key_derivation.h"
#include "config/config.h"
#include "intake/docker/selection.h"
#include "intake/source/assigner.h"
#include "tenancy/carried.h"
#include "tenancy/carried_places.h"
#include "tenancy/forgery.h"
#include "tenancy/keyring.h"
#include "tenancy/policy.h"
#include "tenancy/rules.h"

namespace boatswain::boatswaind {

// The [tenancy] section, parsed. Remedy::stop names the rule and its mistake.
Result<tenancy::RuleSet> parse_tenancy(const config::Config& config);

// What to change in a configuration from the time when tenancy.recipient took any text for a secret; sentences.
std::vector<std::string> advice_on_recipients(const config::Config& config, const tenancy::RuleSet& rules);

tenancy::Unassigned policy_of(const config::Config& config);
tenancy::Forged forged_of(const config::Config& config);

// Of tenancy.removed_key and tenancy.removed_key_hold.
struct RemovedKeys {
    bool hold = true;
    Nanoseconds hold_max = std::chrono::hours{24 * 7};
};
RemovedKeys removed_keys_of(const config::Config& config);

// Of the agent's state directory: tenancy/last_good.h.
inline constexpr std::string_view last_good_name = "keyring.last";

class TenantResolver {
  public:
    // `last_good`: a file of the state directory that keeps what the key files said; empty: nothing is kept. `keeps`:
    // it is ours to write. `derived` is called from a thread of its own when a key that a container carries is ready:
    // take_ready() then names the containers.
    TenantResolver(tenancy::RuleSet rules, tenancy::Unassigned policy, tenancy::Forged forged, Path keyring,
                   Path last_good, std::size_t carried_max, Metrics& metrics, Log& log, const Clock& clock,
                   std::function<void()> derived, bool keeps = true);

    // Takes new rules: for containers found from now on, and for all at the next reassign(). True: they read words of
    // containers that those before did not, so that what is known of containers has to be learned again.
    bool change(tenancy::RuleSet rules, tenancy::Unassigned policy, tenancy::Forged forged);
    // What becomes of the lines of a tenant whose key file was removed; from the next refresh_keys() on.
    void treat_removed(const RemovedKeys& terms) { removed_terms_ = terms; }
    // Reads the keyring again if it changed on disk, or `always`; true when keys changed, or a hold for a key file that
    // was removed has lasted as long as it may.
    bool refresh_keys(bool always) { return take(read_keys(always)); }
    // Its two halves. To read can take as long as a disk takes, and may be done by any thread (KeyReading); what
    // assign() says follows at once. take() logs and counts.
    struct KeysRead {
        bool always = false;
        bool changed = false;                                // what the keys say
        std::optional<Result<std::vector<std::string>>> is;  // Keyring::reload's; nothing: it was not read
    };
    KeysRead read_keys(bool always);
    bool take(KeysRead read);

    intake::Assignment assign(const SourceFacts& facts);
    // Who tells what the starter of a container said, apart from its image. Until it is set, and while `trust` (the
    // setting tenancy.trust_image), an image's words count as well.
    void ask_images(std::function<intake::Starter(const SourceFacts&)> starter) { images_ = std::move(starter); }
    void trust_images(bool trust) { trust_images_ = trust; }
    intake::Starter starter(const SourceFacts& facts);
    bool keeps(std::string_view environment_key);
    bool names_label(std::string_view label) const {
        return label_keys_.contains(label) || tenancy::is_label_claim(label);
    }
    bool keeps_label(std::string_view label) const { return tenancy::keeps_label(rules_, label); }
    // Containers for which assign() may give another answer than it gave last: their key is derived, or there is a
    // place for a tenant without a key file again. Call it after `derived`, and every second or so.
    std::vector<std::string> take_ready();
    const Path& keyring() const { return keyring_.directory(); }
    // What is wrong with key files, as sentences: the agent is not ready. At most so many.
    std::vector<std::string> key_troubles() const { return keyring_.broken(key_troubles_max); }
    // Key files that were removed, and what is done about it, as sentences. At most so many.
    std::vector<std::string> removed_keys() const;
    // The tenant in whose share the log driver counts a container's lines: one that the keyring knows, or none. Nothing
    // while it is not known what the container's starter said, apart from its image.
    std::optional<std::string> share_of(const SourceFacts& facts);
    std::size_t tenants() const { return keyring_.tenants().size(); }
    std::set<std::string> tenant_names() const;  // with a key file

  private:
    static constexpr std::size_t key_troubles_max = 8;
    // Containers whose forgery was logged: of more than these, some may be logged again.
    static constexpr std::size_t logged_forgeries_max = 4096;
    // Containers that are remembered because there was no place for their tenant. One that is not has its place when
    // keys or rules change, or by another container of its tenant.
    static constexpr std::size_t without_place_max = 10'000;

    tenancy::RemovedKey removal_of(const tenancy::Keys& keys) const;
    bool is_too_old(Timestamp removed_since) const;
    bool count_removed();
    bool tell_of_keys(KeysRead read);
    Attribution attribute(const SourceFacts& facts, const SourceFacts& starter, const std::vector<std::string>& forged);
    void tell_of_unnamed_secrets(const tenancy::CarriedText& carried);
    void tell_of_no_place(const TenantId& tenant);
    void count_forgery(const SourceFacts& facts, const std::vector<std::string>& forged);

    tenancy::RuleSet rules_;
    std::set<std::string, std::less<>> environment_keys_;
    std::set<std::string, std::less<>> label_keys_;
    tenancy::Unassigned policy_;
    tenancy::Forged forged_;
    RemovedKeys removed_terms_;
    tenancy::RemovedKeys known_removed_;  // what was logged
    std::size_t too_old_ = 0;             // of them
    std::function<intake::Starter(const SourceFacts&)> images_;
    bool trust_images_ = false;
    std::set<std::string> logged_forgeries_;  // ids of containers
    std::set<std::string> logged_rules_;      // of tenancy.recipient, that answered with what may be a secret
    bool logged_unread_ = false;              // a container carries a key, and no rule reads any
    tenancy::Keyring keyring_;
    std::string keyring_error_;              // why it could not be read last, logged once
    std::set<std::string> logged_problems_;  // of key files, as of the last time that it was read
    tenancy::CarriedKeys carried_;
    tenancy::CarriedPlaces places_;
    std::set<std::string> without_place_;  // containers; they ask again when there is a place
    bool logged_no_place_ = false;         // since one was had last
    Metrics& metrics_;
    Log& log_;
    const Clock& clock_;
    Gauge& tenants_gauge_;
    Gauge& removed_gauge_;
    Gauge& carried_gauge_;
    Counter& over_max_;
    Counter& problems_;
    KeyDerivationWorker deriving_;  // last: its thread uses the keys above
};

// What is kept of a container's words: what rules and selection read. Both outlive it.
WordFilter words_kept(TenantResolver& assigning, const intake::docker::Selection& selection);

// A running agent is confined to the keyring that it was started with. Remedy::stop when `fresh` names another one.
Result<void> check_keyring_stays(const TenantResolver& assigning, const config::Config& fresh);

}  // namespace boatswain::boatswaind
