#!/usr/bin/python3
"""Containers that remove themselves, as many and as fast as the engine starts them: each must be stored whole.

    swarm.py [--count 500] [--workers 4]

Prints the rate that was reached. The engine is asked without the docker program in between, which costs more than the
engine itself.
"""
import argparse
import concurrent.futures
import http.client
import json
import pathlib
import socket
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "live"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness  # noqa: E402 - found by the path that is set above
import oracle  # noqa: E402 - found by the path that is set above

TENANTS = ("red", "green", "blue")
LINES = 100


class EngineApi(http.client.HTTPConnection):
    """The engine's API over its unix socket; one call a connection."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def call(engine, method, path, body=None, timeout=120):
    api = EngineApi(engine.socket, timeout)
    try:
        api.request(
            method,
            "/v1.40" + path,
            json.dumps(body) if body is not None else None,
            {"Content-Type": "application/json"},
        )
        answer = api.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        api.close()


def run_short(engine, name, tenant, seed, lines=LINES):
    """Runs one container from its making to its removal: (id, exit code). None when the engine did not run it to its
    end."""
    status, made = call(
        engine,
        "POST",
        f"/containers/create?name={name}",
        {
            "Image": harness.IMAGE,
            "Cmd": ["/volume/printer", str(seed), str(lines), "0", "0"],
            "Env": [f"BOATSWAIN_TENANT={tenant}", "BOATSWAIN_APP=short"],
            "HostConfig": {
                "AutoRemove": True,
                "NetworkMode": "host",
                "IpcMode": "host",
                "UTSMode": "host",
                "Binds": [f"{engine.volume}:/volume:ro"],
            },
        },
    )
    if status != 201:
        return None
    identity = made["Id"]
    if call(engine, "POST", f"/containers/{identity}/start")[0] != 204:
        return None
    # The engine forgets who waits when the removal comes just before the waiting (seen with 20.10, minutes of silence).
    # Nobody
    # ends these containers, and the engine is not ended while one runs: what is gone has ended by itself.
    try:
        status, ended = call(engine, "POST", f"/containers/{identity}/wait?condition=removed", timeout=30)
    except TimeoutError:
        if call(engine, "GET", f"/containers/{identity}/json")[0] == 404:
            return identity, 0
        status, ended = call(engine, "POST", f"/containers/{identity}/wait?condition=removed")
    # 404: it was gone before it could be waited for.
    code = ended["StatusCode"] if status == 200 else 0 if status == 404 else None
    return None if code is None else (identity, code)


def run_many(engine, count, workers, prefix, printers, gate=None, tenants=TENANTS):
    """`count` short-lived containers, of `tenants` in turn; those that ran to their end are noted in `printers`.
    Containers a minute."""

    def one(number):
        if gate is None:
            return run_noted(number)
        with gate.passing():
            return run_noted(number)

    def run_noted(number):
        tenant, started = tenants[number % len(tenants)], time.time()
        try:
            ran = run_short(engine, f"{prefix}{number}", tenant, number)
        except (OSError, http.client.HTTPException, ValueError):
            return  # the engine went away: nothing is known of it
        if ran and ran[1] == 0:
            printers[ran[0]] = oracle.Printer(f"{prefix}{number}", tenant, "short", started, time.time())

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, range(count)))
    return count / (time.monotonic() - began) * 60


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--workers", type=int, default=4)
    arguments = parser.parse_args()
    harness.close_when_broken_off()
    engine = harness.Engine()
    harness.build_printer(engine)
    agent = harness.Agent(engine, tenants=TENANTS)
    agent.start()
    printers = {}
    rate = run_many(engine, arguments.count, arguments.workers, "s", printers)
    print(
        f"{arguments.count} containers that remove themselves, {len(printers)} ran to their end, {rate:.0f} a minute",
        flush=True,
    )
    reader = agent.reader()
    harness.wait_for(
        lambda: agent.metric("boatswain_spool_segments") == 0 and agent.health()[1]["reading"] == "0",
        120,
        "all is read and stored",
    )
    agent.stop(60)
    entries, tenants = oracle.by_stock_tools(reader)
    account = oracle.Oracle(printers, oracle.Windows(), None, None).account(entries, tenants)
    account.problems += oracle.disagreements(entries, oracle.OwnTools(agent.store_dir, agent.keys, TENANTS))
    account.problems += oracle.OwnTools(agent.store_dir, agent.keys, TENANTS).verify()
    for problem in account.problems:
        print(f"PROBLEM {problem}")
    print(
        f"{len(account.problems)} of {len(printers)} containers incomplete; {account.lines} lines stored once and in"
        " order"
    )
    whole = not account.problems and len(printers) >= arguments.count * 0.9
    print("passed" if whole else f"FAILED\n{agent.last_words(20)}")
    sys.exit(0 if whole else 1)


if __name__ == "__main__":
    main()
