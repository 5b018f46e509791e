"""What one look of `boatswain fleet sync` costs over a large cluster, played by the double of Marathon and Mesos
(tests/cluster)."""
import os
import pathlib
import statistics
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/cluster"))
from double.cluster import Cluster  # noqa: E402 - found by the path that is set above

CPU_SECONDS_MAX = 1.0
PEAK_MIB_MAX = 200
PLACING_SECONDS_MAX = 600
APP = "/infra/boatswain"


def definition(instances):
    return {
        "id": APP,
        "instances": instances,
        "cpus": 0.2,
        "mem": 256,
        "args": ["agent"],
        "constraints": [["hostname", "UNIQUE"]],
        "container": {"type": "DOCKER", "docker": {"image": "boatswain:1"}},
        "networks": [{"mode": "host"}],
        "upgradeStrategy": {"minimumHealthCapacity": 0.5, "maximumOverCapacity": 0},
    }


def one_look(tool, cluster, log):
    """(exit code, CPU seconds, peak MiB) of a process that looks once and tells what it would do."""
    words = [
        tool,
        "fleet",
        "sync",
        "--marathon",
        cluster.marathons[0].url,
        "--mesos",
        cluster.masters[0].url,
        "--app",
        APP,
        "--once",
        "--dry-run",
        "--timeout",
        "120s",
    ]
    child = os.posix_spawn(
        words[0],
        [str(word) for word in words],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, log.fileno(), 1), (os.POSIX_SPAWN_DUP2, log.fileno(), 2)],
    )
    _, status, used = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def measure(tool, hosts, runs, log):
    """RuntimeError: it could not be measured."""
    cluster = Cluster(scale=60)
    try:
        for number in range(hosts):
            cluster.faults.add_host(f"host-{number:05}", {"rack": f"r{number % 40}"})
        # All but a few: so there is something to be said.
        cluster.faults.foreign_app(definition(hosts - 5))
        end = time.monotonic() + PLACING_SECONDS_MAX
        while len(cluster.running(APP)) < hosts - 5:
            if time.monotonic() > end:
                raise RuntimeError(
                    f"the double placed {len(cluster.running(APP))} of {hosts - 5} instances within"
                    f" {PLACING_SECONDS_MAX} s"
                )
            time.sleep(1)
        looks = []
        for _ in range(runs):
            code, cpu, peak = one_look(tool, cluster, log)
            if code != 0:
                raise RuntimeError(f"fleet sync ended with {code}")
            looks.append((cpu, peak))
    finally:
        cluster.close()
    cpu, peak = (statistics.median(column) for column in zip(*looks))
    return {"hosts": hosts, "cpu_seconds": cpu, "peak_rss_mib": peak}


def show(row):
    def verdict(value, most):
        return f"goal: at most {most:g}: {'reached' if value <= most else 'MISSED'}"

    print(
        f"\nfleet sync, one look at {row['hosts']:,} agents: {row['cpu_seconds']:.2f} CPU s"
        f" ({verdict(row['cpu_seconds'], CPU_SECONDS_MAX)}), peak {row['peak_rss_mib']:.0f} MiB"
        f" ({verdict(row['peak_rss_mib'], PEAK_MIB_MAX)})"
    )
