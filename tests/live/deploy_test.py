#!/usr/bin/python3
"""The image, made without a registry, runs on a real engine exactly as the descriptors under deploy/ say."""
import json
import os
import re
import shutil
import urllib.error
import urllib.request

from harness import BUILD, LiveTest, Reader, free_port, main, run, scratch, wait_for
from orchestrators import DEPLOY, ROOT, MesosTask, import_image, marathon_app, on_this_host

CAP_DAC_READ_SEARCH = 1 << 2
BOATSWAIN_UID = 10350


class OnAnEngine(LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.place = scratch("bwd.")
        cls.addClassCleanup(shutil.rmtree, cls.place, True)
        import_image(cls.engine, BUILD, cls.place)

    def setUp(self):
        super().setUp()
        self.host = scratch("bwh.")  # what the descriptors call the host's /etc/boatswain, /var/lib/boatswain, ...
        self.addCleanup(shutil.rmtree, self.host, True)
        self.keys = self.host / "keys"
        for path in ("keys", "etc/keys", "state", "run"):
            (self.host / path).mkdir(parents=True)
        for tenant in ("red", "infra", "_unassigned"):
            run(BUILD / "boatswain", "keys", "new", tenant, "--out", self.keys)
            shutil.copy(self.keys / f"{tenant}.pub", self.host / "etc/keys")
        self.reader = Reader(self.keys, directory=self.host / "state/store")

    def task(self, app, host_paths, **env):
        port = free_port()
        ports = {definition["port"]: port for definition in app["portDefinitions"]}
        task = MesosTask(
            self.engine, on_this_host(app, host_paths, ports, env), self.host / "mesos" / app["id"].strip("/")
        )
        self.addCleanup(task.close)
        self.addCleanup(self.tell_failure, task)
        return task

    def tell_failure(self, task):
        result = self._outcome.result
        if any(test is self for test, _ in (*result.errors, *result.failures)):
            print(f"--- last words of {task.app['id']}:\n{task.last_words()}")

    def agent(self, app, **host_paths):
        return self.task(
            app,
            {
                "/var/lib/docker/containers": self.engine.root / "containers",
                "/etc/boatswain": self.host / "etc",
                "/var/lib/boatswain": self.host / "state",
                **host_paths,
            },
            BOATSWAIN_STORE_URL="dir:/var/lib/boatswain/store",
            BOATSWAIN_BATCH_FLUSH_AFTER="1s",
        )

    @staticmethod
    def get(task, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{task.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
        except OSError:
            return 0, ""

    def wait_ready(self, task):
        def ready():
            if task.process.poll() is not None:
                raise AssertionError(f"the task ended with {task.process.returncode}")
            return self.get(task, "/readyz")[0] == 200

        wait_for(
            ready, 90, lambda: f"ready: {self.get(task, '/readyz')}, its last words: {task.last_words()}", pause=0.3
        )

    def marathon_task_of_a_tenant(self, script):
        return self.engine.shell(script, env={"MARATHON_APP_ID": "/red/web", "MARATHON_APP_LABEL_TENANT": "red"})

    def assert_reads_others_and_not_itself(self, agent, running, others=0):
        wait_for(lambda: self.reader.line_count() >= 1000, 60, "the lines of the container that was there before")
        later = self.marathon_task_of_a_tenant("seq 1 500")
        wait_for(lambda: self.reader.line_count() >= 1500, 60, "the lines of one that came later")
        wait_for(
            lambda: self.get(agent, "/metrics")[1].count('boatswain_last_stored_timestamp_seconds{tenant="red"}'),
            20,
            "stored",
        )
        for container, count in ((running, 1000), (later, 500)):
            stored = self.reader.of(container)
            self.assertEqual((stored.tenant, stored.heading["app"]), ("red", "/red/web"))
            self.assertEqual(stored.messages(), [str(i).encode() for i in range(1, count + 1)])
        own = agent.id()
        self.assertGreater(
            len(self.engine.docker("logs", own).strip() or agent.last_words()), 0, "the agent says something"
        )
        why = json.loads(
            run(
                BUILD / "boatswain", "why", own, "--json", "--socket", self.host / "state/agent.sock", check=False
            ).stdout
        )
        self.assertEqual(why["verdict"], "own")
        self.assertNotIn(own, {identity for identity, _ in self.reader.containers()})
        self.assertIn(f'boatswain_containers{{reader="json-file"}} {2 + others}\n', self.get(agent, "/metrics")[1])

    @staticmethod
    def status_of(pid):
        with open(f"/proc/{pid}/status") as status:
            return dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)


class Marathon(OnAnEngine):
    def test_the_agent_of_the_descriptor_reads_others_and_not_itself(self):
        running = self.marathon_task_of_a_tenant("seq 1 1000; sleep 1000")
        agent = self.agent(marathon_app("agent-without-guard.json"), **{"/run": self.engine.socket.parent})
        self.wait_ready(agent)
        self.assertTrue(agent.mesos_http_check())
        self.assert_reads_others_and_not_itself(agent, running)
        status = self.status_of(agent.pid())
        self.assertEqual(int(status["CapEff"], 16), CAP_DAC_READ_SEARCH, "it has that capability and no other")
        self.assertEqual(int(status["CapBnd"], 16), CAP_DAC_READ_SEARCH)
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertFalse(os.access(f"/proc/{agent.pid()}/root/usr/bin/sh", os.F_OK), "no shell in the image")
        self.assertEqual(agent.stop(), 0, "told to end, it ends within its grace")
        self.assertIn('"shipped":"all"', agent.last_words())


class MarathonWithGuard(OnAnEngine):
    def test_the_agent_is_an_ordinary_user_that_sees_the_engine_through_the_guard_alone(self):
        os.chown(self.host / "state", BOATSWAIN_UID, BOATSWAIN_UID)
        running = self.marathon_task_of_a_tenant("seq 1 1000; sleep 1000")
        guard = self.task(
            marathon_app("agent.json", "/infra/boatswain/guard"),
            {"/run": self.engine.socket.parent, "/run/boatswain": self.host / "run"},
        )
        wait_for(lambda: self.guard_answers(guard), 60, lambda: f"the guard: {guard.last_words()}")
        agent = self.agent(
            marathon_app("agent.json", "/infra/boatswain/agent"), **{"/run/boatswain": self.host / "run"}
        )
        self.wait_ready(agent)
        self.assertTrue(agent.mesos_http_check())
        self.assert_reads_others_and_not_itself(agent, running, others=1)
        status = self.status_of(agent.pid())
        self.assertEqual(status["Uid"].split(), [str(BOATSWAIN_UID)] * 4)
        self.assertEqual(int(status["CapEff"], 16), CAP_DAC_READ_SEARCH)
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertEqual(int(self.status_of(guard.pid())["CapEff"], 16), 0, "the guard has no capability at all")
        self.assertNotIn(
            str(self.engine.socket), (self.mounts_of(agent.pid())), "the agent has no way to the engine's own socket"
        )
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(guard.stop(), 0)

    @staticmethod
    def guard_answers(guard):
        if guard.process.poll() is not None:
            raise AssertionError(f"the guard ended with {guard.process.returncode}: {guard.last_words()}")
        return guard.mesos_http_check()

    @staticmethod
    def mounts_of(pid):
        with open(f"/proc/{pid}/mountinfo") as mounts:
            return mounts.read()


NAME = r"(?:boatswain|process)_[a-z_]+[a-z]"


def shown_by(text):
    """Series of Prometheus' text: {name: [labels, ...]}."""
    series = {}
    for line in text.splitlines():
        if found := re.fullmatch(r"(\w+)(?:\{(.*)\})? \S+", line):
            series.setdefault(found[1], []).append(dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', found[2] or "")))
    return series


def expressions():
    """Where each is said, and the expression."""
    for group in re.findall(r"^ +expr: (.*)$", (DEPLOY / "prometheus/alerts.yml").read_text(), re.M):
        yield "alerts.yml", group
    for panel in json.loads((DEPLOY / "grafana/boatswain.json").read_text())["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


GIVEN_BY_PROMETHEUS = {"instance", "job"}


def unknown_in(expression, series):
    """What the expression names and the series do not have."""
    for name, selector in re.findall(rf"({NAME})(?:\{{([^}}]*)\}})?", expression):
        if name not in series:
            yield name
            continue
        wanted = [
            match for match in re.findall(r'(\w+)(=~|=)"([^"]*)"', selector) if match[0] not in GIVEN_BY_PROMETHEUS
        ]
        if not any(
            all(label in labels and (how == "=~" or labels[label] == value) for label, how, value in wanted)
            for labels in series[name]
        ):
            yield f"{name}{{{selector}}}"
    for labels in re.findall(r"(?:by|ignoring) \(([^)]*)\)", expression):
        for label in labels.split(", "):
            used = [one for name in re.findall(NAME, expression) if name in series for one in series[name]]
            if label not in GIVEN_BY_PROMETHEUS and not any(label in one for one in used):
                yield f"by ({label})"


class Metrics(LiveTest):
    """/healthz, /readyz and /metrics of a running agent, and what is said of them elsewhere."""

    def test_everything_that_alerts_dashboard_and_documents_name_is_shown(self):
        agent = self.agent()
        self.engine.shell("seq 1 100; sleep 1000", env={"BOATSWAIN_TENANT": "red"})
        self.wait_stored(agent.reader(), 100)
        wait_for(
            lambda: 'boatswain_last_stored_timestamp_seconds{tenant="red"}' in agent.get("/metrics")[1],
            20,
            "told to be stored",
        )
        series = shown_by(agent.get("/metrics")[1])
        problems = [
            f"{where}: {what}" for where, expression in expressions() for what in unknown_in(expression, series)
        ]
        self.assertEqual(problems, [])
        self.assertEqual(
            list(
                unknown_in(
                    'rate(boatswain_nothing_total[5m]) + boatswain_ready{part="x"} + sum by (moon) (boatswain_ready)',
                    series,
                )
            ),
            ["boatswain_nothing_total", 'boatswain_ready{part="x"}', "by (moon)"],
            "the check can fail",
        )

        page = " ".join((ROOT / "docs/operate/monitoring.md").read_text().split())  # as one line: it is wrapped
        documented = set(re.findall(rf"`({NAME})(?:\{{[^`]*\}})?`", page))
        # Some only appear when it happens.
        self.assertEqual(
            sorted(documented - set(series) - set(re.findall(rf"`({NAME})[^`]*` \(when it happens\)", page))),
            [],
            "documented, and not shown",
        )
        self.assertEqual(sorted(set(series) - documented), [], "shown, and not documented")
        files = ("alerts.yml", "serve_alerts.yml")
        alerts = {one for f in files for one in re.findall(r"alert: (\w+)", (DEPLOY / "prometheus" / f).read_text())}
        self.assertEqual(set(re.findall(r"`(Boatswain\w+)`", page)), alerts, "each alert is explained")

    def test_lag_is_measured_against_the_end_of_the_log_in_bytes_and_seconds(self):
        # A closed port: nothing goes to the store, the spool is soon full, and so reading stands still while the log
        # grows.
        agent = self.agent(
            start=False,
            memory_max="8MiB",
            spool__bytes_max="1MiB",
            batch__flush_bytes="1MiB",
            store=f"s3://bucket/x?endpoint=http://127.0.0.1:{free_port()}&region=r&path_style=true",
        )
        agent.environment = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        agent.start()
        self.engine.shell(
            "head -c 16000000 /dev/urandom | base64 -w 1000; sleep 2; echo later; sleep 1000",
            env={"BOATSWAIN_TENANT": "red"},
        )
        lag = lambda what: agent.metric(f"boatswain_tenant_lag_{what}", tenant="red")
        wait_for(
            lambda: lag("seconds") >= 1 and lag("bytes") > 1_000_000,
            90,
            lambda: f"behind by {lag('seconds')} s, {lag('bytes')} bytes",
        )
        self.assertGreaterEqual(agent.metric("boatswain_read_lag_seconds", reader="json-file"), 1)
        self.assertGreater(agent.metric("boatswain_read_lag_bytes", reader="json-file"), 1_000_000)
        self.assertEqual(agent.get("/healthz")[0], 200, "starting anew would not help")
        # That the store refuses is told when the first put has been tried for a minute.
        self.assertIn("spool", agent.ready()[1])
        self.assertEqual(agent.get("/readyz")[0], 503)
        self.assertGreaterEqual(agent.metric("boatswain_not_ready", part="spool"), 1)
        self.assertEqual(agent.metric("boatswain_ready"), 0)

    def test_an_engine_that_is_away_makes_it_not_ready_and_no_less_alive(self):
        agent = self.agent()
        wait_for(lambda: agent.ready()[0], 30, "ready")
        self.engine.stop_daemon()
        try:
            wait_for(lambda: not agent.ready()[0], 30, "not ready")
            self.assertEqual(agent.ready()[1], ["engine"])
            self.assertEqual(agent.get("/healthz")[0], 200)
            self.assertGreaterEqual(agent.metric("boatswain_engine_reconnects_total"), 1)
        finally:
            self.engine.start_daemon()
        wait_for(lambda: agent.ready()[0], 60, "ready again")


if __name__ == "__main__":
    main()
