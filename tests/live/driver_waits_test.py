#!/usr/bin/python3
"""How long 500 containers wait for the log driver when holder, memory, descriptions and directory fail.

The engine's side is played here: requests over the plugin's socket, frames into FIFOs that are kept open for reading
and writing. No agent runs, so holds fill up at once, and lines are dropped from then on: a container waits for
`block_max` at most, and for as long as there is no holder at all.
"""
import selectors
import shutil
import struct
import sys
import threading

sys.dont_write_bytecode = True
from harness import *

CONTAINERS = int(os.environ.get("BOATSWAIN_TEST_CONTAINERS", "500"))
BLOCK_MAX = 1.0
SLACK = 15.0  # of a machine that does other things, too
HOLD_TOTAL = 24 << 20
AWAY = 2.0  # seconds without a holder, or with one that is stopped
BYTES_A_SECOND = 64 << 20  # so that FIFOs are full in less than AWAY


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def frame(time_nano, line):
    body = b"\x0a\x06stdout\x10" + varint(time_nano) + b"\x1a" + varint(len(line)) + line
    return struct.pack(">I", len(body)) + body


class Container:
    def __init__(self, number, directory):
        self.id = f"{number:064x}"
        self.fifo = directory / f"f{number}"
        self.file = None
        self.pending = b""
        self.written = 0
        self.blocked_since = None

    def open(self):
        os.mkfifo(self.fifo)
        self.file = os.open(self.fifo, os.O_RDWR | os.O_NONBLOCK)


class Printing:
    """All containers print as much as is taken, together BYTES_A_SECOND at most, from one thread; the longest wait of
    any is kept."""

    LINE = b"x" * 8000

    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.lock = threading.Lock()
        self.ending = False
        self.longest = 0.0
        self.bytes = 0
        self.all = []
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def add(self, container):
        with self.lock:
            self.all.append(container)
            self.selector.register(container.file, selectors.EVENT_WRITE, container)

    def print_some(self, container, now):
        if not container.pending:
            container.pending = frame(time.time_ns(), b"%d " % container.written + self.LINE)
        try:
            taken = os.write(container.file, container.pending)
        except BlockingIOError:
            container.blocked_since = container.blocked_since or now
            return 0
        container.pending = container.pending[taken:]
        container.written += not container.pending
        if container.blocked_since:
            self.longest = max(self.longest, now - container.blocked_since)
        container.blocked_since = now if container.pending else None
        return taken

    def run(self):
        begun, written = time.monotonic(), 0
        while not self.ending:
            with self.lock:
                ready = {key.data for key, _ in self.selector.select(0.02)}
                now = time.monotonic()
                for container in self.all:
                    if container in ready:
                        written += self.print_some(container, time.monotonic())
                    else:
                        container.blocked_since = container.blocked_since or now
            ahead = written / BYTES_A_SECOND - (time.monotonic() - begun)
            if ahead > 0:
                time.sleep(ahead)
            else:
                begun -= ahead  # time in which nothing was taken is not made up for
            self.bytes = written

    def waits(self):
        """The longest wait since the last call, with those that last."""
        with self.lock:
            now = time.monotonic()
            lasting = max([now - c.blocked_since for c in self.all if c.blocked_since] or [0.0])
            longest, self.longest = max(self.longest, lasting), 0.0
            return longest

    def close(self):
        self.ending = True
        self.thread.join()
        for container in self.all:
            os.close(container.file)


class Waits(unittest.TestCase):
    def setUp(self):
        self.place = scratch("bww.")
        self.holds = self.place / "memory" / "holds"
        self.fifos = self.place / "fifos"
        self.fifos.mkdir()
        self.holds.parent.mkdir()
        run("mount", "-t", "tmpfs", "-o", "size=96m,mode=0700", "bww", self.holds.parent)
        self.addCleanup(shutil.rmtree, self.place, True)
        self.addCleanup(run, "umount", "-l", self.holds.parent)
        for directory in ("keys", "store", "state"):
            (self.place / directory).mkdir()
        self.config = self.place / "boatswain.toml"
        # Not confined: the engine's FIFOs lie elsewhere here, and a directory of holds that was removed is made again.
        self.config.write_text(
            f"""
host = "h1"
sandbox = "off"
state_dir = "{self.place}/state"
[store]
url = "dir:{self.place}/store"
[tenancy]
keyring = "{self.place}/keys"
[driver]
enabled = true
holder = "process"
socket = "{self.place}/plugin.sock"
hold_dir = "{self.holds}"
hold_bytes = "4MiB"
hold_total = "{HOLD_TOTAL >> 20}MiB"
block_max = "{int(BLOCK_MAX * 1000)}ms"
"""
        )
        self.holder = None
        self.logs = self.place / "driver.log"
        self.start_holder()
        self.addCleanup(lambda: (self.holder.kill(), self.holder.wait()))
        self.printing = Printing()
        self.addCleanup(self.printing.close)
        self.started = 0

    def start_holder(self):
        seen = self.logs.stat().st_size if self.logs.exists() else 0
        with open(self.logs, "ab") as log:
            command = [str(BUILD / "boatswaind"), "driver", "--config", str(self.config)]
            self.holder = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]}
            )
        wait_for(
            lambda: "log driver ready" in self.logs.read_text(errors="replace")[seen:],
            60,
            lambda: self.logs.read_text()[-2000:],
        )

    def kill_holder(self):
        self.holder.kill()
        self.holder.wait()

    def kill_and_start_holder(self, meanwhile=lambda: None):
        self.kill_holder()
        meanwhile()
        time.sleep(AWAY)
        self.start_holder()

    def start_container(self):
        container = Container(self.started, self.fifos)
        self.started += 1
        container.open()
        connection = http.client.HTTPConnection("plugin")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.place / "plugin.sock"))
        tenant = f"tenant{self.started % 7}"
        info = {
            "ContainerID": container.id,
            "ContainerName": f"/c{container.id[-4:]}",
            "Config": {"cache-disabled": "true"},
            "ContainerEnv": [f"BOATSWAIN_TENANT={tenant}"],
            "ContainerLabels": {"a": "b"},
        }
        connection.request("POST", "/LogDriver.StartLogging", json.dumps({"File": str(container.fifo), "Info": info}))
        answer = json.loads(connection.getresponse().read())
        connection.close()
        self.assertEqual(answer, {"Err": ""})
        self.printing.add(container)
        return container

    def figures(self):
        words = struct.unpack("<6Q", (self.holds / "fifos").read_bytes()[8:56])
        return dict(zip(("fifos", "narrow", "waiting", "unheld", "memory", "unnamed_lines"), words))

    def all_get_through(self, what, allowed, at_least=3):
        """Every container prints on, and none waited longer than is allowed since this was last asked."""
        before = {c.id: c.written for c in self.printing.all}
        slow = lambda: [c for c in self.printing.all if c.written < before[c.id] + at_least]
        wait_for(lambda: not slow(), allowed + 60, lambda: f"{what}: {len(slow())} containers do not get on")
        waited = self.printing.waits()
        print(f"{what}: {waited:.2f} s at most, {self.printing.bytes >> 20} MiB so far", file=sys.stderr)
        self.assertLess(waited, allowed + SLACK, what)

    def held_bytes(self):
        return sum(file.stat().st_blocks * 512 for file in self.holds.iterdir() if file.name != "fifos")

    def spoil(self, *endings):
        for ending in endings:
            for file in self.holds.glob(f"*.{ending}"):
                file.write_bytes(b"x" * 5000)

    def test_no_container_waits_longer_than_block_max_whatever_fails(self):
        for _ in range(CONTAINERS):
            self.start_container()
        self.all_get_through("holds fill up, and no agent runs", BLOCK_MAX, 30)
        self.assertLessEqual(self.held_bytes(), HOLD_TOTAL + (1 << 20))
        self.assertLessEqual(self.figures()["narrow"], CONTAINERS)

        self.kill_and_start_holder()
        self.all_get_through(f"holder killed, another after {AWAY} s", AWAY + BLOCK_MAX)

        self.holder.send_signal(signal.SIGSTOP)
        time.sleep(AWAY)
        self.holder.send_signal(signal.SIGCONT)
        self.all_get_through(f"holder stopped for {AWAY} s", AWAY + BLOCK_MAX)

        filler = self.holds.parent / "filler"
        run("dd", "if=/dev/zero", f"of={filler}", "bs=64k", check=False)
        self.all_get_through("memory full", BLOCK_MAX)
        for _ in range(20):
            self.start_container()
        self.all_get_through("memory full, 20 new containers", BLOCK_MAX)
        self.kill_and_start_holder()
        self.all_get_through(f"memory full, holder killed, another after {AWAY} s", AWAY + BLOCK_MAX)
        filler.unlink()

        self.kill_and_start_holder(lambda: self.spoil("json"))
        self.all_get_through(f"descriptions spoilt, holder killed, another after {AWAY} s", AWAY + BLOCK_MAX)
        self.kill_and_start_holder(lambda: self.spoil("json", "hold"))
        self.all_get_through(f"holds spoilt as well, holder killed, another after {AWAY} s", AWAY + BLOCK_MAX)

        shutil.rmtree(self.holds)
        self.all_get_through("directory removed", BLOCK_MAX)
        wait_for(lambda: (self.holds / "fifos").exists(), 30, "the directory is made again")
        self.kill_and_start_holder()
        self.all_get_through(f"directory removed before, holder killed, another after {AWAY} s", AWAY + BLOCK_MAX)

        for _ in range(5):
            self.start_container()
        self.all_get_through("five new containers", BLOCK_MAX)
        self.printing.close()
        self.printing.all.clear()
        wait_for(lambda: self.figures()["fifos"] == 0, 60, lambda: f"still read: {self.figures()}", pause=1)


if __name__ == "__main__":
    main(400)
