// A pod of Kubernetes, as everybody names it: the kubelet's paths, the API server's objects.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace boatswain::intake::cri {

struct Pod {
    std::string space, name, uid;  // "default", "web-0", "11111111-2222-..."; static pods have 32 hex digits as uid
    auto operator<=>(const Pod&) const = default;

    std::string directory() const { return space + "_" + name + "_" + uid; }  // below the kubelet's pods directory
};

// Nothing where these are no names of the Kubernetes API.
std::optional<Pod> make_pod(std::string_view space, std::string_view name, std::string_view uid);
bool is_container_name(std::string_view name);
bool is_node_name(std::string_view name);

}  // namespace boatswain::intake::cri
