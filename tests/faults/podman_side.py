"""Containers of a real Podman for pods.py: some are rotated by conmon, some are not, others remove themselves.

conmon moves a new log over the old one, so what was printed cannot be counted afterwards in the log: a container says
in a file of its own how many lines it printed, when it is asked to end. Of one whose conmon was killed what its log
holds counts, up to its last line.
"""
import os
import shutil
import signal
import time

import harness
import podman

TENANTS = ("red", "green", "blue")
# Lines of about 50 bytes, some 700 a second: a file of 128 kB lasts longer than a start of the agent.
LOG_MAX = "128k"
TALK = (
    "i=0; while [ ! -e /say/$0 ]; do echo line $i; i=$((i+1)); [ $((i % 35)) -gt 0 ] || usleep 50000; done;"
    " echo $i > /say/$0.count"
)


class Podman:
    GAPS = ("rotated-away",)  # each names what a rotation took while no agent ran
    SEALED_AFTER = 8.0  # seconds: the exit code is waited for, five seconds at most
    ASKED_AFTER = 10.0  # seconds after a start of Podman's service in which the agent has asked it again

    def __init__(self, at_random):
        self.random = at_random
        self.engine = podman.Podman()
        self.say = harness.scratch("bwpv.")
        self.settings = {"docker__root": str(self.engine.root), "tenancy__tenant": ["label:boatswain.tenant"]}
        self.ended, self.removed, self.number = [], {}, 0  # removed: when, on the clock that never goes back
        self.service_began, self.unasked = -self.ASKED_AFTER, set()

    def version(self):
        return self.engine.version()

    def rotations(self, _):
        return 0  # conmon's own affair

    def agent_is_there(self, agent):
        agent.wait_logged("engine followed", 90)

    def make(self, rotated):
        name = f"web-{self.number}"
        options = ["--volume", f"{self.say}:/say", *(["--log-opt", f"max-size={LOG_MAX}"] if rotated else [])]
        script = TALK.replace("$0", name)
        tenant = TENANTS[self.number % len(TENANTS)]
        self.number += 1
        return name, self.engine.run(script, name, labels={"boatswain.tenant": tenant}, options=options)

    def begin(self):
        self.pods = [self.make(rotated) for rotated in (True, False) * 3]

    def faults(self):
        return {"kill conmon": self.kill_conmon, "end a container": self.end_one, "kill podman": self.kill_podman}

    def replace(self, at):
        name, _ = self.pods[at]
        self.pods[at] = self.make(int(name.rpartition("-")[2]) % 2 == 0)

    def kill_conmon(self):
        """Amid its output. What it had written is there; the container itself goes with `rm`."""
        at = self.random.randrange(len(self.pods))
        _, container = self.pods[at]
        os.kill(self.engine.conmon_of(container), signal.SIGKILL)
        records = [line for line in self.engine.log_of(container).read_bytes().split(b"\n")[:-1] if b" F line " in line]
        if records:
            self.ended.append((container, range(int(records[-1].rsplit(b" ", 1)[1]) + 1)))
        self.remove(container, 0)
        self.replace(at)

    def remove(self, container, seconds):
        self.engine.remove(container, seconds)
        self.removed[container] = time.monotonic()

    def end(self, name, container):
        count = self.say / f"{name}.count"
        (self.say / name).touch()
        harness.wait_for(lambda: count.exists() and count.read_text().strip(), 30, f"{name} ends")
        self.ended.append((container, range(int(count.read_text()))))

    def end_one(self):
        at = self.random.randrange(len(self.pods))
        self.end(*self.pods[at])
        self.remove(self.pods[at][1], 5)
        self.replace(at)

    def kill_podman(self):
        """The service; conmon and the containers do not need it."""
        self.engine.stop()
        self.engine.start()
        self.service_began = time.monotonic()

    def short(self, number, lines):
        script = f"i=0; while [ $i -lt {lines} ]; do echo line $i; i=$((i+1)); done; usleep 300000"
        tenant = TENANTS[number % len(TENANTS)]
        container = self.engine.run(script, f"job-{number}", labels={"boatswain.tenant": tenant}, options=["--rm"])
        gone = lambda: container not in self.engine.podman("ps", "--all", "--quiet", "--no-trunc")
        harness.wait_for(gone, 60, f"job-{number} removes itself")
        if time.monotonic() - self.service_began < self.ASKED_AFTER:
            self.unasked.add(container)
        return container

    def finish(self):
        for name, container in self.pods:
            self.end(name, container)
        return self.ended

    def close(self):
        self.engine.close()
        shutil.rmtree(self.say, ignore_errors=True)
