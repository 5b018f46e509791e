// Fail closed: what becomes of a source's lines, given whose they are and which keys there are.
//
//   tenant known; its key file is broken           hold: read nothing until it is mended
//   tenant known, in the keyring                   seal for the keyring's recipients; a carried key is ignored
//   tenant known, not in the keyring, carries one  seal for the carried recipient, and break-glass
//   the same without one; its key file was removed hold; when that is too long ago, drop: never the operator
//   no tenant, or no usable key; policy drop       drop
//   the same; policy quarantine                    seal for the operator, as tenant _unassigned
//   the same; the operator has no key either       hold: read nothing until there is one
//
// Nothing here ever ends in clear text, and nothing is sealed for nobody. Pure: values in, a value out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/recipient.h"
#include "record/source.h"
#include "tenancy/carried_key.h"
#include "tenancy/keyring.h"

namespace boatswain::tenancy {

// Of [tenancy] unassigned.
enum class Unassigned { quarantine, drop };

// What becomes of the lines of a tenant whose key file was removed (tenancy.removed_key, tenancy.removed_key_hold).
enum class RemovedKey {
    not_removed,  // or it counts as if it had never been there
    hold,         // until the file is back, or TENANT.gone says that it is gone on purpose
    too_old,      // it was held for as long as it may be
};

// Why lines are not sealed for a tenant.
enum class Lack { none, tenant, key, broken_key, removed_key, words, pod };
std::string_view to_string(Lack lack);  // "no key", for people; names nobody

struct Decision {
    enum class Action { seal, quarantine, drop, hold };
    Action action = Action::hold;
    Lack lack = Lack::none;                     // of all but seal
    TenantId tenant = TenantId::unassigned();   // seal, hold for a broken key: whose batch; else _unassigned
    std::vector<crypto::Recipient> recipients;  // seal and quarantine: at least one; drop and hold: none
    std::string reason;                         // a sentence for `boatswain why CONTAINER`; never holds a secret
};

std::string_view to_string(Decision::Action action);

// `carried` is what the container carries, resolved (tenancy/carried.h): nothing, a key, or why it is not one.
Decision decide(const Attribution& whose, const Keys& keys, const std::optional<Result<CarriedKey>>& carried,
                Unassigned policy, RemovedKey removed = RemovedKey::not_removed);

// For a tenant that carries its key, where there are too many such already (tenancy/carried_places.h).
Decision decide_without_place(const Attribution& whose, const Keys& keys, Unassigned policy,
                              RemovedKey removed = RemovedKey::not_removed);

}  // namespace boatswain::tenancy
