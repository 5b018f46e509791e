#!/usr/bin/python3
"""A real engine, a real S3 server, containers that print numbered lines, and one fault after the other.

    storm.py [--seed N] [--minutes M] [--faults NAME ...] [--previous PROGRAM] [--small-tenants N]
    storm.py --list

Afterwards every line is accounted for, with stock age and zstd and again with our own tools (oracle.py): stored exactly
once, unaltered,
in order; or missing where the tenant's own log has a gap record that the faults explain (a log that was rotated away
while the agent was
down). The seed is printed first: the same seed makes the same containers and the same faults in the same order, alone
and two at a time;
when exactly they strike, the machine decides.
"""
import argparse
import collections
import contextlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import threading
import time
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "live"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# The two folders must be on the path first, so these imports cannot stand at the top.
import engine_record  # noqa: E402 - found by the path that is set above
import harness  # noqa: E402 - found by the path that is set above
import oracle  # noqa: E402 - found by the path that is set above
import proxy as proxies  # noqa: E402 - found by the path that is set above
import strikes  # noqa: E402 - found by the path that is set above
import swarm  # noqa: E402 - found by the path that is set above

TENANTS = swarm.TENANTS
# Of so many, each short container is the next one's. An agent that stood still while it reads that many key files again
# (a
# changed key, SIGHUP) would miss short containers.
SMALL_TENANTS = 2000
SESSION_RENEWED_AFTER = 1500  # seconds; the server's sessions live an hour
START_SECONDS_MAX = 180  # of the agent, faults included that keep it from starting
STILL_SECONDS_MAX = 120  # without any progress, until settling is given up


class Gate:
    """Many may pass while it is open; who closes it waits until nobody is within."""

    def __init__(self):
        self.changed, self.within, self.shut = threading.Condition(), 0, False

    @contextlib.contextmanager
    def passing(self):
        with self.changed:
            self.changed.wait_for(lambda: not self.shut)
            self.within += 1
        try:
            yield
        finally:
            with self.changed:
                self.within -= 1
                self.changed.notify_all()

    @contextlib.contextmanager
    def closed(self):
        with self.changed:
            self.changed.wait_for(lambda: not self.shut)
            self.shut = True
            self.changed.wait_for(lambda: self.within == 0)
        try:
            yield
        finally:
            with self.changed:
                self.shut = False
                self.changed.notify_all()


class Storm:
    tenants = TENANTS

    def __init__(self, seed, minutes, faults, previous=None, small_tenants=SMALL_TENANTS):
        # Containers and faults draw from sources of their own: they run beside each other.
        self.draw_containers, self.draw_faults = random.Random(seed), random.Random(seed + 1)
        self.minutes, self.names, self.previous = minutes, faults, previous
        self.windows = oracle.Windows()
        self.printers = {}  # container id -> oracle.Printer
        self.struck = collections.Counter()
        self.together = 0  # how often two struck at once
        self.agents_ended = collections.Counter()
        self.broken_off = False
        self.agent_guard = threading.RLock()  # one fault at a time ends and starts the agent
        self.disk_guard = threading.Lock()  # who must write to the agent's disk does not want it full
        self.engine_gate = Gate()
        self.swarms = 0
        self.small = [f"small-{number:04d}" for number in range(small_tenants)] or list(TENANTS)
        self.shorts = 0  # containers of theirs, so far

    # ---- set up

    def __enter__(self):
        self.engine = harness.Engine("--live-restore")
        self.s3 = harness.S3()
        self.s3.make_bucket("storm")
        self.proxy = proxies.Proxy(harness.free_port(), self.s3.port)
        url = self.s3.url("storm").replace(f":{self.s3.port}", f":{self.proxy.port}")
        self.agent = harness.Agent(self.engine, tenants=TENANTS, store=url)
        self.program = self.agent.program
        self.add_small_tenants()
        if self.previous:
            self.agent.program = self.previous
        self.agent.environment = self.environment()
        self.new_session()
        self.disk = self.agent.state
        self.disk.mkdir()
        harness.run("mount", "-t", "tmpfs", "-o", "size=96m", "storm", self.disk)
        self.agent.start()
        self.record = engine_record.EngineRecord(self.engine.root)
        harness.build_printer(self.engine)
        threading.Thread(target=self.feel_the_pulse, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.broken_off = True
        self.record.close()
        self.agent.close()
        harness.run("umount", "-l", self.disk, check=False)
        self.proxy.close()
        self.s3.close()
        self.engine.close()

    def add_small_tenants(self):
        """Each has a key file; all have the same key, so that reading them all takes no longer."""
        self.agent.make_key("small")
        for tenant in set(self.small) - set(TENANTS):
            for folder, end in ((self.agent.keys, "key"), (self.agent.keyring, "pub")):
                shutil.copy(self.agent.keys / f"small.{end}", folder / f"{tenant}.{end}")

    def environment(self):
        """Of the agent: a clock that can be stepped, and credentials that are a session's."""
        library = self.agent.place / "shifted_clock.so"
        harness.run(
            "clang-19", "-O1", "-fPIC", "-shared", "-o", library, pathlib.Path(__file__).with_name("shifted_clock.c")
        )
        self.clock_file = self.agent.place / "clock"
        self.clock_file.write_bytes(strikes.pack_shift(0))
        self.credentials_file = self.agent.place / "credentials"
        return {
            "LD_PRELOAD": str(library),
            "CLOCK_SHIFT_FILE": str(self.clock_file),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.credentials_file),
            "AWS_EC2_METADATA_DISABLED": "true",
            "no_proxy": "127.0.0.1,localhost",
        }

    def new_session(self):
        """Credentials that expire, as those of a role do, in the file where the agent looks for them."""
        answer = harness.wait_for(self.assume_role, 60, "a session at the S3 server", pause=0.5)
        self.session_token = answer["SessionToken"]
        self.session_began = time.monotonic()
        fresh = self.credentials_file.with_suffix(".new")
        fresh.write_text(
            f"[default]\naws_access_key_id = {answer['AccessKeyId']}\naws_secret_access_key ="
            f" {answer['SecretAccessKey']}\naws_session_token = {answer['SessionToken']}\n"
        )
        fresh.rename(self.credentials_file)

    def assume_role(self):
        try:
            return self.s3.client("sts").assume_role(RoleArn=self.s3.env["RGW_ROLE_ARN"], RoleSessionName="storm")[
                "Credentials"
            ]
        except Exception:  # whatever an S3 server says that is being killed
            return None

    def shift_clock(self, seconds):
        with open(self.clock_file, "r+b") as clock:  # in place: it is mapped
            clock.write(strikes.pack_shift(seconds))

    def feel_the_pulse(self):
        """How busy the machine is shows in how late this thread is woken; what is due within a time is due later
        then."""
        while not self.broken_off:
            before = time.monotonic()
            time.sleep(0.1)
            late = time.monotonic() - before - 0.1
            if late > 0.2:
                self.windows.lags.append((time.time(), late))

    # ---- what runs

    def start_printer(self, number):
        draw = self.draw_containers
        tenant = draw.choice(TENANTS)
        kind = draw.choice(["plain", "plain", "rotating", "compressed", "local"])
        options = {
            "plain": [],
            "rotating": ["--log-opt", "max-size=1m", "--log-opt", "max-file=4"],
            "compressed": ["--log-opt", "max-size=1m", "--log-opt", "max-file=5", "--log-opt", "compress=true"],
            "local": ["--log-driver", "local"],
        }[kind]
        pause, lines = draw.choice([(20_000, 3000), (2_000, 12_000), (200, 30_000)])
        words = [str(draw.randrange(1 << 40)), str(lines), str(pause), str(draw.choice([0, 400]))]
        started = time.time()
        container = self.engine.run(
            "/volume/printer",
            *words,
            env={"BOATSWAIN_TENANT": tenant, "BOATSWAIN_APP": kind},
            options=options,
            name=f"p{number}",
            verb="create",
        )
        if kind in oracle.WATCHED:
            self.record.hold(container)
        self.printers[container] = oracle.Printer(f"p{number}", tenant, kind, started)
        self.engine.docker("start", container)

    def next_small(self, count):
        """The tenants of the next `count` short containers."""
        first, self.shorts = self.shorts, self.shorts + count
        return [self.small[number % len(self.small)] for number in range(first, first + count)]

    def run_swarm(self, count):
        self.swarms += 1
        rate = swarm.run_many(
            self.engine, count, 4, f"w{self.swarms}-", self.printers, self.engine_gate, self.next_small(count)
        )
        print(f"    {count} short-lived containers, {rate:.0f} a minute", flush=True)

    def keep_printing(self, until):
        number = 0
        while time.monotonic() < until and not self.broken_off:
            try:
                if number % 12 == 0:
                    with self.engine_gate.passing():
                        self.start_printer(number)
                swarm.run_many(self.engine, 1, 1, f"s{number}-", self.printers, self.engine_gate, self.next_small(1))
            except (AssertionError, subprocess.SubprocessError) as trouble:
                print(f"    (container {number} did not start: {str(trouble)[-200:]})", flush=True)
            number += 1

    # ---- the agent

    def end_agent(self, how):
        """`how`: "kill -9" or "SIGTERM"."""
        self.check_alive()
        self.agents_ended[how] += 1
        if how == "SIGTERM":
            code = self.agent.stop(180)
            assert code == 0, f"the agent ended with {code} on SIGTERM"
        else:
            self.agent.kill()

    def check_alive(self):
        code = self.agent.process.poll() if self.agent.process else None
        assert code is None, f"the agent ended by itself with {code}"

    def restart_agent(self, how, pause):
        with self.agent_guard:
            began = time.time()
            self.end_agent(how)
            time.sleep(pause)
            self.await_agent(start=True)
            self.windows.down.append((began, time.time()))

    def await_agent(self, start=False):
        """Until it follows the engine. One that cannot start, on a full disk say, is started again, as a service
        manager does."""
        deadline = time.monotonic() + START_SECONDS_MAX
        if start:
            self.agent.start(wait=False)
        while not self.agent.logged("engine followed"):
            if self.start_failed():
                time.sleep(0.5)
                self.agent.start(wait=False)
            assert time.monotonic() < deadline, f"not within {START_SECONDS_MAX} s: the agent follows the engine"
            time.sleep(0.1)

    def start_failed(self):
        """Whether the agent, just started, has ended by itself: for a reason that it says, never by a signal."""
        code = self.agent.process.poll()
        if code is None:
            return False
        assert code > 0, f"the agent ended with {code} at its start"
        self.agents_ended[f"by itself at its start, exit code {code}"] += 1
        return True

    # ---- what the engine knows

    def engine_log(self, container):
        kept = harness.run("docker", "logs", "--timestamps", container, env=self.engine.env, timeout=120)
        return {"stdout": kept.stdout, "stderr": kept.stderr}

    # ---- the run

    def run(self):
        until = time.monotonic() + self.minutes * 60
        printing = threading.Thread(target=self.keep_printing, args=(until,))
        printing.start()
        names = self.names or list(strikes.FAULTS)
        while time.monotonic() < until:
            time.sleep(self.draw_faults.uniform(0.2, 3))
            self.strike(strikes.draw(self.draw_faults, names))
            if time.monotonic() - self.session_began > SESSION_RENEWED_AFTER:
                self.new_session()
        printing.join()
        print("  faults are over; waiting for the printers, then for the store", flush=True)
        self.shift_clock(0)
        for container, printer in self.printers.items():
            if not printer.short:
                harness.run("docker", "wait", container, check=False, env=self.engine.env, timeout=600)
        self.settle()
        return self.account()

    def strike(self, drawn):
        print(f"  {time.strftime('%H:%M:%S')} {' and '.join(fault.name for fault, _ in drawn)}", flush=True)
        self.struck.update(fault.name for fault, _ in drawn)
        self.together += len(drawn) > 1
        strikes.strike(self, drawn, random.Random)
        with self.agent_guard:
            self.check_alive()

    def settle(self):
        """Until the agent has read, sealed and shipped everything, and is told to end. As long as there is progress
        there is no hurry."""
        before, since = None, time.monotonic()
        while True:
            now = (
                self.agent.metric("boatswain_read_lines_total"),
                self.agent.metric("boatswain_sealed_lines_total"),
                self.agent.metric("boatswain_spool_segments"),
                self.agent.health()[1]["read_lag_bytes"],
            )
            still = time.monotonic() - since
            if now != before:
                before, since = now, time.monotonic()
            elif now[2] == 0 and now[3] == "0" and still > 5:
                break
            elif still > STILL_SECONDS_MAX:
                print(f"  no progress for {still:.0f} s: {before}; {self.agent.health()}")
                break
            time.sleep(0.5)
        self.end_agent("SIGTERM")

    # ---- the account

    def account(self):
        """(Account, seconds that it took)."""
        began = time.monotonic()
        directory = self.agent.place / "download"
        source = self.agent.reader(s3=self.s3, bucket="storm")
        for key in source.objects():
            path = directory / key.removeprefix("logs/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(source.bytes_of(key))
        entries, tenants = oracle.by_stock_tools(self.agent.reader(directory=directory))
        account = oracle.Oracle(self.printers, self.windows, self.record, oracle.EngineLog(self.engine_log)).account(
            entries, tenants
        )
        small = sorted({printer.tenant for printer in self.printers.values()} - set(TENANTS))
        own = oracle.OwnTools(directory, self.agent.keys, (*TENANTS, *small, "_unassigned"))
        raw_of = [(container, printer.tenant) for container, printer in self.printers.items() if not printer.short][:12]
        account.problems += oracle.disagreements(entries, own, raw_of)
        account.problems += own.verify()
        return account, time.monotonic() - began

    def report(self, account):
        print(
            f"faults: {', '.join(f'{name} {count}' for name, count in sorted(self.struck.items()))};"
            f" {self.together} times two at once"
        )
        print(
            f"agents ended: {', '.join(f'{how} {count}' for how, count in self.agents_ended.items())}; requests by what"
            f" the proxy did: {', '.join(f'{mode} {count}' for mode, count in self.proxy.counts.items() if count)}"
        )
        tenants = len({printer.tenant for printer in self.printers.values()})
        print(
            f"{len(self.printers)} containers of {tenants} tenants, {account.lines} lines stored once and in order,"
            f" named gaps: {dict(account.gaps) or 'none'}"
        )
        for problem in account.problems:
            print(f"PROBLEM {problem}")
            for entry in self.agent.log(since_start=False):
                if any(len(word) == 12 and word in str(entry) for word in problem.replace(":", " ").split()):
                    print(f"    {entry}")
        for event in (
            "container not inspected",
            "container removed unread",
            "log not read",
            "stray spool file",
            "news lost",
        ):
            for entry in self.agent.logged(event, since_start=False)[:10] if account.problems else []:
                print(f"    {entry}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument(
        "--faults", nargs="+", metavar="NAME", choices=list(strikes.FAULTS), help="only these (default: all)"
    )
    parser.add_argument(
        "--previous",
        type=pathlib.Path,
        metavar="PROGRAM",
        help="an older boatswaind, which runs until the fault `upgrade` first puts this one in its place",
    )
    parser.add_argument(
        "--small-tenants",
        type=int,
        default=SMALL_TENANTS,
        metavar="N",
        help="each container that removes itself is the next one's of so many tenants (default: %(default)s)",
    )
    parser.add_argument("--list", action="store_true", help="what the faults are")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="copy keys, store and the agent's log there")
    arguments = parser.parse_args()
    harness.close_when_broken_off()
    if arguments.list:
        for fault in strikes.FAULTS.values():
            print(f"{fault.name:<20}{fault.kind:<8}{fault.strike.__doc__}")
        return
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1 << 31)
    print(f"seed {seed}, {arguments.minutes:g} minutes", flush=True)
    with Storm(seed, arguments.minutes, arguments.faults, arguments.previous, arguments.small_tenants) as storm:
        try:
            account, seconds = storm.run()
        except BaseException:
            traceback.print_exc()
            print(f"seed {seed}; the agent's last words:\n{storm.agent.last_words(40)}", file=sys.stderr)
            os._exit(storm.__exit__() or 1)  # threads of faults may still wait for something
        finally:
            if arguments.keep:
                arguments.keep.mkdir(parents=True, exist_ok=True)
                harness.run(
                    "cp",
                    "-r",
                    *(path for path in storm.agent.place.iterdir() if path.name != "state"),
                    arguments.keep,
                    check=False,
                )
        storm.report(account)
        if account.problems:
            print(f"seed {seed}; the agent's last words:\n{storm.agent.last_words(30)}")
        print(f"the account took {seconds:.0f} s")
        print("passed" if not account.problems else f"FAILED: {len(account.problems)} problems (seed {seed})")
    sys.exit(1 if account.problems else 0)


if __name__ == "__main__":
    main()
