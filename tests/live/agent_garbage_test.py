#!/usr/bin/python3
"""Logs that others have written into, cut off, or moved away."""
import contextlib
import sys

sys.dont_write_bytecode = True
from harness import *

RED = {"BOATSWAIN_TENANT": "red"}


class Garbage(LiveTest):
    def talker(self, **keywords):
        """A container that prints what it is told by a pipe in the volume: its id, and how to tell it."""
        path = self.engine.volume / f"pipe{time.monotonic_ns()}"
        os.mkfifo(path)
        pipe = os.open(path, os.O_RDWR)
        self.addCleanup(os.close, pipe)
        container = self.engine.run("cat", f"/volume/{path.name}", env=RED, **keywords)
        log = self.engine.log_file(container)

        def say(text):
            os.write(pipe, text)
            last = text.splitlines()[-1]
            wait_for(lambda: last in log.read_bytes(), 10, "the container said it", pause=0.02)

        return container, say

    def test_malformed_lines_are_kept_announced_and_counted_and_harm_nobody(self):
        agent = self.agent()
        container, say = self.talker()
        other, say_other = self.talker()
        garbage = [
            b"garbage",
            b'{"log":"half',
            b"\x00\xff\xfe binary \x80",
            b"{}",
            b"[1,2,3]",
            b'{"log":"x\\n","stream":"stdlog","time":"2026-11-23T00:00:00Z"}',
            b'{"log":"x\\n","stream":"stdout","time":"yesterday"}',
            b'{"log":1,"stream":"stdout","time":3}',
            b"x" * 200_000,
        ]
        for number, line in enumerate(garbage):
            say(b"good %d\n" % number)
            with open(self.engine.log_file(container), "ab") as log:
                log.write(line + b"\n")
            say_other(b"other %d\n" % number)
        say(b"the end\n")
        self.wait_stored(agent.reader(), 3 * len(garbage))
        malformed = agent.metric("boatswain_malformed_lines_total")
        self.assertEqual(agent.stop(), 0)
        stored = agent.reader().of(container)
        wanted = [message for number, line in enumerate(garbage) for message in (b"good %d" % number, line)] + [
            b"the end"
        ]
        # {"log":1} may be read as a record without text.
        got = stored.messages()
        self.assertEqual([m for m in got if m in wanted], [m for m in wanted if m in got])
        for number in range(len(garbage)):
            self.assertIn(b"good %d" % number, got)
        self.assertGreaterEqual(len(set(got) & set(garbage)), len(garbage) - 1)
        self.assertEqual(len(stored.gaps), malformed)
        self.assertEqual({gap["reason"] for gap in stored.gaps}, {"malformed"})
        self.assertEqual(agent.reader().of(other).messages(), [b"other %d" % number for number in range(len(garbage))])
        self.assertEqual(agent.reader().of(other).gaps, [])

    def test_a_line_without_end_is_not_read_into_memory_and_the_next_lines_are_there(self):
        agent = self.agent()
        container, say = self.talker()
        say(b"before\n")
        with open(self.engine.log_file(container), "ab") as log:
            for _ in range(100):
                log.write(b"x" * (1 << 20))
            log.write(b"\n")
        # What cannot be read is named at once, though nothing is printed after it.
        wait_for(lambda: agent.reader().of(container).gaps, 30, "the gap")
        say(b"after\n")
        self.wait_stored(agent.reader(), 2, 30)
        resident = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{agent.process.pid}/status").read_text())[1])
        self.assertLess(resident, 100_000)
        self.assertEqual(agent.stop(), 0)
        stored = agent.reader().of(container)
        self.assertEqual(stored.messages(), [b"before", b"after"])
        self.assertEqual([gap["reason"] for gap in stored.gaps], ["too-long"])
        self.assertEqual((stored.gaps[0]["lines_min"], stored.gaps[0]["bytes_min"]), (1, 100 << 20))

    def test_records_with_hundreds_of_kilobytes_of_environment_are_read_whole_and_at_once(self):
        agent = self.agent()
        names = [f"LONG{i}" for i in range(6)]
        env = {"BOATSWAIN_TENANT": "red", **{name: name * 18_000 for name in names}}
        container = self.engine.shell(
            "for i in 1 2 3 4 5; do echo line $i; done; sleep 1000",
            env=env,
            options=["--log-opt", "env=" + ",".join(names)],
        )
        wait_for(
            lambda: agent.reader().of(container).messages() == [b"line %d" % i for i in range(1, 6)],
            15,
            lambda: agent.reader().of(container).messages(),
        )
        self.assertGreater(self.engine.log_file(container).stat().st_size, 5 * 540_000)
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(agent.reader().of(container).gaps, [])

    def test_copytruncate_loses_nothing_that_was_read_and_goes_on(self):
        agent = self.agent()
        container, say = self.talker()
        say(b"".join(b"line %d\n" % i for i in range(100)))
        self.wait_stored(agent.reader(), 100)
        log = self.engine.log_file(container)
        for first in (100, 200):
            shutil.copy(log, f"{log}.1")
            os.truncate(log, 0)
            say(b"".join(b"line %d\n" % i for i in range(first, first + 100)))
            self.wait_stored(agent.reader(), first + 100)
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(agent.reader().of(container).messages(), [b"line %d" % i for i in range(300)])

    def test_a_truncation_that_nobody_kept_a_copy_of_is_a_gap(self):
        agent = self.agent()
        container, say = self.talker()
        say(b"".join(b"line %d\n" % i for i in range(100)))
        self.wait_stored(agent.reader(), 100)
        os.truncate(self.engine.log_file(container), 0)
        say(b"after\n")
        self.wait_stored(agent.reader(), 101)
        self.assertEqual(agent.stop(), 0)
        stored = agent.reader().of(container)
        self.assertEqual(stored.messages(), [b"line %d" % i for i in range(100)] + [b"after"])
        self.assertEqual([gap["reason"] for gap in stored.gaps], ["truncated"])

    def test_a_deleted_log_is_read_on_and_so_is_the_one_that_follows(self):
        agent = self.agent()
        container, say = self.talker_of_held_log()
        say(b"before")
        self.wait_stored(agent.reader(), 1)
        self.engine.log_file(container).unlink()
        say(b"deleted")
        self.wait_stored(agent.reader(), 2)
        self.engine.docker("restart", "-t", "0", container)
        say(b"again")
        self.wait_stored(agent.reader(), 3)
        self.assertEqual(agent.stop(), 0)
        stored = agent.reader().of(container)
        self.assertEqual(stored.messages(), [b"before", b"deleted", b"again"])
        self.assertEqual(stored.gaps, [])
        reader = agent.reader()
        closed = any(b"\n# end" in reader.open(key) for key in reader.objects())
        self.assertFalse(closed, "the engine has the container")
        agent.tool("verify")

    def test_a_renamed_log_is_read_on_until_the_engine_leaves_it(self):
        for suffix in (".1", "-20261129"):
            with self.subTest(suffix):
                agent = self.agent()
                container, say = self.talker_of_held_log()
                say(b"before")
                self.wait_stored(agent.reader(), 1)
                log = self.engine.log_file(container)
                log.rename(f"{log}{suffix}")
                log.touch()
                say(b"renamed")
                self.wait_stored(agent.reader(), 2)
                agent.kill()
                agent.start()
                say(b"after a kill")
                self.wait_stored(agent.reader(), 3)
                self.engine.docker("restart", "-t", "0", container)
                say(b"again")
                self.wait_stored(agent.reader(), 4)
                self.assertEqual(agent.stop(), 0)
                stored = agent.reader().of(container)
                self.assertEqual(stored.messages(), [b"before", b"renamed", b"after a kill", b"again"])
                self.assertEqual(stored.gaps, [])
                self.engine.docker("rm", "-f", container)

    def talker_of_held_log(self):
        """As talker(), of a container whose log may be anywhere: nobody looks into it."""
        path = self.engine.volume / f"pipe{time.monotonic_ns()}"
        os.mkfifo(path)
        pipe = os.open(path, os.O_RDWR)
        self.addCleanup(os.close, pipe)
        container = self.engine.run("cat", f"/volume/{path.name}", env=RED)
        return container, lambda text: os.write(pipe, text + b"\n")

    def test_a_log_that_the_engine_dies_of_is_asked_for_three_times_and_harms_no_other(self):
        local = ("--log-driver", "local", "--log-opt", "compress=false")
        damaged, other = (
            self.engine.shell("for i in $(seq 100); do echo line $i; done", env=RED, options=local) for _ in range(2)
        )
        self.engine.wait(damaged, other)
        with open(self.engine.root / "containers" / damaged / "local-logs/container.log", "r+b") as log:
            log.seek(1500)
            log.write(bytes(200))
        agent = self.agent(start=False).start(wait=False)
        agent.wait_logged("container found")

        def left_alone():
            if run("docker", "ps", check=False, env=self.engine.env).returncode == 0:
                return agent.metric("boatswain_logs_left_alone") == 1
            with contextlib.suppress(AssertionError):  # it may die of the next question before it is seen to answer
                self.engine.restart("KILL")

        wait_for(left_alone, 180, "the log is left alone, and the engine answers", pause=0.3)
        wanted = [b"line %d" % number for number in range(1, 101)]
        wait_for(lambda: agent.reader().of(other).messages() == wanted, 60, "the other is read")
        why = lambda: run(
            BUILD / "boatswain", "why", damaged, "--socket", agent.state / "agent.sock", check=False
        ).stdout.decode()
        wait_for(lambda: "the engine died 3 times" in why(), 30, why)
        self.assertEqual(agent.stop(), 0)
        # A death that comes behind the end of an answer is not put down to that question: there may be one more.
        panics = (self.engine.dir / "dockerd.log").read_text().count("panic: runtime error")
        self.assertIn(panics, (3, 4))
        self.assertEqual([gap["reason"] for gap in agent.reader().of(damaged).gaps], ["unreadable"])
        self.assertEqual(agent.reader().of(other).messages(), wanted)

    def test_a_data_directory_that_comes_after_the_agent_costs_no_line_and_doubles_none(self):
        root = self.engine.place / "later"
        agent = self.agent(docker__root=str(root))
        container, say = self.talker()

        def tell(first):
            say(b"".join(b"line %d\n" % i for i in range(first, first + 100)))
            self.wait_stored(agent.reader(), first + 100)

        tell(0)
        self.assertEqual(agent.metric("boatswain_containers_directory_unseen"), 1)
        self.assertIn("later", agent.health()[1]["containers_directory"])
        root.symlink_to(self.engine.root)
        # Its sandbox was made before: only a new start helps, and that is what it asks for.
        wait_for(lambda: agent.health()[0] == 503, 30, "it asks to be started again", pause=0.3)
        self.assertIn("sandbox keeps it out", agent.health()[1]["containers_directory"])
        tell(100)
        agent.kill()
        agent.start()
        tell(200)
        self.assertEqual(agent.metric("boatswain_containers", reader="json-file"), 1)
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(agent.reader().of(container).messages(), [b"line %d" % i for i in range(300)])

    def test_a_socket_whose_file_was_mounted_and_went_stale_is_told_from_one_of_an_engine_that_is_down(self):
        place = self.engine.place
        mounted = place / "mounted.sock"
        with socket.socket(socket.AF_UNIX) as engine:
            engine.bind(str(place / "ended.sock"))
            engine.listen()
        mounted.touch()
        run("mount", "--bind", place / "ended.sock", mounted)
        self.addCleanup(run, "umount", mounted)
        for path, advice in ((place / "ended.sock", False), (mounted, True)):
            ran = run(
                BUILD / "boatswaind",
                "check",
                "--engine-socket",
                path,
                "--state-dir",
                place / "state",
                "--store-url",
                f"dir:{place}/store",
                check=False,
            )
            told = (ran.stdout + ran.stderr).decode()
            self.assertEqual("mount the socket's directory instead" in told, advice, told)

    def test_links_and_pipes_in_place_of_a_log_are_not_followed(self):
        secret = self.engine.place / "secret"
        secret.write_text('{"log":"secret\\n","stream":"stdout","time":"2026-11-23T00:00:00Z"}\n')
        linked = self.engine.shell("echo one", env=RED)
        piped = self.engine.shell("echo one", env=RED)
        self.engine.wait(linked, piped)
        for container in (linked, piped):
            self.engine.log_file(container).unlink()
        self.engine.log_file(linked).symlink_to(secret)
        os.mkfifo(self.engine.log_file(piped))
        agent = self.agent()
        other = self.engine.shell("echo two", env=RED)
        self.wait_stored(agent.reader(), 1)
        self.assertEqual(agent.stop(), 0)
        self.assertEqual({identity for identity, _ in agent.reader().containers()}, {other})


if __name__ == "__main__":
    main()
