// Marathon's placement constraints, as far as they decide on which hosts one app may run.
//
// Source: mesosphere/marathon, mesos/Constraints.scala, and its document constraints.md.
//   LIKE, UNLIKE    the whole value matches a regular expression (Java's there, RE2 here: one that RE2 refuses cannot
//                   be evaluated, and then nothing is known)
//   IS, CLUSTER     the value is this one; CLUSTER without one: all on the same, whichever was first
//   UNIQUE          each value once
//   MAX_PER         each value so many times
//   GROUP_BY        evenly: a value is taken again only when no other one has fewer
// A host without the attribute matches UNLIKE alone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fleet/cluster.h"

namespace boatswain::fleet {

inline constexpr std::size_t constraints_max = 64;
inline constexpr std::size_t pattern_bytes_max = 4096;

Operator operator_of(std::string_view name);

// The value that a constraint looks at; nothing when the host has no such attribute.
std::optional<std::string> field_value(const Agent& agent, const std::string& field);

// The constraints of one app, their expressions compiled.
class ConstraintSet {
  public:
    // Remedy::stop for what cannot be evaluated here: an unknown operator, an expression that RE2 refuses.
    static Result<ConstraintSet> make(const std::vector<Constraint>& constraints);
    ~ConstraintSet();
    ConstraintSet(ConstraintSet&&) noexcept;
    ConstraintSet& operator=(ConstraintSet&&) noexcept;

    // What keeps an agent from ever matching, by itself; nothing when it may match.
    std::optional<std::string> refuses(const Agent& agent) const;

    // Which of `candidates` can hold an instance at the same time. Those that come first are preferred: put hosts that
    // have an instance already at the front, of which there are `placed`.
    std::vector<const Agent*> fitting(const std::vector<const Agent*>& candidates, std::size_t placed) const;

    // Whether they say that no host gets two instances.
    bool one_per_host() const;

  private:
    struct Compiled;
    explicit ConstraintSet(std::vector<Compiled> constraints);
    std::vector<Compiled> constraints_;
};

}  // namespace boatswain::fleet
