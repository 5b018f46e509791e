// What rules call the words of a pod of Kubernetes, and what they answer while nobody knows these words.
//
// A pod's labels and annotations come from its cluster's API server, its namespace from the kubelet's path. They are
// attributes of a source (SourceFacts::attributes), so that no label of a container passes for one. Where they have to
// be known and are not, a rule that reads one answers with word_not_known: that names no tenant, gives no key, and no
// weaker rule is asked in its place, for that would be to guess.
#pragma once

#include <string_view>

namespace boatswain::tenancy {

inline constexpr std::string_view pod_label_prefix = "pod-label:";            // "pod-label:team"
inline constexpr std::string_view pod_annotation_prefix = "pod-annotation:";  // "pod-annotation:example.com/team"
inline constexpr std::string_view namespace_attribute = "namespace";

constexpr bool is_pod_word(std::string_view key) {
    return key.starts_with(pod_label_prefix) || key.starts_with(pod_annotation_prefix);
}

inline constexpr std::string_view word_not_known = "\x01not known";
// Keys of attributes that say so; their values are reasons, for people.
inline constexpr std::string_view pod_not_known = "\x01pod";                  // of its labels and annotations
inline constexpr std::string_view environment_not_known = "\x01environment";  // of its variables

constexpr bool says_not_known(std::string_view key) { return key == pod_not_known || key == environment_not_known; }

}  // namespace boatswain::tenancy
