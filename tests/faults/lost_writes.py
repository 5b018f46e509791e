#!/usr/bin/python3
"""The power fails after every sync, and what was not synced is gone; every line is stored exactly once all the same.

    lost_writes.py --build DIR [--stride N] [--jobs N] [--mutant KIND ...]

The pipeline (bench_pipeline, as in sweep.py) runs with lost_writes.c, which ends it after its 1st, 2nd, ... Nth sync.
The directory that it left is thrown away and made again of what was synced: of each file the bytes at its last sync, of
each directory the entries at its last sync. Then a second time with a part of what was not synced, drawn by the number
of the sync: a disk may well have written it. On that the pipeline runs again, undisturbed, as after a restart.
The store is one that keeps everything (another machine), then one in the same directory, which loses likewise.

sweep.py kills processes, and the page cache survives that: a program that never syncs passes it. So --mutant shows that
each kind of sync is needed: without it this test must fail ("files", "directories", "database", "all").
"""
import argparse
import concurrent.futures
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

from sweep import Sweep

LINES = 1500
MUTANTS = ["files", "directories", "database", "all"]
STORES = ["elsewhere", "beside"]


class Shadow:
    """What was synced, by the key of the inode."""

    def __init__(self, place):
        self.place = place
        self.root = (place / "roots").read_text().strip()

    def entries(self, key):
        """Name: (is a directory, key)."""
        listing = self.place / "directories" / key
        if not listing.exists():
            return {}
        lines = (line.split(" ", 2) for line in listing.read_text().splitlines())
        return {name: (kind == "d", key) for kind, key, name in lines}

    def make(self, directory, key=None):
        """`directory` as it is after the power loss."""
        directory.mkdir(parents=True, exist_ok=True)
        for name, (is_directory, key) in self.entries(key or self.root).items():
            if is_directory:
                self.make(directory / name, key)
                continue
            bytes_of = self.place / "files" / key
            (directory / name).write_bytes(bytes_of.read_bytes() if bytes_of.exists() else b"")


def add_some(directory, left, draw):
    """Puts into `directory` a part of what `left` holds beyond it: new names, files cut anywhere, more of the journal.

    What was there before is not changed: a name that was taken away stays, which is the harder case.
    """
    for path in sorted(left.rglob("*")):
        there = directory / path.relative_to(left)
        if path.is_dir() or path.name.endswith("-shm") or draw.random() < 0.5:
            continue
        if not there.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            whole = path.read_bytes()
            cut = len(whole) if path.name.startswith("state.sqlite") else draw.randrange(len(whole) + 1)
            there.write_bytes(whole[:cut])
        elif path.name.endswith("-wal") and path.stat().st_size > there.stat().st_size:
            whole, synced = path.read_bytes(), there.stat().st_size
            there.write_bytes(there.read_bytes() + whole[synced : draw.randrange(synced, len(whole) + 1)])


class LostWrites(Sweep):
    def __init__(self, build, place):
        super().__init__(build, place, lines=LINES)

    def command(self, place, store):
        return [
            self.build / "bench_pipeline",
            "--json-file",
            self.log,
            "--store",
            f"dir:{place}/{store}/store",
            "--state-dir",
            place / "d/state",
            "--recipient",
            self.recipient,
            "--flush-bytes",
            "8192",
            "--frame-bytes",
            "2048",
        ]

    def lose(self, at, store, mutant=""):
        """Runs until sync `at`, loses what was not synced, runs again. The number of syncs when it ended by itself."""
        place = self.place / f"run-{next(self.numbers)}"
        for directory in ("d", "e", "shadow/files", "shadow/directories"):
            (place / directory).mkdir(parents=True)
        in_store = "d" if store == "beside" else "e"
        environment = dict(
            os.environ,
            LD_PRELOAD=str(self.build / "tests/faults/liblost_writes.so"),
            LOST_UNDER=f"{place}/d",
            LOST_SHADOW=f"{place}/shadow",
            LOST_AT=str(at),
            LOST_SYNCS=mutant,
        )
        first = subprocess.run(
            self.command(place, in_store), env=environment, capture_output=True, text=True, timeout=300
        )
        if first.returncode not in (0, -9):
            raise RuntimeError(f"sync {at}: the run failed ({first.returncode}): {first.stderr.strip()}")
        left, elsewhere = place / "left", place / "elsewhere"
        (place / "d").rename(left)
        shutil.copytree(place / "e", elsewhere)
        for with_some in (False, True):
            shutil.rmtree(place / "d", ignore_errors=True)
            shutil.rmtree(place / "e")
            shutil.copytree(elsewhere, place / "e")
            Shadow(place / "shadow").make(place / "d")
            if with_some:
                add_some(place / "d", left, random.Random(at))
            second = subprocess.run(self.command(place, in_store), capture_output=True, text=True, timeout=300)
            problem = (
                self.problem_of(place, in_store)
                if second.returncode == 0
                else f"the run after it failed: {second.stderr.strip()}"
            )
            if problem:
                raise AssertionError(
                    f"sync {at}, store {store}, {'some' if with_some else 'none'} of the rest written"
                    f"{', without syncs of ' + mutant if mutant else ''}: {problem}\n"
                    f"{second.stderr.strip()[-1500:]}"
                )
        syncs = place / "shadow/syncs"
        found = int(syncs.read_text()) if syncs.exists() else None
        shutil.rmtree(place)
        return found


def look(sweep, arguments, mutant):
    """How many runs there were, and what they found. With a mutant it ends with the first finding."""
    failures, runs = [], 0

    def one(fault):
        if len(failures) > (0 if mutant else 5):
            return False
        try:
            sweep.lose(fault[1], fault[0], mutant)
        except AssertionError as failure:
            failures.append(str(failure))
        return True

    syncs = {store: sweep.lose(0, store) for store in STORES}
    print(f"{syncs} syncs in a run{', those of ' + mutant + ' do nothing' if mutant else ''}")
    faults = [(store, at) for store in STORES for at in range(1, syncs[store] + 1, arguments.stride)]
    if mutant:
        random.Random(mutant).shuffle(faults)
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        runs += sum(pool.map(one, faults))
    return runs, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="runs at a time")
    parser.add_argument("--mutant", nargs="+", choices=MUTANTS, default=[], help="must be noticed, each of them")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bw-lost.") as place:
        sweep = LostWrites(arguments.build.resolve(), pathlib.Path(place))
        good = True
        for mutant in arguments.mutant or [""]:
            runs, failures = look(sweep, arguments, mutant)
            for failure in failures[:1] if mutant else failures:
                print(failure, file=sys.stderr)
            print(f"{runs} runs, {len(failures)} with lines lost, doubled or out of order")
            if mutant:
                print(f"a program without syncs of {mutant} was {'noticed' if failures else 'NOT noticed'}")
            good = good and bool(failures) == bool(mutant)
        sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
