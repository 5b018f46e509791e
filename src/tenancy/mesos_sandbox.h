// The identity of a container that a Mesos agent started, read from where its sandbox lies on the host.
//
// The Mesos docker containerizer binds
//   <work_dir>/slaves/<agentId>/frameworks/<frameworkId>/executors/<executorId>/runs/<containerId>
// to /mnt/mesos/sandbox (the agent's --sandbox_directory, default). The agent writes this path, not the tenant: unlike
// the environment it cannot be chosen by whoever submits a task. For a command task, which all of Marathon's are, the
// executor id is the task id.
//
// When the path holds a ':' the agent binds a symbolic link <work_dir>/slaves/<agentId>/docker/links/<containerId>
// instead: then nothing is found here, and rules fall through.
#pragma once

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

}  // namespace boatswain::tenancy
