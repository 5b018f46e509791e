// Whose a source is, and what becomes of its lines: what the intake asks of rules, keyring and policy.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "record/source.h"
#include "record/source_facts.h"
#include "tenancy/carried_key.h"
#include "tenancy/policy.h"

namespace boatswain::intake {

struct Assignment {
    tenancy::Decision decision;
    Attribution whose;                          // with the decision's tenant
    std::map<std::string, std::string> labels;  // to keep with the source
    bool soon = false;                          // held for a moment only: reassign() is called when more is known
    // Of a key that the container carries. The rules remember it as long as the container has this, too.
    std::shared_ptr<const tenancy::CarriedKey> carried;
    std::shared_ptr<const void> place;  // likewise: of its tenant, which has no key file (tenancy/carried_places.h)
};

// What the starter of a container said, apart from its image (intake/docker/images.h).
struct Starter {
    enum class Is { known, asked, held };  // asked: reassign() is called when it is known; held: when it may be
    Is is = Is::known;
    SourceFacts facts;  // known: labels and environment are the starter's alone
    std::string why;    // a sentence when it is not known, or when none of the words counts
};

struct Assigner {
    std::function<Assignment(const SourceFacts&)> assign;
    // None: labels and environment are taken for the starter's.
    std::function<Starter(const SourceFacts&)> starter;
    WordFilter keep;  // words of containers that rules and selection read
};

}  // namespace boatswain::intake
