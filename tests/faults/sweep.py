#!/usr/bin/python3
"""Every change to the disk fails once, and ends the process once; after each, every line is stored exactly once.

    sweep.py --build DIR [--expect-loss] [--how HOW ...] [--stride N] [--jobs N]

The pipeline (bench_pipeline: the real reader, batcher, sealing, spool, shipper and directory store, without an engine
around them)
reads a small log while failing_io makes its 1st, 2nd, ... Nth change under the state directory or the store go wrong.
Then it runs again
undisturbed, as after a restart. What the store holds then is opened with stock age and zstd and compared with the log,
line by line.

--expect-loss turns the verdict around, for a build that is broken on purpose: a sweep that does not notice it proves
nothing.
"""
import argparse
import concurrent.futures
import itertools
import os
import pathlib
import subprocess
import sys
import tempfile

LINES = 9000
HOWS = ["kill-before", "kill-after", "ENOSPC", "EIO"]


class Sweep:
    def __init__(self, build, place, lines=LINES):
        self.build, self.place = build, place
        self.identity = place / "key"
        subprocess.run(["age-keygen", "-o", self.identity], check=True, stderr=subprocess.DEVNULL)
        self.recipient = subprocess.run(
            ["age-keygen", "-y", self.identity], check=True, capture_output=True, text=True
        ).stdout.strip()
        self.log = place / "c-json.log"
        self.expected = [f"line {n} " + "x" * (n * 7919 % 300) for n in range(lines)]
        # Lines that do not compress, so that segments are several.
        self.expected = [line + os.urandom(40).hex() for line in self.expected]
        self.log.write_text(
            "".join(
                f'{{"log":"{line}\\n","stream":"{("stdout", "stderr")[n % 2]}",'
                f'"time":"2026-11-23T10:{n // 60 % 60:02}:{n % 60:02}.{n + 1:09}Z"}}\n'
                for n, line in enumerate(self.expected)
            )
        )
        self.numbers = itertools.count(1)

    def run(self, at, how, times=1):
        """One run with the fault, one without. The number of changes of the first, or None when it was ended."""
        place = self.place / f"run-{next(self.numbers)}"
        place.mkdir()
        command = [
            self.build / "bench_pipeline",
            "--json-file",
            self.log,
            "--store",
            f"dir:{place}/d/store",
            "--state-dir",
            place / "d/state",
            "--recipient",
            self.recipient,
            "--flush-bytes",
            "16384",
            "--frame-bytes",
            "4096",
        ]
        count = place / "count"
        environment = dict(
            os.environ,
            LD_PRELOAD=str(self.build / "tests/faults/libfailing_io.so"),
            FAIL_UNDER=f"{place}/d",
            FAIL_AT=str(at),
            FAIL_HOW=how,
            FAIL_TIMES=str(times),
            FAIL_COUNT=str(count),
        )
        first = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        second = subprocess.run(command, capture_output=True, text=True, timeout=120)
        problem = (
            self.problem_of(place) if second.returncode == 0 else f"the run after it failed: {second.stderr.strip()}"
        )
        if problem:
            raise AssertionError(
                f"change {at}, {how}: {problem}\nfirst run ({first.returncode}): {first.stderr.strip()[-2000:]}"
            )
        changes = int(count.read_text()) if count.exists() else None
        subprocess.run(["rm", "-rf", place], check=True)
        return changes

    def problem_of(self, place, store="d"):
        found = []
        for path in sorted((place / store / "store").glob("**/*.age"), key=lambda path: path.name):
            opened = subprocess.run(
                ["sh", "-c", 'age -d -i "$0" "$1" | zstd -dcq', self.identity, path], capture_output=True
            )
            if opened.returncode:
                return f"{path.name} does not open: {opened.stderr.decode()}"
            found += [line[41 - 1 :] for line in opened.stdout.decode().splitlines() if not line.startswith("# ")]
        if found == self.expected:
            return None
        lost, twice = len(set(self.expected) - set(found)), len(found) - len(set(found))
        return f"{lost} lines lost, {twice} stored twice, of {len(self.expected)}" + (
            "" if lost or twice else ": order changed"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--expect-loss", action="store_true")
    parser.add_argument("--how", nargs="+", default=HOWS, choices=HOWS)
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="runs at a time")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    with tempfile.TemporaryDirectory(prefix="bw-sweep.") as place:
        sweep = Sweep(build, pathlib.Path(place))
        changes = sweep.run(0, "EIO")
        print(f"{changes} changes to the disk in a run; each of them: {', '.join(arguments.how)}")
        failures, runs = [], 1

        def one(fault):
            """What it found wrong; nothing when nothing more is to be known."""
            if len(failures) > (0 if arguments.expect_loss else 5):
                return None
            try:
                sweep.run(fault[1], fault[0])
                return ""
            except AssertionError as failure:
                failures.append(str(failure))
                print(failure, file=sys.stderr)
                return str(failure)

        faults = itertools.product(arguments.how, range(1, changes + 1, arguments.stride))
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            runs += sum(found is not None for found in pool.map(one, faults))
        print(f"{runs} runs, {len(failures)} with lines lost, doubled or out of order")
        if arguments.expect_loss:
            print("the broken build was noticed" if failures else "the broken build was NOT noticed")
        sys.exit(0 if bool(failures) == arguments.expect_loss else 1)


if __name__ == "__main__":
    main()
