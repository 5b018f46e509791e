#!/usr/bin/python3
"""The oracle tested: a small store is right, and each thing that can be wrong with it is found.

The store is made by the real pipeline from what printer.c prints. Whoever holds the tenant's public key can seal a
changed segment in the
place of the true one: so are lines taken away, doubled, altered and exchanged.
"""
import copy
import json
import pathlib
import re
import shutil
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "live"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness  # noqa: E402 - found by the path that is set above
import oracle  # noqa: E402 - found by the path that is set above

LINES = 12_000
PARTS = 4  # runs of the pipeline that make the store
CONTAINER = "b" * 64  # as bench_pipeline names its source
TENANT = "bench"
HOUR = 1795341600  # 2026-11-22T10:00:00Z: the time of the first line


def timed(text, second=0):
    """As `docker logs --timestamps` has it: a time in front of each line, here of one second."""
    return re.sub(rb"(?m)^(?=.|\n)", b"2026-11-22T10:00:%02d.000000001Z " % second, text)


class Oracle(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = harness.scratch()
        cls.addClassCleanup(shutil.rmtree, cls.place)
        printer = cls.place / "printer"
        harness.run("clang-19", "-O2", "-o", printer, pathlib.Path(__file__).with_name("printer.c"))
        printed = harness.run(printer, "7", str(LINES), "0", "3000")
        cls.printed = {"stdout": printed.stdout, "stderr": printed.stderr}
        cls.keys = cls.place / "keys"
        harness.run(harness.BUILD / "boatswain", "keys", "new", TENANT, "--out", cls.keys)
        cls.recipient = re.search(r"^age1\w+", (cls.keys / f"{TENANT}.pub").read_text(), re.MULTILINE).group()
        log = cls.place / "c-json.log"
        entries = [
            (stream, line) for stream, text in cls.printed.items() for line in text.decode().splitlines(keepends=True)
        ]
        text = [
            json.dumps(
                {
                    "log": line,
                    "stream": stream,
                    "time": f"2026-11-22T10:{n // 1200:02}:{n // 20 % 60:02}.{n % 20 * 50:03}000000Z",
                }
            )
            + "\n"
            for n, (stream, line) in enumerate(entries)
        ]
        cls.sound = cls.place / "sound"
        # Each run goes on where the last one ended and stores what it read: PARTS objects or more, however the threads
        # happen to run.
        for part in range(PARTS):
            with log.open("a") as out:
                out.writelines(text[part * len(text) // PARTS : (part + 1) * len(text) // PARTS])
            harness.run(
                harness.BUILD / "bench_pipeline",
                "--json-file",
                log,
                "--store",
                f"dir:{cls.sound}",
                "--state-dir",
                cls.place / "state",
                "--recipient",
                cls.recipient,
                "--flush-bytes",
                "16384",
                "--frame-bytes",
                "4096",
            )

    def setUp(self):
        self.store = self.place / self.id().rsplit(".", 1)[1]
        shutil.copytree(self.sound, self.store)
        self.printer = oracle.Printer("p0", TENANT, "plain", HOUR - 10, HOUR + 1000)
        self.windows = oracle.Windows()
        self.printed = dict(type(self).printed)

    # ---- what is done to the store

    def objects(self):
        return sorted(self.store.rglob("*.age"), key=lambda path: path.name)

    def text_of(self, path):
        plain = harness.run("age", "-d", "-i", self.keys / f"{TENANT}.key", path).stdout
        return harness.run("zstd", "-dcq", stdin=plain).stdout.split(b"\n")

    def seal(self, path, lines):
        compressed = harness.run("zstd", "-cq", stdin=b"\n".join(lines)).stdout
        path.write_bytes(harness.run("age", "-r", self.recipient, stdin=compressed).stdout)

    def change(self, at, change):
        """Seals the `at`-th object anew, with `change` made to the list of its lines that are lines of the
        container."""
        path = self.objects()[at]
        lines = self.text_of(path)
        where = [n for n, line in enumerate(lines) if line and not line.startswith(b"# ")]
        change(lines, where)
        self.seal(path, lines)

    # ---- what the oracle says

    def problems(self):
        entries, tenants = oracle.by_stock_tools(harness.Reader(self.keys, directory=self.store))
        return self.judge(entries, tenants)

    def judge(self, entries, tenants):
        log = oracle.EngineLog(lambda container: {stream: timed(text) for stream, text in self.printed.items()})
        return oracle.Oracle({CONTAINER: self.printer}, self.windows, self, log).account(entries, tenants).problems

    def lines(self, container):
        """As EngineRecord has them."""
        return {stream: text.split(b"\n")[:-1] for stream, text in self.printed.items()}

    def own(self):
        return oracle.OwnTools(self.store, self.keys, [TENANT])

    def assert_found(self, pattern):
        problems = self.problems()
        self.assertEqual(len(problems), 1, problems)
        self.assertRegex(problems[0], pattern)

    def test_a_sound_store_passes_both_ways_of_reading(self):
        self.assertGreaterEqual(len(self.objects()), PARTS)
        self.assertEqual(self.problems(), [])
        entries, _ = oracle.by_stock_tools(harness.Reader(self.keys, directory=self.store))
        self.assertEqual(oracle.disagreements(entries, self.own(), [(CONTAINER, TENANT)]), [])
        self.assertEqual(self.own().verify(), [])

    def test_an_object_that_was_removed_is_found_by_both(self):
        self.objects()[1].unlink()
        self.assertRegex(str(self.problems()), "recorded lines are missing")
        self.assertRegex(str(self.own().verify()), "missing")

    def test_the_last_object_removed_is_found(self):
        self.objects()[-1].unlink()
        self.assert_found("recorded lines are missing at the end")
        self.printer.kind = "local"
        self.assert_found("incomplete")

    def test_an_object_that_is_there_twice_is_found_by_both(self):
        last = self.objects()[-1]
        number = int(last.name[-14:-4])
        shutil.copy(self.objects()[1], last.with_name(f"{last.name[:-14]}{number + 1:010}.age"))
        self.assertTrue(self.problems())
        self.assertTrue(self.own().verify())

    def test_an_object_under_another_tenant_is_found(self):
        shutil.copy(self.keys / f"{TENANT}.key", self.keys / "other.key")
        path = self.objects()[1]
        elsewhere = pathlib.Path(str(path).replace(f"tenant={TENANT}", "tenant=other"))
        elsewhere.parent.mkdir(parents=True)
        path.rename(elsewhere)
        self.assertRegex(str(self.problems()), "lies under")

    def test_a_line_that_was_taken_away_is_found_by_both(self):
        self.change(1, lambda lines, where: lines.pop(where[10]))
        self.assert_found("1 recorded lines are missing before")
        self.assertTrue(self.own().verify())
        self.printer.kind = "local"
        self.assert_found(r"line \d+ where \d+ was due")

    def test_a_line_that_is_there_twice_is_found(self):
        self.change(1, lambda lines, where: lines.insert(where[10], lines[where[10]]))
        self.assert_found("is there again")
        self.printer.kind = "local"
        self.assert_found(r"line \d+ where \d+ was due")

    def test_two_lines_that_changed_places_are_found(self):
        def exchange(lines, where):
            lines[where[10]], lines[where[11]] = lines[where[11]], lines[where[10]]

        self.change(1, exchange)
        self.assert_found("recorded lines are missing before .*is there again")
        self.printer.kind = "local"
        self.assert_found(r"line \d+ where \d+ was due")

    def test_a_byte_that_was_altered_is_found(self):
        def alter(lines, where):
            lines[where[10]] = lines[where[10]][:-1] + (b"a" if lines[where[10]][-1:] != b"a" else b"b")

        self.change(1, alter)
        self.assert_found("which the engine never recorded")
        self.printer.kind = "local"
        self.assert_found("was altered")

    def test_a_segment_sealed_anew_is_found_by_verify(self):
        self.change(1, lambda lines, where: None)
        self.assertEqual(self.problems(), [])
        self.assertTrue(self.own().verify())

    def put_gap(self):
        self.change(
            1,
            lambda lines, where: lines.__setitem__(
                slice(where[5], where[9]),
                [
                    b'# gap {"from":"2026-11-22T10:01:00.000000000Z","to":"2026-11-22T10:02:00.000000000Z",'
                    b'"reason":"rotated-away","lines_min":0,"bytes_min":1}'
                ],
            ),
        )

    def test_a_gap_counts_only_where_logs_rotate_and_only_when_nobody_read(self):
        self.put_gap()
        self.windows.down = [(HOUR + 60, HOUR + 90)]
        self.assert_found("a gap that nothing explains")
        self.printer.kind = "rotating"
        self.assertEqual(self.problems(), [])
        self.windows.down = [(HOUR + 200, HOUR + 210)]
        self.assert_found("a gap at a time when somebody read")

    def test_a_container_that_removed_itself_must_be_whole_unless_nobody_read_during_its_life(self):
        self.printer.kind = "short"
        self.assertEqual(self.problems(), [])
        self.objects()[-1].unlink()
        self.assert_found("incomplete")
        self.windows.down = [(self.printer.ended + 60, self.printer.ended + 70)]
        self.assert_found("incomplete")
        self.windows.unsealed = [(self.printer.ended - 1, self.printer.ended + 59)]
        self.assertEqual(self.problems(), [], "it could not be sealed until the agent was ended")
        self.windows.unsealed, self.windows.down = [], [(self.printer.ended + 1, self.printer.ended + 2)]
        self.assertEqual(self.problems(), [])
        # Excused or not: what there is of it must be right.
        self.change(1, lambda lines, where: lines.pop(where[10]))
        self.assert_found(r"line \d+ where \d+ was due")

    def test_what_the_engine_lost_is_no_loss_of_ours(self):
        lost = {}

        def lose(lines, where):
            lost["line"] = lines.pop(where[10]).split(b" ", 3)[3]

        self.change(1, lose)
        for kind, found in (("plain", "recorded lines are missing before"), ("local", r"line \d+ where \d+ was due")):
            self.printer.kind = kind
            self.printed = dict(type(self).printed)
            self.assert_found(found)
            self.printed = {stream: text.replace(lost["line"] + b"\n", b"") for stream, text in self.printed.items()}
            self.assertEqual(self.problems(), [])

    def test_lines_of_local_are_told_apart_behind_a_long_one(self):
        long_line = b"7" + b"x" * 40_000
        begin = timed(long_line[:16384]) + timed(long_line[16384:32768])
        rest = timed(long_line[32768:])
        lines = oracle.EngineLog.lines_of
        self.assertEqual(lines(begin + rest + timed(b"8 next\n", 1)), [long_line, b"8 next"])
        self.assertEqual(lines(begin + timed(b"torn\n", 1)), [long_line[:32768] + b"torn"])
        self.assertEqual(lines(timed(b"a\nb\n") + timed(b"c", 1)), [b"a", b"b", b"c"])

    def test_both_ways_of_reading_must_agree(self):
        entries, _ = oracle.by_stock_tools(harness.Reader(self.keys, directory=self.store))
        entries = copy.deepcopy(entries)
        entries[CONTAINER].pop(10)
        self.assertRegex(
            str(oracle.disagreements(entries, self.own(), [(CONTAINER, TENANT)])), "differ first at 10.*other bytes"
        )


if __name__ == "__main__":
    harness.close_when_broken_off()
    unittest.main(verbosity=2)
