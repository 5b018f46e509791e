// Filters on the pods of Kubernetes, and on the runs of a container. They are answered from footers alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/filter.h"

namespace boatswain::query {

// Which container of which pod a source is. Borrowed from the source.
struct PodContainer {
    std::string_view space, pod, container, uid;
    std::uint32_t run = 0;  // how often it had been started again
};
// By what its intake calls it: "cri" names it NAMESPACE/POD/CONTAINER, with UID/CONTAINER/RUN as its id; the kubelet
// names a container of Docker k8s_CONTAINER_POD_NAMESPACE_UID_RUN. Nothing for whatever is called otherwise.
std::optional<PodContainer> pod_container(const Source& source);

// Empty ones ask for any.
struct PodWish {
    std::string space, pod;
    std::vector<std::string> containers;  // each by its name in the pod, or as container_is_one_of() takes it
};
FilterPtr pod_is(PodWish wish);

// Exactly these, by their ids.
FilterPtr source_is_one_of(std::vector<std::string> ids);

}  // namespace boatswain::query
