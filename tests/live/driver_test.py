#!/usr/bin/python3
"""The log driver: every byte of containers that run with it, over kills of the agent, of the holder and of the
engine."""
import sqlite3
import sys

sys.dont_write_bytecode = True
from harness import *

RED = {"BOATSWAIN_TENANT": "red"}
SPECS = pathlib.Path("/etc/docker/plugins")  # dockerd looks here; it cannot be told otherwise
SHORT_LIVED = int(os.environ.get("BOATSWAIN_TEST_SHORT_LIVED", "60"))


class Driver:
    """A name under which the engine finds the plugin, a socket and a place in memory for what it holds: one agent's."""

    count = 0

    def __init__(self):
        Driver.count += 1
        self.name = f"bwt{os.getpid()}n{Driver.count}"
        self.place = scratch("bwd.")
        self.socket = self.place / "plugin.sock"
        self.holds = pathlib.Path(tempfile.mkdtemp(prefix="bwt.", dir="/dev/shm"))
        alive.append(self)
        SPECS.mkdir(parents=True, exist_ok=True)
        self.spec = SPECS / f"{self.name}.spec"
        self.spec.write_text(f"unix://{self.socket}")
        self.processes = []

    def settings(self, **more):
        settings = {"enabled": True, "name": self.name, "socket": str(self.socket), "hold_dir": str(self.holds), **more}
        return {f"driver__{name}": value for name, value in settings.items()}

    def options(self, **log_options):
        words = ["--log-driver", self.name]
        for name, value in {"cache-disabled": "true", **log_options}.items():
            words += ["--log-opt", f"{name.replace('_', '-')}={value}"]
        return words

    def start_process(self, agent, until="log driver ready"):
        """`boatswaind driver` beside the agent; ready when it says so."""
        log = open(self.place / "driver.log", "ab")
        seen = log.tell()
        process = subprocess.Popen(
            [str(BUILD / "boatswaind"), "driver", "--config", str(agent.config_path)],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"]},
        )
        log.close()
        self.processes.append(process)
        wait_for(lambda: until in self.log_text()[seen:], 30, self.log_text)
        return process

    def log_text(self):
        path = self.place / "driver.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def held(self):
        return sorted(path.name for path in self.holds.glob("*.hold"))

    def close(self):
        if self in alive:
            alive.remove(self)
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        self.spec.unlink(missing_ok=True)
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.rmtree(self.holds, ignore_errors=True)


class DriverTest(LiveTest):
    def driver(self):
        driver = Driver()
        self.addCleanup(driver.close)
        # Containers end before the plugin does: an engine whose plugin is gone waits for it.
        self.addCleanup(self.engine.remove_all)
        return driver

    def driver_agent(self, start=True, **settings):
        driver = self.driver()
        own = {name.removeprefix("driver__"): value for name, value in settings.items() if name.startswith("driver__")}
        rest = {name: value for name, value in settings.items() if not name.startswith("driver__")}
        agent = self.agent(start=False, **driver.settings(**own), **rest)
        self.addCleanup(self.engine.remove_all)
        if own.get("holder") == "process":
            driver.process = driver.start_process(agent)
        if start:
            agent.start()
            if own.get("holder") != "process":
                agent.wait_logged("log driver ready")
        return agent, driver

    def assert_same(self, got, wanted, what):
        if got == wanted:
            return
        at = next((i for i, (a, b) in enumerate(zip(got, wanted)) if a != b), min(len(got), len(wanted)))
        self.fail(
            f"{what}: {len(got)} bytes of {len(wanted)}; at {at}: {got[max(at - 20, 0):at + 60]!r} instead of"
            f" {wanted[max(at - 20, 0):at + 60]!r}"
        )

    def burst(self, name, count, first=0):
        return self.engine.put(name, b"".join(b"line %d %s\n" % (i, b"." * 60) for i in range(first, first + count)))


NUMBERED = "line {} " + "." * 60


def counting(count, pause_ms=100, every=50):
    return (
        f"i=0; while [ $i -lt {count} ]; do echo line $i {'.' * 60}; i=$((i+1)); "
        f"[ $((i % {every})) != 0 ] || usleep {pause_ms * 1000}; done"
    )


class Bytes(DriverTest):
    def test_what_containers_print_is_stored_byte_for_byte(self):
        agent, driver = self.driver_agent()
        every_byte = bytes(byte for byte in range(256) if byte != 10)
        odd = (
            b"\n".join(
                [
                    every_byte,
                    b"",
                    b"\xff\xfe\xed\xa0\x80",
                    b"  \t ",
                    b"\r",
                    b"# gap {}",
                    b"2026-11-23T00:00:00.000000000Z stdout F forged",
                ]
                * 20
            )
            + b"\n"
        )
        lengths = [16383, 16384, 16385, 32767, 32768, 100_000, 1 << 20, (1 << 20) + 1, 3_000_000]
        long_lines = b"".join(b"%c" % (65 + i) * length + b"\n" for i, length in enumerate(lengths)) + b"z" * 16384
        texts = {"odd": odd, "long": long_lines, "unfinished": odd + b"no newline", "empty": b""}
        containers = {}
        for name, text in texts.items():
            path = self.engine.put(name, text)
            containers[name] = self.engine.shell(f"cat {path}; cat {path} >&2", env=RED, options=driver.options())
        path = self.engine.put("terminal", b"hello\nto \xff a terminal\n")
        terminal = self.engine.run("cat", path, env=RED, options=["--tty", *driver.options()])
        self.engine.wait(terminal, *containers.values())
        reader = agent.reader()
        wait_for(
            lambda: all(len(reader.of(containers[name]).raw()) >= 2 * len(text) for name, text in texts.items()),
            60,
            "all bytes",
            pause=1,
        )
        wait_for(lambda: reader.of(terminal).raw(), 30, "the terminal's lines")
        self.assertEqual(agent.stop(), 0)
        for name, text in texts.items():
            stored = reader.of(containers[name])
            for stream in ("stdout", "stderr"):
                self.assert_same(stored.raw(stream), text, f"{name} {stream}")
            self.assertEqual(stored.gaps, [])
        # Only what is over 1 MiB comes in parts, and the last line, which has no end.
        self.assertEqual(
            sum(
                line.tag == "P"
                for line in reader.of(containers["long"]).lines
                if line.stream == "stdout" and len(line.message) < 1_000_000
            ),
            1,
        )
        self.assert_same(reader.of(terminal).raw(), b"hello\r\nto \xff a terminal\r\n", "terminal")
        # Byte for byte also by our own tool, and nothing is held any more.
        self.assert_same(agent.raw(containers["odd"], "stdout"), odd, "boatswain logs")
        # No line in clear is left on the disk, neither ours nor the engine's.
        found = run(
            "grep",
            "-rlaF",
            "2026-11-23T00:00:00.000000000Z stdout F forged",
            self.engine.root,
            agent.state,
            check=False,
        ).stdout
        self.assertEqual(found.decode().split(), [])

    def test_containers_that_live_for_a_moment_and_remove_themselves_are_complete(self):
        agent, driver = self.driver_agent()
        tenants = ("red", "green", "blue")

        def launch(number):
            return self.engine.run(
                "seq", "1", "100", env={"BOATSWAIN_TENANT": tenants[number % 3]}, options=["--rm", *driver.options()]
            )

        ids = in_parallel(launch, range(SHORT_LIVED))
        reader = agent.reader()
        self.wait_stored_or_still(reader, 100 * SHORT_LIVED, still=15, seconds=120)
        # What is durable is held no longer.
        wait_for(lambda: not driver.held(), 30, lambda: f"holds: {driver.held()}")
        self.assertEqual(agent.stop(), 0)
        # The record of a container's end can be sealed after its last line.
        ends = [
            line for key in reader.objects() for line in reader.open(key).split(b"\n") if line.startswith(b"# end ")
        ]
        incomplete = {
            container[:12]: len(reader.of(container).lines)
            for container in ids
            if reader.of(container).messages() != [b"%d" % i for i in range(1, 101)]
        }
        print(f"{len(incomplete)} of {SHORT_LIVED} incomplete", file=sys.stderr)
        self.assertEqual(incomplete, {})
        self.assertEqual(reader.line_count(), 100 * SHORT_LIVED)
        self.assertEqual(len(ends), SHORT_LIVED)
        # Nor is a hold that was read whole, and given back, taken for one that nobody understands.
        self.assertEqual(agent.logged("description of a hold"), [])


class Kills(DriverTest):
    def test_nothing_is_lost_or_doubled_when_the_agent_is_killed_amid_output(self):
        agent, driver = self.driver_agent(batch__flush_after="300ms")
        slow = [self.engine.shell(counting(1500), env=RED, options=driver.options()) for _ in range(3)]
        path = self.burst("burst", 60_000)
        fast = self.engine.shell(f"cat {path}; sleep 1; echo end", env=RED, options=driver.options())
        for i in range(6):
            time.sleep(0.3 + 0.13 * i)
            agent.kill()
            agent.start()
        self.engine.wait(fast, *slow)
        reader = agent.reader()
        self.wait_stored_or_still(reader, 3 * 1500 + 60_001, still=10)
        wait_for(lambda: all("exited" in self.engine.docker("inspect", "-f", "{{.State.Status}}", c) for c in slow), 60)
        self.assertEqual(agent.stop(), 0)
        for container in slow:
            self.assert_numbers(reader.of(container), 1500, NUMBERED, container="slow")
        stored = reader.of(fast)
        self.assertEqual(stored.lines.pop().message, b"end")
        self.assert_numbers(stored, 60_000, NUMBERED, container="fast")

    def test_a_container_that_ends_while_nobody_reads_is_complete(self):
        agent, driver = self.driver_agent(batch__flush_after="300ms")
        path = self.burst("tail", 8_000)  # 0.6 MB: more than a FIFO of 64 KiB takes
        container = self.engine.shell(f"echo start; sleep 2; cat {path}", env=RED, options=driver.options())
        agent.wait_logged("container of the log driver found")
        agent.kill()
        time.sleep(3)
        agent.start()
        self.engine.wait(container)
        reader = agent.reader()
        self.wait_stored_or_still(reader, 8_001, still=10)
        self.assertEqual(agent.stop(), 0)
        stored = reader.of(container)
        self.assertEqual(stored.lines.pop(0).message, b"start")
        self.assert_numbers(stored, 8_000, NUMBERED)


class KillsOfBoth(DriverTest):
    def test_nothing_is_lost_or_doubled_when_agent_and_holder_are_killed_in_turn_amid_output(self):
        agent, driver = self.driver_agent(driver__holder="process", batch__flush_after="300ms")
        slow = [self.engine.shell(counting(1500), env=RED, options=driver.options()) for _ in range(2)]
        path = self.burst("burst", 60_000)
        fast = self.engine.shell(
            f"for i in 1 2 3; do cat {path}; usleep 600000; done; echo end", env=RED, options=driver.options()
        )
        for i in range(8):
            time.sleep(0.2 + 0.09 * i)
            if i % 2:
                driver.process.kill()
                driver.process.wait()
                driver.process = driver.start_process(agent)
            else:
                agent.kill()
                agent.start()
        self.engine.wait(fast, *slow)
        reader = agent.reader()
        self.wait_stored_or_still(reader, 2 * 1500 + 180_001, still=10)
        self.assertEqual(agent.stop(), 0)
        for container in slow:
            self.assert_numbers(reader.of(container), 1500, NUMBERED, container="slow")
        stored = reader.of(fast)
        self.assertEqual(stored.lines.pop().message, b"end")
        wanted = [NUMBERED.format(i).encode() for i in range(60_000)] * 3
        self.assertEqual(len(stored.messages()), len(wanted))
        self.assertTrue(stored.messages() == wanted, "order or content")
        self.assertEqual(stored.gaps, [])

    def test_containers_start_and_print_and_end_while_no_agent_runs(self):
        agent, driver = self.driver_agent(driver__holder="process")
        self.assertEqual(agent.stop(), 0)
        path = self.burst("much", 100_000)  # 7 MB: more than FIFO, engine and pipes take together
        before = time.monotonic()
        container = self.engine.shell(f"cat {path}", env=RED, options=driver.options())
        self.engine.wait(container)
        took = time.monotonic() - before
        agent.start()
        reader = agent.reader()
        self.wait_stored_or_still(reader, 100_000, still=10)
        self.assertEqual(agent.stop(), 0)
        self.assert_numbers(reader.of(container), 100_000, NUMBERED)
        self.assertLess(took, 30)  # an engine without its plugin tries for 30 s, and then refuses


class LiveRestored(DriverTest):
    engine_options = ("--live-restore",)

    def test_containers_that_run_on_while_the_engine_restarts_are_read_on(self):
        agent, driver = self.driver_agent()
        # They outlive the last restart: what a container printed last while no engine ran, no engine collects.
        containers = [
            self.engine.shell(counting(2500) + "; sleep 1000", env=RED, options=driver.options()) for _ in range(3)
        ]
        for how in ("TERM", "KILL"):
            time.sleep(0.7)
            self.engine.restart(how)
        reader = agent.reader()
        self.wait_stored_or_still(reader, 2500 * 3, still=15, seconds=120)
        self.engine.docker("kill", *containers)
        wait_for(lambda: not driver.held(), 30, lambda: f"holds: {driver.held()}")
        self.assertEqual(agent.stop(), 0)
        for container in containers:
            self.assert_numbers(reader.of(container), 2500, NUMBERED, container=container)


class HostCrash(DriverTest):
    def test_what_a_crash_of_the_host_took_is_named_where_the_container_goes_on(self):
        agent, driver = self.driver_agent(batch__flush_after="300ms")
        container = self.engine.shell(
            "i=0; while true; do echo line $i; i=$((i+1)); usleep 20000; done", env=RED, options=driver.options()
        )
        wait_for(lambda: agent.reader().of(container).lines, 60, "something of it is stored")
        # What a crash leaves: no process, no memory, the disk as it was, and afterwards another boot.
        pid = int(self.engine.docker("inspect", "--format", "{{.State.Pid}}", container))
        agent.kill()
        self.engine.stop_daemon("KILL")
        os.kill(pid, signal.SIGKILL)
        for hold in driver.holds.iterdir():
            hold.unlink()
        self.make_another_boot(agent)
        self.engine.start_daemon()
        agent.start()
        agent.wait_logged("log driver ready")
        wait_for(
            lambda: self.engine.docker("inspect", "--format", "{{.State.Running}}", container) == "false",
            60,
            "the engine knows that it has ended",
        )
        self.engine.docker("start", container)
        wait_for(lambda: agent.reader().of(container).gaps, 60, "the gap record")
        wait_for(lambda: agent.reader().of(container).messages().count(b"line 0") == 2, 60, "lines of the new run")
        self.engine.docker("kill", container)
        wait_for(lambda: not driver.held(), 30, lambda: f"holds: {driver.held()}")
        self.assertEqual([gap["reason"] for gap in agent.reader().of(container).gaps], ["host-restarted"])
        self.assertEqual(agent.metric("boatswain_gap_records_total", reason="host-restarted"), 1)
        self.assertEqual(agent.stop(), 0)
        # Each run from its beginning without a hole; of the first, the end is what the crash took.
        numbers = [int(message.split()[1]) for message in agent.reader().of(container).messages()]
        again = numbers.index(0, 1)
        self.assertEqual(numbers[:again], list(range(again)))
        self.assertEqual(numbers[again:], list(range(len(numbers) - again)))
        self.assertEqual(agent.tool("verify", check=False).returncode, 0)

    def make_another_boot(self, agent):
        """Positions in holds name the boot: in the state they become those of another."""
        with sqlite3.connect(agent.state / "state.sqlite") as state:
            rows = state.execute("SELECT source, position FROM checkpoints WHERE position LIKE 'file %'").fetchall()
            for source, position in rows:
                kind, boot, rest = position.split(" ", 2)
                state.execute(
                    "UPDATE checkpoints SET position = ? WHERE source = ?", (f"{kind} {int(boot) ^ 1} {rest}", source)
                )
        state.close()
        self.assertTrue(rows)


class Bounds(DriverTest):
    def test_when_no_more_can_be_held_lines_are_dropped_after_a_while_and_a_gap_names_them(self):
        # A tenant without a key, and no operator: its lines are held until there is somebody to seal for.
        agent, driver = self.driver_agent(
            operator=False, tenants=("green",), driver__hold_bytes="4MiB", driver__block_max="300ms"
        )
        path = self.burst("flood", 100_000)
        container = self.engine.shell(f"cat {path}; echo end", env=RED, options=driver.options())
        self.engine.wait(container)
        self.assertEqual(agent.reader().line_count(), 0)
        agent.add_key("red")
        reader = agent.reader()
        wait_for(lambda: reader.of(container).gaps, 30, "the gap record")
        self.assertGreater(agent.metric("boatswain_driver_dropped_lines_total"), 0)
        self.assertEqual(agent.stop(), 0)
        stored = reader.of(container)
        self.assertEqual({gap["reason"] for gap in stored.gaps}, {"driver-overflow"})
        dropped = sum(gap["lines_min"] for gap in stored.gaps)
        self.assertEqual(len(stored.lines) + dropped, 100_001)
        numbers = [int(message.split()[1]) for message in stored.messages() if message != b"end"]
        self.assertEqual(numbers, sorted(set(numbers)))

    def test_a_flood_larger_than_a_hold_is_stored_whole(self):
        agent, driver = self.driver_agent(driver__hold_bytes="4MiB", driver__block_max="60s", batch__flush_after="60s")
        path = self.burst("flood", 200_000)
        container = self.engine.shell(f"cat {path}", env=RED, options=driver.options())
        self.engine.wait(container)
        reader = agent.reader()
        self.wait_stored_or_still(reader, 200_000, still=10)
        self.assertEqual(agent.stop(), 0)
        self.assert_numbers(reader.of(container), 200_000, NUMBERED)


class Plugin(DriverTest):
    def start_refused(self, driver, env, image=IMAGE, **options):
        done = run(
            "docker",
            "run",
            "-d",
            *[w for k, v in env.items() for w in ("-e", f"{k}={v}")],
            *driver.options(**options),
            image,
            "true",
            check=False,
            env=self.engine.env,
        )
        return done.returncode != 0 and done.stderr.decode()

    def test_a_container_that_asks_for_a_key_is_refused_without_one(self):
        agent, driver = self.driver_agent()
        said = self.start_refused(driver, {"BOATSWAIN_TENANT": "nobody"}, require_key="true")
        self.assertIn("require-key=true", said)
        self.assertIn("nobody", said)
        self.assertIn("require-key=true", self.start_refused(driver, {}, require_key="true"))
        self.assertFalse(self.start_refused(driver, RED, require_key="true"))
        self.assertFalse(self.start_refused(driver, {"BOATSWAIN_TENANT": "nobody"}))

    def test_a_process_of_its_own_is_confined_and_takes_no_image_at_its_word(self):
        base = self.engine.shell("true")
        self.engine.wait(base)
        self.engine.docker("commit", "--change", "ENV BOATSWAIN_TENANT=green", base, "greedy")
        self.addCleanup(self.engine.docker, "rmi", "--force", "greedy", check=False)
        agent, driver = self.driver_agent(driver__holder="process", tenants=("red", "green"))
        self.assertIn('"confined"', driver.log_text())
        self.assertIn("require-key=true", self.start_refused(driver, {}, "greedy", require_key="true"))
        self.assertFalse(self.start_refused(driver, RED, "greedy", require_key="true"))
        # A key file that is broken at its start says what it said before: the agent has kept that. Two processes that
        # are
        # started beside the first take nothing from it, and one of them goes on when it ends, however it ends.
        wait_for((agent.state / "keyring.last").exists, 30, "what the key files say is kept")
        (agent.keyring / "red.pub").write_text("age1typo\n")
        waiting = [driver.start_process(agent, until="waiting for the holds") for _ in range(2)]
        self.assertFalse(self.start_refused(driver, RED, require_key="true"))
        seen = len(driver.log_text())
        driver.process.kill()
        driver.process.wait()
        wait_for(lambda: "log driver ready" in driver.log_text()[seen:], 30, driver.log_text)
        self.assertFalse(self.start_refused(driver, RED, require_key="true"))
        self.assertEqual([process.poll() for process in waiting], [None, None])
        # The rules of a configuration that is read again hold, confined or not.
        agent.config_path.write_text(
            agent.config_path.read_text().replace("[tenancy]", '[tenancy]\ntenant = ["const:nobody"]', 1)
        )
        for process in waiting:
            process.send_signal(signal.SIGHUP)
        wait_for(
            lambda: self.start_refused(driver, RED, require_key="true"), 30, "the tenant is another one, without a key"
        )

    def test_a_container_that_is_started_while_the_agent_restarts_waits_for_it(self):
        agent, driver = self.driver_agent()
        self.engine.run("true", env=RED, options=driver.options())
        self.assertEqual(agent.stop(), 0)
        self.assertTrue(driver.socket.exists())
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            started = pool.submit(self.engine.run, "echo", "here", env=RED, options=driver.options())
            time.sleep(1)
            agent.start()
            container = started.result(60)
        reader = agent.reader()
        wait_for(lambda: reader.of(container).messages() == [b"here"], 30, "its line")

    def test_docker_logs_shows_the_last_lines_only_when_asked_to(self):
        agent, driver = self.driver_agent(driver__ring_bytes="4KiB")
        options = ["--log-driver", driver.name]
        container = self.engine.shell("seq 1 1000; sleep 1000", env=RED, options=options)
        wait_for(lambda: self.engine.docker("logs", container).split()[-1:] == ["1000"], 30, "the last line")
        shown = self.engine.docker("logs", container).split()
        self.assertEqual(shown, [str(i) for i in range(1001 - len(shown), 1001)])
        self.assertLess(len(shown), 200)
        self.assertEqual(self.engine.docker("logs", "--tail", "3", container).split(), ["998", "999", "1000"])

        quiet, other = self.driver_agent()
        container = self.engine.run("echo", "x", env=RED, options=other.options())
        refused = run("docker", "logs", container, check=False, env=self.engine.env)
        self.assertIn("does not support reading", refused.stderr.decode())

    def test_the_agent_says_that_and_why_it_reads_by_the_driver(self):
        agent, driver = self.driver_agent()
        container = self.engine.shell(
            "echo hello; while [ ! -e /volume/again ]; do usleep 50000; done; echo again; sleep 1000",
            name="talker",
            env=RED,
            options=driver.options(),
        )
        wait_for(lambda: agent.reader().of(container).messages() == [b"hello"], 30, "its line")
        told = run(BUILD / "boatswain", "why", "talker", "--socket", agent.state / "agent.sock").stdout.decode()
        self.assertIn(f"driver: log driver {driver.name} hands its lines to this agent", told)
        self.assertIn("red", told)
        self.assertEqual(agent.metric("boatswain_containers", reader="driver"), 1)
        self.assertEqual(agent.metric("boatswain_containers", reader="logs"), 0)
        # Its lines go on under its new name.
        self.engine.docker("rename", "talker", "renamed")
        agent.wait_logged("container renamed")
        self.engine.put("again", b"")
        wait_for(lambda: agent.reader().of(container).messages() == [b"hello", b"again"], 30, "its other line")
        self.assertEqual([agent.raw(name) for name in ("talker", "renamed")], [b"hello\n", b"again\n"])


if __name__ == "__main__":
    main(280 + 2 * (SHORT_LIVED - 60))
