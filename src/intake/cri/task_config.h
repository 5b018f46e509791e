// What containerd says of a container in the task's config.json, the OCI runtime's specification: whose it is, and its
// variables (docs/intake/cri.md).
//
// Whoever may make pods chooses the variables and may choose annotations: names are checked, and of the variables those
// alone are kept that rules read, within the bounds of WordKeeper. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "intake/pod_watch/pod.h"
#include "record/source_facts.h"

namespace boatswain::intake::cri {

struct PodTask {
    Pod pod;
    std::string container;
    std::map<std::string, std::string> environment;  // its own variables, and its image's: nobody tells them apart here
};

// Variables of one container that are looked at.
inline constexpr std::size_t variables_max = 10'000;

// Nothing: it is no container of a pod, but a pod's sandbox or another client's. Remedy::quarantine: it is not whole (it
// may be written this moment), or nothing that we understand.
Result<std::optional<PodTask>> parse_task_config(std::string_view text, const WordFilter& filter);

}  // namespace boatswain::intake::cri
