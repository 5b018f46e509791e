// Clusters for tests: short words for their parts, and a small Marathon that does what plans say.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "fleet/constraint.h"
#include "fleet/plan.h"

namespace boatswain::fleet::test {

inline const Timestamp start = *parse_time("2026-11-23T10:00:00Z");

inline Agent make_agent(const std::string& host, const std::string& id = "") {
    return {.id = id.empty() ? "agent-" + host : id,
            .hostname = host,
            .total = {{"*", {.cpus = 4, .mem = 4096, .disk = 1000, .ports = {{9000, 10000}, {31000, 32000}}}}},
            .used = ResourcesByRole{}};
}

inline Task make_task(const std::string& host, TaskState state = TaskState::running, const std::string& id = "") {
    return {.id = id.empty() ? "task-" + host : id, .host = host, .agent_id = "agent-" + host, .state = state};
}

inline Constraint make_constraint(const std::string& field, const std::string& op, const std::string& value = "") {
    return {.field = field,
            .op = operator_of(op),
            .value = value,
            .text = field + " " + op + (value.empty() ? "" : " " + value)};
}

inline App make_app(std::uint32_t instances) {
    return {.id = "/infra/boatswain",
            .instances = instances,
            .cpus = 0.2,
            .mem = 256,
            .constraints = {make_constraint("hostname", "UNIQUE")},
            .fixed_ports = {9435}};
}

// Hosts "a", "b", ... each with a running instance.
inline Cluster make_cluster(const std::vector<std::string>& hosts) {
    Cluster cluster;
    cluster.marathon.app = make_app(static_cast<std::uint32_t>(hosts.size()));
    for (const auto& host : hosts) {
        cluster.mesos.agents.push_back(make_agent(host));
        cluster.marathon.app->tasks.push_back(make_task(host));
    }
    return cluster;
}

inline void lose(Cluster& cluster, const std::string& host) {
    std::erase_if(cluster.mesos.agents, [&](const Agent& agent) { return agent.hostname == host; });
    for (auto& task : cluster.marathon.app->tasks)
        if (task.host == host) task.state = TaskState::unreachable;
}

inline Deployment make_deployment(const std::string& id, const std::string& action = "ScaleApplication",
                                  const std::string& app = "/infra/boatswain") {
    return {.id = id, .version = start, .apps = {app}, .actions = {{action, app}}};
}

// Marathon, as far as plans go: it kills and forgets instances, and starts those that wait on hosts that can have one.
class Marathon {
  public:
    explicit Marathon(Cluster& cluster) : cluster_(cluster) {}

    // What was killed though it ran on a host that `is_eligible`.
    std::vector<std::string> wrongly_killed;

    template <class IsEligible>
    void apply(const Action& action, const IsEligible& is_eligible) {
        auto& app = *cluster_.marathon.app;
        auto kill = [&](const std::string& id) {
            auto found = std::ranges::find(app.tasks, id, &Task::id);
            if (found == app.tasks.end()) return false;
            bool is_running = found->state == TaskState::running || found->state == TaskState::starting;
            if (is_running && is_eligible(*found)) wrongly_killed.push_back(id);
            app.tasks.erase(found);
            return true;
        };
        if (const auto* scale = std::get_if<ScaleTo>(&action.what)) {
            // Its victims: unreachable, starting, running; those that wait for a host last.
            std::size_t victims = app.instances > scale->to ? app.instances - scale->to : 0;
            app.instances = scale->to;
            for (auto state : {TaskState::unreachable, TaskState::starting, TaskState::running})
                while (victims > 0) {
                    auto found = std::ranges::find(app.tasks, state, &Task::state);
                    if (found == app.tasks.end()) break;
                    kill(std::string{found->id});
                    --victims;
                }
        } else if (const auto* remove = std::get_if<RemoveInstances>(&action.what)) {
            for (const auto& id : remove->tasks)
                if (kill(id)) --app.instances;
        } else if (const auto* replace = std::get_if<ReplaceInstance>(&action.what)) {
            kill(replace->task);
        } else {
            const auto& cancel = std::get<CancelDeployment>(action.what);
            std::erase_if(cluster_.marathon.deployments,
                          [&](const Deployment& one) { return one.id == cancel.deployment; });
        }
    }

    // Starts instances that wait, where `can_start` says so and none is.
    template <class CanStart>
    void place(const CanStart& can_start) {
        auto& app = *cluster_.marathon.app;
        for (const auto& agent : cluster_.mesos.agents) {
            if (app.tasks.size() >= app.instances) return;
            bool taken = std::ranges::any_of(app.tasks, [&](const Task& task) {
                return task.host == agent.hostname && task.state != TaskState::unreachable;
            });
            if (taken || !can_start(agent)) continue;
            auto task = make_task(agent.hostname, TaskState::running,
                                  "task-" + agent.hostname + "-" + std::to_string(++started_));
            task.agent_id = agent.id;
            app.tasks.push_back(std::move(task));
        }
    }

  private:
    Cluster& cluster_;
    int started_ = 0;
};

}  // namespace boatswain::fleet::test
