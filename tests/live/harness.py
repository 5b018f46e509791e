"""What the live tests of the agent stand on: an engine, an S3 server, the agent itself, and a reader that is not ours.

The reader opens objects with stock `age` and `zstd` and parses their text by docs/formats/segment.md, so that what the
tests believe
about the store comes from no code of the project. `boatswain logs` is asked beside it.
"""
import atexit
import collections
import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
SUPPORT = HERE.parent / "support"
BUILD = pathlib.Path(os.environ.get("BOATSWAIN_BUILD", HERE.parent.parent / "build" / "release"))
IMAGE = "bw/busybox"
ROOTLESS_USER = 54321  # tests/support/engine.sh

alive = []  # what has to be closed, should a test run be broken off


@atexit.register
def close_all():
    while alive:
        alive.pop().close()


def run(*command, check=True, stdin=None, env=None, timeout=60):
    done = subprocess.run([str(word) for word in command], input=stdin, capture_output=True, env=env, timeout=timeout)
    if check and done.returncode != 0:
        raise AssertionError(
            f"{' '.join(map(str, command))}: exit {done.returncode}: {done.stderr.decode(errors='replace')}"
        )
    return done


def wait_for(condition, seconds=30, what="condition", pause=0.1):
    """The condition's first true answer; a failure that says what was waited for, and `what()` when it is a
    function."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(pause)


def scratch(prefix="bwl."):
    # Not inside a long TMPDIR: the names of unix sockets are short.
    return pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))


def free_port(count=1):
    """The first of `count` ports that nobody listens on."""
    import random

    for _ in range(200):
        first = random.randrange(20000, 30000)
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
    raise AssertionError("no free ports")


# ---- The engine -----------------------------------------------------------------------------------------------------


class Engine:
    """A private Docker engine; everything it runs is gone after close()."""

    def __init__(self, *options):
        self.place = scratch()
        self.dir = self.place / "e"
        self.socket = self.dir / "docker.sock"
        self.root = self.dir / "root"
        self.volume = self.place / "volume"  # seen by containers as /volume
        self.volume.mkdir()
        # Containers are other users there, and have no part in the host's network.
        self.other_users = os.environ.get("BOATSWAIN_TEST_ENGINE_WITH") in ("userns-remap", "rootless")
        self.network = "none" if self.other_users else "host"
        if self.other_users:
            self.place.chmod(0o711)
        alive.append(self)
        try:
            self._script("start", *options)
        except BaseException:
            self.close()
            raise
        # The engine of another suite (BOATSWAIN_TEST_ENGINE) comes with a docker command of its own.
        self.env = {
            "PATH": f"{self.dir}/bin:{os.environ['PATH']}",
            "DOCKER_HOST": f"unix://{self.socket}",
            "DOCKER_CONFIG": str(self.dir / "cli"),
        }
        if self.other_users:
            self.root = pathlib.Path(self.docker("info", "--format", "{{.DockerRootDir}}"))

    def _script(self, verb, *arguments):
        run(SUPPORT / "engine.sh", verb, self.dir, *arguments, timeout=300)

    def close(self):
        if self in alive:
            alive.remove(self)
        try:
            self._script("stop")
        finally:
            shutil.rmtree(self.place, ignore_errors=True)

    def restart(self, how="TERM"):
        self._script("restart", how)

    def stop_daemon(self, how="TERM"):
        self._script("stop-daemon", how)

    def start_daemon(self):
        self._script("start-daemon")

    def docker(self, *arguments, check=True, timeout=60):
        return (
            run("docker", *arguments, check=check, env=self.env, timeout=timeout)
            .stdout.decode(errors="replace")
            .strip()
        )

    def run(self, *command, name=None, env=None, labels=None, options=(), detach=True, verb="run"):
        """`docker run` (or create): the container's id."""
        words = [verb]
        if verb == "run":
            words += ["--detach"] if detach else ["--sig-proxy=false"]
        if name:
            words += ["--name", name]
        for key, value in (env or {}).items():
            words += ["--env", f"{key}={value}"]
        for key, value in (labels or {}).items():
            words += ["--label", f"{key}={value}"]
        # A network of its own costs a container half of its start, and none of ours needs one.
        if not any(word.startswith("--net") for word in options):
            words += ["--network", self.network]
        words += ["--volume", f"{self.volume}:/volume:ro", *options, IMAGE, *command]
        return self.docker(*words, timeout=120)

    def shell(self, script, **keywords):
        return self.run("sh", "-c", script, **keywords)

    def wait(self, *ids):
        self.docker("wait", *ids, timeout=120)

    def remove_all(self):
        ids = self.docker("ps", "-aq", "--no-trunc").split()
        if ids:
            self.docker("rm", "-f", *ids, timeout=120)

    def log_file(self, container):
        return self.root / "containers" / container / f"{container}-json.log"

    def put(self, name, data):
        (self.volume / name).write_bytes(data)
        return f"/volume/{name}"


def build_printer(engine):
    """tests/faults/printer.c, where containers find it as /volume/printer."""
    program = engine.volume / "printer"
    run("clang-19", "-O2", "-static", "-o", program, HERE.parent / "faults" / "printer.c")
    program.chmod(0o755)


def kept_by_json_file(text):
    """What the json-file driver keeps of a line under 16 KiB: Go's encoder makes of each byte that is not UTF-8 a
    U+FFFD."""
    kept = bytearray()
    at = 0
    while at < len(text):
        first = text[at]
        length = (
            1
            if first < 0x80
            else 2 if 0xC2 <= first < 0xE0 else 3 if 0xE0 <= first < 0xF0 else 4 if 0xF0 <= first < 0xF5 else 0
        )
        try:
            if length == 0:
                raise UnicodeDecodeError("utf-8", text, at, at + 1, "")
            text[at : at + length].decode()
            if len(text) < at + length:
                raise UnicodeDecodeError("utf-8", text, at, at + 1, "")
            kept += text[at : at + length]
            at += length
        except UnicodeDecodeError:
            kept += "\ufffd".encode()
            at += 1
    return bytes(kept)


# ---- The S3 server --------------------------------------------------------------------------------------------------


class S3:
    """Ceph RGW (tests/support/rgw.sh), and a client that is not ours (boto3)."""

    def __init__(self):
        self.dir = scratch("bws.")
        self.port = free_port(3)
        alive.append(self)
        try:
            exports = run(SUPPORT / "rgw.sh", "start", self.dir, self.port, timeout=120).stdout.decode()
        except BaseException:
            self.close()
            raise
        self.env = dict(re.findall(r"(\w+)=(\S+)", exports))
        self.endpoint = self.env["RGW_ENDPOINT"]

    def close(self):
        if self in alive:
            alive.remove(self)
        run(SUPPORT / "rgw.sh", "stop", self.dir, check=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    def stop_gateway(self):
        run(SUPPORT / "rgw.sh", "stop-gateway", self.dir)

    def start_gateway(self):
        run(SUPPORT / "rgw.sh", "start-gateway", self.dir, timeout=120)

    def client(self, service="s3"):
        import boto3
        import botocore.config

        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.env["AWS_REGION"],
            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
            config=botocore.config.Config(s3={"addressing_style": "path"}, proxies={}),
        )

    def make_bucket(self, name):
        self.client().create_bucket(Bucket=name)

    def url(self, bucket, prefix="logs"):
        return f"s3://{bucket}/{prefix}?endpoint={self.endpoint}&region={self.env['AWS_REGION']}&path_style=true"

    def credentials(self, secret=None):
        return {
            "AWS_ACCESS_KEY_ID": self.env["AWS_ACCESS_KEY_ID"],
            "AWS_SECRET_ACCESS_KEY": secret or self.env["AWS_SECRET_ACCESS_KEY"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "no_proxy": "127.0.0.1,localhost",
        }


# ---- What is stored -------------------------------------------------------------------------------------------------

Line = collections.namedtuple("Line", "time stream tag message")


class Stored:
    """Everything of one container in a store, in order."""

    def __init__(self, heading, tenant):
        self.heading, self.tenant, self.lines, self.gaps = heading, tenant, [], []

    def messages(self, stream=None):
        return [line.message for line in self.lines if stream in (None, line.stream)]

    def raw(self, stream=None):
        return b"".join(
            line.message + (b"\n" if line.tag == "F" else b"") for line in self.lines if stream in (None, line.stream)
        )


class Reader:
    """Reads a store by stock tools: age, zstd, and the format's page. Objects are immutable, so each is opened once."""

    def __init__(self, keys, directory=None, s3=None, bucket=None):
        self.keys, self.directory, self.s3, self.bucket = pathlib.Path(keys), directory, s3, bucket
        self.opened = {}  # object key -> text

    def objects(self):
        if self.directory:
            root = pathlib.Path(self.directory)
            return sorted(str(path.relative_to(root)) for path in root.rglob("*.age")) if root.exists() else []
        pages = self.s3.client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return sorted(
            entry["Key"] for page in pages for entry in page.get("Contents", []) if entry["Key"].endswith(".age")
        )

    def bytes_of(self, key):
        if self.directory:
            return (pathlib.Path(self.directory) / key).read_bytes()
        return self.s3.client().get_object(Bucket=self.bucket, Key=key)["Body"].read()

    @staticmethod
    def tenant_of(key):
        import urllib.parse

        return urllib.parse.unquote(re.search(r"tenant=([^/]+)/", key).group(1))

    def identity(self, tenant):
        return self.keys / f"{tenant}.key"

    def open(self, key):
        if key not in self.opened:
            plain = run("age", "-d", "-i", self.identity(self.tenant_of(key)), stdin=self.bytes_of(key)).stdout
            self.opened[key] = run("zstd", "-dcq", stdin=plain).stdout
        return self.opened[key]

    def plaintext(self, key):
        """With the footer: what age alone gives."""
        return run("age", "-d", "-i", self.identity(self.tenant_of(key)), stdin=self.bytes_of(key)).stdout

    @staticmethod
    def order_of(key):
        host_epoch, sequence = re.search(r"/host=(.*)\.(\d{10})\.age$", key).groups()
        return sequence, host_epoch

    def containers(self):
        """By container id, and by tenant where more than one holds some of it: {id: Stored}; {(id, tenant): Stored} is
        `by_tenant`."""
        found = {}
        for key in sorted(self.objects(), key=self.order_of):
            tenant, current = self.tenant_of(key), None
            text = self.open(key)
            assert text.endswith(b"\n") or not text, key
            for line in text.split(b"\n")[:-1]:
                if line.startswith(b"# {"):
                    heading = json.loads(line[2:])
                    current = found.setdefault((heading["source"], tenant), Stored(heading, tenant))
                elif line.startswith(b"# gap "):
                    current.gaps.append(json.loads(line[6:]))
                elif not line.startswith(b"# "):
                    when, stream, tag, message = line.split(b" ", 3)
                    current.lines.append(Line(when.decode(), stream.decode(), tag.decode(), message))
        return found

    def of(self, container):
        """The Stored of one container, which must lie under one tenant alone; an empty one when there is nothing."""
        parts = [stored for (identity, _), stored in self.containers().items() if identity == container]
        assert len(parts) <= 1, f"{container} lies under {[part.tenant for part in parts]}"
        return parts[0] if parts else Stored({}, None)

    def line_count(self):
        return sum(len(stored.lines) for stored in self.containers().values())


# ---- The agent ------------------------------------------------------------------------------------------------------


class Agent:
    """boatswaind with a state directory, keyring, store and configuration of its own under `place`."""

    def __init__(
        self,
        engine,
        tenants=("red", "green", "blue"),
        store=None,
        operator=True,
        environment=None,
        prefix=(),
        **settings,
    ):
        self.engine = engine
        self.place = scratch("bwa.")
        self.state = self.place / "state"
        self.keys = self.place / "keys"  # identities: what the tenants keep for themselves
        self.keyring = self.place / "keyring"  # recipients: what the host has
        self.store_dir = self.place / "store"
        self.store = store or f"dir:{self.store_dir}"
        self.log_path = self.place / "agent.log"
        self.config_path = self.place / "boatswain.toml"
        self.environment, self.prefix = environment or {}, list(prefix)
        self.program = BUILD / "boatswaind"
        self.port = free_port()
        self.process = None
        alive.append(self)
        self.keys.mkdir()
        self.keyring.mkdir()
        for tenant in (*tenants, *(["_unassigned"] if operator else [])):
            self.add_key(tenant)
        self.settings = {
            "": {},
            "docker": {},
            "cri": {},
            "driver": {},
            "health": {},
            "metrics": {},
            "tenancy": {},
            "batch": {"flush_after": "1s"},
            "spool": {},
            "fleet": {},
            "follow": {},
        }
        for name, value in settings.items():
            section, _, setting = name.rpartition("__")
            self.settings[section][setting] = value
        self.write_config()

    def make_key(self, tenant):
        run(BUILD / "boatswain", "keys", "new", tenant, "--out", self.keys)

    def add_key(self, tenant):
        self.make_key(tenant)
        shutil.copy(self.keys / f"{tenant}.pub", self.keyring / "new")
        (self.keyring / "new").rename(self.keyring / f"{tenant}.pub")

    def write_config(self):
        sections = {
            "": {
                "state_dir": str(self.state),
                "listen": f"127.0.0.1:{self.port}",
                "host": "testhost",
                **self.settings[""],
            },
            "engine": {"socket": str(self.engine.socket) if self.engine else "/nonexistent/docker.sock"},
            "docker": self.settings["docker"],
            "cri": self.settings["cri"],
            "driver": self.settings["driver"],
            "health": self.settings["health"],
            "metrics": self.settings["metrics"],
            "store": {"url": self.store},
            "tenancy": {"keyring": str(self.keyring), **self.settings["tenancy"]},
            "batch": self.settings["batch"],
            "spool": self.settings["spool"],
            "fleet": self.settings["fleet"],
            "follow": self.settings["follow"],
            "log": {"format": "json", "level": "debug"},
        }
        text = ""
        for section, values in sections.items():
            if not values:
                continue  # an older program (storm.py --previous) does not know every section
            if section:
                text += f"[{section}]\n"
            for name, value in values.items():
                text += f"{name} = {json.dumps(value)}\n"  # of the kinds that are used here, TOML writes like JSON
        self.config_path.write_text(text)

    def start(self, wait=True):
        environment = {"PATH": os.environ["PATH"], **self.environment}
        with open(self.log_path, "ab") as log:
            self.started_at = log.tell()
            self.process = subprocess.Popen(
                [*self.prefix, str(self.program), "agent", "--config", str(self.config_path)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=environment,
            )
        if wait:
            docker = self.settings["docker"].get("enabled", True)
            self.wait_logged("engine followed" if docker else "pods are followed")
        return self

    def signal(self, which):
        self.process.send_signal(which)

    def stop(self, seconds=30):
        """As an operator does. What was read is in the store afterwards; the exit code."""
        self.signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        self.process = None
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def close(self):
        if self in alive:
            alive.remove(self)
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.place, ignore_errors=True)

    # What it says of itself.

    def log(self, since_start=True):
        """Its log's entries: dictionaries."""
        text = self.log_path.read_bytes()[self.started_at if since_start else 0 :]
        entries = []
        for line in text.decode(errors="replace").splitlines():
            try:
                entries.append(json.loads(line))
            except ValueError:
                entries.append({"event": line, "level": "unparsed"})
        return entries

    def logged(self, event, since_start=True, **fields):
        matches = lambda entry: event in entry.get("event", "") and all(
            str(want) in entry.get(name, "") for name, want in fields.items()
        )
        return [entry for entry in self.log(since_start) if matches(entry)]

    def wait_logged(self, event, seconds=20, **fields):
        def look():
            if found := self.logged(event, **fields):
                return found
            if self.process and self.process.poll() is not None:
                raise AssertionError(f"the agent ended with {self.process.returncode}:\n{self.last_words()}")

        return wait_for(look, seconds, lambda: f"log entry {event!r} {fields}:\n{self.last_words()}")

    def last_words(self, lines=15):
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def health(self):
        """Whether it lives (/healthz: 200 or 503), and how it does its work (the detail of /readyz)."""
        return self.get("/healthz")[0], json.loads(self.get("/readyz")[1])["detail"]

    def ready(self):
        """Whether it does its work, and the parts that do not."""
        status, body = self.get("/readyz")
        return status == 200, [reason["part"] for reason in json.loads(body)["reasons"]]

    def metric(self, name, **labels):
        """The sum of the metric's values whose labels match."""
        total = 0.0
        for line in self.get("/metrics")[1].splitlines():
            found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if (
                found
                and found[1] == name
                and all(f'{key}="{value}"' in (found[2] or "") for key, value in labels.items())
            ):
                total += float(found[3])
        return total

    def reader(self, **keywords):
        return Reader(self.keys, **(keywords or {"directory": self.store_dir}))

    def tool(self, *arguments, tenants=("red", "green", "blue"), check=True):
        """`boatswain` with the tenants' identities."""
        identities = [word for tenant in tenants for word in ("--identity", str(self.keys / f"{tenant}.key"))]
        return run(
            BUILD / "boatswain",
            *arguments,
            "--store",
            self.store,
            *identities,
            check=check,
            timeout=120,
            env={"PATH": os.environ["PATH"], **self.environment},
        )

    def raw(self, container, stream=None, tenants=("red", "green", "blue")):
        return self.tool(
            "logs",
            "--container",
            container,
            "--output",
            "raw",
            *(["--stream", stream] if stream else []),
            tenants=tenants,
        ).stdout


# ---- Test cases -----------------------------------------------------------------------------------------------------


class LiveTest(unittest.TestCase):
    """One engine a class; agents end, and containers are removed, with the test that made them."""

    maxDiff = 2000
    engine_options = ()
    engine = None

    @classmethod
    def setUpClass(cls):
        cls.engine = Engine(*cls.engine_options)
        cls.addClassCleanup(cls.engine.close)

    def setUp(self):
        self.started = time.monotonic()
        self.addCleanup(self.engine.remove_all)

    def agent(self, start=True, **settings):
        agent = Agent(self.engine, **settings)
        self.addCleanup(agent.close)
        self.addCleanup(self.show_log_of_failure, agent)
        return agent.start() if start else agent

    def show_log_of_failure(self, agent):
        result = self._outcome.result
        failed = any(
            test is self or getattr(test, "test_case", None) is self for test, _ in (*result.errors, *result.failures)
        )
        if failed and agent.log_path.exists():
            print(f"--- the agent's last words in {self.id()}:\n{agent.last_words(40)}", file=sys.stderr)
            if keep := os.environ.get("BOATSWAIN_TEST_KEEP"):
                shutil.copytree(
                    agent.place,
                    pathlib.Path(keep) / agent.place.name,
                    dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("*.sock"),
                )

    def wait_stored(self, reader, count, seconds=30):
        """Until the store holds at least so many lines."""
        wait_for(
            lambda: reader.line_count() >= count,
            seconds,
            lambda: f"{reader.line_count()} of {count} lines stored",
            pause=0.3,
        )

    def wait_stored_or_still(self, reader, count, still=6, seconds=60):
        """Until the store holds so many lines, or nothing more comes: what is missing then is told better by a
        comparison."""
        end, before, since = time.monotonic() + seconds, -1, time.monotonic()
        while time.monotonic() < end:
            now = reader.line_count()
            if now >= count:
                return
            if now != before:
                before, since = now, time.monotonic()
            elif time.monotonic() - since > still:
                return
            time.sleep(0.3)

    def assert_numbers(self, stored, count, text="line {}", first=0, container=""):
        """The container's lines are exactly the numbered ones, in order, each once, without a gap."""
        wanted = [text.format(i).encode() for i in range(first, first + count)]
        got = stored.messages()
        if got != wanted:
            times = collections.Counter(got)
            lost = [m for m in wanted if m not in times]
            doubled = [m for m in times if times[m] > 1]
            strange = [m for m in times if m not in set(wanted)]
            self.fail(
                f"{container}: {len(got)} lines of {count}; lost {len(lost)} {lost[:3]}, doubled"
                f" {len(doubled)} {doubled[:3]}, strange {len(strange)} {strange[:3]}, gaps {stored.gaps[:3]}"
            )
        self.assertEqual(stored.gaps, [])


def in_parallel(function, items, workers=4):
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, items))


def close_when_broken_off():
    """A signal that ends this process ends the engines, stores and agents that it started, too."""

    def end(number, frame):
        print(f"broken off by signal {number}", file=sys.stderr)
        raise KeyboardInterrupt  # the one exception that unittest does not take for a failed test

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, end)


def main(seconds=400):
    """Ends before a test runner would kill us outright, which would leave engines behind."""
    close_when_broken_off()
    signal.alarm(seconds)
    unittest.main(verbosity=2, warnings="ignore")  # boto3 leaves its sockets to the garbage collector
