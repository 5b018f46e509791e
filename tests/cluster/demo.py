"""demo.py PLACE ENGINE_DIR BUILD [--once]: what ./dev demo --cluster shows. scripts/demo_cluster.sh starts and ends
what it needs.

The double (double/) plays Marathon and Mesos. What it launches on a host is real: a boatswaind with that host's name,
its own state directory and the
containers of one Docker engine that carry the host's label. So three hosts share an engine as if each had one, and
`boatswain fleet sync`, which
knows only URLs, keeps an agent on each.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

sys.dont_write_bytecode = True
from double.cluster import Cluster

APP = "/infra/boatswain"
SCALE = 30  # a minute of the cluster in two seconds
HOLD_SECONDS = 120  # of the cluster; 15 minutes where it is not a show
WAIT_SECONDS_MAX = 120
PORT = 31464
DEFINITION = {
    "id": APP,
    "instances": 1,
    "cpus": 0.2,
    "mem": 256,
    "args": ["agent"],
    "constraints": [["hostname", "UNIQUE"]],
    "requirePorts": True,
    "portDefinitions": [{"port": PORT, "protocol": "tcp"}],
    "healthChecks": [{"protocol": "MESOS_HTTP", "path": "/healthz"}],
    "upgradeStrategy": {"minimumHealthCapacity": 0.5, "maximumOverCapacity": 0},
    "unreachableStrategy": {"inactiveAfterSeconds": 3600, "expungeAfterSeconds": 3600},
}
colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def heading(text):
    print(f"\n\033[1m== {text}\033[0m" if colour else f"\n== {text}", flush=True)


def say(text):
    print(text, flush=True)


class Hosts:
    """Real agents for the tasks that the double runs: started and ended as they come and go, and their health told
    back."""

    def __init__(self, cluster, place, engine, build):
        self.cluster, self.place, self.engine, self.build = cluster, place, engine, build
        self.agents = {}  # task id -> (host, process, port)
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def docker(self, *words):
        environment = {**os.environ, "DOCKER_HOST": f"unix://{self.engine}/docker.sock", "DOCKER_CONTEXT": ""}
        return subprocess.run(
            ["docker", *words], check=True, capture_output=True, text=True, env=environment
        ).stdout.split()

    def start_container(self, host, name, tenant, lines):
        self.docker(
            "run",
            "--detach",
            "--network",
            "none",
            "--name",
            f"{host}-{name}",
            "--label",
            f"boatswain.host={host}",
            "--env",
            f"BOATSWAIN_TENANT={tenant}",
            "--env",
            f"BOATSWAIN_APP={name}",
            "bw/busybox",
            "sh",
            "-c",
            f"i=0; while [ $i -lt {lines} ]; do i=$((i+1)); echo {host} {name} $i of {lines}; done; sleep 1000000",
        )

    def switch_off(self, host):
        """The host's containers and agent end at once, as when its power does."""
        for task, (where, process, _) in list(self.agents.items()):
            if where == host:
                process.kill()
                process.wait()
                self.agents.pop(task, None)  # follow() may have seen it end
        containers = self.docker("ps", "-aq", "--filter", f"label=boatswain.host={host}")
        if containers:
            self.docker("rm", "-f", *containers)

    def follow(self):
        while not self.ending.wait(0.1):
            with self.cluster.lock:
                now = self.cluster.clock.now()
                wanted = {
                    process.task: machine.hostname
                    for machine in self.cluster.master.machines
                    if machine.up
                    for process in machine.processes.values()
                    if process.app == APP and process.ends_at is None and process.started_at <= now
                }
            for task, host in wanted.items():
                if task not in self.agents:
                    self.agents[task] = (host, *self.start_agent(host))
            for task in [task for task in list(self.agents) if task not in wanted]:
                ended = self.agents.pop(task, None)
                if ended:
                    ended[1].terminate()
            for host, process, port in list(self.agents.values()):
                well = process.poll() is None and self.is_healthy(port)
                with self.cluster.lock:
                    for machine in self.cluster.master.machines:
                        if machine.hostname == host and machine.up:
                            machine.healthy = well

    def start_agent(self, host):
        state, port = self.place / host, self.free_port()
        state.mkdir(exist_ok=True)
        log = open(self.place / f"{host}.log", "ab")
        process = subprocess.Popen(
            [
                self.build / "boatswaind",
                "agent",
                "--host",
                host,
                "--state-dir",
                state,
                "--engine-socket",
                f"{self.engine}/docker.sock",
                "--listen",
                f"127.0.0.1:{port}",
                "--store-url",
                f"dir:{self.place}/store",
                "--tenancy-keyring",
                self.place / "keyring",
                "--docker-include",
                f"label:boatswain.host={host}",
                "--batch-flush-after",
                "1s",
                "--fleet-heartbeat",
                "1s",
            ],
            stdout=log,
            stderr=log,
        )
        log.close()
        return process, port

    @staticmethod
    def free_port():
        import socket

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    @staticmethod
    def is_healthy(port):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            return opener.open(f"http://127.0.0.1:{port}/healthz", timeout=2).status == 200
        except OSError:
            return False

    def close(self):
        self.ending.set()
        self.thread.join()
        for _, process, _ in self.agents.values():
            process.terminate()
        for _, process, _ in self.agents.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Demo:
    def __init__(self, place, engine, build):
        self.place, self.build = place, build
        self.cluster = Cluster(SCALE)
        self.marathon, self.mesos = self.cluster.marathons[0].url, self.cluster.masters[0].url
        self.hosts = Hosts(self.cluster, place, engine, build)
        self.sync = self.sync_log = None
        self.environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}

    def close(self):
        if self.sync is not None:
            self.sync.terminate()
            self.sync.wait(20)
            self.sync_log.close()
        self.hosts.close()
        self.cluster.close()

    def wait(self, condition, what):
        end = time.monotonic() + WAIT_SECONDS_MAX
        while not condition():
            if time.monotonic() > end:
                raise SystemExit(
                    f"not within {WAIT_SECONDS_MAX} s:"
                    f" {what}\n{json.dumps(self.cluster.snapshot(), indent=1)}\n{self.last_words()}"
                )
            time.sleep(0.1)

    def last_words(self):
        return "\n".join(
            f"--- {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-8:])
            for path in sorted(self.place.glob("*.log"))
        )

    def add_host(self, host):
        self.cluster.faults.add_host(host, {"rack": "r1"})
        self.hosts.start_container(host, "web", "acme", 100)
        self.hosts.start_container(host, "tank", "globex", 50)

    def start_sync(self):
        def real(seconds):
            return f"{round(seconds * 1000 / SCALE)}ms"

        words = [
            "fleet",
            "sync",
            "--marathon",
            self.marathon,
            "--mesos",
            self.mesos,
            "--app",
            APP,
            "--interval",
            "1s",
            "--hold",
            real(HOLD_SECONDS),
            "--drop-max",
            "50%",
        ]
        say(f"boatswain {' '.join(words)}")
        self.sync_log = open(self.place / "sync.log", "ab")
        self.sync = subprocess.Popen(
            [self.build / "boatswain", *words], stdout=self.sync_log, stderr=self.sync_log, env=self.environment
        )

    def covered(self, count):
        with self.cluster.lock:
            healthy = [
                one.host
                for one in self.cluster.marathon.instances_of(APP)
                if one.condition == "Running" and one.healthy
            ]
            return (
                sorted(healthy) == sorted(self.cluster.eligible(APP))
                and len(healthy) == count == self.cluster.marathon.apps[APP]["instances"]
                and not self.cluster.marathon.deployments
            )

    def show_status(self):
        done = self.status()
        say("\n".join("    " + line for line in (done.stdout + done.stderr).splitlines()))

    def status(self):
        return subprocess.run(
            [
                self.build / "boatswain",
                "fleet",
                "status",
                "--marathon",
                self.marathon,
                "--mesos",
                self.mesos,
                "--app",
                APP,
                "--store",
                f"dir:{self.place}/store",
            ],
            capture_output=True,
            text=True,
            env=self.environment,
            check=False,
        )

    def said_by_sync(self, since):
        text = (self.place / "sync.log").read_text(errors="replace")[since:]
        return "\n".join("    " + line for line in text.splitlines() if line.strip())

    def lines_of(self, tenant, host):
        done = subprocess.run(
            [
                self.build / "boatswain",
                "logs",
                "--store",
                f"dir:{self.place}/store",
                "--identity",
                self.place / "keys" / f"{tenant}.key",
                "--tenant",
                tenant,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        return sum(1 for line in done.stdout.splitlines() if f"{host} " in line)

    def play(self):
        heading("A cluster of three hosts")
        for host in ("host-1", "host-2", "host-3"):
            self.add_host(host)
        self.cluster.faults.foreign_app(DEFINITION)
        say(
            f"Marathon at {self.marathon}, Mesos at {self.mesos} (the double, {SCALE} times as fast as the wall's"
            " clock); the agent's app has 1 instance"
        )
        self.start_sync()
        self.wait(lambda: self.covered(3), "three hosts have their agent")
        self.wait(lambda: self.status().returncode == 0, "every agent says that it is well")
        say(self.said_by_sync(0))
        self.show_status()

        heading("A host is added")
        since = (self.place / "sync.log").stat().st_size
        self.add_host("host-4")
        self.wait(lambda: self.covered(4), "the new host has its agent")
        self.wait(lambda: self.status().returncode == 0, "every agent says that it is well")
        say(self.said_by_sync(since))
        self.show_status()

        heading("A host is switched off for good")
        since = (self.place / "sync.log").stat().st_size
        self.wait(
            lambda: self.lines_of("acme", "host-2") == 100 and self.lines_of("globex", "host-2") == 50,
            "what host-2 printed is stored",
        )
        with self.cluster.lock:
            self.cluster.faults.remove_host("host-2")
        self.hosts.switch_off("host-2")
        self.wait(
            lambda: [one for one in self.cluster.marathon.instances_of(APP) if one.condition == "Unreachable"]
            or self.covered(3),
            "Mesos misses it",
        )
        self.show_status()
        say(
            f"After the hold time ({HOLD_SECONDS} s of the cluster) its instance is given up, by name: no other agent"
            " is touched."
        )
        self.wait(lambda: self.covered(3), "three hosts are left, each with its agent")
        say(self.said_by_sync(since))
        self.show_status()
        killed = {kill["host"] for kill in self.cluster.journal.kills}
        if killed != {"host-2"}:
            raise SystemExit(f"instances were killed on {sorted(killed)}")

        heading("Every line of every host is in the store")
        for host in ("host-1", "host-2", "host-3", "host-4"):
            self.wait(
                lambda: self.lines_of("acme", host) == 100 and self.lines_of("globex", host) == 50,
                f"the lines of {host}",
            )
            say(f"    {host}: acme 100 lines, globex 50")


def main():
    place, engine, build = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    demo = Demo(place, engine, build)
    try:
        demo.play()
        if "--once" not in sys.argv:
            heading("It is all yours until Ctrl-C")
            say(
                f"    boatswain fleet status --marathon {demo.marathon} --mesos {demo.mesos} --app {APP} --store"
                f" dir:{place}/store --watch"
            )
            say(
                f"    boatswain logs --store dir:{place}/store --identity {place}/keys/acme.key --tenant acme --tail 20"
            )
            while True:
                time.sleep(1)
    except KeyboardInterrupt:
        print()
    finally:
        demo.close()


if __name__ == "__main__":
    main()
