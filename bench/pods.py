#!/usr/bin/python3
"""pods.py [--pods 1000] [--seconds 30]: what an agent costs on a node of so many pods that print nothing.

Their logs are files in a directory, as a kubelet has them; each has 20 lines that are stored before it is measured.
Prints the resident memory and the share of a core in that time.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
RELEASE = pathlib.Path(os.environ.get("BOATSWAIN_BUILD", HERE.parent / "build/release"))
MEMORY_MIB_MAX, CPU_MAX = 40, 0.005
LINES = 20


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    memory = {name: value for name, _, value in (line.partition(":") for line in lines)}
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    return int(memory["VmRSS"].split()[0]) / 1024, ticks / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--pods", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bwp.") as name:
        place = pathlib.Path(name)
        for number in range(arguments.pods):
            directory = place / f"pods/team-{number % 10}_web-{number}_{uuid.uuid4()}/app"
            directory.mkdir(parents=True)
            time_text = f"2026-11-30T10:00:00.{number:09}Z"
            record = f"{time_text} stdout F a line of some sixty bytes, as services print them all day\n"
            (directory / "0.log").write_text(record * LINES)
        tool = RELEASE / "boatswain"
        (place / "keys").mkdir()
        for tenant in ("_unassigned", *(f"team-{number}" for number in range(10))):
            subprocess.run([tool, "keys", "new", tenant, "--out", place / "keys"], check=True, capture_output=True)
        config = place / "boatswain.toml"
        config.write_text(
            f'state_dir = "{place}/state"\nlisten = "off"\n[docker]\nenabled = false\n[cri]\npods = "{place}/pods"\n'
            f'[store]\nurl = "dir:{place}/store"\n[tenancy]\ntenant = ["kubernetes"]\nkeyring = "{place}/keyring"\n'
            '[batch]\nflush_after = "1s"\n'
        )
        (place / "keyring").mkdir()
        for key in (place / "keys").glob("*.pub"):
            key.rename(place / "keyring" / key.name)
        with open(place / "log", "w") as log:
            agent = subprocess.Popen([RELEASE / "boatswaind", "agent", "--config", config], stdout=log, stderr=log)
        try:
            end = time.monotonic() + 120
            while len(list(place.glob("store/v1/tenant=team-*"))) < 10:
                if time.monotonic() > end or agent.poll() is not None:
                    sys.exit((place / "log").read_text()[-2000:])
                time.sleep(0.5)
            time.sleep(15)  # all is sealed and stored
            _, before = status_of(agent.pid)
            time.sleep(arguments.seconds)
            memory, after = status_of(agent.pid)
        finally:
            agent.terminate()
            agent.wait(60)
        share = (after - before) / arguments.seconds
        good = memory < MEMORY_MIB_MAX and share < CPU_MAX
        print(
            f"{arguments.pods} pods: {memory:.1f} MiB resident (goal: under {MEMORY_MIB_MAX}), {share * 100:.2f} % of a"
            f" core (goal: under {CPU_MAX * 100:.1f} %): {'reached' if good else 'MISSED'}"
        )
        return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
