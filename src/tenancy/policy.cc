#include "tenancy/policy.h"

#include <algorithm>

#include "base/shown_name.h"

namespace boatswain::tenancy {
namespace {

// Where lines go that cannot be sealed for a tenant.
Decision without_key(const Keys& keys, Unassigned policy, Lack lack, const std::string& why) {
    if (policy == Unassigned::drop)
        return {.action = Decision::Action::drop,
                .lack = lack,
                .reason = why + ": its lines are dropped, as tenancy.unassigned says"};
    if (!keys.operators_held.empty())
        return {.action = Decision::Action::hold,
                .lack = Lack::broken_key,
                .reason = why + ", and " + keys.operators_held + ": nothing is read until that is mended"};
    if (keys.operators.empty())
        return {.action = Decision::Action::hold,
                .lack = lack,
                .reason =
                    why +
                    ", and the operator has no recipient to quarantine it for: nothing is read until the keyring has " +
                    TenantId::unassigned().str() + ".pub"};
    return {.action = Decision::Action::quarantine,
            .lack = lack,
            .recipients = keys.operators,
            .reason = why + ": its lines are sealed for the operator as " + TenantId::unassigned().str()};
}

// Never the operator's: they were a tenant's until a file was removed, perhaps by a slip.
Decision with_removed_key(const TenantId& tenant, const Keys& keys, RemovedKey removed, const std::string& who) {
    auto why = who + ": its key file " + tenant.str() + ".pub was removed" +
               (keys.removed_since ? " (noticed at " + to_text(*keys.removed_since).substr(0, 19) + "Z)" : "");
    if (removed == RemovedKey::too_old)
        return {.action = Decision::Action::drop,
                .lack = Lack::removed_key,
                .tenant = tenant,
                .reason = why + ", longer ago than tenancy.removed_key_hold: its lines are dropped until " +
                          tenant.str() + ".pub is back"};
    return {.action = Decision::Action::hold,
            .lack = Lack::removed_key,
            .tenant = tenant,
            .reason = why + ": nothing is read until it is back, or " + tenant.str() +
                      ".gone in the keyring says that it is gone on purpose (tenancy.removed_key)"};
}

std::vector<crypto::Recipient> with_break_glass(const crypto::Recipient& carried, const Keys& keys) {
    std::vector<crypto::Recipient> recipients{carried};
    for (const auto& glass : keys.break_glass)
        if (glass != carried && recipients.size() < crypto::recipients_max) recipients.push_back(glass);
    return recipients;
}

}  // namespace

std::string_view to_string(Decision::Action action) {
    switch (action) {
        case Decision::Action::seal: return "seal";
        case Decision::Action::quarantine: return "quarantine";
        case Decision::Action::drop: return "drop";
        case Decision::Action::hold: return "hold";
    }
    return "unknown";
}

std::string_view to_string(Lack lack) {
    switch (lack) {
        case Lack::none: return "nothing";
        case Lack::tenant: return "no tenant";
        case Lack::key: return "no key";
        case Lack::broken_key: return "a key file is broken";
        case Lack::removed_key: return "its key file was removed";
        case Lack::words: return "what its image set is not known";
        case Lack::pod: return "its pod's labels are not known";
    }
    return "unknown";
}

Decision decide(const Attribution& whose, const Keys& keys, const std::optional<Result<CarriedKey>>& carried,
                Unassigned policy, RemovedKey removed) {
    const auto& tenant = whose.tenant;
    // A carried key does not help a source without a tenant: a key says who can read, not whose it is.
    if (tenant == TenantId::unassigned())
        return without_key(keys, policy, Lack::tenant, "no tenant (" + whose.tenant_rule + ")");

    auto who = "tenant " + shown_name(tenant.str()) + " (" + whose.tenant_rule + ")";
    auto seal = [&](std::vector<crypto::Recipient> recipients, const std::string& with) -> Decision {
        return {.action = Decision::Action::seal,
                .tenant = tenant,
                .recipients = std::move(recipients),
                .reason = who + ": sealed for " + with};
    };
    if (!keys.held.empty())
        return {.action = Decision::Action::hold,
                .lack = Lack::broken_key,
                .tenant = tenant,
                .reason = who + ": " + keys.held + ": nothing is read until that is mended"};
    if (!keys.tenant.empty())
        return seal(keys.tenant, carried
                                     ? "its recipients of the keyring; the key that the container carries is not used"
                                     : "its recipients of the keyring");
    if (carried && *carried) {
        const auto& key = **carried;
        return seal(with_break_glass(key.recipient, keys),
                    key.derived ? "a key derived from the secret that the container carries"
                                : "the recipient that the container carries");
    }
    if (removed != RemovedKey::not_removed) return with_removed_key(tenant, keys, removed, who);
    if (!carried) return without_key(keys, policy, Lack::key, who + " has no key in the keyring and carries none");
    return without_key(keys, policy, Lack::key,
                       who + " has no key in the keyring, and what it carries is no key: " + carried->error().what);
}

Decision decide_without_place(const Attribution& whose, const Keys& keys, Unassigned policy, RemovedKey removed) {
    auto who = "tenant " + shown_name(whose.tenant.str()) + " (" + whose.tenant_rule + ")";
    if (removed != RemovedKey::not_removed) return with_removed_key(whose.tenant, keys, removed, who);
    return without_key(
        keys, policy, Lack::key,
        who + " has no key in the keyring, and as many such tenants as tenancy.carried_max allows are there");
}

}  // namespace boatswain::tenancy
