#include "tenancy/presets.h"

#include <algorithm>
#include <array>

namespace boatswain::tenancy {
namespace {

using List = std::span<const std::string_view>;

// Marathon: the application's labels arrive as environment (upper-cased, other characters as '_'), not as Docker
// labels. The application's id is a path; its first part is the team or tenant where there are several parts.
constexpr std::string_view marathon_tenant[]{"env:MARATHON_APP_LABEL_TENANT", "env:MARATHON_APP_ID ~ /^/([^/]+)/./"};
constexpr std::string_view marathon_app[]{"env:MARATHON_APP_ID"};
constexpr std::string_view marathon_instance[]{"label:MESOS_TASK_ID", "env:MESOS_TASK_ID"};
constexpr std::string_view marathon_labels[]{"MESOS_TASK_ID"};

// Mesos: from the sandbox's path alone. Marathon's task ids are the application's path with '_' for '/', then '.', then
// a uuid with or without a prefix: "acme_shop.5f0c...", "acme_shop.instance-5f0c..._app.1" (the path itself cannot hold
// '_').
constexpr std::string_view mesos_tenant[]{"mesos:task ~ /^([^_.]+(?:\\.[^_.]+)*)_/"};
constexpr std::string_view mesos_app[]{"mesos:task ~ /^(.+?)\\.(?:instance-|marathon-)?[0-9a-f]{8}-[0-9a-f]{4}-/",
                                       "mesos:task"};
constexpr std::string_view mesos_instance[]{"mesos:task"};
constexpr std::string_view mesos_labels[]{"mesos:*"};

// Kubernetes (cri-dockerd, dockershim): an application container has four labels of its own. What owns the pod is not
// among them, but generated names end in characters of a fixed alphabet (k8s.io/apimachinery util/rand: no vowels, no
// 0, 1 and 3): a Deployment's pods in "-HASH-XXXXX", a DaemonSet's and a Job's in "-XXXXX", a StatefulSet's in "-N".
constexpr std::string_view kubernetes_tenant[]{"label:io.kubernetes.pod.namespace"};
constexpr std::string_view kubernetes_app[]{
    "label:io.kubernetes.pod.name ~ /^(.+)-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$/",
    "label:io.kubernetes.pod.name ~ /^(.+)-[bcdfghjklmnpqrstvwxz2456789]{5}$/",
    "label:io.kubernetes.pod.name ~ /^(.+)-[0-9]{1,5}$/",
    "label:io.kubernetes.pod.name",
};
constexpr std::string_view kubernetes_component[]{"label:io.kubernetes.container.name"};
constexpr std::string_view kubernetes_instance[]{"label:io.kubernetes.pod.name"};
constexpr std::string_view kubernetes_labels[]{"io.kubernetes.pod.uid", "io.kubernetes.pod.name",
                                               "io.kubernetes.pod.namespace", "io.kubernetes.container.name"};

// Swarm: system labels override those of the user, so a service cannot claim another's name. The stack's is an ordinary
// label.
constexpr std::string_view swarm_tenant[]{"label:com.docker.stack.namespace"};
constexpr std::string_view swarm_app[]{"label:com.docker.swarm.service.name"};
constexpr std::string_view swarm_instance[]{"label:com.docker.swarm.task.name", "label:com.docker.swarm.task.id"};
constexpr std::string_view swarm_labels[]{"com.docker.stack.namespace", "com.docker.swarm.*"};

// Nomad: only the allocation's id is always a label; the others need the plugin's extra_labels. The environment has
// them all.
constexpr std::string_view nomad_tenant[]{"label:com.hashicorp.nomad.namespace", "env:NOMAD_NAMESPACE"};
constexpr std::string_view nomad_app[]{"label:com.hashicorp.nomad.job_name", "env:NOMAD_JOB_NAME", "env:NOMAD_JOB_ID"};
constexpr std::string_view nomad_component[]{"label:com.hashicorp.nomad.task_name", "env:NOMAD_TASK_NAME"};
constexpr std::string_view nomad_instance[]{"label:com.hashicorp.nomad.alloc_id", "env:NOMAD_ALLOC_ID"};
constexpr std::string_view nomad_labels[]{"com.hashicorp.nomad.*"};

constexpr std::string_view compose_tenant[]{"label:com.docker.compose.project"};
constexpr std::string_view compose_app[]{"label:com.docker.compose.service"};
constexpr std::string_view compose_instance[]{"label:com.docker.compose.container-number"};
constexpr std::string_view compose_labels[]{"com.docker.compose.project", "com.docker.compose.service",
                                            "com.docker.compose.container-number"};

// ECS: the service's name is not on the container; the task definition's family is the nearest to it.
constexpr std::string_view ecs_tenant[]{"label:com.amazonaws.ecs.cluster ~ /([^/]+)$/"};
constexpr std::string_view ecs_app[]{"label:com.amazonaws.ecs.task-definition-family"};
constexpr std::string_view ecs_component[]{"label:com.amazonaws.ecs.container-name"};
constexpr std::string_view ecs_instance[]{"label:com.amazonaws.ecs.task-arn ~ /([^/]+)$/"};
constexpr std::string_view ecs_labels[]{"com.amazonaws.ecs.*"};

constexpr std::array all{
    Preset{"marathon", marathon_tenant, marathon_app, List{}, marathon_instance, marathon_labels},
    Preset{"mesos", mesos_tenant, mesos_app, List{}, mesos_instance, mesos_labels},
    Preset{"kubernetes", kubernetes_tenant, kubernetes_app, kubernetes_component, kubernetes_instance,
           kubernetes_labels},
    Preset{"swarm", swarm_tenant, swarm_app, List{}, swarm_instance, swarm_labels},
    Preset{"nomad", nomad_tenant, nomad_app, nomad_component, nomad_instance, nomad_labels},
    Preset{"compose", compose_tenant, compose_app, List{}, compose_instance, compose_labels},
    Preset{"ecs", ecs_tenant, ecs_app, ecs_component, ecs_instance, ecs_labels},
};

}  // namespace

std::span<const Preset> presets() { return all; }

const Preset* find_preset(std::string_view name) {
    const auto* found = std::ranges::find(all, name, &Preset::name);
    return found == all.end() ? nullptr : found;
}

}  // namespace boatswain::tenancy
