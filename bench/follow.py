#!/usr/bin/python3
"""follow.py [--rate 10000] [--followers 50] [--seconds 20] [--agents 1000]: what following costs, how late lines come.

A pod's log is written at the rate, each line with its time; one follower notes how long each took to him, the others
read and drop. The agent's CPU is measured without followers first. Then so many agents connect, which this program
plays, and the memory of the server that is their hub is measured.
"""
import argparse
import asyncio
import datetime
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import uuid

HERE = pathlib.Path(__file__).resolve().parent
PATH = "/boatswain/api/v1/follow?" + urllib.parse.urlencode({"query": '{app=~".+"}'})
RELEASE = pathlib.Path(os.environ.get("BOATSWAIN_BUILD", HERE.parent / "build/release"))


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    memory = {name: value for name, _, value in (line.partition(":") for line in lines)}
    threads = pathlib.Path(f"/proc/{pid}/task").iterdir()
    nanoseconds = sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads)
    return int(memory["VmRSS"].split()[0]) / 1024, nanoseconds / 1e9


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


class Printer(threading.Thread):
    """Appends to a pod's log, as a runtime does."""

    def __init__(self, directory, rate):
        super().__init__(daemon=True)
        directory.mkdir(parents=True)
        self.file, self.rate, self.ending, self.count = open(directory / "0.log", "ab"), rate, False, 0

    def run(self):
        began = time.monotonic()
        while not self.ending:
            due = int((time.monotonic() - began) * self.rate) - self.count
            now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
            lines = "".join(f"{now} stdout F line {self.count + i} {'.' * 100}\n" for i in range(due))
            self.file.write(lines.encode())
            self.file.flush()
            self.count += due
            time.sleep(0.01)


class Follower(threading.Thread):
    """Notes when lines come to him."""

    def __init__(self, port, token):
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.token, self.delays, self.is_live = token, [], False

    def run(self):
        self.connection.request("GET", PATH, headers={"Authorization": f"Bearer {self.token}"})
        answer = self.connection.getresponse()
        assert answer.status == 200, answer.read()
        for text in answer:
            if text.startswith(b'{"kind":"line"'):
                printed = datetime.datetime.fromisoformat(text[23:49].decode() + "+00:00").timestamp()
                self.delays.append(time.time() - printed)
            self.is_live = self.is_live or text.startswith(b'{"kind":"live"')


def play_agents(port, key, count):
    """Connects as so many hosts, and stays."""

    async def one(number):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET /boatswain/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: boatswain-live/1\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")

        async def message():
            size = struct.unpack(">I", await reader.readexactly(4))[0]
            return await reader.readexactly(size)

        def send(kind, payload):
            writer.write(struct.pack(">I", len(payload) + 1) + kind + payload)

        challenge = json.loads((await message())[1:])
        said = {"host": f"host-{number}", "epoch": "e", "run": "r", "version": "bench", "nonce": os.urandom(32).hex()}
        host_key = hmac.digest(key, b"boatswain/host-key/1\0" + said["host"].encode(), "sha256")
        parts = [b"agent"] + [x.encode() for x in (challenge["nonce"], said["nonce"], said["host"], "e", "r")]
        proof = hmac.digest(host_key, b"boatswain/live/1\0" + b"\0".join(parts), "sha256")
        send(b"H", json.dumps(said | {"proof": proof.hex()}).encode())
        assert (await message())[:1] == b"W"
        return reader, writer, message, send

    async def answer(message, send):
        while True:
            text = await message()
            if text[:1] == b"P":
                send(b"O", b"")
            elif text[:1] == b"M":
                order = json.loads(text[1:])
                for kind in (b"N", b"S"):
                    send(kind, json.dumps({"stream": order["stream"], "mark": order["mark"]}).encode())

    loop = asyncio.new_event_loop()
    connected = []

    async def all_of_them():
        for number in range(count):
            connected.append(await one(number))
        await asyncio.gather(*(answer(message, send) for _, _, message, send in connected))

    threading.Thread(target=lambda: loop.run_until_complete(all_of_them()), daemon=True).start()
    wait_for(lambda: len(connected) == count, "agents connect", 120)
    return connected


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--followers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--agents", type=int, default=1000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bwf.") as name:
        measure(given, pathlib.Path(name))


def measure(given, place):
    tool, processes = RELEASE / "boatswain", []
    for directory in ("keys", "keyring", "store"):
        (place / directory).mkdir()
    subprocess.run([tool, "keys", "new", "team", "--out", place / "keys"], check=True, stdout=subprocess.DEVNULL)
    (place / "keyring/team.pub").write_bytes((place / "keys/team.pub").read_bytes())
    key_file = place / "fleet.key"
    subprocess.run([tool, "fleet", "key", "new", "--out", key_file], check=True, stdout=subprocess.DEVNULL)
    token = subprocess.run(
        [tool, "token", "new", "team", "--tokens", place / "tokens"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    printer = Printer(place / f"pods/team_web-0_{uuid.uuid4()}/app", given.rate)
    port, hub_port = free_port(), free_port()
    (place / "boatswain.toml").write_text(
        f"""state_dir = "{place}/state"
host = "node"
listen = "off"
[health]
listen = "off"
[docker]
enabled = false
[cri]
pods = "{place}/pods"
[store]
url = "dir:{place}/store"
[tenancy]
tenant = ["namespace"]
keyring = "{place}/keyring"
[fleet]
key = "{key_file}"
[follow]
hub = ["http://127.0.0.1:{hub_port}"]
"""
    )
    try:
        with open(place / "agent.log", "wb") as log:
            agent = subprocess.Popen(
                [RELEASE / "boatswaind", "agent", "--config", place / "boatswain.toml"], stderr=log
            )
        processes.append(agent)
        words = ["serve", "--store", f"dir:{place}/store", "--identities", place / "keys", "--tokens", place / "tokens"]
        words += ["--listen", f"127.0.0.1:{port}", "--hub", f"127.0.0.1:{hub_port}", "--fleet-key", key_file]
        with open(place / "serve.log", "wb") as log:
            serve = subprocess.Popen([tool, *words], stderr=log)
        processes.append(serve)
        wait_for(lambda: b"agent connected" in (place / "serve.log").read_bytes(), "agent connects")
        printer.start()
        time.sleep(2)

        def cpu(seconds):
            before, printed = status_of(agent.pid)[1], printer.count
            time.sleep(seconds)
            return status_of(agent.pid)[1] - before, printer.count - printed

        alone, lines = cpu(given.seconds)
        follower = Follower(port, token)
        follower.start()
        others = [
            "curl",
            "-sN",
            "-o",
            "/dev/null",
            "-H",
            f"Authorization: Bearer {token}",
            f"http://127.0.0.1:{port}{PATH}",
        ]
        processes += [subprocess.Popen(others) for _ in range(given.followers - 1)]
        wait_for(lambda: follower.is_live, "following is live", 60)
        time.sleep(5)
        follower.delays.clear()
        before = status_of(serve.pid)[1]
        followed, more = cpu(given.seconds)
        memory, after = status_of(serve.pid)
        delays = sorted(follower.delays)
        print(f"{more / given.seconds:.0f} lines/s, {given.followers} followers, {len(delays)} lines seen by the first")
        for part, text in ((0.5, "median"), (0.99, "99 %"), (1, "all")):
            print(f"  delay, {text}: {delays[min(len(delays) - 1, int(len(delays) * part))] * 1000:.0f} ms")
        print(
            f"  agent, CPU s for a million lines: {alone / lines * 1e6:.2f} alone, {followed / more * 1e6:.2f} followed"
        )
        print(f"  server: {(after - before) / given.seconds:.2f} cores, {memory:.0f} MiB")
        printer.ending = True
        secret = bytes.fromhex(key_file.read_text().split("\n")[1].split()[-1])
        before = status_of(serve.pid)[0]
        connected = play_agents(hub_port, secret, given.agents)
        print(
            f"{len(connected)} agents connected: {before:.0f} MiB before, {status_of(serve.pid)[0]:.0f} MiB with them"
        )
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # threads of connections that are gone have nothing to say
