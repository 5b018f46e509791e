// Rules: from what the engine says of a container to whose it is.
//
// A rule is `SOURCE` or `SOURCE ~ /REGEX/`, where SOURCE is one of
//   env:KEY      a variable of the container's environment (tenant-controlled: see docs/intake/docker.md)
//   label:KEY    a label
//   name         the container's name        image   the image as given to run
//   const:TEXT   TEXT itself
// With a regular expression (RE2), the answer is its first capture group, or the whole match without a group; no match is
// no answer. An empty value is no answer. The first rule of a list that answers wins.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/container.h"
#include "record/source.h"

namespace boatswain::tenancy {

class Rule {
  public:
    static Result<Rule> parse(std::string_view text);
    std::optional<std::string> answer(const engine::ContainerFacts& container) const;
    const std::string& text() const { return text_; }
    // The environment key it reads; nothing for other sources.
    std::optional<std::string> environment_key() const;

  private:
    Rule() = default;
    enum class From { environment, label, name, image, constant };
    std::string text_;
    From from_ = From::constant;
    std::string key_;
    std::shared_ptr<const void> regex_;  // an re2::RE2, shared between copies of the rule: immutable
};

// What [tenancy] of the configuration says, parsed.
struct RuleSet {
    std::vector<Rule> tenant;
    std::vector<Rule> app;
    std::vector<Rule> component;
    std::vector<Rule> instance;
    std::vector<Rule> recipient;
    std::vector<std::string> labels;  // label keys to keep with the source; "prefix.*" keeps all that start so

    // The environment keys that any rule reads: all that is kept of a container's environment.
    std::set<std::string, std::less<>> environment_keys() const;
};

// Rules as text, before parsing; a preset's name ("marathon", "mesos", "kubernetes", "swarm", "nomad", "compose", "ecs") as an
// element of a list stands for that preset's rules for this field.
struct RuleTexts {
    std::vector<std::string> tenant, app, component, instance, recipient, labels;
};
Result<RuleSet> parse_rules(const RuleTexts& texts);

// Whose `container` is. Never fails: without an answer, or with an invalid tenant name, the tenant is
// TenantId::unassigned() and tenant_rule says why.
Attribution attribute(const RuleSet& rules, const engine::ContainerFacts& container);

// Labels of `container` that the rules keep.
std::map<std::string, std::string> kept_labels(const RuleSet& rules, const engine::ContainerFacts& container);

// What `recipient` rules give: "age1..." as it is, anything else is taken as a secret and derived (tenancy/derive.h).
std::optional<std::string> carried_key(const RuleSet& rules, const engine::ContainerFacts& container);

}  // namespace boatswain::tenancy
