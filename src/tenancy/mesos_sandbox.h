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
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace boatswain::tenancy {

inline constexpr std::string_view mesos_sandbox_destination = "/mnt/mesos/sandbox";

// Keys of SourceFacts::attributes that a sandbox gives.
inline constexpr std::string_view mesos_prefix = "mesos:";  // no label that starts so is kept: it could pass for one
inline constexpr std::string_view mesos_task_attribute = "mesos:task";  // the executor's id
inline constexpr std::string_view mesos_framework_attribute = "mesos:framework";
inline constexpr std::string_view mesos_agent_attribute = "mesos:agent";
inline constexpr std::string_view mesos_container_attribute = "mesos:container";

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

// On this host.
std::optional<std::string> read_link(const std::string& path);

// What a container's mounts say of its sandbox, links followed, as attributes: all four, or none. An intake whose
// containers have mounts calls it at its door.
std::map<std::string, std::string> sandbox_attributes(std::vector<std::pair<std::string, std::string>> mounts,
                                                      const ReadLink& read_link);
// The sandbox that they tell of.
std::optional<MesosSandbox> sandbox_of(const std::map<std::string, std::string>& attributes);

}  // namespace boatswain::tenancy
