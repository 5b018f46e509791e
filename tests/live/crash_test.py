#!/usr/bin/python3
"""A program that crashes while it holds lines or secrets leaves none of them on a disk."""
import ctypes
import fcntl
import sys
import termios

sys.dont_write_bytecode = True
from harness import *

CORE_PATTERN = pathlib.Path("/proc/sys/kernel/core_pattern")
UNLIMITED = 'ulimit -c unlimited; cd "$0"; exec "$@"'


def files_with(words, place):
    """The files below `place` that hold one of the words: as grep finds them."""
    found = [path for path in pathlib.Path(place).rglob("*") if path.is_file()]
    return [str(path) for path in found if any(word in path.read_bytes() for word in words)]


class Crash(LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A core dump is written where the process stands, unless a handler of this machine takes it.
        before = CORE_PATTERN.read_text()
        if before.strip() != "core":
            CORE_PATTERN.write_text("core")
            cls.addClassCleanup(CORE_PATTERN.write_text, before)

    def setUp(self):
        super().setUp()
        self.place = scratch("bwc.")
        self.addCleanup(shutil.rmtree, self.place, True)

    def start(self, *command, **options):
        process = subprocess.Popen(["sh", "-c", UNLIMITED, str(self.place), *map(str, command)], **options)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def crash(self, process):
        process.send_signal(signal.SIGSEGV)
        self.assertEqual(process.wait(30), -signal.SIGSEGV, "it crashes")

    def cores(self, place=None):
        return [path.name for path in (place or self.place).rglob("*core*")]

    def test_any_other_program_would_leave_its_memory_on_the_disk(self):
        process = self.start("sleep", "1000", env={"SECRET": "a-word-in-its-memory"})
        wait_for(lambda: pathlib.Path(f"/proc/{process.pid}/comm").read_text() == "sleep\n")
        self.crash(process)
        self.assertTrue(self.cores(), "else the tests below show nothing")
        self.assertTrue(files_with([b"a-word-in-its-memory"], self.place))

    def test_an_agent_that_crashes_with_unsealed_lines_leaves_none_of_them(self):
        secret = {"AWS_SECRET_ACCESS_KEY": "a-secret-of-the-store"}
        agent = self.agent(start=False, environment=secret, batch__flush_after="1h")
        agent.state.mkdir()
        agent.prefix = ["sh", "-c", UNLIMITED, str(agent.state)]
        agent.start()
        self.engine.shell(
            "for i in 1 2 3 4 5 6 7 8; do echo the-line-that-nobody-may-read $i; done; sleep 1000",
            env={"BOATSWAIN_TENANT": "red"},
        )
        wait_for(lambda: agent.metric("boatswain_line_memory_bytes") > 0, what="lines in memory")
        self.assertEqual(agent.reader().objects(), [], "none is sealed yet")
        agent.signal(signal.SIGSEGV)
        self.assertEqual(agent.process.wait(30), -signal.SIGSEGV)
        self.assertEqual(self.cores(agent.place), [])
        self.assertEqual(files_with([b"the-line-that-nobody-may-read", b"a-secret-of-the-store"], agent.place), [])

    def test_a_guard_that_crashes_leaves_nothing(self):
        process = self.start(
            BUILD / "boatswaind",
            "guard",
            "--config",
            os.devnull,
            "--guard-engine",
            self.engine.socket,
            "--guard-listen",
            f"unix:{self.place}/guard.sock",
        )
        wait_for(lambda: (self.place / "guard.sock").exists(), what="the guard's socket")
        self.crash(process)
        self.assertEqual(self.cores(), [])

    def test_a_driver_that_crashes_leaves_nothing(self):
        holds = pathlib.Path(tempfile.mkdtemp(prefix="bwh.", dir="/dev/shm"))
        self.addCleanup(shutil.rmtree, holds, True)
        process = self.start(
            BUILD / "boatswaind",
            "driver",
            "--config",
            os.devnull,
            "--driver-enabled",
            "true",
            "--driver-holder",
            "process",
            "--driver-socket",
            self.place / "driver.sock",
            "--driver-hold-dir",
            holds,
            "--tenancy-keyring",
            self.place,
        )
        wait_for(lambda: (self.place / "driver.sock").exists(), what="the driver's socket")
        self.crash(process)
        self.assertEqual(self.cores(), [])

    def test_the_tool_that_crashes_with_a_secret_leaves_nothing_of_it(self):
        process = self.start(BUILD / "boatswain", "keys", "derive", "red", stdin=subprocess.PIPE)
        process.stdin.write(b"a-secret-that-somebody-typed")
        process.stdin.flush()
        unread = ctypes.c_int(1)

        def taken():
            fcntl.ioctl(process.stdin, termios.FIONREAD, unread)
            return unread.value == 0

        wait_for(taken, what="the secret read")
        self.crash(process)
        self.assertEqual(self.cores(), [])
        self.assertEqual(files_with([b"a-secret-that-somebody-typed"], self.place), [])


if __name__ == "__main__":
    main()
