// Which containers are read: include and exclude rules of [docker].
//
//   label:KEY          has the label            label:KEY=VALUE   has it with that value
//   name:REGEX         the name matches         image:REGEX       the image as given to run matches (RE2, anywhere in
//   it)
//
// No include rule: all. An exclude rule wins over an include rule. The label boatswain.exclude=true always excludes.
// An image must not hide its containers, so of labels that exclude only the starter's count. A label of the kubelet's
// (io.kubernetes.*) excludes only beside io.kubernetes.pod.uid, which all of its containers have.
//
// The labels boatswain.exclude and boatswain.attach are true or false in the forms that Docker takes (engine/truth.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "record/source_facts.h"

namespace boatswain::intake::docker {

class Selection {
  public:
    static Result<Selection> parse(const std::vector<std::string>& include, const std::vector<std::string>& exclude);
    // Why `container` is not read; nothing when it is. `starter`: the same container with the labels of its starter
    // alone.
    std::optional<std::string> reason_against(const SourceFacts& container, const SourceFacts& starter) const;
    // Whether a label excludes it, should that be the starter's word: so `starter` is needed to say more.
    bool hangs_on_a_label(const SourceFacts& container) const;
    // Whether a rule looks at the label, or we do always.
    bool names_label(std::string_view label) const;

  private:
    struct Rule {
        std::string text;
        std::string label;  // with label: rules
        std::optional<std::string> value;
        bool by_name = false;
        std::shared_ptr<const void> regex;  // an re2::RE2, shared between copies: immutable
    };
    static Result<Rule> parse_rule(const std::string& text);
    static bool matches(const Rule& rule, const SourceFacts& container);

    std::vector<Rule> include_;
    std::vector<Rule> exclude_;
};

inline constexpr std::string_view exclude_label = "boatswain.exclude";
inline constexpr std::string_view attach_label = "boatswain.attach";

// Whether the container has the label, and it is true.
bool label_is_true(const SourceFacts& container, std::string_view label);
// Those of our labels whose value is neither true nor false: somebody wished for something, and does not get it.
std::vector<std::string_view> labels_not_understood(const SourceFacts& container);

// The ids of containers that this process runs in, as far as /proc tells: they are never read, since an agent that
// ships its own log would never come to rest.
std::vector<std::string> own_container_ids();

}  // namespace boatswain::intake::docker
