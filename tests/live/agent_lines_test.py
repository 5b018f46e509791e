#!/usr/bin/python3
"""Every line once, under the right tenant, byte for byte: containers of every kind, on a real engine, into a
directory."""
import sys

sys.dont_write_bytecode = True
from harness import *

TENANTS = ("red", "green", "blue")


# What containers print: (standard output, standard error), 100 lines each.


def numbered(mark):
    return tuple(
        b"".join(b"%s %s %03d %s\n" % (mark, name, i, b"." * 150) for i in range(100)) for name in (b"out", b"err")
    )


def odd(mark):
    every_byte = bytes(byte for byte in range(256) if byte != 10)

    def lines(name):
        for i in range(100):
            yield [
                b"%s %s %03d" % (mark, name, i),
                b"",
                every_byte,
                b"\xff\xfe\xed\xa0\x80",
                b"  \t ",
                "naïve \u2028 <&> 🚢".encode(),
                b"\r",
                b'# {"source":"forged"}',
                b"# gap {}",
                b"2026-11-23T00:00:00.000000000Z stdout F forged",
            ][i % 10]

    return tuple(b"\n".join(lines(name)) + b"\n" for name in (b"out", b"err"))


def long_lines(mark):
    def lines(name):
        for i in range(100):
            yield b"%s %s %03d %s\n" % (mark, name, i, b"x" * 100_000 if i % 33 == 32 else b"")

    return tuple(b"".join(lines(name)) for name in (b"out", b"err"))


def unfinished(mark):
    return tuple(text[:-1] for text in numbered(mark))


CONTENTS = {"numbered": numbered, "odd": odd, "long": long_lines, "unfinished": unfinished}

# Rotated at every few dozen lines. Printed in one go, all of it takes the engine a few milliseconds: less than it may
# take until a
# process is scheduled again on a busy machine. So many files are kept that none is removed meanwhile; see also Overrun.
ROTATED = ["--log-opt", "max-size=10k", "--log-opt", "max-file=100"]
DRIVERS = {
    "json-file": [],
    "rotated": ROTATED,
    "removed": ["--rm"],
    "compressed": [*ROTATED, "--log-opt", "compress=true"],
    "local": ["--log-driver", "local"],
    "none": ["--log-driver", "none", "--label", "boatswain.attach=true"],
    "terminal": ["--tty"],
    "local-terminal": ["--tty", "--log-driver", "local"],
    "removed-rotated": ["--rm", *ROTATED],
    "attrs": ["--log-opt", "env=COLOUR", "--log-opt", "tag={{.Name}}", "--env", 'COLOUR=a"b\n,"time":'],
}


class Kind:
    def __init__(self, number):
        self.tenant = TENANTS[number % 3]
        self.driver = list(DRIVERS)[number % len(DRIVERS)]
        self.content = list(CONTENTS)[(number // len(DRIVERS) + number) % len(CONTENTS)]
        # The engine's own reader of `local` loses the newline behind the last piece of a long line; without frames, as
        # a terminal's
        # output comes, nobody can tell where the next line begins.
        if self.driver == "local-terminal" and self.content == "long":
            self.content = "odd"
        self.name = f"{self.tenant}-{number:02}-{self.driver}-{self.content}"
        self.options = list(DRIVERS[self.driver])
        # Compressed files are known by their first lines, which pieces of one long line share: a file must hold more
        # than those.
        if self.driver == "compressed" and self.content == "long":
            self.options[self.options.index("max-size=10k")] = "max-size=200k"
        self.out, self.err = CONTENTS[self.content](self.name.encode())
        self.tty = "--tty" in DRIVERS[self.driver]
        self.attached = "none" in DRIVERS[self.driver]
        self.app = f"app-{number % 7}"
        # Each of the places where a tenant can be named.
        place = number % 4
        self.env, self.labels = {}, {}
        if place == 0:
            self.env = {"BOATSWAIN_TENANT": self.tenant, "BOATSWAIN_APP": self.app}
        elif place == 1:
            self.labels = {"boatswain.tenant": self.tenant, "boatswain.app": self.app}
        elif place == 2:
            self.env = {"MARATHON_APP_LABEL_TENANT": self.tenant, "MARATHON_APP_ID": self.app}
        else:
            self.labels, self.app = {"boatswain.tenant": self.tenant}, self.name

    def kept(self):
        """(standard output, standard error) as the driver keeps them."""
        out, err = self.out, self.err
        if self.tty:
            out, err = (out + err).replace(b"\n", b"\r\n"), b""
        exact = self.driver in ("none", "local", "local-terminal")
        return (
            (out, err) if exact else tuple(b"\n".join(map(kept_by_json_file, text.split(b"\n"))) for text in (out, err))
        )


class SixtyContainers(LiveTest):
    def test_each_line_of_sixty_containers_of_three_tenants_is_stored_once_under_its_tenant_byte_for_byte(self):
        agent = self.agent()
        kinds = [Kind(number) for number in range(60)]
        ids = dict(zip((kind.name for kind in kinds), in_parallel(lambda kind: self.launch(agent, kind), kinds)))
        expected = sum(self.lines(kind) for kind in kinds)
        reader = agent.reader()
        self.wait_stored_or_still(reader, expected)
        self.assertEqual(agent.stop(), 0)

        stored = reader.containers()
        self.assertEqual({identity for identity, _ in stored}, set(ids.values()))
        for kind in kinds:
            with self.subTest(kind.name):
                one = stored[ids[kind.name], kind.tenant]
                self.assertEqual((one.heading["name"], one.heading["app"]), (kind.name, kind.app))
                self.assertEqual(one.gaps, [])
                for stream, bytes_kept in zip(("stdout", "stderr"), kind.kept()):
                    self.assert_same(one.raw(stream), bytes_kept, f"{kind.name} {stream}")
                # A long line over the end of a file, with a line of the other stream behind it, may be kept in two
                # pieces.
                if not (kind.content == "long" and "max-file=100" in kind.options):
                    self.assertEqual(len(one.lines), self.lines(kind), [l for l in one.lines if l.tag == "P"])

        # No tenant's words in another's objects, and no tenant's key opens another's.
        for key in reader.objects():
            owner = reader.tenant_of(key)
            for other in set(TENANTS) - {owner}:
                self.assertNotIn(f"{other}-".encode(), reader.open(key))
                refused = run("age", "-d", "-i", reader.identity(other), stdin=reader.bytes_of(key), check=False)
                self.assertNotEqual(refused.returncode, 0)
                self.assertEqual(refused.stdout, b"")

        # And the same by `boatswain logs`.
        for kind in kinds:
            for stream, bytes_kept in zip(("stdout", "stderr"), kind.kept()):
                if bytes_kept:
                    self.assert_same(agent.raw(kind.name, stream), bytes_kept, f"boatswain logs: {kind.name} {stream}")

    def launch(self, agent, kind):
        out, err = self.engine.put(f"{kind.name}.out", kind.out), self.engine.put(f"{kind.name}.err", kind.err)
        words = ("sh", "-c", f"cat {out}; cat {err} >&2")
        verb = "create" if kind.attached else "run"
        container = self.engine.run(
            *words, name=kind.name, env=kind.env, labels=kind.labels, options=kind.options, verb=verb
        )
        if kind.attached:
            agent.wait_logged("attached to container", container=container)
            self.engine.docker("start", container)
        return container

    @staticmethod
    def lines(kind):
        # A terminal's two streams are one, so a last line without its newline is continued.
        return 199 if kind.tty and kind.content == "unfinished" else 200

    def assert_same(self, got, wanted, what):
        if got == wanted:
            return
        at = next((i for i, (a, b) in enumerate(zip(got, wanted)) if a != b), min(len(got), len(wanted)))
        self.fail(
            f"{what}: {len(got)} bytes of {len(wanted)}; at {at}: {got[at - 20:at + 60]!r} instead of"
            f" {wanted[at - 20:at + 60]!r}"
        )

    def test_a_reader_that_rotation_overtakes_says_so_in_the_log(self):
        # Two small files, and a writer that fills them faster than anybody is scheduled: something is lost, or nothing;
        # no line comes
        # twice or out of order, and what is lost is named where it is missing.
        agent = self.agent()
        path = self.engine.put("burst", b"".join(b"line %05d %s\n" % (i, b"." * 100) for i in range(20_000)))
        options = ["--log-opt", "max-size=10k", "--log-opt", "max-file=2"]
        containers = [
            self.engine.shell(f"cat {path}; sleep 1; echo end", env={"BOATSWAIN_TENANT": "red"}, options=options)
            for _ in range(5)
        ]
        self.engine.wait(*containers)
        reader = agent.reader()
        wait_for(
            lambda: all(b"end" in reader.of(container).messages()[-1:] for container in containers),
            20,
            "the last lines",
        )
        self.assertEqual(agent.stop(), 0)
        for container in containers:
            stored = reader.of(container)
            numbers = [int(message.split()[1]) for message in stored.messages()[:-1]]
            self.assertEqual(numbers, sorted(set(numbers)))
            jumps = sum(b != a + 1 for a, b in zip([-1, *numbers], [*numbers, 20_000]))
            self.assertEqual({gap["reason"] for gap in stored.gaps}, {"rotated-away"} if jumps else set())
            self.assertGreaterEqual(len(stored.gaps), jumps)

    def test_lines_as_long_as_the_engines_pieces_and_longer_than_ours_are_whole(self):
        agent = self.agent()
        lengths = [16383, 16384, 16385, 32767, 32768, 32769, 100_000, 1 << 20, (1 << 20) + 1, 3_000_000]
        text = b"".join(b"%c" % (65 + i) * length + b"\n" for i, length in enumerate(lengths)) + b"z" * 16384
        path = self.engine.put("lengths", text)
        for options in ([], ["--log-opt", "max-size=40k", "--log-opt", "max-file=200"], ["--log-driver", "local"]):
            with self.subTest(options):
                container = self.engine.run("cat", path, env={"BOATSWAIN_TENANT": "red"}, options=options)
                reader = agent.reader()
                wait_for(
                    lambda: len(reader.of(container).raw()) >= len(text),
                    30,
                    lambda: f"{len(reader.of(container).raw())} bytes",
                )
                stored = reader.of(container)
                self.assert_same(stored.raw(), text, str(options))
                # Only what is over 1 MiB comes in pieces, and the last line, which has no end.
                self.assertEqual(
                    [len(line.message) for line in stored.lines if len(line.message) < 1_000_000],
                    [
                        16383,
                        16384,
                        16385,
                        32767,
                        32768,
                        32769,
                        100_000,
                        *[len(m) for m in stored.messages()[7:-1] if len(m) < 1_000_000],
                        16384,
                    ],
                )
                self.assertEqual(stored.gaps, [])


class Lives(LiveTest):
    """What containers go through."""

    def test_containers_that_were_there_before_the_agent_are_read_from_their_beginning(self):
        red = {"BOATSWAIN_TENANT": "red"}
        lines = "i=0; while [ $i -lt 500 ]; do echo line $i; i=$((i+1)); done"
        exited = self.engine.shell(lines, env=red)
        running = self.engine.shell(f"{lines}; sleep 1000", env=red)
        rotated = self.engine.shell(
            f"{lines}; sleep 1000", env=red, options=["--log-opt", "max-size=10k", "--log-opt", "max-file=20"]
        )
        compressed = self.engine.shell(
            f"{lines}; sleep 1000",
            env=red,
            options=["--log-opt", "max-size=10k", "--log-opt", "max-file=20", "--log-opt", "compress=true"],
        )
        local = self.engine.shell(f"{lines}; sleep 1000", env=red, options=["--log-driver", "local"])
        exited_local = self.engine.shell(lines, env=red, options=["--log-driver", "local"])
        created = self.engine.shell(lines, env=red, verb="create")
        paused = self.engine.shell(f"{lines}; sleep 1; echo line 500; sleep 1000", env=red)
        wait_for(lambda: self.engine.docker("logs", paused).count("\n") >= 499)
        self.engine.docker("pause", paused)
        self.engine.wait(exited, exited_local)
        wait_for(lambda: list(self.engine.log_file(compressed).parent.glob("*.gz")), what="a compressed log file")

        agent = self.agent()
        reader = agent.reader()
        self.wait_stored(reader, 7 * 500)
        self.engine.docker("start", created)
        self.engine.docker("unpause", paused)
        self.engine.docker("rename", paused, "renamed-while-it-runs")
        self.wait_stored(reader, 8 * 500 + 1)
        self.assertEqual(agent.stop(), 0)
        for container in (exited, running, rotated, compressed, local, exited_local, created):
            self.assert_numbers(reader.of(container), 500, container=container)
        self.assert_numbers(reader.of(paused), 501, container="paused")

    def test_what_was_printed_before_the_first_start_is_passed_over_only_where_that_is_wished(self):
        red = {"BOATSWAIN_TENANT": "red"}
        script = "echo old; while [ ! -e /volume/go ]; do usleep 50000; done; echo new; sleep 1000"
        before = self.engine.shell(script, env=red)
        wait_for(lambda: self.engine.docker("logs", before) == "old")
        time.sleep(2.1)  # a start is known by its second: what is up to a second younger is read
        passed_over, read = ([b"new"], ["passed-over"]), ([b"old", b"new"], [])
        wishes = [
            ({}, read),
            ({"docker__read_from": "start"}, passed_over),
            ({"docker__read_max_age": "1s"}, passed_over),
            ({"docker__read_max_age": "1h"}, read),
        ]
        agents = [self.agent(**settings) for settings, _ in wishes]
        after = self.engine.shell(script, env=red)
        wait_for(lambda: self.engine.docker("logs", after) == "old")
        self.engine.put("go", b"")
        for agent, (settings, (lines, gaps)) in zip(agents, wishes):
            with self.subTest(settings):
                reader = agent.reader()
                self.wait_stored(reader, len(lines) + 2)
                # Killed, and nothing of it is said twice.
                agent.kill()
                agent.start()
                self.assertEqual(agent.stop(), 0)
                self.assertEqual(reader.of(before).messages(), lines)
                self.assertEqual([gap["reason"] for gap in reader.of(before).gaps], gaps)
                self.assertEqual((reader.of(after).messages(), reader.of(after).gaps), read)

    def test_containers_that_are_restarted_are_read_on(self):
        agent = self.agent()
        red = {"BOATSWAIN_TENANT": "red"}
        lines = "i=0; while [ $i -lt 50 ]; do echo line $i; i=$((i+1)); done; printf unfinished"
        wanted = [b"line %d" % i for i in range(50)] + [b"unfinished"]
        drivers = ([], ["--log-driver", "local"])
        by_hand = [self.engine.shell(lines, env=red, options=options) for options in drivers]
        by_policy = [
            self.engine.shell(f"{lines}; exit 1", env=red, options=["--restart", "on-failure:3", *options])
            for options in drivers
        ]
        while_running = [
            self.engine.shell(f"{lines}; sleep 1000", env=red, options=["--stop-timeout", "0", *options])
            for options in drivers
        ]
        for _ in range(2):
            self.engine.wait(*by_hand)
            for container in (*by_hand, *while_running):
                wait_for(
                    lambda: container in by_hand or "line 49" in self.engine.docker("logs", "--tail", "1", container)
                )
            self.engine.docker("start", *by_hand)
            self.engine.docker("restart", "-t", "0", *while_running)
        runs = {**{c: 3 for c in (*by_hand, *while_running)}, **{c: 4 for c in by_policy}}
        wait_for(
            lambda: all(
                self.engine.docker("inspect", "-f", "{{.RestartCount}}{{.State.Running}}", c) == "3false"
                for c in by_policy
            )
        )
        # What has no newline yet comes to the log when the container ends.
        wait_for(lambda: all("line 49" in self.engine.docker("logs", "--tail", "1", c) for c in while_running))
        reader = agent.reader()
        self.engine.docker("stop", "-t", "0", *while_running)
        self.wait_stored(reader, 51 * sum(runs.values()))
        self.assertEqual(agent.stop(), 0)
        for container, times in runs.items():
            self.assertEqual(reader.of(container).messages(), wanted * times, container)

    def test_a_hundred_containers_that_live_for_a_moment_and_remove_themselves_are_complete(self):
        agent = self.agent()

        def launch(number):
            return self.engine.run(
                "seq",
                "1",
                "100",
                name=f"short-{number:03}",
                env={"BOATSWAIN_TENANT": TENANTS[number % 3]},
                options=["--rm"],
            )

        ids = in_parallel(launch, range(100))
        reader = agent.reader()
        wait_for(lambda: not self.engine.docker("ps", "-aq"), 90, "all containers removed")
        try:
            self.wait_stored(reader, 10_000, 10)
        except AssertionError:
            pass  # told better below
        self.assertEqual(agent.stop(), 0)
        incomplete = {
            container[:12]: len(reader.of(container).lines)
            for container in ids
            if reader.of(container).messages() != [b"%d" % i for i in range(1, 101)]
        }
        self.assertEqual(incomplete, {})
        self.assertEqual(reader.line_count(), 10_000)

    def test_what_lies_behind_a_broken_record_of_a_stopped_container_is_read_through_the_engine(self):
        def records(*numbers):
            record = '{{"log":"line {}\\n","stream":"stdout","time":"2026-11-29T10:00:{:02}.{:09}Z"}}\n'
            return "".join(record.format(n, n // 50, n % 50 * 10_000_000 + 123) for n in range(*numbers)).encode()

        zeros = bytes(300) + b"\n"
        logs = {
            "middle": (records(202) + zeros + records(202, 209), 1),
            "beginning": (zeros + records(209), 1),
            "nowhere": (records(209), 0),
        }
        containers = {what: self.engine.run("true", env={"BOATSWAIN_TENANT": "red"}) for what in logs}
        self.engine.wait(*containers.values())
        for what, (log, _) in logs.items():
            self.engine.log_file(containers[what]).write_bytes(log)
        # Its files are not seen, so they are read through the engine.
        agent = self.agent(docker__root=str(self.engine.place))
        reader = agent.reader()
        for what, (_, gaps) in logs.items():
            wait_for(lambda: len(reader.of(containers[what]).lines) >= 209, 30, what, pause=0.5)
        self.assertEqual(agent.stop(), 0)
        for what, (_, gaps) in logs.items():
            stored = reader.of(containers[what])
            self.assertEqual(stored.messages(), [b"line %d" % number for number in range(209)], what)
            self.assertEqual([gap["reason"] for gap in stored.gaps], ["unreadable"] * gaps, what)

    def test_containers_that_are_created_and_removed_at_once_do_no_harm(self):
        agent = self.agent()

        def make_and_remove(number):
            self.engine.docker("rm", self.engine.run("true", env={"BOATSWAIN_TENANT": "red"}, verb="create"))

        in_parallel(make_and_remove, range(100))
        self.assertEqual(agent.health()[0], 200)
        wait_for(lambda: agent.health()[1]["containers"] == "0", 15, "the agent forgets them")
        last = self.engine.run("echo", "still here", env={"BOATSWAIN_TENANT": "red"})
        self.wait_stored(agent.reader(), 1)
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(agent.reader().of(last).messages(), [b"still here"])


if __name__ == "__main__":
    main()
