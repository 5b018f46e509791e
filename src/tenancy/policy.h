// Fail closed: what becomes of a source's lines, given whose they are and which keys there are.
//
//   tenant known; its key file is broken           hold: read nothing until it is mended
//   tenant known, in the keyring                   seal for the keyring's recipients; a carried key is ignored
//   tenant known, not in the keyring, carries one  seal for the carried recipient, and break-glass
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
#include "record/source.h"
#include "segment/recipient.h"
#include "tenancy/carried_key.h"
#include "tenancy/keyring.h"

namespace boatswain::tenancy {

// Of [tenancy] unassigned.
enum class Unassigned { quarantine, drop };

struct Decision {
    enum class Action { seal, quarantine, drop, hold };
    Action action = Action::hold;
    TenantId tenant = TenantId::unassigned();    // seal, hold for a broken key: whose batch; else _unassigned
    std::vector<segment::Recipient> recipients;  // seal and quarantine: at least one; drop and hold: none
    std::string reason;                          // a sentence for `boatswain why CONTAINER`; never holds a secret
};

std::string_view to_string(Decision::Action action);

// `carried` is what the container carries, resolved (tenancy/carried.h): nothing, a key, or why it is not one.
Decision decide(const Attribution& whose, const Keys& keys, const std::optional<Result<CarriedKey>>& carried,
                Unassigned policy);

// For a tenant that carries its key, where there are too many such already (tenancy/carried_places.h).
Decision decide_without_place(const Attribution& whose, const Keys& keys, Unassigned policy);

}  // namespace boatswain::tenancy
