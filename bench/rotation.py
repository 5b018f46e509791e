#!/usr/bin/python3
"""rotation.py [--rate 10000] [--seconds 60]: a pod that prints fast; its log is rotated, and no line is lost or cut.

At 10 MiB the log is renamed and begun again, as containerd does; five files are kept, older ones are compressed first.
Each line has its number; afterwards `boatswain logs` must have every one, whole, once and in order.
"""
import argparse
import datetime
import gzip
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
RELEASE = pathlib.Path(os.environ.get("BOATSWAIN_BUILD", HERE.parent / "build/release"))
ROTATED_AT, FILES_KEPT = 10 << 20, 5
FILLING = "x" * 100


class Log:
    """0.log of a pod's container: written by a runtime, rotated by a kubelet."""

    def __init__(self, directory):
        directory.mkdir(parents=True)
        self.path, self.rotations = directory / "0.log", 0
        self.file = open(self.path, "ab")

    def write(self, first, count):
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
        self.file.write("".join(f"{now} stdout F {first + i} {FILLING}\n" for i in range(count)).encode())
        self.file.flush()
        if self.file.tell() >= ROTATED_AT:
            self.rotate()

    def rotate(self):
        self.rotations += 1
        stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
        self.path.rename(self.path.with_name(f"0.log.{stamp}"))
        self.file.close()
        self.file = open(self.path, "ab")
        old = sorted(self.path.parent.glob("0.log.*"))
        for path in old[:-1]:
            if path.suffix != ".gz":
                packed = path.with_name(path.name + ".gz")
                packed.write_bytes(gzip.compress(path.read_bytes(), 1))
                path.unlink()
        for path in sorted(self.path.parent.glob("0.log.*"))[: -(FILES_KEPT - 1)]:
            path.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bwr.") as name:
        return measure(given, pathlib.Path(name))


def measure(given, place):
    tool = RELEASE / "boatswain"
    (place / "keyring").mkdir()
    subprocess.run([tool, "keys", "new", "team", "--out", place], check=True, stdout=subprocess.DEVNULL)
    (place / "team.pub").rename(place / "keyring/team.pub")
    log = Log(place / f"pods/team_web-0_{uuid.uuid4()}/app")
    config = place / "boatswain.toml"
    config.write_text(
        f'state_dir = "{place}/state"\nlisten = "off"\n[docker]\nenabled = false\n[cri]\npods = "{place}/pods"\n'
        f'[store]\nurl = "dir:{place}/store"\n[tenancy]\ntenant = ["namespace"]\nkeyring = "{place}/keyring"\n'
    )
    with open(place / "log", "w") as said:
        agent = subprocess.Popen([RELEASE / "boatswaind", "agent", "--config", config], stdout=said, stderr=said)
    try:
        began, count = time.monotonic(), 0
        while time.monotonic() - began < given.seconds:
            due = int((time.monotonic() - began) * given.rate) - count
            log.write(count, due)
            count += due
            time.sleep(0.005)
        cpu = sum(map(int, pathlib.Path(f"/proc/{agent.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))
        time.sleep(2)
    finally:
        agent.terminate()
        agent.wait(60)
    words = [tool, "logs", "--store", f"dir:{place}/store", "--identity", place / "team.key", "--output", "raw"]
    read = subprocess.run(words, check=True, capture_output=True)
    lines = read.stdout.split(b"\n")[:-1]
    wanted = (b"%d %s" % (number, FILLING.encode()) for number in range(count))
    good = len(lines) == count and all(a == b for a, b in zip(lines, wanted)) and not read.stderr
    print(
        f"{count} lines at {given.rate}/s, {log.rotations} rotations: {len(lines)} read,"
        f" {'each whole, once and in order' if good else 'NOT as they were printed'};"
        f" {cpu / os.sysconf('SC_CLK_TCK') / count * 1e6:.2f} CPU s for a million"
    )
    sys.stderr.write(read.stderr.decode())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
