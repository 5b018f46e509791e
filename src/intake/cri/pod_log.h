// Which container's log a path below the pods directory is, and the other way round:
//
//   /var/log/pods/NAMESPACE_POD_UID/CONTAINER/RUN.log
//
// (kubernetes, pkg/kubelet/kuberuntime/helpers.go, BuildPodLogsDirectory and buildContainerLogsPath.) The kubelet makes
// these names from what its API server has checked; none of them holds '_' or '/'. RUN counts how often the container
// was started again. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "intake/pod_watch/pod.h"
#include "record/source_facts.h"

namespace boatswain::intake::cri {

std::optional<Pod> parse_pod(std::string_view directory);  // nothing: no pod's directory

struct PodLog {
    Pod pod;
    std::string container;
    std::uint32_t run = 0;
    auto operator<=>(const PodLog&) const = default;

    std::string id() const;    // "UID/CONTAINER/RUN": unique in the cluster
    std::string name() const;  // for people: "NAMESPACE/POD/CONTAINER"
    Path path(const Path& pods) const;
    // What rules read: the labels that dockershim gave such a container ("io.kubernetes.pod.namespace", ...), so that
    // the rules of the preset "kubernetes" hold for every runtime.
    SourceFacts facts() const;
};

// "3.log", and what rotation makes of it ("3.log.20261129-104753", "3.log.20261129-104753.gz"): 3.
std::optional<std::uint32_t> run_of(std::string_view file);
bool is_log(std::string_view file);  // "3.log" alone: the file that is written to

}  // namespace boatswain::intake::cri
