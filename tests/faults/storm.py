#!/usr/bin/python3
"""A real engine, a real S3 server, containers that print numbered lines, and one fault after the other.

    storm.py [--seed N] [--minutes M] [--faults NAME ...]

Afterwards every line is accounted for, with stock age and zstd: stored exactly once, unaltered, in order; or missing where the tenant's own
log has a gap record that the faults explain (a log that was rotated away while the agent was down). The seed is printed first: the same
seed makes the same containers and the same faults in the same order; when exactly they strike, the machine decides.
"""
import argparse
import collections
import pathlib
import random
import re
import resource
import subprocess
import sys
import threading
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "live"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# The two folders must be on the path first, so these imports cannot stand at the top.
import harness  # noqa: E402
from engine_record import EngineRecord, differences  # noqa: E402
import proxy as proxies  # noqa: E402

SEALED_AFTER = 2.0  # seconds from the removal of a container to the durable segment, with some room for a busy machine
TENANTS = ("red", "green", "blue")


def checksum(payload):
    value = 2166136261
    for byte in payload:
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


class Storm:
    def __init__(self, seed, minutes, faults):
        self.random = random.Random(seed)
        self.minutes = minutes
        self.names = faults
        self.down = []        # (from, to) when no agent ran
        self.printers = {}    # container id -> (name, options, started)
        self.struck = collections.Counter()
        self.recorded = {}    # container id -> stream -> numbers of the lines that the engine's own log holds
        self.broken_off = False
        self.lock = threading.Lock()

    # ---- set up

    def __enter__(self):
        self.engine = harness.Engine("--live-restore")
        self.s3 = harness.S3()
        self.s3.make_bucket("storm")
        self.proxy = proxies.Proxy(harness.free_port(), self.s3.port)
        url = self.s3.url("storm").replace(f":{self.s3.port}", f":{self.proxy.port}")
        self.agent = harness.Agent(self.engine, tenants=TENANTS, store=url, environment=self.s3.credentials())
        self.disk = self.agent.place / "state"
        self.disk.mkdir()
        harness.run("mount", "-t", "tmpfs", "-o", "size=96m", "storm", self.disk)
        self.agent.start()
        self.record = EngineRecord(self.engine.root)
        program = self.engine.volume / "printer"
        harness.run("clang-19", "-O2", "-static", "-o", program, pathlib.Path(__file__).with_name("printer.c"))
        program.chmod(0o755)
        return self

    def __exit__(self, *_):
        self.broken_off = True
        self.record.close()
        self.agent.close()
        harness.run("umount", "-l", self.disk, check=False)
        self.proxy.close()
        self.s3.close()
        self.engine.close()

    # ---- what runs

    def start_printer(self, number):
        draw = self.random
        tenant = draw.choice(TENANTS)
        kind = draw.choice(["plain", "plain", "rotating", "compressed", "local"])
        options = {"plain": [], "rotating": ["--log-opt", "max-size=1m", "--log-opt", "max-file=4"],
                   "compressed": ["--log-opt", "max-size=1m", "--log-opt", "max-file=5", "--log-opt", "compress=true"],
                   "local": ["--log-driver", "local"]}[kind]
        pause, lines = draw.choice([(20_000, 3000), (2_000, 12_000), (200, 30_000)])
        container = self.engine.run("/volume/printer", str(draw.randrange(1 << 40)), str(lines), str(pause), str(draw.choice([0, 400])), verb="create",
                                    env={"BOATSWAIN_TENANT": tenant, "BOATSWAIN_APP": kind}, options=options, name=f"p{number}")
        if kind != "local":
            self.record.hold(container)
        self.printers[container] = (f"p{number} {kind} {tenant}", tenant, kind)
        self.engine.docker("start", container)

    def short_lived(self, number):
        """A container that is gone at once, with its log. Its lines count only if an agent was there all its life."""
        started = time.monotonic()
        tenant = TENANTS[number % len(TENANTS)]
        container = self.engine.run("/volume/printer", str(number), "100", "0", "0", verb="create", name=f"s{number}",
                                    env={"BOATSWAIN_TENANT": tenant, "BOATSWAIN_APP": "short"}, options=["--rm"])
        ended = harness.run("docker", "start", "--attach", container, check=False, env=self.engine.env, timeout=60)
        if ended.returncode:
            return  # the engine did not run it to its end
        with self.lock:
            self.printers[container] = (f"s{number} --rm {tenant}", tenant, (started, time.monotonic()))

    def keep_printing(self, until):
        number = 0
        while time.monotonic() < until and not self.broken_off:
            with self.engine_is_up:
                try:
                    if number % 12 == 0:
                        self.start_printer(number)
                    self.short_lived(number)
                except (AssertionError, subprocess.SubprocessError) as trouble:
                    print(f"  (container {number} did not start: {str(trouble)[-200:]})")
            number += 1

    # ---- faults

    def restart_agent(self, stop):
        stopped = time.monotonic()
        stop()
        time.sleep(self.random.choice([0, 0, 0.2, 2]))
        self.agent.start(wait=False)
        self.agent.wait_logged("engine followed", seconds=60)
        self.down.append((stopped, time.monotonic()))

    def fault_kill(self):
        self.restart_agent(self.agent.kill)

    def fault_kill_often(self):
        for _ in range(5):
            stopped = time.monotonic()
            self.agent.kill()
            self.agent.start(wait=False)
            time.sleep(self.random.random())
            self.down.append((stopped, time.monotonic() + 1))
        self.agent.wait_logged("engine followed", seconds=60)

    def fault_terminate(self):
        self.restart_agent(lambda: self.agent.stop(60))

    def misbehave(self, mode, seconds):
        self.proxy.mode = mode
        time.sleep(seconds)
        self.proxy.mode = "pass"

    def fault_s3_refuses(self):
        self.misbehave("refuse", self.random.uniform(2, 10))

    def fault_s3_hangs(self):
        self.misbehave("hang", self.random.uniform(2, 8))

    def fault_s3_503(self):
        self.misbehave("503", self.random.uniform(2, 8))

    def fault_s3_slow(self):
        self.misbehave("slow", self.random.uniform(2, 8))

    def fault_s3_loses_answers(self):
        self.misbehave("lose-answer", self.random.uniform(2, 8))

    def fault_s3_gone(self):
        self.s3.stop_gateway()
        time.sleep(self.random.uniform(1, 10))
        self.s3.start_gateway()

    def fault_engine_restarts(self):
        with self.engine_is_up:
            self.engine.restart("TERM")

    def fault_engine_killed(self):
        with self.engine_is_up:
            self.engine.restart("KILL")

    def fault_disk_full(self):
        filler = self.disk / "filler"
        with open(filler, "wb") as out:
            try:
                while True:
                    out.write(bytes(1 << 20))
                    out.flush()
            except OSError:
                pass
        time.sleep(self.random.uniform(2, 6))
        filler.unlink(missing_ok=True)

    def fault_no_descriptors(self):
        pid = self.agent.process.pid
        open_now = len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))
        began = time.monotonic()
        before, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_now, hard))
        time.sleep(self.random.uniform(1, 4))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (before, hard))
        # No log can be opened meanwhile: what is removed by then was never seen.
        self.down.append((began, time.monotonic() + 2))

    def fault_keyring(self):
        tenant = self.random.choice(TENANTS)
        path = self.agent.keyring / f"{tenant}.pub"
        key = path.read_text().splitlines()[-1]
        extra = (self.agent.keys / "_unassigned.pub").read_text().splitlines()[-1]
        path.write_text(self.random.choice([f"{key}\n{extra}\n", f"{key}\n", f"# again\n{key}\n", "nonsense\n"]))
        time.sleep(2)
        path.write_text(f"{key}\n")

    def all_faults(self):
        return sorted(name.removeprefix("fault_") for name in dir(self) if name.startswith("fault_"))

    # ---- the run

    def run(self):
        self.engine_is_up = threading.Lock()
        until = time.monotonic() + self.minutes * 60
        printing = threading.Thread(target=self.keep_printing, args=(until,))
        printing.start()
        names = self.names or self.all_faults()
        while time.monotonic() < until:
            time.sleep(self.random.uniform(0.2, 3))
            name = self.random.choice(names)
            print(f"  {time.strftime('%H:%M:%S')} {name}", flush=True)
            self.struck[name] += 1
            getattr(self, f"fault_{name}")()
        printing.join()
        print("  faults are over; waiting for the printers, then for the store", flush=True)
        self.proxy.mode = "pass"
        for container in self.printers:
            harness.run("docker", "wait", container, check=False, env=self.engine.env, timeout=300)
        self.settle()
        return self.account()

    def settle(self):
        """Until the agent has read, sealed and shipped everything, and is told to end."""
        before, since, end = None, time.monotonic(), time.monotonic() + 180
        while time.monotonic() < end:
            now = (self.agent.metric("boatswain_read_lines_total"), self.agent.metric("boatswain_spool_segments"),
                   self.agent.metric("boatswain_sealed_lines_total"))
            if now != before:
                before, since = now, time.monotonic()
            elif now[1] == 0 and time.monotonic() - since > 5:
                break
            time.sleep(0.5)
        self.agent.stop(60)

    # ---- the account

    def stored(self):
        """{container: [("line", stream, tag, message) | ("gap", record)]} and whose it is, by stock tools."""
        reader = self.agent.reader(s3=self.s3, bucket="storm")
        entries, tenants = collections.defaultdict(list), collections.defaultdict(set)
        for key in sorted(reader.objects(), key=reader.order_of):
            container = None
            for line in reader.open(key).split(b"\n")[:-1]:
                if line.startswith(b"# {"):
                    container = re.search(rb'"source":"(\w+)"', line).group(1).decode()
                    tenants[container].add(reader.tenant_of(key))
                elif line.startswith(b"# gap "):
                    entries[container].append(("gap", line[6:].decode()))
                elif not line.startswith(b"# "):
                    _, stream, tag, message = line.split(b" ", 3)
                    entries[container].append(("line", stream.decode(), tag.decode(), message))
        return entries, tenants

    def account(self):
        entries, tenants = self.stored()
        problems, lines, gaps = [], 0, collections.Counter()
        for container, (name, tenant, kind) in sorted(self.printers.items(), key=lambda item: item[1][0]):
            if tenants[container] - {tenant}:
                problems.append(f"{name}: lies under {tenants[container]}")
            try:
                own_record = kind in ("plain", "rotating", "compressed")
                account = self.account_by_record if own_record else self.account_of
                found, named = account(entries[container], kind, container)
                lines += found
                gaps += named
            except AssertionError as problem:
                problems.append(f"{name} {container[:12]}: {problem}")
        return lines, gaps, problems

    def account_by_record(self, entries, kind, container):
        """A container whose log file was watched: what the engine recorded is known to the byte, whatever the engine went through."""
        named = collections.Counter()
        stored, gap_before = {"stdout": [], "stderr": []}, {"stdout": set(), "stderr": set()}
        pieces = {"stdout": b"", "stderr": b""}
        for entry in entries:
            if entry[0] == "gap":
                reason = re.search(r'"reason":"([^"]*)"', entry[1]).group(1)
                named[reason] += 1
                # "malformed" takes nothing away: the torn record of a killed engine follows, as it is.
                assert reason == "malformed" or (reason == "rotated-away" and kind != "plain"), f"a gap that nothing explains: {entry[1]}"
                if reason == "rotated-away":
                    for stream in stored:
                        gap_before[stream].add(len(stored[stream]))
                    pieces = {"stdout": b"", "stderr": b""}
                continue
            _, stream, tag, message = entry
            pieces[stream] += message
            if tag == "F":
                stored[stream].append(pieces[stream])
                pieces[stream] = b""
        recorded = self.record.lines(container)
        for stream in stored:
            if pieces[stream]:
                stored[stream].append(pieces[stream])
            wrong = differences(recorded[stream], stored[stream], gap_before[stream])
            assert not wrong, f"{stream}: {'; '.join(wrong[:5])} ({len(recorded[stream])} recorded, {len(stored[stream])} stored, gaps {dict(named)})"
        return sum(map(len, stored.values())), named

    def account_of(self, entries, kind, container):
        short = isinstance(kind, tuple)
        # No agent was there when it was, or the agent was ended before the lines of the removed log were sealed, which takes a second:
        # what there is of it is a bonus.
        if short and any(start - SEALED_AFTER < kind[1] and end > kind[0] for start, end in self.down):
            return 0, collections.Counter()
        following, gap_since, ended = {"stdout": 0, "stderr": 0}, {"stdout": False, "stderr": False}, set()
        pieces = {"stdout": b"", "stderr": b""}
        lines, named = 0, collections.Counter()
        for entry in entries:
            if entry[0] == "gap":
                reason = re.search(r'"reason":"([^"]*)"', entry[1]).group(1)
                named[reason] += 1
                assert reason in ("rotated-away",) and kind in ("rotating", "compressed"), f"a gap that nothing explains: {entry[1]}"
                gap_since = {"stdout": True, "stderr": True}
                pieces = {"stdout": b"", "stderr": b""}
                continue
            _, stream, tag, message = entry
            message = pieces[stream] + message
            pieces[stream] = b""
            if tag == "P":
                pieces[stream] = message
                continue
            lines += 1
            if message.startswith(b"end "):
                assert following[stream] == int(message[4:]) or gap_since[stream], f"{stream}: ended at {message.decode()} after {following[stream]} lines"
                ended.add(stream)
                continue
            number, length, sum_told, payload = message.split(b" ", 3)
            intact = len(payload) == int(length) and checksum(payload) == int(sum_told, 16)
            if not intact and gap_since[stream]:
                continue  # the rest of a line whose beginning was rotated away
            assert intact, f"{stream}: line {number} was altered"
            number = int(number)
            if number > following[stream] and not gap_since[stream] and not short:
                engine_lost = self.lost_by_engine(container, stream, following[stream], number)
                named["(lines that the engine itself has not)"] += engine_lost
                following[stream] += engine_lost
            assert number == following[stream] or (number > following[stream] and gap_since[stream]), \
                f"{stream}: line {number} where {following[stream]} was due"
            following[stream], gap_since[stream] = number + 1, False
        if not short and ended != {"stdout", "stderr"}:
            # A fault may have ended the container itself, before it was through: then its log says how far it came.
            kept = harness.run("docker", "logs", container, env=self.engine.env, timeout=120)
            recorded = {"stdout": kept.stdout.count(b"\n"), "stderr": kept.stderr.count(b"\n")}
            assert recorded == following, f"incomplete: {following} stored, {recorded} in the engine's log"
            return lines, named
        assert ended == {"stdout", "stderr"}, f"incomplete: {following} and no end"
        return lines, named

    def lost_by_engine(self, container, stream, due, found):
        """How many lines from `due` on, before `found`, the engine's own log has not, though it has their neighbours."""
        if container not in self.recorded:
            kept = harness.run("docker", "logs", container, env=self.engine.env, timeout=120)
            self.recorded[container] = {name: {int(line.split(b" ", 1)[0]) for line in text.split(b"\n") if line[:1].isdigit()}
                                        for name, text in (("stdout", kept.stdout), ("stderr", kept.stderr))}
        numbers = self.recorded[container][stream]
        if due - 1 not in numbers or found not in numbers or numbers & set(range(due, found)):
            return 0
        return found - due


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--faults", nargs="+", metavar="NAME")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1 << 31)
    print(f"seed {seed}, {arguments.minutes:g} minutes", flush=True)
    with Storm(seed, arguments.minutes, arguments.faults) as storm:
        try:
            lines, gaps, problems = storm.run()
        except BaseException:
            traceback.print_exc()
            print(f"seed {seed}; the agent's last words:\n{storm.agent.last_words(40)}", file=sys.stderr)
            sys.exit(1)
        print(f"faults: {', '.join(f'{name} {count}' for name, count in sorted(storm.struck.items()))}")
        print(f"{len(storm.printers)} containers, {lines} lines stored once and in order, named gaps: {dict(gaps) or 'none'}")
        for problem in problems:
            print(f"PROBLEM {problem}")
            container = re.search(r" ([0-9a-f]{12}):", problem)
            for entry in storm.agent.log(since_start=False):
                if container and container.group(1) in str(entry):
                    print(f"    {entry}")
        for event in ("container not inspected", "container removed unread", "log not read", "stray spool file", "news lost"):
            for entry in storm.agent.logged(event, since_start=False)[:10] if problems else []:
                print(f"    {entry}")
        if problems:
            print(f"seed {seed}; the agent's last words:\n{storm.agent.last_words(30)}")
        print("passed" if not problems else f"FAILED: {len(problems)} containers (seed {seed})")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
