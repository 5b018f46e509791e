#!/usr/bin/python3
"""Pods on a real containerd, or containers of a real Podman, that print numbered lines, and one fault after the other.

    pods.py --engine containerd|podman [--seed N] [--kills 20] [--rotations 40] [--short 60] [--pods 6]

Faults: the agent is killed (kill -9) and started again; containerd is killed and started again; logs are rotated at
full speed; containers are started again; pods are evicted; pods live a moment and are deleted. Afterwards every line
that containerd wrote is looked for: stored exactly once, unaltered, in order. What it had read of a pipe and not
written when it was killed is no loss of ours, and told. A gap record is a failure, but of a pod that was deleted less
than SEALED_AFTER before the agent was killed: what was read and not sealed is gone with its log, and that has to be
said. The seed is printed first: it gives the same faults in the same order.

With Podman (podman_side.py): conmon is killed, Podman's service is, containers remove themselves, and conmon rotates by
size (--rotations does not apply). A rotation while no agent runs takes lines away: each hole needs its gap record. One
that lived while Podman's service was away, behind whose end the agent was killed before it could ask, is nobody's.
"""
import argparse
import collections
import pathlib
import random
import sys
import time

sys.dont_write_bytecode = True
for folder in ("live", "support"):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / folder))
import harness  # noqa: E402 - found by the path that is set above

TENANTS = ("red", "green", "blue")
SHORT_LINES = 10
SHORT_AT_ONCE = 3
PODS = 6


def for_ever(pods):
    """About 6,000 lines a second of all pods together, by turns of 50: a pause costs a process."""
    return f"i=0; while :; do echo line $i; i=$((i+1)); [ $((i % 50)) -gt 0 ] || usleep {50000 * pods // PODS}; done"


def recorded(log):
    """The numbers of all lines that the runtime wrote of a run: its rotated files all stay where they are."""
    numbers = []
    for path in (*sorted(log.parent.glob(f"{log.name}.*")), log):
        numbers += [int(line.rsplit(b" ", 1)[1]) for line in path.read_bytes().split(b"\n")[:-1] if b" F line " in line]
    return numbers


class Containerd:
    """Pods of three tenants, as a kubelet runs them."""

    GAPS = ()  # reasons that may stand for lines of a log that was not deleted
    SEALED_AFTER = 3.0  # seconds: as in oracle.py

    def __init__(self, at_random, pods=PODS):
        import containerd

        self.count, self.script, self.evicted = pods, for_ever(pods), 0

        self.random, self.Pod = at_random, containerd.Pod
        self.containerd = containerd.Containerd()
        self.settings = {
            "docker__enabled": False,
            "cri__pods": str(self.containerd.pods),
            "tenancy__tenant": ["kubernetes"],
            "tenancy__app": ["kubernetes", "name"],
        }
        self.engine = None
        self.ended = []  # (source, numbers that were written)
        self.removed = {}  # source: when, on the clock that never goes back; but of short ones
        self.unasked = set()  # short ones that the agent may have had nobody to ask about

    def begin(self):
        self.pods = harness.in_parallel(self.make, range(self.count))

    def make(self, number):
        return self.Pod(self.containerd, TENANTS[number % 3], self.script, name=f"web-{number}")

    def faults(self):
        return {
            "kill containerd": self.kill_containerd,
            "start a container again": self.start_again,
            "evict a pod": self.evict,
        }

    def kill_containerd(self):
        self.containerd.kill()
        self.containerd.start()
        harness.wait_for(self.containerd.version, 30, "the CRI answers")

    def halt(self, pod):
        cri = self.containerd.cri
        pod.runtime.StopContainer(cri.StopContainerRequest(container_id=pod.id, timeout=0))
        self.ended.append((pod.source, recorded(pod.log)))

    def start_again(self):
        pod = self.random.choice(self.pods)
        self.halt(pod)
        pod.start_again(self.script)

    def evict(self):
        """A node that is short of something removes a pod with its logs in one go; another one takes its place."""
        at = self.random.randrange(len(self.pods))
        pod = self.pods[at]
        self.halt(pod)
        pod.delete()
        self.removed[pod.source] = time.monotonic()
        self.evicted += 1
        self.pods[at] = self.make(self.count + self.evicted)

    def rotate(self):
        self.random.choice(self.pods).rotate()

    def version(self):
        return self.containerd.version()

    def rotations(self, arguments):
        return arguments.rotations

    def agent_is_there(self, agent):
        agent.wait_logged("pods are followed")

    def short(self, number, lines):
        script = f"i=0; while [ $i -lt {lines} ]; do echo line $i; i=$((i+1)); done"
        pod = self.Pod(self.containerd, TENANTS[number % 3], script, name=f"job-{number}")
        pod.wait()
        pod.delete()
        return pod.source

    def finish(self):
        for pod in self.pods:
            self.halt(pod)
        return self.ended

    def close(self):
        self.containerd.close()


def strike(side, agent, arguments, at_random):
    """All faults, mixed; the short ones' sources, and of those the ones behind whose end the agent was killed soon."""
    kinds = side.faults()
    plan = (
        ["kill the agent"] * arguments.kills
        + ["rotate"] * side.rotations(arguments)
        + ["short"] * (arguments.short // SHORT_AT_ONCE)
        + [name for name in kinds for _ in range(max(2, arguments.kills // 10))]
    )
    at_random.shuffle(plan)
    shorts, ended, explained = [], {}, set()
    for number, fault in enumerate(plan):
        print(f"  {time.strftime('%T', time.gmtime())} {number + 1} of {len(plan)}: {fault}", file=sys.stderr)
        if fault == "kill the agent":
            explained |= {
                source for source, at in (ended | side.removed).items() if time.monotonic() - at < side.SEALED_AFTER
            }
            agent.kill()
            agent.start(wait=False)
            side.agent_is_there(agent)
        elif fault == "rotate":
            side.rotate()
        elif fault == "short":
            numbers = range(len(shorts), len(shorts) + SHORT_AT_ONCE)
            made = harness.in_parallel(lambda n: side.short(n, SHORT_LINES), numbers, workers=SHORT_AT_ONCE)
            shorts += made
            ended |= dict.fromkeys(made, time.monotonic())
        else:
            kinds[fault]()
        time.sleep(at_random.random() * 0.2)
    return shorts, explained


def all_of(reader):
    """What is stored of each source, read once: {source: Stored}."""
    found = collections.defaultdict(lambda: harness.Stored({}, None))
    for (source, tenant), stored in reader.containers().items():
        assert source not in found, f"{source} lies under {tenant} and {found[source].tenant}"
        found[source] = stored
    return found


def holes(numbers, written):
    """How often lines are missing in a row, of numbers that grow."""
    ends = [written[0] - 1, *numbers, written[-1] + 1]  # a gap record at the end says that more may have come
    return sum(after != before + 1 for before, after in zip(ends, ends[1:]))


def judge(stored, source, written, explained, gaps_allowed):
    """What is wrong with a source's lines, in words; nothing when they are all there, once, in order."""
    if explained:
        gaps_allowed = (*gaps_allowed, "removed-while-away")
    numbers = [int(line.rsplit(b" ", 1)[1]) for line in stored.messages()]
    if numbers == written and not stored.gaps:
        return None
    named = stored.gaps and all(gap["reason"] in gaps_allowed for gap in stored.gaps)
    if named and numbers == sorted(set(numbers)) and holes(numbers, written) <= len(stored.gaps):
        return None
    missing, doubled = set(written) - set(numbers), len(numbers) - len(set(numbers))
    return f"{source}: {len(missing)} of {len(written)} lines missing, {doubled} doubled, {len(stored.gaps)} gaps"


def main():
    parser = argparse.ArgumentParser(prog="./dev faults", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--engine", choices=("containerd", "podman"), required=True)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--kills", type=int, default=20, help="of the agent (default: 20)")
    parser.add_argument("--rotations", type=int, default=40, help="of pods' logs (default: 40)")
    parser.add_argument("--short", type=int, default=60, help="containers that live a moment (default: 60)")
    parser.add_argument("--pods", type=int, default=PODS, help="of containerd that print all the time (default: 6)")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    at_random = random.Random(arguments.seed)
    if arguments.engine == "podman":
        import podman_side

        side = podman_side.Podman(at_random)
    else:
        side = Containerd(at_random, arguments.pods)
    print(f"{arguments.engine} {side.version()}")
    agent = harness.Agent(side.engine, batch__flush_after="500ms", **side.settings)
    started = time.monotonic()
    try:
        agent.start(wait=False)
        side.agent_is_there(agent)
        side.begin()
        shorts, explained = strike(side, agent, arguments, at_random)
        wanted = side.finish() + [(source, list(range(SHORT_LINES))) for source in shorts]
        end, reader = time.monotonic() + 120, agent.reader()
        while True:
            stored = all_of(reader)
            full = lambda source, written: (
                len(stored[source].lines) >= len(written)
                or (source in explained and (stored[source].gaps or source in side.unasked))
                or (side.GAPS and stored[source].lines and stored[source].messages()[-1] == b"line %d" % written[-1])
            )
            if all(full(source, written) for source, written in wanted) or time.monotonic() > end:
                break
            time.sleep(2)
        code = agent.stop()
        stored = all_of(reader)
        wrong = [
            said
            for source, written in wanted
            if not (source in explained & side.unasked and not stored[source].lines and not stored[source].gaps)
            and (said := judge(stored[source], source, list(written), source in explained, side.GAPS))
        ]
        named = sum(bool(stored[source].gaps) for source in explained)
        short_of = sum(max(0, SHORT_LINES - len(stored[source].lines)) for source in explained)
        verify = agent.tool("verify", check=False)
        verified = verify.returncode
        lines = sum(len(written) for _, written in wanted)
        lost = sum(written[-1] + 1 - len(written) for _, written in wanted if len(written))
        unknown = [source for source in explained & side.unasked if not stored[source].lines]
        away = sum(len(written) - len(stored[s].lines) for s, written in wanted if s not in explained)
        print(
            f"{arguments.engine}: {arguments.kills} kills of the agent,"
            f" {side.rotations(arguments) or 'many'} rotations, {len(shorts)} short containers, {len(wanted)} logs,"
            f" {lines} lines, {time.monotonic() - started:.0f} s: {len(wrong)} wrong, {named} deleted ones with a named"
            f" gap ({len(explained)} were killed behind), {short_of} of their lines gone; {away} lines of others in"
            f" {sum(len(stored[s].gaps) for s, _ in wanted if s not in explained)} named gaps; {len(unknown)} that"
            f" nobody could be asked about; the runtime itself lost {lost}"
        )
        for said in wrong[:20]:
            print(f"  {said}")
            source = said.partition(":")[0]
            for entry in agent.log(since_start=False):
                if source.startswith(entry.get("container", "-")):
                    print(f"    {entry['time']} {entry['event']} {entry.get('reason', '')}{entry.get('error', '')}")
        if wrong or code or verified:
            print((verify.stdout + verify.stderr).decode()[-2000:])
            print(f"  the agent ended with {code}, verify with {verified}; its log:\n{agent.last_words(30)}")
            return 1
        return 0
    finally:
        agent.close()
        side.close()


if __name__ == "__main__":
    sys.exit(main())
