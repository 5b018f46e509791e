// One event of the API server's watch of pods (docs/intake/cri.md).
//
// Whoever may make pods chooses what is in it: every text is bounded, names are checked, and of labels and annotations
// those alone are kept that rules read. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "intake/pod_watch/pod.h"
#include "record/source_facts.h"

namespace boatswain::intake::cri {

struct PodEvent {
    enum class Is {
        there,     // a pod is there, or was changed
        gone,      // it was deleted
        bookmark,  // nothing happened up to `version`
        expired,   // the server does not know any more what happened since: everything has to be said again
        refused,   // the server says `why`, and the watch is over
    };
    Is is = Is::bookmark;
    Pod pod;                                        // there, gone
    std::map<std::string, std::string> attributes;  // there: "pod-label:team", "pod-annotation:example.com/team"
    std::string version;                            // resourceVersion: opaque, sent back as it is
    std::string why;                                // refused: printable
};

// Remedy::quarantine: it is no event that we understand; others may follow.
Result<PodEvent> parse_pod_event(std::string_view line, const WordFilter& filter);

// The message of a Status object, which refuses a request: printable, or empty.
std::string status_message(std::string_view body);

inline constexpr std::size_t version_bytes_max = 128;

}  // namespace boatswain::intake::cri
