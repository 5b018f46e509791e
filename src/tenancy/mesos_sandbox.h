// The identity of a container that a Mesos agent started, read from where its sandbox lies on the host.
//
// The Mesos docker containerizer binds
//   <work_dir>/slaves/<agentId>/frameworks/<frameworkId>/executors/<executorId>/runs/<containerId>
// to /mnt/mesos/sandbox (the agent's --sandbox_directory, default). The agent writes this path, not the tenant: unlike
// the environment it cannot be chosen by whoever submits a task. For a command task, which all of Marathon's are, the
// executor id is the task id.
//
// When the path holds a ':' the agent binds a symbolic link <work_dir>/slaves/<agentId>/docker/links/<containerId>
// instead (M/src/slave/containerizer/docker.cpp): follow_sandbox_link puts what it points to in its place. That needs
// the agent's work_dir under the same path here as on the host; without it nothing is found, and rules fall through.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace boatswain::tenancy {

inline constexpr std::string_view mesos_sandbox_destination = "/mnt/mesos/sandbox";

struct MesosSandbox {
    std::string agent;
    std::string framework;
    std::string executor;
    std::string container;
    bool operator==(const MesosSandbox&) const = default;
};

// `mounts` are (source on the host, destination in the container). Nothing when no mount, or more than one, is at
// the sandbox's destination, or its source is not of the agent's form.
std::optional<MesosSandbox> find_mesos_sandbox(const std::vector<std::pair<std::string, std::string>>& mounts);

// Where a symbolic link points to; nothing when there is none, or it cannot be read.
using ReadLink = std::function<std::optional<std::string>(const std::string& path)>;

// Where the sandbox's source is a link of the agent's, the path that it points to takes its place: only when that is a
// sandbox of the same agent and container, since the link's own name says both.
void follow_sandbox_link(std::vector<std::pair<std::string, std::string>>& mounts, const ReadLink& read_link);

}  // namespace boatswain::tenancy
