#!/usr/bin/python3
"""Containers as a Mesos agent starts them, on a real engine: whose they are by the path of their sandbox, and what
becomes of liars.

Each is started by the argument list of Mesos' Docker::run (src/docker/docker.cpp): environment,
`--label=MESOS_TASK_ID=...` of Marathon's, the
sandbox bound to /mnt/mesos/sandbox, the name mesos-<uuid>.
"""
import sys
import uuid

sys.dont_write_bytecode = True
from harness import *

AGENT, FRAMEWORK = "8e0d8b5e-0d7e-4b5f-8f5e-3c1d2e3f4a5b-S7", "8e0d8b5e-0d7e-4b5f-8f5e-3c1d2e3f4a5b-0001"


class Mesos:
    """What a Mesos agent with a work directory of its own starts, and where it lays the sandboxes."""

    def __init__(self, engine, work_dir="mesos"):
        self.engine, self.work_dir = engine, engine.place / work_dir

    def task_id(self, app):
        return f"{app.strip('/').replace('/', '_')}.instance-{uuid.uuid4()}._app.1"

    def run(self, app, script, env=None, labels=None, task=None, suffix=""):
        """(container id, name, task id) of an app's task. `env` is the app's own, applied last, as Marathon does."""
        task, run_id = task or self.task_id(app), str(uuid.uuid4())
        slave = self.work_dir / "slaves" / AGENT
        sandbox = slave / "frameworks" / FRAMEWORK / "executors" / task / "runs" / run_id
        sandbox.mkdir(parents=True)
        source = sandbox
        if ":" in str(sandbox):  # docker cannot bind it: the agent makes a link (src/slave/containerizer/docker.cpp)
            source = slave / "docker" / "links" / run_id
            source.parent.mkdir(parents=True, exist_ok=True)
            source.symlink_to(sandbox)
        environment = {
            "MARATHON_APP_ID": app,
            "MARATHON_APP_VERSION": "2026-01-01T00:00:00.000Z",
            "MARATHON_APP_LABELS": "",
            "MESOS_TASK_ID": task,
            "HOST": "agent-7",
            "PORT0": "31000",
            "PORTS": "31000",
            **(env or {}),
            "MESOS_SANDBOX": "/mnt/mesos/sandbox",
            "MESOS_CONTAINER_NAME": f"mesos-{run_id}",
        }
        words = ["run", "--detach", "--cpu-shares", "102", "--memory", "33554432"]
        for key, value in environment.items():
            words += ["-e", f"{key}={value}"]
        for key, value in {"MESOS_TASK_ID": task, **(labels or {})}.items():
            words += [f"--label={key}={value}"]
        name = f"mesos-{run_id}{suffix}"
        words += [
            "-v",
            f"{source}:/mnt/mesos/sandbox",
            "--net",
            "host",
            "--entrypoint",
            "/bin/sh",
            "--name",
            name,
            IMAGE,
            "-c",
            script,
        ]
        return self.engine.docker(*words, timeout=120), name, task


class MesosTasks(LiveTest):
    def setUp(self):
        super().setUp()
        self.mesos = Mesos(self.engine)

    def test_tenant_app_task_agent_and_framework_come_from_the_sandboxs_path(self):
        agent = self.agent(
            tenants=("acme", "globex"),
            tenancy__tenant=["mesos"],
            tenancy__app=["mesos"],
            tenancy__instance=["mesos"],
            tenancy__labels=["mesos:*"],
        )
        one, _, task = self.mesos.run("/acme/shop/web", "echo of acme")
        other, _, _ = self.mesos.run("/globex/db", "echo of globex", env={"MARATHON_APP_LABEL_TENANT": "acme"})
        nobodys, _, _ = self.mesos.run("/single", "echo of nobody")
        self.wait_stored(agent.reader(), 3)
        self.assertEqual(agent.stop(), 0)
        reader = agent.reader()
        stored = reader.of(one)
        self.assertEqual(
            (stored.tenant, stored.messages(), stored.heading["app"]), ("acme", [b"of acme"], "acme_shop_web")
        )
        listed = json.loads(
            agent.tool("logs", "--container", one, "--output", "json", tenants=("acme",)).stdout.splitlines()[0]
        )
        told = json.dumps([stored.heading, listed])
        self.assertIn(task, told)
        self.assertEqual(reader.of(other).tenant, "globex")
        self.assertEqual(reader.of(nobodys).tenant, "_unassigned")
        inspected = (
            agent.tool(
                "inspect",
                next(key for key in reader.objects() if reader.tenant_of(key) == "acme"),
                "--json",
                tenants=("acme",),
                check=False,
            ).stdout.decode()
            + told
        )
        for word in (AGENT, FRAMEWORK):
            self.assertIn(word, inspected)

    def test_a_task_that_claims_to_be_another_is_quarantined_counted_named_and_explained(self):
        agent = self.agent(tenants=("acme", "globex"), tenancy__unassigned="drop")
        secret = "/globex/forged-9d21"
        liars = [
            self.mesos.run(
                "/acme/web",
                "echo lie; sleep 1000",
                env={"MARATHON_APP_ID": secret, "MARATHON_APP_LABEL_TENANT": "globex"},
            ),
            self.mesos.run(
                "/acme/web",
                "echo lie; sleep 1000",
                env={"MESOS_TASK_ID": "globex_x." + str(uuid.uuid4()), "MARATHON_APP_LABEL_TENANT": "globex"},
            ),
            self.mesos.run(
                "/acme/web",
                "echo lie; sleep 1000",
                labels={"MESOS_TASK_ID": "globex_x.1"},
                env={"MARATHON_APP_LABEL_TENANT": "globex"},
            ),
        ]
        honest, _, _ = self.mesos.run(
            "/globex/web", "echo truth; sleep 1000", env={"MARATHON_APP_LABEL_TENANT": "globex"}
        )
        self.wait_stored(agent.reader(), 4)
        self.assertEqual(agent.metric("boatswain_forged_identities_total", ruled="quarantine"), 3)
        claims = {entry["container"]: entry["claims"] for entry in agent.wait_logged("claims to be another")}
        self.assertEqual(
            [claims[container[:12]] for container, _, _ in liars],
            ["env MARATHON_APP_ID", "env MESOS_TASK_ID", "label MESOS_TASK_ID"],
        )
        why = run(
            BUILD / "boatswain", "why", liars[0][1], "--socket", agent.state / "agent.sock", check=False
        ).stdout.decode()
        self.assertIn("forged: env MARATHON_APP_ID contradicts the path of its Mesos sandbox", why)
        self.assertIn("tenancy.forged", why)
        self.assertEqual(agent.stop(), 0)
        self.assertNotIn(secret, agent.log_path.read_text() + why)
        reader = agent.reader()
        for container, _, _ in liars:
            self.assertEqual((reader.of(container).tenant, reader.of(container).messages()), ("_unassigned", [b"lie"]))
        self.assertEqual(reader.of(honest).tenant, "globex")

    def test_the_operator_may_believe_the_sandbox_or_the_claim_instead(self):
        for ruling, tenant in (("ignore-env", "acme"), ("trust-env", "globex")):
            with self.subTest(ruling):
                agent = self.agent(
                    tenants=("acme", "globex"),
                    tenancy__forged=ruling,
                    tenancy__tenant=["env:MARATHON_APP_LABEL_TENANT", "mesos"],
                )
                liar, name, _ = self.mesos.run(
                    "/acme/web",
                    "echo lie; sleep 1000",
                    env={"MARATHON_APP_ID": "/globex/web", "MARATHON_APP_LABEL_TENANT": "globex"},
                )
                wait_for(lambda: agent.reader().of(liar).lines, what="its line is stored")
                self.assertEqual(agent.metric("boatswain_forged_identities_total", ruled=ruling), 1)
                why = run(BUILD / "boatswain", "why", name, "--socket", agent.state / "agent.sock").stdout.decode()
                self.assertIn(f"tenancy.forged is {ruling}", why)
                self.assertEqual(agent.stop(), 0)
                self.assertEqual(agent.reader().of(liar).tenant, tenant)
                self.engine.remove_all()

    def test_a_path_with_a_colon_is_found_through_the_agents_link_and_executors_are_left_out(self):
        agent = self.agent(tenants=("acme",), tenancy__tenant=["mesos"], tenancy__forged="trust-env")
        linked, _, _ = self.mesos.run(
            "/acme/nightly", "echo linked; sleep 1000", task="acme_ct:1479:0:nightly:"
        )  # as Chronos names tasks
        executor, name, _ = self.mesos.run("/acme/web", "echo I0101 executor; sleep 1000", suffix=".executor")
        wait_for(lambda: agent.reader().of(linked).lines, what="its line is stored")
        self.assertEqual(agent.reader().of(linked).tenant, "acme")
        why = run(BUILD / "boatswain", "why", name, "--socket", agent.state / "agent.sock", check=False).stdout.decode()
        self.assertIn("is not collected: exclude rule name:^mesos-", why)
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(agent.reader().of(executor).lines, [])


if __name__ == "__main__":
    main()
