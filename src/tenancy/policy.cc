#include "tenancy/policy.h"

#include <algorithm>

namespace boatswain::tenancy {
namespace {

// Where lines go that cannot be sealed for a tenant.
Decision without_key(const Keys& keys, Unassigned policy, const std::string& why) {
    if (policy == Unassigned::drop)
        return {.action = Decision::Action::drop,
                .reason = why + ": its lines are dropped, as tenancy.unassigned says"};
    if (!keys.operators_held.empty())
        return {.action = Decision::Action::hold,
                .reason = why + ", and " + keys.operators_held + ": nothing is read until that is mended"};
    if (keys.operators.empty())
        return {.action = Decision::Action::hold,
                .reason =
                    why +
                    ", and the operator has no recipient to quarantine it for: nothing is read until the keyring has " +
                    TenantId::unassigned().str() + ".pub"};
    return {.action = Decision::Action::quarantine,
            .recipients = keys.operators,
            .reason = why + ": its lines are sealed for the operator as " + TenantId::unassigned().str()};
}

std::vector<segment::Recipient> with_break_glass(const segment::Recipient& carried, const Keys& keys) {
    std::vector<segment::Recipient> recipients{carried};
    for (const auto& glass : keys.break_glass)
        if (glass != carried && recipients.size() < segment::recipients_max) recipients.push_back(glass);
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

Decision decide(const Attribution& whose, const Keys& keys, const std::optional<Result<CarriedKey>>& carried,
                Unassigned policy) {
    const auto& tenant = whose.tenant;
    // A carried key does not help a source without a tenant: a key says who can read, not whose it is.
    if (tenant == TenantId::unassigned()) return without_key(keys, policy, "no tenant (" + whose.tenant_rule + ")");

    auto who = "tenant " + tenant.str() + " (" + whose.tenant_rule + ")";
    auto seal = [&](std::vector<segment::Recipient> recipients, const std::string& with) -> Decision {
        return {.action = Decision::Action::seal,
                .tenant = tenant,
                .recipients = std::move(recipients),
                .reason = who + ": sealed for " + with};
    };
    if (!keys.held.empty())
        return {.action = Decision::Action::hold,
                .tenant = tenant,
                .reason = who + ": " + keys.held + ": nothing is read until that is mended"};
    if (!keys.tenant.empty())
        return seal(keys.tenant, carried
                                     ? "its recipients of the keyring; the key that the container carries is not used"
                                     : "its recipients of the keyring");
    if (!carried) return without_key(keys, policy, who + " has no key in the keyring and carries none");
    if (!*carried)
        return without_key(keys, policy,
                           who + " has no key in the keyring, and what it carries is no key: " + carried->error().what);
    const auto& key = **carried;
    return seal(with_break_glass(key.recipient, keys), key.derived
                                                           ? "a key derived from the secret that the container carries"
                                                           : "the recipient that the container carries");
}

Decision decide_without_place(const Attribution& whose, const Keys& keys, Unassigned policy) {
    return without_key(
        keys, policy,
        "tenant " + whose.tenant.str() + " (" + whose.tenant_rule +
            ") has no key in the keyring, and as many such tenants as tenancy.carried_max allows are there");
}

}  // namespace boatswain::tenancy
