#include "fleet/marathon_json.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/json_reader.h"
#include "fleet/constraint.h"

namespace boatswain::fleet {
namespace {

constexpr std::uint32_t port_max = 65535;
constexpr std::size_t reasons_max = 100;

std::unexpected<Error> too_many(std::string_view what) {
    return fail(Remedy::quarantine, "Marathon's answer holds more " + std::string{what} + " than this program takes");
}

// Source: Marathon's task states are Mesos' own (TASK_*), and what it makes of them.
TaskState state_of(std::string_view name, bool started) {
    constexpr std::array<std::pair<std::string_view, TaskState>, 18> states{{
        {"TASK_RUNNING", TaskState::running},
        {"TASK_STAGING", TaskState::starting},
        {"TASK_STARTING", TaskState::starting},
        {"TASK_CREATED", TaskState::starting},
        {"TASK_KILLING", TaskState::killing},
        {"TASK_UNREACHABLE", TaskState::unreachable},
        {"TASK_UNREACHABLE_INACTIVE", TaskState::unreachable},
        {"TASK_LOST", TaskState::unreachable},
        {"TASK_UNKNOWN", TaskState::unreachable},
        {"TASK_GONE_BY_OPERATOR", TaskState::ended},
        {"TASK_ERROR", TaskState::ended},
        {"TASK_FAILED", TaskState::ended},
        {"TASK_FINISHED", TaskState::ended},
        {"TASK_KILLED", TaskState::ended},
        {"TASK_GONE", TaskState::ended},
        {"TASK_DROPPED", TaskState::ended},
        {"TASK_RESERVED", TaskState::ended},
        {"TASK_SCHEDULED", TaskState::ended},
    }};
    if (name.empty()) return started ? TaskState::running : TaskState::starting;  // before 1.1
    auto found = std::ranges::find(states, name, &std::pair<std::string_view, TaskState>::first);
    return found == states.end() ? TaskState::starting : found->second;
}

Task task_of(const json::element& value) {
    auto fields = json::as_object(value);
    Task task{.id = json::text_of(fields, "id"),
              .host = json::text_of(fields, "host"),
              .agent_id = json::text_of(fields, "slaveId"),
              .started = json::time_of(fields, "startedAt")};
    task.state = state_of(json::text_of(fields, "state"), task.started.has_value());
    json::for_each(fields, "healthCheckResults", reasons_max, [&](const json::element& one) {
        auto alive = json::get<bool>(json::as_object(one), "alive");
        if (alive) task.healthy = task.healthy.value_or(true) && *alive;
    });
    return task;
}

Constraint constraint_of(const json::element& value) {
    Constraint constraint;
    json::array parts;
    if (value.get(parts)) return constraint;
    std::size_t at = 0;
    for (auto part : parts) {
        auto text = std::string{json::as_text(part).value_or("")};
        if (at > 2) break;
        if (!text.empty()) constraint.text += (at > 0 ? " " : "") + text;
        if (at == 0) constraint.field = text;
        if (at == 1) constraint.op = operator_of(text);
        if (at == 2) constraint.value = text;
        ++at;
    }
    return constraint;
}

void add_port(App& app, std::int64_t port, bool fixed) {
    if (fixed && port > 0 && port <= port_max)
        app.fixed_ports.push_back(static_cast<std::uint32_t>(port));
    else
        ++app.other_ports;
}

void read_ports(App& app, const json::object& fields) {
    auto container = json::object_of(fields, "container");
    auto docker = json::object_of(container, "docker");
    for (const auto& holder : {container, docker}) {  // 1.5 and later; before
        if (!json::get<json::array>(holder, "portMappings")) continue;
        json::for_each(holder, "portMappings", ports_max, [&](const json::element& one) {
            auto port = json::get<std::int64_t>(json::as_object(one), "hostPort");
            if (port) add_port(app, *port, true);
        });
        return;
    }
    bool required = json::flag_of(fields, "requirePorts");
    if (json::get<json::array>(fields, "portDefinitions")) {
        json::for_each(fields, "portDefinitions", ports_max, [&](const json::element& one) {
            add_port(app, json::integer_of(json::as_object(one), "port"), required);
        });
        return;
    }
    json::for_each(fields, "ports", ports_max, [&](const json::element& one) {
        std::int64_t port = 0;
        if (!one.get(port)) add_port(app, port, required);
    });
}

void add_action(Deployment& deployment, const json::element& value) {
    auto fields = json::as_object(value);
    auto action = json::text_of(fields, "action");
    if (action.empty()) action = json::text_of(fields, "type");
    deployment.has_pods |= !json::text_of(fields, "pod").empty();
    deployment.actions.push_back({std::move(action), json::text_of(fields, "app")});
}

Deployment deployment_of(const json::element& value) {
    auto fields = json::as_object(value);
    Deployment deployment{.id = json::text_of(fields, "id"), .version = json::time_of(fields, "version")};
    json::for_each(fields, "affectedApps", deployment_actions_max,
                   [&](const json::element& one) { deployment.apps.emplace_back(json::as_text(one).value_or("")); });
    json::for_each(fields, "affectedPods", deployment_actions_max,
                   [&](const json::element&) { deployment.has_pods = true; });
    // Too much to look at is never purely a scaling of one app.
    auto add = [&](const json::element& one) { add_action(deployment, one); };
    json::for_each(fields, "steps", deployment_actions_max, [&](const json::element& step) {
        if (deployment.actions.size() > deployment_actions_max) return;
        auto of_step = json::as_object(step);
        bool all = of_step ? json::for_each(of_step, "actions", deployment_actions_max, add) : true;
        json::array old;  // before 1.0 a step is the list itself
        if (!step.get(old))
            for (auto one : old) add(one);
        if (!all) deployment.actions.push_back({"more", ""});
    });
    json::for_each(fields, "currentActions", deployment_actions_max, add);
    return deployment;
}

}  // namespace

Result<App> parse_app(std::string_view body) {
    json::parser parser;
    TRY(auto root, json::parse_object(parser, body, "Marathon's answer about the app"));
    auto fields = json::object_of(root, "app");
    if (!fields) return fail(Remedy::quarantine, "Marathon's answer about the app holds no app");
    App app{.id = json::text_of(fields, "id"),
            .cpus = json::number_of(fields, "cpus"),
            .mem = json::number_of(fields, "mem"),
            .disk = json::number_of(fields, "disk"),
            .gpus = json::number_of(fields, "gpus"),
            .role = json::text_of(fields, "role")};
    auto instances = json::get<std::int64_t>(fields, "instances");
    if (app.id.empty() || !instances || *instances < 0 || *instances > instances_max)
        return fail(Remedy::quarantine, "Marathon's answer about the app has no id, or no count of instances");
    app.instances = static_cast<std::uint32_t>(*instances);
    bool all = json::for_each(fields, "constraints", constraints_max,
                              [&](const json::element& one) { app.constraints.push_back(constraint_of(one)); });
    if (!all) return too_many("constraints");
    json::for_each(fields, "acceptedResourceRoles", reasons_max, [&](const json::element& one) {
        if (auto role = json::as_text(one)) app.roles.emplace_back(*role);
    });
    json::for_each(fields, "healthChecks", reasons_max, [&](const json::element&) { app.has_health_checks = true; });
    read_ports(app, *fields);
    all = json::for_each(fields, "tasks", tasks_max,
                         [&](const json::element& one) { app.tasks.push_back(task_of(one)); });
    if (!all) return too_many("tasks");
    all = json::for_each(fields, "deployments", deployments_max, [&](const json::element& one) {
        app.deployments.push_back(json::text_of(json::as_object(one), "id"));
    });
    if (!all) return too_many("deployments");
    return app;
}

Result<std::vector<Deployment>> parse_deployments(std::string_view body, const std::string& app) {
    json::parser parser;
    TRY(auto root, json::parse(parser, body, "Marathon's answer about deployments"));
    json::array list;
    if (root.get(list)) return fail(Remedy::quarantine, "Marathon's answer about deployments is not a list");
    std::vector<Deployment> ours;
    std::size_t count = 0;
    for (auto one : list) {
        if (++count > deployments_max) return too_many("deployments");
        auto deployment = deployment_of(one);
        bool touches = std::ranges::find(deployment.apps, app) != deployment.apps.end() ||
                       std::ranges::find(deployment.actions, app, &DeploymentAction::app) != deployment.actions.end();
        if (touches) ours.push_back(std::move(deployment));
    }
    return ours;
}

Result<std::optional<QueueItem>> parse_queue(std::string_view body, const std::string& app) {
    json::parser parser;
    TRY(auto root, json::parse_object(parser, body, "Marathon's answer about its queue"));
    std::optional<QueueItem> found;
    bool all = json::for_each(root, "queue", queue_max, [&](const json::element& one) {
        auto fields = json::as_object(one);
        if (json::text_of(json::object_of(fields, "app"), "id") != app) return;
        auto& item = found.emplace();
        item.count =
            static_cast<std::uint32_t>(std::clamp<std::int64_t>(json::integer_of(fields, "count"), 0, instances_max));
        item.delay_seconds = json::integer_of(json::object_of(fields, "delay"), "timeLeftSeconds");
        auto summary = json::object_of(fields, "processedOffersSummary");
        json::for_each(summary, "rejectSummaryLastOffers", reasons_max, [&](const json::element& reason) {
            auto said = json::as_object(reason);
            item.reasons.push_back({json::text_of(said, "reason"), json::integer_of(said, "declined"),
                                    json::integer_of(said, "processed")});
        });
        json::for_each(fields, "lastUnusedOffers", queue_max, [&](const json::element& unused) {
            auto offer = json::as_object(unused);
            auto& reasons = item.by_host[json::text_of(json::object_of(offer, "offer"), "hostname")];
            reasons.clear();
            json::for_each(offer, "reason", reasons_max, [&](const json::element& reason) {
                if (auto text = json::as_text(reason)) reasons.emplace_back(*text);
            });
        });
    });
    if (!all) return too_many("queued apps");
    return found;
}

Result<MarathonInfo> parse_info(std::string_view body) {
    json::parser parser;
    TRY(auto root, json::parse_object(parser, body, "Marathon's answer to /v2/info"));
    auto config = json::object_of(root, "marathon_config");
    MarathonInfo info{.version = json::text_of(root, "version"),
                      .role = json::text_of(config, "mesos_role"),
                      .mesos_url = json::text_of(config, "mesos_leader_ui_url"),
                      .leader = json::text_of(root, "leader")};
    if (info.role.empty()) info.role = "*";
    return info;
}

std::vector<std::string> parse_blocking(std::string_view body) {
    json::parser parser;
    auto root = json::parse_object(parser, body, "");
    std::vector<std::string> ids;
    if (!root) return ids;
    json::for_each(*root, "deployments", deployments_max,
                   [&](const json::element& one) { ids.push_back(json::text_of(json::as_object(one), "id")); });
    return ids;
}

std::string parse_message(std::string_view body) {
    json::parser parser;
    auto root = json::parse_object(parser, body, "");
    return root ? printable(json::text_of(*root, "message")) : std::string{};
}

}  // namespace boatswain::fleet
