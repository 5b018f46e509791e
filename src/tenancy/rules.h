// Rules: from what is known of a source (record/source_facts.h) to whose it is.
//
// A rule is `SOURCE` or `SOURCE ~ /REGEX/`, where SOURCE is one of
//   env:KEY      a variable of the container's environment
//   label:KEY    a label
//   name         the container's name        image   the image as given to run
//   const:TEXT   TEXT itself
//   mesos:task   mesos:framework   mesos:agent
//                attributes: the executor id (for Marathon: the task id), framework id and agent id, by the host path
//                that the Mesos agent binds to /mnt/mesos/sandbox (tenancy/mesos_sandbox.h)
//   pod-label:KEY   pod-annotation:KEY   namespace
//                attributes of a pod of Kubernetes (tenancy/pod_words.h)
// With a regular expression (RE2, found anywhere in the value), the answer is its first capture group, or the whole
// match without a group; no match is no answer. The expression ends at the last '/' of the rule, so that it may hold
// slashes itself. An empty value is no answer. The first rule of a list that answers wins.
//
// In the list of recipients a rule may be `secret:RULE` ("secret:env:KEY"): what RULE answers with may be a secret to
// derive a key from. Without it, an answer is a recipient or nothing (tenancy/carried_key.h).
//
// Environment and most labels are written by whoever starts the container; which sources can be trusted for what is in
// docs/intake/tenancy.md. Every value is hostile: it is bounded, made printable, and a tenant's name is checked.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "record/source.h"
#include "record/source_facts.h"
#include "tenancy/carried_key.h"

namespace re2 {
class RE2;
}

namespace boatswain::tenancy {

inline constexpr std::size_t rules_max = 100;             // in one list
inline constexpr std::size_t rule_bytes_max = 1024;       // text of one rule
inline constexpr std::size_t value_bytes_max = 64 << 10;  // of a value that a rule looks at; the rest is not seen
inline constexpr std::size_t text_bytes_max = 256;        // of app, component, instance
inline constexpr std::size_t reason_bytes_max = 512;      // of Attribution::tenant_rule
inline constexpr std::size_t kept_labels_max = 64;        // per container
inline constexpr std::size_t label_bytes_max = 1024;      // of one kept value

class Rule {
  public:
    // Remedy::stop with a sentence that begins with the rule: `evn:TENANT: unknown source "evn", did you mean "env"?`.
    static Result<Rule> parse(std::string_view text);

    std::optional<std::string> answer(const SourceFacts& container) const;
    const std::string& text() const { return text_; }
    bool is_secret() const { return secret_; }  // "secret:..."
    // Whether it reads a label or variable that the container has: a word that its image may have set.
    bool reads_a_word_of(const SourceFacts& container) const;
    // The environment key it reads; nothing for other sources.
    std::optional<std::string> environment_key() const;
    std::optional<std::string> label_key() const;  // likewise; of a pod's words with what they begin with

  private:
    Rule() = default;
    enum class From { environment, label, name, image, constant, attribute };
    friend struct RuleParser;

    // What the source says, before the regular expression.
    std::optional<std::string> value(const SourceFacts& container) const;

    std::string text_;
    bool secret_ = false;
    From from_ = From::constant;
    std::string key_;
    std::shared_ptr<const re2::RE2> regex_;  // shared between copies of the rule: immutable
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
    // The labels that any rule reads; keeps_label() has those of `labels`, too.
    std::set<std::string, std::less<>> label_keys() const;
};

// Rules as text, before parsing; a preset's name ("marathon", "mesos", "kubernetes", "swarm", "nomad", "compose",
// "ecs"; tenancy/presets.h) as an element of a list stands for that preset's rules for this field.
struct RuleTexts {
    std::vector<std::string> tenant, app, component, instance, recipient, labels;
};

// Remedy::stop; the error lists every mistake, one a line: `tenancy.tenant, rule 2: evn:TENANT: unknown source ...`.
Result<RuleSet> parse_rules(const RuleTexts& texts);

// Whether the label is one that `rules.labels` keeps with a source.
bool keeps_label(const RuleSet& rules, std::string_view key);

// Whose `container` is. Never fails: without an answer, or with an invalid tenant name, the tenant is
// TenantId::unassigned() and tenant_rule says why. A tenant rule that answers with an invalid name ends the search: the
// container said something, and to pass on to a weaker rule would be to guess. app is never empty.
Attribution attribute(const RuleSet& rules, const SourceFacts& container);
// The same, with the tenant by `starter`: the container with the labels and environment of its starter alone. Where its
// image would have named a tenant, tenant_rule says that this does not count.
Attribution attribute(const RuleSet& rules, const SourceFacts& container, const SourceFacts& starter);

// Whether the rules for tenant and recipient read a word of the container's: then it matters who said it.
bool reads_words(const RuleSet& rules, const SourceFacts& container);

// Labels of `container` that the rules keep, printable and bounded; of a Mesos task's sandbox, where a rule asks for
// them, "mesos:task", "mesos:agent", "mesos:framework" and "mesos:container".
std::map<std::string, std::string> kept_labels(const RuleSet& rules, const SourceFacts& container);

// What `recipient` rules give; what it means says tenancy/carried_key.h. It may be a secret: never log it.
std::optional<CarriedText> carried_text(const RuleSet& rules, const SourceFacts& container);

}  // namespace boatswain::tenancy
