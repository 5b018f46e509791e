#!/usr/bin/python3
"""What is under deploy/ parses, says only what the programs know, and keeps the promises of docs/operate."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
BUILD = pathlib.Path(os.environ.get("BOATSWAIN_BUILD", ROOT / "build/release"))
ENGINE_PLACES = ("/run", "/var/run")  # directories of the host in which the engine's socket lies
MANIFESTS = ("docker.yaml", "boatswain.yaml", "labels.yaml", "environment.yaml")
UNITS = ("boatswain.service", "boatswain-guard.service", "boatswain-serve.service")
UID = 10350  # of the agent's ordinary user: scripts/stage.sh, and the owner of the hosts' directories


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, **options)


def marathon(name):
    descriptor = json.loads((DEPLOY / "marathon" / name).read_text())
    return descriptor.get("apps", [descriptor])


def kubernetes(name="docker.yaml"):
    return list(yaml.safe_load_all((DEPLOY / "kubernetes" / name).read_text()))


def swarm():
    return yaml.safe_load((DEPLOY / "swarm/boatswain.yaml").read_text())


def daemon_set(name="docker.yaml"):
    return next(one for one in kubernetes(name) if one["kind"] == "DaemonSet")


class Parsers(unittest.TestCase):
    """Other people's parsers: kubernetes-models' schemas, HashiCorp's HCL parser, systemd, promtool."""

    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="bwp."))
        cls.addClassCleanup(shutil.rmtree, cls.place, True)
        here = ROOT / "tests/deploy"
        modules = BUILD / "tests/deploy/npm"  # kept: npm ci once a build directory
        modules.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json", "validate.mjs"):
            shutil.copy(here / name, modules)
        if not (modules / "node_modules/hcl2-parser").exists():
            subprocess.run(
                ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
                cwd=modules,
                check=True,
                timeout=240,
            )
        (modules / "manifests.json").write_text(
            json.dumps([one for name in (*MANIFESTS, "serve.yaml") for one in kubernetes(name)], default=str)
        )
        cls.validated = run("node", "validate.mjs", "manifests.json", DEPLOY / "nomad/boatswain.nomad.hcl", cwd=modules)

    def test_kubernetes_and_nomad_take_the_manifests(self):
        self.assertEqual(self.validated.returncode, 0, self.validated.stderr)
        job = json.loads(self.validated.stdout)["job"]["boatswain"][0]
        self.assertEqual(job["type"], "system")
        tasks = {name: task[0] for name, task in job["group"]["boatswain"][0]["task"].items()}
        self.assertIn("/run:/host/run:ro", tasks["guard"]["config"][0]["volumes"])
        self.assertNotIn("/host/run", json.dumps(tasks["agent"]), "the guard alone sees the engine's socket")
        self.assertEqual(tasks["agent"]["user"], f"{UID}:{UID}")
        check_settings(self, {name: task["env"][0] for name, task in tasks.items()})

    def test_systemd_takes_the_units_and_finds_them_confined(self):
        for unit in UNITS:
            text = (DEPLOY / "systemd" / unit).read_text()
            # Not installed here: program and page are those of the build.
            text = re.sub(r"/usr/bin/(boatswaind?) ", rf"{BUILD}/\1 ", text)
            text = re.sub(r"Documentation=man:.*\n", "", text)
            (self.place / unit).write_text(text)
        for unit in UNITS:
            verified = run("systemd-analyze", "verify", "--man=no", self.place / unit)
            complaints = [line for line in verified.stderr.splitlines() if "boatswain" in line]
            self.assertEqual(complaints, [])
            rated = run("systemd-analyze", "security", "--offline=true", "--no-pager", self.place / unit)
            exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", rated.stdout).group(1))
            self.assertLess(exposure, 2.5, rated.stdout)
        (self.place / "boatswain.service").write_text(
            "[Service]\nExecStart=/nonexistent/program\nProtectSystem=perhaps\n"
        )
        self.assertIn(
            "boatswain",
            run("systemd-analyze", "verify", self.place / "boatswain.service").stderr,
            "a bad unit is complained of",
        )

    def test_prometheus_takes_the_alerts_and_they_fire_when_they_should(self):
        page = (DEPLOY.parent / "docs/operate/monitoring.md").read_text()
        for file in ("alerts", "serve_alerts"):
            for verb, name in (("check", f"{file}.yml"), ("test", f"{file}_test.yml")):
                ran = run("promtool", verb, "rules", name, cwd=DEPLOY / "prometheus")
                self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
            rules = [
                rule["alert"]
                for group in yaml.safe_load((DEPLOY / f"prometheus/{file}.yml").read_text())["groups"]
                for rule in group["rules"]
            ]
            tested = (DEPLOY / f"prometheus/{file}_test.yml").read_text()
            self.assertEqual(
                [rule for rule in rules if not re.search(rf"alertname: {rule}\n(?:.*\n)? *exp_alerts:\n", tested)],
                [],
                "never seen to fire",
            )
            self.assertEqual([rule for rule in rules if f"`{rule}`" not in page], [], "nobody says what to do")

    def test_prometheus_takes_every_expression_of_the_dashboard(self):
        dashboard = json.loads((DEPLOY / "grafana/boatswain.json").read_text())
        panels = dashboard["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        taken = set()
        for panel in panels:
            place = panel["gridPos"]
            squares = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            self.assertFalse(squares & taken, f"{panel['title']} lies over another")
            taken |= squares
            self.assertLessEqual(place["x"] + place["w"], 24)
        expressions = [target["expr"] for panel in panels for target in panel.get("targets", [])]
        self.assertGreater(len(expressions), 25)
        rules = [
            {"record": f"dashboard:{i}", "expr": expression.replace("$__rate_interval", "5m")}
            for i, expression in enumerate(expressions)
        ]
        (self.place / "dashboard.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
        ran = run("promtool", "check", "rules", self.place / "dashboard.yml")
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)


def has_command(program, command):
    """Whether the program was built with that command."""
    return re.search(rf"^ +(?:{program} )?{command}\b", run(BUILD / program, "--help").stdout, re.M) is not None


def check_settings(test, environments):
    """boatswaind starts with each environment: every variable is a setting, every value is one. The store is one of
    this host."""
    for name, environment in environments.items():
        if "guard" in name and not has_command("boatswaind", "guard"):
            continue  # this build has no guard, so nothing that could know its settings
        keyring = tempfile.mkdtemp(prefix="bwk.")
        try:
            known = {**environment, "BOATSWAIN_STORE_URL": f"dir:{keyring}/store", "PATH": os.environ["PATH"]}
            given = environment.get("BOATSWAIN_STORE_URL", "s3://x?region=y")
            test.assertRegex(given, r"^s3://[a-z]+/[a-z]+\?region=|^s3://x")
            ran = run(BUILD / "boatswaind", "check", "--config", os.devnull, env=known)
            test.assertEqual(ran.returncode, 0, f"{name}: {ran.stderr}")
            test.assertNotIn("BOATSWAIN_", ran.stderr, f"{name}: {ran.stderr}")
            effective = ran.stdout
            for key in environment:
                if key.startswith("BOATSWAIN_"):
                    test.assertIn(key, effective, f"{name}: {key} is no setting")
        finally:
            shutil.rmtree(keyring)


class Descriptors(unittest.TestCase):
    def test_marathon_keeps_one_agent_on_each_host_and_never_hangs(self):
        for name in ("agent.json", "agent-without-guard.json"):
            for app in marathon(name):
                with self.subTest(app=app["id"]):
                    self.assertIn(["hostname", "UNIQUE"], app["constraints"])
                    self.assertEqual(app["networks"], [{"mode": "host"}])
                    self.assertTrue(app["requirePorts"])
                    # UNIQUE does not look at instances of an older configuration: two would run during an upgrade.
                    self.assertEqual(app["upgradeStrategy"]["maximumOverCapacity"], 0)
                    self.assertLess(app["upgradeStrategy"]["minimumHealthCapacity"], 1)
                    # A lost host's instance stays Unreachable, so that scaling down takes it and no healthy one.
                    unreachable = app["unreachableStrategy"]
                    self.assertEqual(unreachable["inactiveAfterSeconds"], unreachable["expungeAfterSeconds"])
                    self.assertGreaterEqual(unreachable["inactiveAfterSeconds"], 1800)
                    check = app["healthChecks"][0]
                    self.assertEqual(
                        (check["protocol"], check["path"], check["portIndex"]), ("MESOS_HTTP", "/healthz", 0)
                    )
                    self.assertNotIn(
                        "readinessChecks", app, "the scheduler cannot reach a port of loopback: deployments would hang"
                    )
                    port = app["portDefinitions"][0]["port"]
                    listen = app["env"].get("BOATSWAIN_LISTEN") or app["env"]["BOATSWAIN_GUARD_METRICS"]
                    self.assertEqual(listen, f"127.0.0.1:{port}")
                    for volume in app["container"]["volumes"]:
                        own = volume["hostPath"] == "/var/lib/boatswain" or (
                            app["id"].endswith("guard") and volume["hostPath"] == "/run/boatswain"
                        )
                        self.assertEqual(volume["mode"], "RW" if own else "RO", volume)

    def test_fleet_sync_runs_once_on_any_host_and_follows_each_of_the_agents_apps(self):
        apps, followed = marathon("fleet-sync.json"), {app["id"] for app in marathon("agent.json")}
        self.assertEqual({app["env"]["BOATSWAIN_FLEET_APP"] for app in apps}, followed)
        ports = [
            definition["port"]
            for name in ("agent.json", "fleet-sync.json")
            for one in marathon(name)
            for definition in one["portDefinitions"]
        ]
        self.assertEqual(len(set(ports)), len(ports), "all may run on one host")
        for app in apps:
            self.assertEqual(app["instances"], 1)
            below = any(app["id"].startswith(other + "/") for other in followed)
            self.assertFalse(below, "Marathon has no app below an app")
            at_once = {"inactiveAfterSeconds": 0, "expungeAfterSeconds": 0}
            self.assertEqual(app["unreachableStrategy"], at_once, "replaced at once")
            port = app["portDefinitions"][0]["port"]
            self.assertIn(f"127.0.0.1:{port}", app["args"])
            self.assertNotIn("docker.sock", json.dumps(app))
            if has_command("boatswain", "fleet"):
                help_text = run(BUILD / "boatswain", "help", "fleet", "sync").stdout
                for word in app["args"]:
                    if word.startswith("--"):
                        self.assertIn(word, help_text)
                for variable in app["env"]:
                    self.assertIn(variable, help_text)

    def test_no_crash_leaves_a_core_dump_where_the_format_can_say_so(self):
        for name in ("agent.json", "agent-without-guard.json", "fleet-sync.json"):
            for app in marathon(name):
                self.assertIn({"key": "ulimit", "value": "core=0"}, app["container"]["docker"]["parameters"], app["id"])
        for name, service in swarm()["services"].items():
            self.assertEqual(service["ulimits"], {"core": 0}, name)
        nomad = (DEPLOY / "nomad/boatswain.nomad.hcl").read_text()
        self.assertEqual(len(re.findall(r'ulimit \{\s+core = "0"\s+\}', nomad)), 2)
        for unit in ("boatswain.service", "boatswain-guard.service"):
            self.assertIn("\nLimitCORE=0\n", (DEPLOY / "systemd" / unit).read_text())

    def test_what_names_tenants_is_not_for_everybody(self):
        everywhere = re.compile(r"^(0\.0\.0\.0|\[::\]):")
        pod = daemon_set()["spec"]["template"]["spec"]
        agent = next(container for container in pod["containers"] if container["name"] == "agent")
        environment = {env["name"]: env.get("value") for env in agent["env"]}
        self.assertEqual(environment["BOATSWAIN_LISTEN"], "$(POD_IP):9435")
        probes = {agent[probe]["httpGet"]["port"] for probe in ("livenessProbe", "readinessProbe")}
        self.assertEqual(probes, {"health"})
        policy = next(one for one in kubernetes() if one["kind"] == "NetworkPolicy")["spec"]
        self.assertEqual(policy["podSelector"], daemon_set()["spec"]["selector"])
        for_all = [[port["port"] for port in rule["ports"]] for rule in policy["ingress"] if "from" not in rule]
        self.assertEqual(for_all, [["health"]])
        service = swarm()["services"]["agent"]
        health = service["environment"]["BOATSWAIN_HEALTH_LISTEN"].split(":")[1]
        self.assertEqual([str(port["target"]) for port in service["ports"]], [health])
        nomad = (DEPLOY / "nomad/boatswain.nomad.hcl").read_text()
        self.assertNotRegex(re.search(r'BOATSWAIN_LISTEN += "(.*)"', nomad)[1], everywhere)
        for app in (*marathon("agent.json"), *marathon("agent-without-guard.json"), *marathon("fleet-sync.json")):
            self.assertNotRegex(json.dumps([app["env"], app["args"]]), r'"(0\.0\.0\.0|\[::\]):')

    def test_an_agent_has_the_time_that_it_asks_for_to_end(self):
        seconds = lambda text: int(re.fullmatch(r"(\d+)s", text)[1])
        pod = daemon_set()["spec"]["template"]["spec"]
        agent = {
            env["name"]: env.get("value") for env in next(c for c in pod["containers"] if c["name"] == "agent")["env"]
        }
        unit = dict(re.findall(r"^(\w+)=(.*)$", (DEPLOY / "systemd/boatswain.service").read_text(), re.M))
        graces = [
            (app["taskKillGracePeriodSeconds"], app["env"]["BOATSWAIN_SHUTDOWN_TIMEOUT"])
            for name in ("agent.json", "agent-without-guard.json")
            for app in marathon(name)
            if "agent" in app["args"]
        ]
        graces += [
            (pod["terminationGracePeriodSeconds"], agent["BOATSWAIN_SHUTDOWN_TIMEOUT"]),
            (
                seconds(swarm()["services"]["agent"]["stop_grace_period"]),
                swarm()["services"]["agent"]["environment"]["BOATSWAIN_SHUTDOWN_TIMEOUT"],
            ),
            (int(unit["TimeoutStopSec"]), "25s"),
        ]  # 25 s: the default
        for grace, wanted in graces:
            self.assertGreater(grace, seconds(wanted))

    def test_every_variable_of_a_descriptor_is_a_setting(self):
        environments = {
            app["id"]: app["env"] for name in ("agent.json", "agent-without-guard.json") for app in marathon(name)
        }
        environments |= {f"swarm {name}": service["environment"] for name, service in swarm()["services"].items()}
        for name in MANIFESTS:
            for container in daemon_set(name)["spec"]["template"]["spec"]["containers"]:
                environments[f"{name} {container['name']}"] = {
                    env["name"]: env.get("value", "a-node") for env in container["env"]
                }
        check_settings(self, environments)

    def test_the_engines_socket_is_for_the_guard_alone_where_there_is_one(self):
        pod = daemon_set()["spec"]["template"]["spec"]
        engine = {
            volume["name"] for volume in pod["volumes"] if (volume.get("hostPath") or {}).get("path") in ENGINE_PLACES
        }
        for container in pod["containers"]:
            sees = {mount["name"] for mount in container["volumeMounts"]} & engine
            self.assertEqual(bool(sees), container["name"] == "guard")
        for name, service in swarm()["services"].items():
            self.assertEqual(any(volume["source"] in ENGINE_PLACES for volume in service["volumes"]), name == "guard")
        for app in marathon("agent.json"):
            sees = any(volume["hostPath"] in ENGINE_PLACES for volume in app["container"]["volumes"])
            self.assertEqual(sees, app["args"] == ["boatswaind", "guard"])

    def test_no_descriptor_or_page_mounts_the_file_of_a_socket(self):
        """It goes stale when the engine is started again."""
        mounted = re.compile(
            r"docker\.sock:/"
            r'|(?:hostPath|source|containerPath|mountPath|target)"?: *"?[^" ]*docker\.sock'
            r"|--mount[^ ]*docker\.sock"
        )
        for text in (
            "-v /var/run/docker.sock:/var/run/docker.sock:ro",
            '"hostPath": "/var/run/docker.sock"',
            "mountPath: /var/run/docker.sock",
        ):
            self.assertRegex(text, mounted)
        files = [file for place in (DEPLOY, ROOT / "docs") for file in place.rglob("*") if file.is_file()] + [
            ROOT / "README.md"
        ]
        self.assertGreater(len(files), 40)
        self.assertEqual([file.name for file in files if mounted.search(file.read_text(errors="replace"))], [])

    def test_the_guard_serves_the_user_that_the_agent_is(self):
        pod = daemon_set()["spec"]["template"]["spec"]
        container = lambda name: next(one for one in pod["containers"] if one["name"] == name)
        allowed = {env["name"]: env.get("value") for env in container("guard")["env"]}["BOATSWAIN_GUARD_ALLOW_UID"]
        self.assertEqual(str(container("agent")["securityContext"]["runAsUser"]), allowed, "kubernetes")
        services = swarm()["services"]
        self.assertEqual(
            services["agent"]["user"].split(":")[0],
            services["guard"]["environment"]["BOATSWAIN_GUARD_ALLOW_UID"],
            "swarm",
        )
        nomad = (DEPLOY / "nomad/boatswain.nomad.hcl").read_text()
        self.assertEqual(
            re.search(r'task "agent" \{.*?user += "(\d+):', nomad, re.S)[1],
            re.search(r'GUARD_ALLOW_UID = "(\d+)"', nomad)[1],
            "nomad",
        )
        apps = {app["args"][1]: app for app in marathon("agent.json")}
        user = next(
            parameter["value"]
            for parameter in apps["agent"]["container"]["docker"]["parameters"]
            if parameter["key"] == "user"
        )
        self.assertEqual(user.split(":")[0], apps["guard"]["env"]["BOATSWAIN_GUARD_ALLOW_UID"], "marathon")

    def test_pods_of_containerd_are_read_without_a_socket(self):
        pod = daemon_set("boatswain.yaml")["spec"]["template"]["spec"]
        self.assertEqual([container["name"] for container in pod["containers"]], ["agent"])
        places = {volume["hostPath"]["path"]: volume["name"] for volume in pod["volumes"] if "hostPath" in volume}
        self.assertEqual(set(places), {"/var/log/pods", "/var/lib/boatswain"})
        mounts = {mount["name"]: mount for mount in pod["containers"][0]["volumeMounts"]}
        self.assertTrue(mounts[places["/var/log/pods"]]["readOnly"])
        docker = daemon_set()["spec"]["template"]["spec"]
        alike = (
            "serviceAccountName",
            "automountServiceAccountToken",
            "tolerations",
            "securityContext",
            "priorityClassName",
        )
        self.assertEqual({key: pod[key] for key in alike}, {key: docker[key] for key in alike})
        agent = next(container for container in docker["containers"] if container["name"] == "agent")
        for key in ("securityContext", "livenessProbe", "readinessProbe", "resources"):
            self.assertEqual(pod["containers"][0][key], agent[key])

    def test_labels_of_pods_cost_one_right_and_a_token_for_the_agent_alone(self):
        plain, labels = kubernetes("boatswain.yaml"), kubernetes("labels.yaml")
        role, binding = (
            next(one for one in labels if one["kind"] == kind) for kind in ("ClusterRole", "ClusterRoleBinding")
        )
        self.assertEqual(role["rules"], [{"apiGroups": [""], "resources": ["pods"], "verbs": ["watch"]}])
        self.assertEqual(binding["roleRef"]["name"], role["metadata"]["name"])
        self.assertEqual([one["kind"] for one in binding["subjects"]], ["ServiceAccount"])
        kinds = lambda manifests: [one["kind"] for one in manifests if one not in (role, binding)]
        self.assertEqual(kinds(labels), kinds(plain))
        pods = [daemon_set(name)["spec"]["template"]["spec"] for name in ("labels.yaml", "boatswain.yaml")]
        self.assertFalse(pods[0]["automountServiceAccountToken"])
        token = {"name": "token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": True}
        pods[0]["containers"][0]["volumeMounts"].remove(token)
        volume = next(one for one in pods[0]["volumes"] if one["name"] == "token")
        pods[0]["volumes"].remove(volume)
        self.assertEqual(
            [list(source) for source in volume["projected"]["sources"]], [["serviceAccountToken"], ["configMap"]]
        )
        new = ("BOATSWAIN_CRI_API", "BOATSWAIN_TENANCY_LABELS", "BOATSWAIN_TENANCY_TENANT")
        for pod in pods:
            agent = pod["containers"][0]
            agent["env"] = [env for env in agent["env"] if env["name"] not in new]
        self.assertEqual(pods[0], pods[1], "all else is as without labels")

    def test_variables_of_containers_cost_one_directory_to_read_and_a_word_for_images(self):
        pods = [daemon_set(name)["spec"]["template"]["spec"] for name in ("environment.yaml", "boatswain.yaml")]
        tasks = "/run/containerd/io.containerd.runtime.v2.task/k8s.io"
        agent = pods[0]["containers"][0]
        mount = next(one for one in agent["volumeMounts"] if one["name"] == "tasks")
        self.assertEqual(
            mount, {"name": "tasks", "mountPath": tasks, "readOnly": True, "mountPropagation": "HostToContainer"}
        )
        agent["volumeMounts"].remove(mount)
        volume = next(one for one in pods[0]["volumes"] if one["name"] == "tasks")
        self.assertEqual(volume["hostPath"], {"path": tasks, "type": "Directory"})
        pods[0]["volumes"].remove(volume)
        new = ("BOATSWAIN_CRI_TASKS", "BOATSWAIN_TENANCY_TRUST_IMAGE", "BOATSWAIN_TENANCY_TENANT")
        for pod in pods:
            pod["containers"][0]["env"] = [env for env in pod["containers"][0]["env"] if env["name"] not in new]
        self.assertEqual(pods[0], pods[1], "all else is as without variables")

    def test_kubernetes_gives_the_agent_no_right_to_its_api(self):
        kinds = {"Namespace", "ServiceAccount", "ConfigMap", "NetworkPolicy", "DaemonSet"}
        for name in ("docker.yaml", "boatswain.yaml", "environment.yaml"):
            self.assertEqual({one["kind"] for one in kubernetes(name)}, kinds, "no role, no binding")
        pod = daemon_set()["spec"]["template"]["spec"]
        self.assertFalse(pod["automountServiceAccountToken"])
        self.assertEqual(pod["tolerations"], [{"operator": "Exists"}])
        for container in pod["containers"]:
            self.assertEqual(container["securityContext"]["capabilities"]["drop"], ["ALL"])
            self.assertTrue(container["securityContext"]["readOnlyRootFilesystem"])
        agent = next(container for container in pod["containers"] if container["name"] == "agent")
        self.assertTrue(agent["securityContext"]["runAsNonRoot"])
        self.assertEqual(agent["livenessProbe"]["httpGet"]["path"], "/healthz")
        self.assertEqual(agent["readinessProbe"]["httpGet"]["path"], "/readyz")
        self.assertEqual(
            next(env for env in agent["env"] if env["name"] == "BOATSWAIN_HOST")["valueFrom"]["fieldRef"]["fieldPath"],
            "spec.nodeName",
        )

    def test_swarm_runs_one_on_every_node_and_stops_the_old_one_first(self):
        for service in swarm()["services"].values():
            self.assertEqual(service["deploy"]["mode"], "global")
            self.assertEqual(service["deploy"]["update_config"]["order"], "stop-first")
            self.assertEqual(service["cap_drop"], ["ALL"])

    def test_the_dockerfile_makes_the_same_tree_and_image_as_package_does(self):
        dockerfile = (DEPLOY / "docker/Dockerfile").read_text()
        stages = re.split(r"^FROM ", dockerfile, flags=re.M)[1:]
        self.assertIn("scripts/stage.sh build/release /tree", stages[0], "the files: by the same script")
        self.assertTrue(stages[-1].startswith("scratch\n"))
        self.assertEqual(re.findall(r"^COPY .*$", stages[-1], re.M), ["COPY --from=build /tree /"], "and nothing else")
        settings = dict(re.findall(r"^(ENV|CMD) (.*)$", stages[-1], re.M))
        for script in ("scripts/package.sh", "tests/live/orchestrators.py"):
            text = (ROOT / script).read_text().replace('\\"', '"')
            for word, value in settings.items():
                self.assertIn(f"{word} {value}", text, script)
        self.assertIn("scripts/deps.sh package", stages[0])
        for uid_file in (
            "kubernetes/boatswain.yaml",
            "kubernetes/docker.yaml",
            "kubernetes/labels.yaml",
            "kubernetes/environment.yaml",
            "marathon/agent.json",
            "swarm/boatswain.yaml",
            "nomad/boatswain.nomad.hcl",
        ):
            self.assertIn(str(UID), (DEPLOY / uid_file).read_text())
        self.assertIn(f"uid={UID}", (ROOT / "scripts/stage.sh").read_text())


if __name__ == "__main__":
    unittest.main(verbosity=2)
