"""What tests of `boatswain serve` stand on that need no engine: a store with lines of a few minutes ago, a key and a
token, and as many servers as a test begins."""
from harness import *
import contextlib
import urllib.error
import urllib.parse
import urllib.request

TEXT_BYTES = 2 << 20
REPLICAS = 3


def ports(count):
    """Free ones, which are held until all are found."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Serving(unittest.TestCase):
    """Lines of a few minutes ago in a directory store, and what is needed to serve them."""

    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="bws."))
        self.addCleanup(shutil.rmtree, self.place, True)
        self.running = []
        self.addCleanup(self.end_all)
        self.recipient = (
            run(BUILD / "boatswain", "keys", "new", "bench", "--out", self.place).stdout.decode().split()[0]
        )
        log, self.store = self.place / "log", self.place / "store"
        words = ["--bytes", TEXT_BYTES, "--seed", 1, "--format", "json-file"]
        # Of a few minutes ago: so much text is less than a minute.
        minute = time.strftime("%Y-%m-%dT%H:%M:", time.gmtime(time.time() - 300)).encode()
        log.write_bytes(run(BUILD / "boatswain_corpus", *words).stdout.replace(b"2026-11-22T10:00:", minute))
        (self.place / "state").mkdir()
        words = ["--json-file", log, "--store", f"dir:{self.store}", "--state-dir", self.place / "state"]
        run(BUILD / "bench_pipeline", *words, "--recipient", self.recipient)
        keys = ["--store", f"dir:{self.store}", "--identity", self.place / "bench.key"]
        self.lines = run(BUILD / "boatswain", "logs", *keys, "--output", "raw").stdout.decode().splitlines()
        tokens = self.place / "tokens"
        self.token = run(BUILD / "boatswain", "token", "new", "bench", "--tokens", tokens).stdout.decode().strip()
        self.balancer, *self.ports = ports(1 + REPLICAS)

    def end_all(self):
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait()

    def serve(self, port):
        words = ["serve", "--store", f"dir:{self.store}", "--identities", self.place, "--tokens", self.place / "tokens"]
        with open(self.place / f"serve-{port}.log", "ab") as log:
            process = subprocess.Popen([BUILD / "boatswain", *words, "--listen", f"127.0.0.1:{port}"], stderr=log)
        self.running.append(process)
        return process

    def ask(self, path, given, port=None, byte_range=None):
        url = f"http://127.0.0.1:{port or self.ports[0]}{path}?{urllib.parse.urlencode(given)}"
        asking = urllib.request.Request(url, headers={"Authorization": f"Bearer {self.token}"})
        if byte_range:
            asking.add_header("Range", byte_range)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(asking, timeout=30) as answer:
            return answer.read()

    @staticmethod
    def reaches(port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0
