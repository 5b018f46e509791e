"""How long after kill -9 the agent reads again: 200 containers that print a line a second, on a real engine.

The clock runs from the start of the new process until every container is read again (`/healthz`: reading), lines have
been taken in, and no
more waits than the containers print within a tenth of a second; it is looked at every 10 ms. In between lies
everything: configuration, lock, state, keyring, the engine's list and its
inspections, and the search for the place in each log.
"""
import json
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/live"))
import harness  # noqa: E402 - found by the path that is set above

WAIT_SECONDS_MAX = 60
LINE_BYTES = 75  # "tick" as the engine records it


def reads_all(agent, containers):
    try:
        health = agent.health()[1]
        return (
            int(health["reading"]) >= containers
            and int(health["read_lag_bytes"]) <= containers * LINE_BYTES // 10
            and agent.metric("boatswain_read_lines_total") > 0
        )
    except (OSError, ValueError):
        return False


def start_containers(engine, count):
    starting = []
    for _ in range(count):
        starting.append(
            subprocess.Popen(
                [
                    "docker",
                    "run",
                    "-d",
                    "--network",
                    "none",
                    "-e",
                    "BOATSWAIN_TENANT=red",
                    harness.IMAGE,
                    "sh",
                    "-c",
                    "while :; do echo tick; sleep 1; done",
                ],
                env=engine.env,
                stdout=subprocess.DEVNULL,
            )
        )
        if len(starting) >= 4:
            starting.pop(0).wait()
    if any(child.wait() for child in starting):
        raise RuntimeError("a container did not start")


def measure(containers, kills=5):
    """Seconds from the start of the new process, for each of so many kills, in the middle and at most."""
    engine = harness.Engine()
    agent = None
    try:
        start_containers(engine, containers)
        agent = harness.Agent(engine, tenants=("red",))
        agent.start()
        harness.wait_for(lambda: reads_all(agent, containers), WAIT_SECONDS_MAX, "all containers are read")
        took = []
        for _ in range(kills):
            time.sleep(2)
            agent.kill()
            began = time.monotonic()
            agent.start(wait=False)
            harness.wait_for(
                lambda: reads_all(agent, containers), WAIT_SECONDS_MAX, "all containers are read again", pause=0.01
            )
            took.append(time.monotonic() - began)
        return {"seconds": statistics.median(took), "seconds_max": max(took), "containers": containers, "kills": kills}
    finally:
        if agent:
            agent.close()
        engine.close()


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 200)))
