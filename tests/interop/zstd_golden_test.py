#!/usr/bin/python3
"""zstd_golden_test.py SCRIPTS TOOL: zstd's own golden files, through our reader and our writer.

They come from zstd's source package. What zstd's decoders once took wrongly must be refused; what they once refused
wrongly is read, where it is a frame as the format has it: it says its content size. What its encoders once made wrongly
comes back as it was, by our reader and by the stock one.
"""
import pathlib
import subprocess
import sys
import tempfile

from debian_vectors import source_of_package

SUITE, PACKAGE = "trixie", "libzstd"
LEVELS = [1, 3, 9, 19]
# Files of each kind in the first release that was tried: fewer means that we look in the wrong place.
KINDS = {"golden-decompression-errors": 3, "golden-decompression": 4, "golden-compression": 4}
WITHOUT_SIZE = "it does not say its content size"


def run(*command):
    done = subprocess.run(command, capture_output=True)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{command}: ended with {done.returncode}: {done.stderr.decode()[-1000:]}")
    return done


def must_be_refused(tool, file):
    return "accepted" if run(tool, "decompress", file).returncode == 0 else None


def must_be_read(tool, file):
    """By us as by the stock tool, which has the same libzstd: an old one refuses what newer ones learnt to read."""
    ours, stock = run(tool, "decompress", file), run("zstd", "-dcq", file)
    if stock.returncode:
        return None if ours.returncode else "accepted, and the stock tool refuses it"
    if ours.returncode:
        said = ours.stderr.decode().strip()
        return None if WITHOUT_SIZE in said else said
    return None if ours.stdout == stock.stdout else "another text than the stock tool's"


def must_come_back(tool, file):
    text = file.read_bytes()
    with tempfile.TemporaryDirectory(prefix="bw-golden.") as place:
        made = pathlib.Path(place) / "made.zst"
        for level in LEVELS:
            made.write_bytes(run(tool, "compress", str(level), file).stdout)
            for reader in ([tool, "decompress"], ["zstd", "-dcq"]):
                if run(*reader, made).stdout != text:
                    return f"not as it was, at level {level}, by {reader[0]}"
    return None


def main(scripts, tool):
    folder = source_of_package(scripts, SUITE, PACKAGE) / "tests"
    checks = dict(zip(KINDS, (must_be_refused, must_be_read, must_come_back)))
    bad = 0
    for kind, least in KINDS.items():
        files = sorted(file for file in (folder / kind).iterdir() if not file.name.startswith("."))
        problems = [(file.name, checks[kind](tool, file)) for file in files]
        for name, problem in problems:
            if problem:
                print(f"{kind}/{name}: {problem}", file=sys.stderr)
        wrong = sum(problem is not None for _, problem in problems)
        print(f"{kind}: {len(files)} files, {wrong} wrong")
        bad += wrong + (len(files) < least)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()))
