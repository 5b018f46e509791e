// What was asked for and never met: a misspelt container must not look like one that printed nothing.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "boatswain/output.h"
#include "record/source.h"
#include "store/store.h"

namespace boatswain::tool {

class Unmatched {
  public:
    static constexpr std::size_t names_max = 1000;  // kept to find one that is near
    static constexpr std::size_t names_told_max = 10;

    // What was asked for by name.
    struct Names {
        std::vector<std::string> apps{}, containers{};
        std::string space{}, pod{};  // of Kubernetes: then a container may be named as its pod names it
    };
    Unmatched() = default;
    explicit Unmatched(const Names& names);

    // A source that segments of this stretch of time hold.
    void met(const Source& source);

    // One sentence for each name that was asked for and is not there, with one that is near, or those that are there.
    std::vector<std::string> sentences() const;

  private:
    struct Wanted {
        std::string name;
        bool met = false;
    };
    // Those of one kind: "app", "container".
    struct Kind {
        std::string noun;
        std::vector<Wanted> wanted{};
        std::set<std::string> there{};
        bool more_there = false;

        void add(const std::string& name);
        std::string sentence(const Wanted& one) const;
    };

    bool by_pod_ = false;
    Kind apps_{.noun = "app"}, containers_{.noun = "container"}, spaces_{.noun = "namespace"}, pods_{.noun = "pod"};
};

// "; did you mean "acme"?" for a tenant that the store does not hold, or nothing: also where the store lets nobody
// list.
std::string suggestion_for_tenant(store::Store& store, const TenantId& tenant);

}  // namespace boatswain::tool
