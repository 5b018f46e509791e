#!/usr/bin/python3
"""The guard before a real engine: what the docker command can do through it and what not, and the agent behind it as an
ordinary user."""
import sys

sys.dont_write_bytecode = True
import guard_hostile_test
import recording_engine
from harness import *

NOBODY = 65534


class GuardTest(LiveTest):
    def guard(self, **settings):
        guard = recording_engine.Guard(self.engine.socket, **settings)
        self.addCleanup(guard.close)
        self.addCleanup(self.show_log, guard)
        return guard.start()

    def show_log(self, guard):
        result = self._outcome.result
        if any(test is self for test, _ in (*result.errors, *result.failures)):
            print(f"--- the guard's last words in {self.id()}:\n{guard.log_path.read_text()[-3000:]}", file=sys.stderr)


class DockerCommand(GuardTest):
    def docker(self, guard, *words, check=True, timeout=60):
        done = subprocess.run(
            ["docker", "-H", f"unix://{guard.socket}", *words],
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**self.engine.env, "DOCKER_HOST": ""},
        )
        if check:
            self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_it_looks_through_the_guard(self):
        guard = self.guard()
        container = self.engine.shell(
            "echo to stdout; echo to stderr >&2; sleep 1000",
            name="web-1",
            labels={"team": "red"},
            env={"PASSWORD": "hunter2"},
        )
        self.engine.run("sh", "-c", "echo from a terminal", name="tty", options=["--tty"])
        version = ("version", "--format", "{{.Server.Version}} {{.Server.APIVersion}}")
        self.assertEqual(self.docker(guard, *version).stdout.strip(), self.engine.docker(*version))
        self.assertIn(str(self.engine.root), self.docker(guard, "info").stdout)
        self.assertIn("web-1", self.docker(guard, "ps").stdout)
        self.assertEqual(
            self.docker(
                guard, "ps", "-aq", "--no-trunc", "--filter", "label=team=red", "--filter", "status=running"
            ).stdout.split(),
            [container],
        )
        self.assertEqual(len(self.docker(guard, "ps", "-a", "-n", "1", "-q").stdout.split()), 1)
        facts = json.loads(self.docker(guard, "inspect", "web-1").stdout)[0]
        direct = json.loads(self.engine.docker("inspect", "web-1"))[0]
        self.assertEqual(facts, direct)
        logs = self.docker(guard, "logs", "--timestamps", "web-1")
        wait_for(lambda: "to stdout" in self.docker(guard, "logs", "web-1").stdout, what="the container's line")
        logs = self.docker(guard, "logs", "--tail", "5", "--since", "1h", "web-1")
        self.assertEqual((logs.stdout, logs.stderr), ("to stdout\n", "to stderr\n"))
        self.assertIn("from a terminal", self.docker(guard, "logs", "tty").stdout)
        self.assertIn("No such container", self.docker(guard, "logs", "nothing", check=False).stderr)

    def test_it_follows_logs_and_events(self):
        guard = self.guard()
        events = subprocess.Popen(
            ["docker", "-H", f"unix://{guard.socket}", "events", "--format", "{{.Action}} {{.Actor.Attributes.name}}"],
            stdout=subprocess.PIPE,
            text=True,
            env={**self.engine.env, "DOCKER_HOST": ""},
        )
        self.addCleanup(lambda: (events.kill(), events.wait(), events.stdout.close()))
        wait_for(lambda: guard.logged("request allowed", call="events"), what="the subscription")
        time.sleep(0.5)
        container = self.engine.shell(
            "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; sleep 1", name="talker"
        )
        followed = self.docker(guard, "logs", "-f", "talker")
        self.assertEqual(followed.stdout.splitlines(), [f"line {i}" for i in range(3000)])
        self.engine.docker("rm", "-f", container)
        seen = []
        while "destroy talker" not in seen:
            seen.append(events.stdout.readline().strip())
        self.assertIn("start talker", seen)
        events.kill()
        # The guard's call to the engine ended with its client.
        wait_for(lambda: self.calls_open(guard) == 0, what="no call to the engine open")

    def calls_open(self, guard):
        def is_socket(name):
            try:
                return os.readlink(f"/proc/{guard.process.pid}/fd/{name}").startswith("socket:")
            except FileNotFoundError:
                return False  # it was closed meanwhile

        return sum(map(is_socket, os.listdir(f"/proc/{guard.process.pid}/fd"))) - 1

    def test_what_changes_anything_or_reaches_into_a_container_is_refused_in_words(self):
        guard = self.guard()
        container = self.engine.shell("sleep 1000", name="web-1")
        for words in (
            ["run", "bw/busybox", "true"],
            ["exec", "web-1", "true"],
            ["rm", "-f", "web-1"],
            ["stop", "web-1"],
            ["kill", "web-1"],
            ["cp", "web-1:/etc/passwd", "-"],
            ["export", "web-1"],
            ["top", "web-1"],
            ["diff", "web-1"],
            ["images"],
            ["rmi", "bw/busybox"],
            ["volume", "ls"],
            ["network", "ls"],
            ["pause", "web-1"],
            ["rename", "web-1", "web-2"],
            ["ps", "-s"],
            ["events", "--filter", "type=image", "--until", "0s"],
            ["system", "df"],
            ["create", "bw/busybox"],
        ):
            with self.subTest(words=words):
                done = self.docker(guard, *words, check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("boatswaind guard: ", done.stderr)
                self.assertIn("not allowed here" if words[0] != "events" else "only events of containers", done.stderr)
        done = self.docker(
            guard, "attach", "web-1", check=False
        )  # of a refused upgrade the command tells the status alone
        self.assertIn("403", done.stderr)
        self.assertEqual(self.engine.docker("ps", "-q", "--no-trunc"), container)
        self.assertEqual(self.engine.docker("ps", "-aq", "--no-trunc"), container)

    def test_hostile_requests_change_nothing_on_a_real_engine(self):
        guard = self.guard()
        container = self.engine.shell("sleep 1000", name="web")
        for request, status in guard_hostile_test.HOSTILE:
            self.assertEqual(guard.send(request).split(b" ")[1], str(status).encode(), request[:100])
        self.assertEqual(self.engine.docker("ps", "-aq", "--no-trunc"), container)

    def test_secrets_are_hidden_and_what_rules_read_is_not(self):
        guard = self.guard(redact="all")
        word = "hunter2-5a1b"
        self.engine.shell(
            f"sleep 1000 # {word}",
            name="web-1",
            env={"BOATSWAIN_TENANT": "red", "PASSWORD": word, "MULTI": f"a\nB={word}"},
            options=["--health-cmd", f"echo {word}", "--health-interval", "1s"],
        )
        facts = self.docker(guard, "inspect", "web-1").stdout
        self.assertIn('"BOATSWAIN_TENANT=red"', facts)
        self.assertIn('"PASSWORD=***"', facts)
        wait_for(
            lambda: json.loads(self.engine.docker("inspect", "web-1"))[0]["State"]["Health"]["Log"],
            what="a health check's output",
        )
        # The command asks for events until the last whole second.
        events = wait_for(
            lambda: (seen := self.docker(guard, "events", "--since", "1h", "--until", "0s").stdout)
            and "exec_start: ***" in seen
            and seen,
            what="the health check's event",
        )
        for seen in (
            self.docker(guard, "inspect", "web-1").stdout,
            events,
            self.docker(guard, "ps", "--no-trunc").stdout,
            guard.log_path.read_text(),
        ):
            self.assertNotIn(word, seen)

    def test_attach_shows_output_when_it_was_opted_in_and_takes_no_input(self):
        guard = self.guard(attach=True)
        self.engine.shell("sleep 3; echo hello; sleep 1", name="quiet")
        # The command asks how the container ended, which is not a reading call: it complains about that at the end.
        self.assertIn("hello", self.docker(guard, "attach", "--no-stdin", "quiet", check=False).stdout)
        self.engine.run(
            "sh",
            "-c",
            "sleep 1; echo hello; read word && echo got $word; sleep 3",
            name="talker",
            options=["--interactive"],
        )
        with guard.connect() as client:
            client.sendall(
                b"POST /containers/talker/attach?stream=1&stdout=1&logs=1 HTTP/1.1\r\nHost: x\r\nConnection:"
                b" Upgrade\r\nUpgrade: tcp\r\n\r\nword\n"
            )
            client.settimeout(1)
            data = b""
            end = time.monotonic() + 30
            while b"hello" not in data and time.monotonic() < end:
                try:
                    data += client.recv(1000)
                except TimeoutError:
                    client.sendall(b"word\n")
            self.assertIn(b" 101 ", data)
            self.assertIn(b"hello", data)
        time.sleep(0.5)
        self.assertNotIn("got", self.engine.docker("logs", "talker"))


class Behind:
    """What an agent sees of an engine behind a guard."""

    def __init__(self, guard):
        self.socket = f"unix:{guard.socket}"


class AgentBehindGuard(GuardTest):
    def agent_as(self, guard, *capabilities, **settings):
        agent = Agent(Behind(guard), **settings)
        self.addCleanup(agent.close)
        self.addCleanup(self.show_log_of_failure, agent)
        # The build may lie where nobody else may look.
        shutil.copy(BUILD / "boatswaind", agent.place / "boatswaind")
        run("chown", "-R", f"{NOBODY}:{NOBODY}", agent.place)
        agent.prefix = [
            "setpriv",
            f"--reuid={NOBODY}",
            f"--regid={NOBODY}",
            "--clear-groups",
            *capabilities,
            "sh",
            "-c",
            f'shift; exec {agent.place}/boatswaind "$@"',
            "sh",
        ]
        return agent.start()

    def guard_for_nobody(self, **settings):
        guard = self.guard(allow_uid=["nobody"], group=str(NOBODY), redact="environment", **settings)
        os.chmod(guard.place, 0o711)
        return guard

    def containers(self):
        red = {"BOATSWAIN_TENANT": "red", "PASSWORD": "hunter2"}
        script = "i=0; while [ $i -lt 500 ]; do echo line $i; i=$((i+1)); done; sleep 1000"
        return {
            "json-file": self.engine.shell(script, env=red),
            "local": self.engine.shell(script, env=red, options=["--log-driver", "local"]),
            "terminal": self.engine.shell(script, env=red, options=["--tty"]),
        }

    def check(self, agent, containers):
        self.wait_stored_or_still(agent.reader(), 500 * len(containers))
        status = pathlib.Path(f"/proc/{agent.process.pid}/status").read_text()
        self.assertIn(f"Uid:\t{NOBODY}", status)
        self.assertEqual(agent.stop(), 0)
        for name, container in containers.items():
            stored = agent.reader().of(container)
            self.assertEqual(stored.tenant, "red")
            self.assertEqual(
                [m.rstrip(b"\r") for m in stored.messages()], [f"line {i}".encode() for i in range(500)], name
            )

    def test_an_ordinary_user_reads_everything_through_the_guard(self):
        guard = self.guard_for_nobody(attach=True)
        agent = self.agent_as(guard)
        self.assertEqual(agent.logged("confined")[0]["seccomp"], "in force")
        containers = self.containers()
        attached = self.engine.shell(
            "echo before; sleep 1000",
            env={"BOATSWAIN_TENANT": "green"},
            verb="create",
            options=["--log-driver", "none", "--label", "boatswain.attach=true"],
        )
        agent.wait_logged("attached to container", container=attached)
        self.engine.docker("start", attached)
        wait_for(
            lambda: agent.metric("boatswain_containers", reader="logs") == 3
            and agent.metric("boatswain_containers", reader="attach") == 1,
            what="three containers read by GET /logs and one attached to",
        )
        wait_for(lambda: agent.reader().of(attached).messages() == [b"before"], what="the attached container's line")
        self.check(agent, containers)

    def test_with_one_capability_it_reads_the_files_themselves(self):
        guard = self.guard_for_nobody()
        agent = self.agent_as(guard, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
        containers = self.containers()
        wait_for(
            lambda: agent.metric("boatswain_containers", reader="json-file") == 2,
            what="two containers read from their files",
        )
        self.check(agent, containers)

    def test_it_goes_on_when_the_guard_is_restarted(self):
        guard = self.guard_for_nobody()
        agent = self.agent_as(guard)
        self.assertEqual(guard.stop(), 0)
        agent.wait_logged("engine not followed")
        guard.start()
        container = self.engine.shell("echo afterwards", env={"BOATSWAIN_TENANT": "red"})
        wait_for(
            lambda: agent.reader().of(container).messages() == [b"afterwards"],
            40,
            what="the line of a container started afterwards",
        )


class Sandboxed(GuardTest):
    """The agent confined, `sandbox = "on"`: what it does all day works."""

    def landlock(self):
        done = run(sys.executable, "-c", "import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))")
        return int(done.stdout)

    def test_it_says_what_holds_or_refuses_to_start_without_it(self):
        guard = self.guard()
        agent = Agent(Behind(guard), sandbox="on")
        self.addCleanup(agent.close)
        self.addCleanup(self.show_log_of_failure, agent)
        agent.start(wait=False)
        if self.landlock() < 1:
            self.assertNotEqual(agent.process.wait(20), 0)
            agent.process = None
            self.assertIn("Landlock", agent.last_words())
            return
        agent.wait_logged("engine followed")
        container = self.engine.shell("echo hello", env={"BOATSWAIN_TENANT": "red"})
        wait_for(lambda: agent.reader().of(container).messages() == [b"hello"], 40, what="the line")
        confined = agent.logged("confined")[0]
        self.assertEqual(
            (confined["landlock"], confined["seccomp"], confined["reads"]),
            (str(self.landlock()), "in force", "what it needs"),
        )
        self.assertIn("Seccomp:\t2", pathlib.Path(f"/proc/{agent.process.pid}/status").read_text())

    def test_with_the_engine_itself_in_reach_it_refuses_or_warns(self):
        for settings in ({}, {"docker__root": str(self.engine.root)}):
            refusing = self.agent(start=False, sandbox="on", **settings).start(wait=False)
            self.assertNotEqual(refusing.process.wait(20), 0)
            refusing.process = None
            self.assertIn("not a guard's", refusing.last_words())
        self.assertTrue(self.agent().logged("the engine itself is in reach"))

    def test_it_ends_to_be_started_again_when_its_broker_has_ended(self):
        agent = self.agent()
        (broker,) = run("pgrep", "--parent", str(agent.process.pid)).stdout.split()
        self.assertIn("Seccomp:\t2", pathlib.Path(f"/proc/{int(broker)}/status").read_text())
        self.assertIn("CapEff:\t0000000000000000", pathlib.Path(f"/proc/{int(broker)}/status").read_text())
        os.kill(int(broker), signal.SIGKILL)
        self.assertEqual(agent.process.wait(30), 1)
        agent.process = None
        self.assertIn("broker", agent.last_words())
        agent.start()

    def test_keys_rules_and_directories_that_are_replaced_later_are_seen(self):
        agent = self.agent(start=False, tenants=("red",))
        # The keyring is a link that is turned to another directory, as configuration managers do it.
        first, second = agent.place / "keys-1", agent.place / "keys-2"
        agent.keyring.rename(first)
        shutil.copytree(first, second)
        agent.keyring.symlink_to(first)
        agent.start()
        container = self.engine.shell("echo to green; sleep 1000", env={"BOATSWAIN_TENANT": "green"})
        agent.make_key("green")
        shutil.copy(agent.keys / "green.pub", second / "green.pub")
        (agent.place / "new-link").symlink_to(second)
        (agent.place / "new-link").rename(agent.keyring)
        agent.wait_logged("keyring read", tenants=2)
        other = self.engine.shell("echo to green", env={"BOATSWAIN_TENANT": "green"})
        wait_for(
            lambda: agent.reader().of(other).tenant == "green" and agent.reader().of(other).messages(),
            40,
            what="lines of the new key",
        )
        self.assertEqual(agent.logged("sandbox not whole") == [], self.landlock() >= 1)

    def test_an_agent_that_starts_before_its_engine_says_that_files_are_not_confined(self):
        container = self.engine.shell("echo hello", env={"BOATSWAIN_TENANT": "red"})
        self.engine.stop_daemon()
        try:
            agent = self.agent(start=False).start(wait=False)
            agent.wait_logged("files can be read everywhere")
            refusing = self.agent(start=False, sandbox="on").start(wait=False)
            self.assertNotEqual(refusing.process.wait(20), 0)
            refusing.process = None
            self.assertRegex(refusing.last_words(), "docker.root|not a guard's")
        finally:
            self.engine.start_daemon()
        agent.wait_logged("engine followed", 40)
        wait_for(lambda: agent.reader().of(container).messages() == [b"hello"], 40, what="the line")


if __name__ == "__main__":
    main()
