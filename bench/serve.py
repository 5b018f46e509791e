"""What `boatswain serve` costs on one core, over the directory store that the other rows sealed: the first byte of an
answer, labels and series a second, memory of many searches at a time and of many idle connections."""
import contextlib
import http.client
import pathlib
import socket
import statistics
import subprocess
import threading
import time
import urllib.parse

FIRST_BYTE_SECONDS_MAX = 0.2
SCANS, SCANS_MIB_MAX = 20, 300
IDLE, IDLE_MIB_MAX = 1000, 60
REQUESTS_A_SECOND_MIN = 500
ASKING_SECONDS, CLIENTS = 4, 4
LOKI = "/loki/api/v1/"
RANGE = {"start": "2026-11-22T10:00:00Z", "end": "2026-11-22T11:00:00Z"}  # of the corpus
APP = '{app="bench"}'


class Server:
    def __init__(self, bench, tool, core):
        tokens = pathlib.Path(bench.place) / "serve-tokens"
        made = subprocess.run([tool, "token", "new", "bench", "--tokens", tokens], check=True, capture_output=True)
        self.token = made.stdout.decode().strip()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        words = ["serve", "--store", f"dir:{bench.sealed_store}/store", "--identities", bench.place, "--tokens", tokens]
        words += ["--listen", f"127.0.0.1:{self.port}", "--queries", SCANS, "--queries-per-tenant", SCANS]
        command = ["taskset", "-c", core, tool, *words]
        self.process = subprocess.Popen([str(word) for word in command], stderr=bench.log)
        end = time.monotonic() + 20
        while not self.reaches():
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError("boatswain serve does not listen")
            time.sleep(0.05)

    def reaches(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)

    def ask(self, connection, path, given):
        """Seconds until the head of the answer is there; all of it is read."""
        started = time.monotonic()
        headers = {"Authorization": f"Bearer {self.token}"}
        connection.request("GET", f"{LOKI}{path}?{urllib.parse.urlencode({**RANGE, **given})}", headers=headers)
        answer = connection.getresponse()
        seconds = time.monotonic() - started
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}: {body[:300]}")
        return seconds

    def mib(self, what):
        """Of the server and its cells, together; pages that they share are counted for each."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/children")
        cells = [child for task in tasks for child in task.read_text().split()]
        kib = 0
        for process in [self.process.pid, *cells]:
            for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines():
                if line.startswith(what + ":"):
                    kib += int(line.split()[1])
        return kib / 1024

    def close(self):
        self.process.terminate()
        self.process.wait()


def requests_a_second(server, path, given):
    counts, end = [0] * CLIENTS, time.monotonic() + ASKING_SECONDS

    def client(at):
        connection = server.connect()
        while time.monotonic() < end:
            server.ask(connection, path, given)
            counts[at] += 1

    threads = [threading.Thread(target=client, args=(at,)) for at in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / ASKING_SECONDS


def scans_mib(server):
    def scan():
        server.ask(server.connect(), "query_range", {"query": APP + ' |= "no line says this, ever"'})

    threads = [threading.Thread(target=scan) for _ in range(SCANS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return server.mib("VmHWM")


def idle_mib(server):
    with contextlib.ExitStack() as held:
        for _ in range(IDLE):
            connection = server.connect()
            held.callback(connection.close)
            connection.request("GET", "/ready")
            connection.getresponse().read()
        return server.mib("VmRSS")


def measure(bench, tool, core):
    found = {}
    server = Server(bench, tool, core)
    try:
        connection = server.connect()
        found["idle_mib"] = idle_mib(server)
        latest = {"query": APP, "limit": 100}
        server.ask(connection, "query_range", latest)  # warms the footers
        found["first_byte_seconds"] = statistics.median(server.ask(connection, "query_range", latest) for _ in range(9))
        found["labels"] = requests_a_second(server, "labels", {})
        found["series"] = requests_a_second(server, "series", {"match[]": APP})
    finally:
        server.close()
    server = Server(bench, tool, core)
    try:
        found["scans_mib"] = scans_mib(server)
    finally:
        server.close()
    return found


def show(found):
    def verdict(reached):
        return "reached" if reached else "MISSED"

    print(
        f"\nserve, on one core: first byte of the last 100 lines after {found['first_byte_seconds'] * 1000:.0f} ms"
        f" (goal: {FIRST_BYTE_SECONDS_MAX * 1000:.0f}:"
        f" {verdict(found['first_byte_seconds'] <= FIRST_BYTE_SECONDS_MAX)})"
    )
    for name in ("labels", "series"):
        print(
            f"  {name}: {found[name]:.0f} requests a second (goal: {REQUESTS_A_SECOND_MIN}:"
            f" {verdict(found[name] >= REQUESTS_A_SECOND_MIN)})"
        )
    print(
        f"  {SCANS} searches through all at a time: {found['scans_mib']:.0f} MiB at most (goal: {SCANS_MIB_MAX}:"
        f" {verdict(found['scans_mib'] <= SCANS_MIB_MAX)})"
    )
    print(
        f"  {IDLE} idle connections: {found['idle_mib']:.0f} MiB (goal: {IDLE_MIB_MAX}:"
        f" {verdict(found['idle_mib'] <= IDLE_MIB_MAX)})"
    )
