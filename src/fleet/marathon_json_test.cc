#include "fleet/marathon_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/plan.h"

namespace boatswain::fleet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

App app_of(const std::string& more) {
    auto app = parse_app(R"({"app":{"id":"/a","instances":3,"cpus":0.2,"mem":256)" + (more.empty() ? "" : "," + more) +
                         "}}");
    EXPECT_TRUE(app) << app.error().what;
    return app ? *app : App{};
}

TEST(MarathonJson, ReadsTheApp) {
    auto app = app_of(R"("role":"prod","acceptedResourceRoles":["slave_public","*"],
        "constraints":[["hostname","UNIQUE"],["rack","UNIQUE",""],["rack","MAX_PER","2"],["x"],7],
        "healthChecks":[{"protocol":"MESOS_HTTP"}],"deployments":[{"id":"d1"}],
        "env":{"A":{"secret":"s"}},
        "tasks":[{"id":"a.1","host":"h1","slaveId":"S1","state":"TASK_RUNNING","startedAt":"2026-11-23T10:00:00.000Z",
                  "healthCheckResults":[{"alive":true},{"alive":false}]},
                 {"id":"a.2","host":"h2","state":"TASK_UNREACHABLE"},{"id":"a.3","host":"h3","state":"TASK_STAGING"},
                 {"id":"a.4","host":"h4","state":"TASK_LOST"},{"id":"a.5","host":"h5","state":"TASK_FAILED"},
                 {"id":"a.6","host":"h6","startedAt":"2026-11-23T10:00:00.000Z"},{"id":"a.7","host":"h7"},
                 {"id":"a.8","host":"h8","state":"TASK_KILLING","healthCheckResults":[{"alive":true}]}])");
    EXPECT_EQ(app.id, "/a");
    EXPECT_EQ(app.instances, 3U);
    EXPECT_EQ(app.cpus, 0.2);
    EXPECT_EQ(app.role, "prod");
    EXPECT_THAT(app.roles, ElementsAre("slave_public", "*"));
    ASSERT_THAT(app.constraints, SizeIs(5));
    EXPECT_EQ(app.constraints[0].text, "hostname UNIQUE");
    EXPECT_EQ(app.constraints[1].op, Operator::unique) << "old versions add an empty value";
    EXPECT_EQ(app.constraints[2].value, "2");
    EXPECT_EQ(app.constraints[3].op, Operator::unknown);
    EXPECT_TRUE(app.has_health_checks);
    EXPECT_THAT(app.deployments, ElementsAre("d1"));
    std::vector<TaskState> states;
    for (const auto& task : app.tasks) states.push_back(task.state);
    EXPECT_THAT(states, ElementsAre(TaskState::running, TaskState::unreachable, TaskState::starting,
                                    TaskState::unreachable, TaskState::ended, TaskState::running, TaskState::starting,
                                    TaskState::killing));
    EXPECT_EQ(app.tasks[0].healthy, false) << "all checks must pass";
    EXPECT_EQ(app.tasks[0].agent_id, "S1");
    EXPECT_EQ(app.tasks[1].healthy, std::nullopt);
    EXPECT_EQ(app.tasks[7].healthy, true);
}

TEST(MarathonJson, ReadsPortsInEveryFormThatMarathonHasHad) {
    auto app = app_of(R"("requirePorts":true,"portDefinitions":[{"port":9435},{"port":0}])");
    EXPECT_THAT(app.fixed_ports, ElementsAre(9435U));
    EXPECT_EQ(app.other_ports, 1U);
    app = app_of(R"("requirePorts":false,"portDefinitions":[{"port":9435}])");
    EXPECT_THAT(app.fixed_ports, IsEmpty()) << "only a service port";
    app = app_of(R"("container":{"portMappings":[{"containerPort":1,"hostPort":9435},{"containerPort":2,"hostPort":0},
                    {"containerPort":3}]},"portDefinitions":[{"port":1}])");
    EXPECT_THAT(app.fixed_ports, ElementsAre(9435U));
    EXPECT_EQ(app.other_ports, 1U);
    app = app_of(R"("container":{"docker":{"portMappings":[{"hostPort":9435}]}})");
    EXPECT_THAT(app.fixed_ports, ElementsAre(9435U));
    app = app_of(R"("requirePorts":true,"ports":[9435,0])");
    EXPECT_THAT(app.fixed_ports, ElementsAre(9435U));
    EXPECT_EQ(app.other_ports, 1U);
}

TEST(MarathonJson, RefusesAnAppWithoutACount) {
    for (const char* body :
         {"", "[]", "{}", R"({"app":{}})", R"({"app":{"id":"/a"}})", R"({"app":{"id":"/a","instances":-1}})",
          R"({"app":{"id":"/a","instances":"3"}})", R"({"app":{"id":"/a","instances":1e300}})"})
        EXPECT_EQ(parse_app(body).error().remedy, Remedy::quarantine) << body;
}

TEST(MarathonJson, ReadsDeploymentsThatTouchTheAppWithAllTheirActions) {
    auto deployments = parse_deployments(
        R"([{"id":"d1","version":"2026-11-23T10:00:00.000Z","affectedApps":["/a"],"affectedPods":[],
             "steps":[{"actions":[{"action":"ScaleApplication","app":"/a"}]}],
             "currentActions":[{"action":"ScaleApplication","app":"/a"}]},
            {"id":"d2","affectedApps":["/b"],"steps":[{"actions":[{"action":"ScaleApplication","app":"/b"}]}]},
            {"id":"d3","affectedApps":["/a","/b"],"steps":[{"actions":[{"action":"ScaleApplication","app":"/a"}]}]},
            {"id":"d4","affectedApps":["/a"],"steps":[{"actions":[{"type":"RestartApplication","app":"/a"}]}]},
            {"id":"d5","affectedApps":["/a"],"steps":[[{"action":"ScaleApplication","app":"/a"}]]},
            {"id":"d6","affectedApps":["/a"],"affectedPods":["/p"],
             "steps":[{"actions":[{"action":"ScaleApplication","app":"/a"}]}]}])",
        "/a");
    ASSERT_TRUE(deployments) << deployments.error().what;
    std::vector<std::pair<std::string, bool>> seen;
    for (const auto& one : *deployments) seen.emplace_back(one.id, is_pure_scaling(one, "/a"));
    EXPECT_THAT(seen, ElementsAre(std::pair{"d1", true}, std::pair{"d3", false}, std::pair{"d4", false},
                                  std::pair{"d5", true}, std::pair{"d6", false}));
    EXPECT_EQ(deployments->at(0).version, parse_time("2026-11-23T10:00:00Z"));
    EXPECT_FALSE(parse_deployments("{}", "/a")) << "no list is not an empty list";
}

TEST(MarathonJson, ReadsWhyTheQueueWaits) {
    auto queue = parse_queue(R"({"queue":[{"count":9,"app":{"id":"/b"}},{"count":2,"app":{"id":"/a"},
        "delay":{"timeLeftSeconds":17,"overdue":false},
        "processedOffersSummary":{"rejectSummaryLastOffers":[{"reason":"InsufficientPorts","declined":3,"processed":4}]},
        "lastUnusedOffers":[{"offer":{"hostname":"h1"},"reason":["InsufficientPorts"]}]}]})",
                             "/a");
    ASSERT_TRUE(queue && *queue);
    EXPECT_EQ((*queue)->count, 2U);
    EXPECT_EQ((*queue)->delay_seconds, 17);
    EXPECT_EQ((*queue)->reasons.at(0).declined, 3);
    EXPECT_THAT((*queue)->by_host.at("h1"), ElementsAre("InsufficientPorts"));
    EXPECT_FALSE(*parse_queue(R"({"queue":[]})", "/a"));
}

TEST(MarathonJson, ReadsWhereMesosIsAndItsRole) {
    auto info = parse_info(R"({"version":"1.11.24","leader":"m1:8080","elected":true,
        "marathon_config":{"mesos_leader_ui_url":"http://master:5050/","mesos_role":"prod"}})");
    EXPECT_EQ(info.value().mesos_url, "http://master:5050/");
    EXPECT_EQ(info.value().role, "prod");
    EXPECT_EQ(parse_info("{}").value().role, "*");
}

TEST(MarathonJson, ReadsWhatBlocksAndWhatIsWrong) {
    auto body = R"({"message":"App is locked by one or more deployments.","deployments":[{"id":"d1"},{"id":"d2"}]})";
    EXPECT_THAT(parse_blocking(body), ElementsAre("d1", "d2"));
    EXPECT_EQ(parse_message(body), "App is locked by one or more deployments.");
    EXPECT_EQ(parse_message("<html>"), "");
    EXPECT_THAT(parse_blocking("<html>"), IsEmpty());
}

}  // namespace
}  // namespace boatswain::fleet
