// Presets against containers as each orchestrator starts them: labels and environment as their sources write them
// (docs/intake/tenancy.md).
#include "tenancy/presets.h"

#include <gtest/gtest.h>

#include <sstream>

#include "base/file.h"
#include "tenancy/mesos_sandbox.h"
#include "tenancy/rules.h"

namespace boatswain::tenancy {
namespace {

// The preset alone, for every list it has rules for.
Attribution by(const std::string& preset, const SourceFacts& container) {
    const auto* found = find_preset(preset);
    EXPECT_NE(found, nullptr);
    auto list = [&](std::span<const std::string_view> rules) {
        return rules.empty() ? std::vector<std::string>{} : std::vector{preset};
    };
    auto rules = parse_rules({.tenant = list(found->tenant),
                              .app = list(found->app),
                              .component = list(found->component),
                              .instance = list(found->instance),
                              .labels = list(found->labels)});
    EXPECT_TRUE(rules) << rules.error().what;
    return attribute(*rules, container);
}

void expect(const Attribution& whose, std::string_view tenant, std::string_view app, std::string_view component,
            std::string_view instance) {
    EXPECT_EQ(whose.tenant.str(), tenant) << whose.tenant_rule;
    EXPECT_EQ(whose.app, app);
    EXPECT_EQ(whose.component, component);
    EXPECT_EQ(whose.instance, instance);
}

constexpr auto unassigned = "_unassigned";
constexpr auto old_task = "acme_shop_web.5f0c9a1e-1234-11ee-8c99-0242ac120002";
constexpr auto new_task = "acme_shop_web.instance-5f0c9a1e-1234-11ee-8c99-0242ac120002._app.1";

std::string sandbox_of(std::string_view task) {
    return "/var/lib/mesos/slaves/8e0d-S1/frameworks/8e0d-0000/executors/" + std::string{task} +
           "/runs/2f9a0c55-7b1e-4f0e-a1b7-93f0c2d4e6a8";
}

// As measured on an engine, with the argument order of Mesos' Docker::run.
SourceFacts marathon_task(const std::string& task) {
    return {.id = std::string(64, 'a'),
            .name = "mesos-2f9a0c55-7b1e-4f0e-a1b7-93f0c2d4e6a8",
            .image = "acme/web:7",
            .labels = {{"MESOS_TASK_ID", task}},
            .environment = {{"MARATHON_APP_ID", "/acme/shop/web"},
                            {"MARATHON_APP_LABELS", "TENANT TEAM"},
                            {"MARATHON_APP_LABEL_TENANT", "acme-corp"},
                            {"MARATHON_APP_LABEL_TEAM", "blue"},
                            {"MESOS_TASK_ID", task},
                            {"MESOS_SANDBOX", "/mnt/mesos/sandbox"},
                            {"MESOS_CONTAINER_NAME", "mesos-2f9a0c55-7b1e-4f0e-a1b7-93f0c2d4e6a8"}},
            .attributes = sandbox_attributes({{sandbox_of(task), "/mnt/mesos/sandbox"}}, read_link)};
}

TEST(Presets, MarathonTakesTheTenantFromTheAppsLabelThenFromItsGroup) {
    auto task = marathon_task(old_task);
    expect(by("marathon", task), "acme-corp", "/acme/shop/web", "", old_task);
    task.environment.erase("MARATHON_APP_LABEL_TENANT");
    expect(by("marathon", task), "acme", "/acme/shop/web", "", old_task);
    task.labels.clear();  // before Marathon 1.4
    expect(by("marathon", task), "acme", "/acme/shop/web", "", old_task);
    task.environment["MARATHON_APP_ID"] = "/web";  // in no group: nobody's
    expect(by("marathon", task), unassigned, "/web", "", old_task);
    EXPECT_EQ(by("marathon", {.name = "by-hand"}).app, "by-hand");
}

TEST(Presets, MesosTrustsTheSandboxAndNotTheEnvironment) {
    for (const auto* id : {old_task, new_task}) {
        auto task = marathon_task(id);
        task.environment = {{"MARATHON_APP_ID", "/globex/forged"},
                            {"MARATHON_APP_LABEL_TENANT", "globex"},
                            {"MESOS_TASK_ID", "globex_x.1"}};
        task.labels["MESOS_TASK_ID"] = "globex_forged.1";
        expect(by("mesos", task), "acme", "acme_shop_web", "", id);
    }
}

TEST(Presets, MesosKnowsGroupsWithDotsAndLeavesAppsInNoGroupUnassigned) {
    auto tenant_of = [](const std::string& task) { return by("mesos", marathon_task(task)).tenant.str(); };
    EXPECT_EQ(tenant_of("acme.eu_web.5f0c9a1e-1234-11ee-8c99-0242ac120002"), "acme.eu");
    EXPECT_EQ(tenant_of("acme.eu_web.instance-5f0c9a1e-1234-11ee-8c99-0242ac120002._app.1"), "acme.eu");
    EXPECT_EQ(tenant_of("web.5f0c9a1e-1234-11ee-8c99-0242ac120002"), unassigned);
    EXPECT_EQ(tenant_of("web.instance-5f0c9a1e-1234-11ee-8c99-0242ac120002._app.1"), unassigned);
    EXPECT_EQ(tenant_of("ct:1479:0:nightly:"), unassigned);  // Chronos
}

SourceFacts pod_container(const std::string& pod) {
    return {.id = std::string(64, 'b'),
            .name = "k8s_web_" + pod + "_shop_0c5f2d0e-8f5a-4a0e-9d5b-6d3f1a2b3c4d_0",
            .image = "sha256:" + std::string(64, 'c'),
            .labels = {{"annotation.io.kubernetes.container.restartCount", "0"},
                       {"io.kubernetes.container.name", "web"},
                       {"io.kubernetes.docker.type", "container"},
                       {"io.kubernetes.pod.name", pod},
                       {"io.kubernetes.pod.namespace", "shop"},
                       {"io.kubernetes.pod.uid", "0c5f2d0e-8f5a-4a0e-9d5b-6d3f1a2b3c4d"},
                       {"io.kubernetes.sandbox.id", std::string(64, 'd')}}};
}

TEST(Presets, KubernetesTakesTheNamespaceAndGuessesTheOwnerFromThePodsName) {
    for (const auto& [pod, app] : std::vector<std::pair<std::string, std::string>>{
             {"web-6799fc88d8-x7k2p", "web"},  // Deployment
             {"shop-web-v2-5d4f8c7b9-q8zxw", "shop-web-v2"},
             {"node-exporter-kq5wz", "node-exporter"},      // DaemonSet
             {"postgres-0", "postgres"},                    // StatefulSet
             {"web-frontend", "web-frontend"},              // a bare pod: no generated end ("e" is not in the alphabet)
             {"backup-28374650-9xktz", "backup-28374650"},  // a CronJob's job keeps its time
         })
        expect(by("kubernetes", pod_container(pod)), "shop", app, "web", pod);
}

TEST(Presets, SwarmTakesTheStackAndTheService) {
    SourceFacts task{.id = std::string(64, 'e'),
                     .name = "acme_web.1.k1zq8n5pf3c9",
                     .image = "acme/web:7@sha256:" + std::string(64, 'f'),
                     .labels = {{"com.docker.stack.namespace", "acme"},
                                {"com.docker.swarm.node.id", "nodeid"},
                                {"com.docker.swarm.service.id", "serviceid"},
                                {"com.docker.swarm.service.name", "acme_web"},
                                {"com.docker.swarm.task", ""},
                                {"com.docker.swarm.task.id", "k1zq8n5pf3c9"},
                                {"com.docker.swarm.task.name", "acme_web.1.k1zq8n5pf3c9"}}};
    expect(by("swarm", task), "acme", "acme_web", "", "acme_web.1.k1zq8n5pf3c9");
    task.labels.erase("com.docker.stack.namespace");  // `docker service create`, no stack
    expect(by("swarm", task), unassigned, "acme_web", "", "acme_web.1.k1zq8n5pf3c9");
}

TEST(Presets, NomadReadsLabelsWhereTheyAreAndTheEnvironmentWhereTheyAreNot) {
    SourceFacts task{.id = std::string(64, '1'),
                     .name = "server-5d2b8f0e-1111-2222-3333-444455556666",
                     .labels = {{"com.hashicorp.nomad.alloc_id", "5d2b8f0e-1111-2222-3333-444455556666"}},
                     .environment = {{"NOMAD_ALLOC_ID", "5d2b8f0e-1111-2222-3333-444455556666"},
                                     {"NOMAD_JOB_ID", "web"},
                                     {"NOMAD_JOB_NAME", "web"},
                                     {"NOMAD_GROUP_NAME", "front"},
                                     {"NOMAD_TASK_NAME", "server"},
                                     {"NOMAD_NAMESPACE", "acme"}}};
    expect(by("nomad", task), "acme", "web", "server", "5d2b8f0e-1111-2222-3333-444455556666");
    // With extra_labels in the plugin's configuration, what Nomad wrote wins over what the task may have changed.
    task.labels.merge(std::map<std::string, std::string>{{"com.hashicorp.nomad.namespace", "acme"},
                                                         {"com.hashicorp.nomad.job_name", "web"},
                                                         {"com.hashicorp.nomad.task_name", "server"}});
    task.environment = {{"NOMAD_NAMESPACE", "globex"}, {"NOMAD_JOB_NAME", "forged"}};
    expect(by("nomad", task), "acme", "web", "server", "5d2b8f0e-1111-2222-3333-444455556666");
}

TEST(Presets, ComposeTakesProjectServiceAndNumber) {
    SourceFacts container{.id = std::string(64, '2'),
                          .name = "acme-web-2",
                          .labels = {{"com.docker.compose.config-hash", std::string(64, '0')},
                                     {"com.docker.compose.container-number", "2"},
                                     {"com.docker.compose.oneoff", "False"},
                                     {"com.docker.compose.project", "acme"},
                                     {"com.docker.compose.service", "web"},
                                     {"com.docker.compose.version", "2.24.0"}}};
    expect(by("compose", container), "acme", "web", "", "2");
}

TEST(Presets, EcsTakesClusterFamilyContainerAndTask) {
    SourceFacts container{.id = std::string(64, '3'),
                          .name = "ecs-web-7-nginx-e8a1b2c3d4e5f6a7b801",
                          .labels = {{"com.amazonaws.ecs.cluster", "acme-prod"},
                                     {"com.amazonaws.ecs.container-name", "nginx"},
                                     {"com.amazonaws.ecs.task-arn",
                                      "arn:aws:ecs:eu-central-1:123456789012:task/acme-prod/0b69d5c0d6554b1a9e0f"},
                                     {"com.amazonaws.ecs.task-definition-family", "web"},
                                     {"com.amazonaws.ecs.task-definition-version", "7"}}};
    expect(by("ecs", container), "acme-prod", "web", "nginx", "0b69d5c0d6554b1a9e0f");
    container.labels["com.amazonaws.ecs.cluster"] = "arn:aws:ecs:eu-central-1:123456789012:cluster/acme-prod";
    EXPECT_EQ(by("ecs", container).tenant.str(), "acme-prod");
}

TEST(Presets, SayNothingOfContainersThatTheirOrchestratorDidNotStart) {
    SourceFacts plain{.id = std::string(64, '4'), .name = "by-hand", .image = "busybox"};
    for (const auto& preset : presets()) expect(by(std::string{preset.name}, plain), unassigned, "by-hand", "", "");
}

TEST(Presets, StandAmongOtherRulesOfAList) {
    auto rules = parse_rules({.tenant = {"label:boatswain.tenant", "marathon", "compose"}});
    ASSERT_TRUE(rules);
    SourceFacts container{.labels = {{"com.docker.compose.project", "acme"}}};
    EXPECT_EQ(attribute(*rules, container).tenant_rule, "label:com.docker.compose.project");
    container.labels["boatswain.tenant"] = "explicit";
    EXPECT_EQ(attribute(*rules, container).tenant.str(), "explicit");
}

TEST(Presets, AreRefusedInListsTheyHaveNoRulesFor) {
    EXPECT_EQ(parse_rules({.component = {"marathon"}}).error().what,
              "tenancy.component, rule 1: the preset \"marathon\" has no rules for this list");
    EXPECT_EQ(parse_rules({.recipient = {"mesos"}}).error().what,
              "tenancy.recipient, rule 1: the preset \"mesos\" has no rules for this list");
}

// Every list of rules in the page's examples.
TEST(Presets, AndRulesOfTheDocumentedExamplesAreUnderstood) {
    std::istringstream page{read_file(Path{BOATSWAIN_VECTORS} / "../../docs/intake/tenancy.md", 1 << 20).value()};
    std::size_t lists = 0;
    bool example = false;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("```")) example = line == "```toml";
        auto open = line.find(" = ["), close = line.rfind(']');
        if (!example || open == std::string::npos) continue;
        std::vector<std::string> rules;
        for (auto at = line.find('"', open); at < close; at = line.find('"', at + 1)) {
            auto end = line.find('"', at + 1);
            rules.push_back(line.substr(at + 1, end - at - 1));
            at = end;
        }
        auto parsed = line.starts_with("labels") ? parse_rules({.labels = rules}) : parse_rules({.tenant = rules});
        EXPECT_TRUE(parsed) << line << ": " << parsed.error().what;
        ++lists;
    }
    EXPECT_EQ(lists, 8U);
}

TEST(MesosSandbox, IsReadFromItsPathAlone) {
    auto found = find_mesos_sandbox({{"/a", "/b"}, {sandbox_of("t.1") + "/", "/mnt/mesos/sandbox/"}});
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, (MesosSandbox{"8e0d-S1", "8e0d-0000", "t.1", "2f9a0c55-7b1e-4f0e-a1b7-93f0c2d4e6a8"}));
    EXPECT_TRUE(find_mesos_sandbox({{"/slaves/a/frameworks/f/executors/e/runs/c", "/mnt/mesos/sandbox"}}));
    EXPECT_TRUE(
        find_mesos_sandbox({{"/data/slaves/mesos/slaves/a/frameworks/f/executors/e/runs/c", "/mnt/mesos/sandbox"}}));
}

TEST(MesosSandbox, IsNotFoundWhereThePathIsNotTheAgents) {
    for (const std::string source :
         {"", "/", "slaves/a/frameworks/f/executors/e/runs/c", "/w/slaves/a/docker/links/c",
          "/w/slaves/a/frameworks/f/executors/e/runs", "/w/slaves/a/frameworks/f/executors//runs/c",
          "/w/slaves/a/frameworks/f/executors/../runs/c", "/w/slaves/a/frameworks/f/executors/e/runs/c/more",
          "w/slaves/a/frameworks/f/executors/e/runs/c"})
        EXPECT_FALSE(find_mesos_sandbox({{source, "/mnt/mesos/sandbox"}})) << source;
    EXPECT_FALSE(find_mesos_sandbox({{sandbox_of("t"), "/elsewhere"}}));
    EXPECT_FALSE(
        find_mesos_sandbox({{sandbox_of("t"), "/mnt/mesos/sandbox"}, {sandbox_of("u"), "/mnt/mesos/sandbox/"}}));
}

}  // namespace
}  // namespace boatswain::tenancy
