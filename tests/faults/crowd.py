#!/usr/bin/python3
"""A crowd: thousands of tenants with a backlog, containers described by megabytes, a large tenant beside small ones.

    crowd.py [Test.name ...]

The agent runs as released, with the default `memory_max`, in a cgroup of 96 MiB. A real engine cannot start so many
containers in a test's time, so a double of it tells of them (/version, /info, the list, inspect, events); their logs
are files on disk, as the engine writes them. Needs root for the cgroup (v1 or v2).

To hold: nothing is killed, nothing is lost, and who prints much does not hold up the others.
"""
import hashlib
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import socketserver
import sys
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "live"))
import harness  # noqa: E402 - found by the path that is set above

MIB = 1 << 20
CGROUP_BYTES = 96 * MIB
# Of the agent, among 2,000 tenants, and of which tenants the lines are looked at afterwards.
KILLS = int(os.environ.get("BOATSWAIN_TEST_CROWD_KILLS", "2"))
SAMPLED = int(os.environ.get("BOATSWAIN_TEST_CROWD_SAMPLED", "50"))
IMAGE_ID = "sha256:" + "d0" * 32
TIME = "2026-11-25T10:00:00.%09dZ"


class EngineDouble:
    """Answers for containers that nobody runs; their directories are as the engine would lay them."""

    def __init__(self):
        self.place = harness.scratch("bwe.")
        self.socket = self.place / "docker.sock"
        self.root = self.place / "root"
        (self.root / "containers").mkdir(parents=True)
        self.containers = {}  # id -> inspect's answer
        double = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                double.answer(self)

            def log_message(self, *_):
                pass

            def address_string(self):
                return "unix"

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True
            request_queue_size = 128

        self.ended = threading.Event()
        self.server = Server(str(self.socket), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        harness.alive.append(self)

    def close(self):
        if self in harness.alive:
            harness.alive.remove(self)
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()
        shutil.rmtree(self.place, ignore_errors=True)

    def answer(self, request):
        target = re.sub(r"^/v[0-9.]+", "", request.path)
        if target.startswith("/events"):
            request.send_response(200)
            request.send_header("Content-Type", "application/json")
            request.send_header("Connection", "close")
            request.end_headers()
            request.close_connection = True
            if "until=" not in target:
                self.ended.wait()
            return
        status, body = 200, {}
        if target == "/version":
            body = {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"}
        elif target == "/info":
            body = {"DockerRootDir": str(self.root), "LoggingDriver": "json-file", "Name": "double"}
        elif target.startswith("/containers/json"):
            body = [
                {"Id": identity, "Names": [told["Name"]], "State": "running", "Labels": told["Config"]["Labels"]}
                for identity, told in self.containers.items()
            ]
        elif (found := re.match(r"/containers/(\w+)/json", target)) and found[1] in self.containers:
            body = self.containers[found[1]]
        elif target == f"/images/{IMAGE_ID}/json":
            body = {"Id": IMAGE_ID, "Config": {"Env": None, "Labels": None}}
        else:
            status, body = 404, {"message": "no such thing"}
        data = json.dumps(body).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(data)))
        request.send_header("Connection", "close")
        request.end_headers()
        request.wfile.write(data)
        request.close_connection = True

    def add(self, name, environment, lines, labels=None):
        """A container that runs and has printed `lines`, messages without their newlines; its id."""
        identity = hashlib.sha256(name.encode()).hexdigest()
        directory = self.root / "containers" / identity
        log = directory / f"{identity}-json.log"
        directory.mkdir()
        log_config = {"Type": "json-file", "Config": {}}
        config = {
            "Image": "double",
            "Tty": False,
            "Labels": labels or {},
            "Env": [f"{key}={value}" for key, value in environment.items()],
        }
        state = {"Running": True, "StartedAt": TIME % 0, "FinishedAt": "0001-01-01T00:00:00Z"}
        common = {
            "Name": f"/{name}",
            "Image": IMAGE_ID,
            "Created": TIME % 0,
            "State": state,
            "Config": config,
            "LogPath": str(log),
        }
        self.containers[identity] = {"Id": identity, **common, "HostConfig": {"LogConfig": log_config}, "Mounts": []}
        with open(log, "w") as out:
            for n, line in enumerate(lines):
                out.write('{"log":%s,"stream":"stdout","time":"%s"}\n' % (json.dumps(line + "\n"), TIME % n))
        (directory / "config.v2.json").write_text(json.dumps({"ID": identity, **common, "MountPoints": {}}))
        (directory / "hostconfig.json").write_text(json.dumps({"LogConfig": log_config}))
        return identity


class MemoryCgroup:
    """A cgroup that is killed when it takes more than `bytes_max`."""

    def __init__(self, bytes_max):
        v1 = pathlib.Path("/sys/fs/cgroup/memory")
        self.is_v1 = v1.is_dir()
        root = v1 if self.is_v1 else pathlib.Path("/sys/fs/cgroup")
        if not self.is_v1 and "memory" not in (root / "cgroup.subtree_control").read_text().split():
            (root / "cgroup.subtree_control").write_text("+memory")
        self.place = root / f"bw-crowd-{os.getpid()}-{id(self)}"
        self.place.mkdir()
        harness.alive.append(self)
        limit = "memory.limit_in_bytes" if self.is_v1 else "memory.max"
        (self.place / limit).write_text(str(bytes_max))
        for swap in ("memory.memsw.limit_in_bytes", "memory.swap.max"):
            if (self.place / swap).exists():
                (self.place / swap).write_text(str(bytes_max) if self.is_v1 else "0")

    def prefix(self):
        return ["/bin/sh", "-c", f'echo $$ > {self.place}/cgroup.procs && exec "$@"', "sh"]

    def kills(self):
        file = self.place / ("memory.oom_control" if self.is_v1 else "memory.events")
        return int(re.search(r"^oom_kill (\d+)", file.read_text(), re.MULTILINE)[1])

    def close(self):
        if self in harness.alive:
            harness.alive.remove(self)
        harness.wait_for(lambda: not (self.place / "cgroup.procs").read_text(), 20, "the cgroup is empty")
        self.place.rmdir()


def message(tenant, n):
    """Some 150 bytes that compress about as logs do."""
    return (
        f'{n:06d} tenant={tenant} level=info msg="request finished" path=/api/v1/orders/{n * 7919 % 1000003} '
        f'latency_us={n * 104729 % 999983} id={hashlib.md5(b"%d" % n).hexdigest()}'
    )


class Crowd(unittest.TestCase):
    def start(self, engine, tenants, **settings):
        """The agent in its cgroup, with a key file of every tenant: the same key."""
        self.cgroup = MemoryCgroup(CGROUP_BYTES)
        self.addCleanup(self.cgroup.close)
        agent = harness.Agent(engine, tenants=("everybody",), prefix=self.cgroup.prefix(), **settings)
        self.addCleanup(agent.close)
        key = (agent.keyring / "everybody.pub").read_bytes()
        for tenant in tenants:
            (agent.keyring / f"{tenant}.pub").write_bytes(key)
        agent.start()
        return agent

    def peak_mib(self, agent):
        status = pathlib.Path(f"/proc/{agent.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024

    def wait_stored(self, agent, lines, seconds):
        def sealed():
            return agent.metric("boatswain_sealed_lines_total")

        def stored():
            try:
                return sealed() >= lines and agent.metric("boatswain_spool_segments") == 0
            except (OSError, http.client.HTTPException):
                harness.wait_for(lambda: agent.process.poll() is not None, 10, "the agent lives, and does not answer")
                self.fail(f"the agent ended, {self.cgroup.kills()} kills:\n{agent.last_words(3)}")

        harness.wait_for(stored, seconds, lambda: f"{lines} lines stored: {sealed():.0f} are sealed", pause=0.5)

    def end(self, agent, lines, what):
        """All of it is stored once, and the agent ends as it should."""
        peak, kills = self.peak_mib(agent), self.cgroup.kills()
        self.assertEqual(agent.metric("boatswain_sealed_lines_total"), lines)
        self.assertEqual(agent.metric("boatswain_gap_records_total"), 0)
        objects = len(agent.reader().objects())
        print(f"{what}: {lines} lines, at most {peak:.0f} MiB resident, {objects} objects", flush=True)
        self.assertEqual(agent.stop(60), 0)
        self.assertEqual(kills, 0)
        self.assertLess(peak, CGROUP_BYTES / MIB)

    def read(self, agent, tenants):
        """{tenant: [messages]} by stock tools."""
        reader = agent.reader()
        found = {tenant: [] for tenant in tenants}
        reader.identity = lambda tenant: agent.keys / "everybody.key"
        for key in sorted(reader.objects(), key=reader.order_of):
            if (tenant := reader.tenant_of(key)) in found:
                lines = [line for line in reader.open(key).splitlines() if not line.startswith(b"# ")]
                found[tenant] += [line.split(b" ", 3)[3].decode() for line in lines]
        return found

    def test_two_thousand_tenants_with_a_backlog(self):
        tenants = [f"t-{n:04d}" for n in range(2000)]
        each = 500
        engine = EngineDouble()
        self.addCleanup(engine.close)
        for tenant in tenants:
            engine.add(f"of-{tenant}", {"BOATSWAIN_TENANT": tenant}, (message(tenant, n) for n in range(each)))
        agent = self.start(engine, tenants, batch__flush_after="60s")
        for _ in range(KILLS):
            harness.wait_for(lambda: agent.metric("boatswain_sealed_lines_total") > 0, 60, "something is sealed")
            agent.kill()
            agent.start()

        # What was sealed before the last kill is not counted any more: all is read, and sealed at the end.
        def all_read():
            sealing = agent.metric("boatswain_containers_by_action", action="seal")
            return sealing == len(tenants) and agent.health()[1]["read_lag_bytes"] == "0"

        harness.wait_for(all_read, 150, "all is read", pause=0.5)
        peak, kills = self.peak_mib(agent), self.cgroup.kills()
        self.assertEqual(agent.metric("boatswain_gap_records_total"), 0)
        self.assertEqual(agent.stop(60), 0)
        objects = len(agent.reader().objects())
        print(f"2,000 tenants with a backlog, killed {KILLS} times: at most {peak:.0f} MiB resident, {objects} objects")
        self.assertEqual(kills, 0)
        self.assertLess(peak, CGROUP_BYTES / MIB)
        for tenant, messages in self.read(agent, tenants[::SAMPLED]).items():
            self.assertEqual(messages, [message(tenant, n) for n in range(each)], tenant)

    def test_two_hundred_containers_described_by_megabytes(self):
        tenants = [f"t-{n:03d}" for n in range(200)]
        labels = {f"com.example.label-{n:05d}": f"value-{n * 7919}" for n in range(10_000)}
        environment = {f"FILLER_{n:03d}": "x" * 10_000 for n in range(100)}
        engine = EngineDouble()
        self.addCleanup(engine.close)
        for tenant in tenants:
            engine.add(
                f"of-{tenant}",
                {**environment, "BOATSWAIN_TENANT": tenant},
                [message(tenant, n) for n in range(10)],
                labels,
            )
        agent = self.start(engine, tenants)
        self.wait_stored(agent, 10 * len(tenants), 100)
        self.end(agent, 10 * len(tenants), "200 containers of 10,000 labels and 1 MB of environment")
        for tenant, messages in self.read(agent, tenants[::50]).items():
            self.assertEqual(messages, [message(tenant, n) for n in range(10)], tenant)

    def test_a_large_tenant_holds_up_no_small_one(self):
        """Their delay is at most doubled: while they wait, no more is done for the large one than for all of them.

        Told by what was stored before what, not by a watch."""
        small, each, many = [f"s-{n:03d}" for n in range(200)], 400, 800_000
        engine = EngineDouble()
        self.addCleanup(engine.close)
        engine.add("a-large-one", {"BOATSWAIN_TENANT": "large"}, (message("large", n) for n in range(many)))
        for tenant in small:
            engine.add(f"of-{tenant}", {"BOATSWAIN_TENANT": tenant}, (message(tenant, n) for n in range(each)))
        agent = self.start(engine, ["large", *small], batch__flush_after="2s", batch__flush_bytes="1MiB")
        self.wait_stored(agent, many + each * len(small), 100)
        reader = agent.reader()
        stored = {key: (agent.store_dir / key).stat().st_mtime_ns for key in reader.objects()}
        self.end(agent, many + each * len(small), "200 small tenants beside a large one")
        last = max(time for key, time in stored.items() if reader.tenant_of(key) != "large")
        reader.identity = lambda tenant: agent.keys / "everybody.key"
        early = [key for key, time in stored.items() if time <= last and reader.tenant_of(key) == "large"]
        before = sum(reader.open(key).count(b" stdout F ") for key in early)
        print(f"{before} lines of the large one were stored before the last of {each * len(small)} of the small ones")
        self.assertLessEqual(before, each * len(small))


if __name__ == "__main__":
    harness.close_when_broken_off()
    unittest.main(verbosity=2)
