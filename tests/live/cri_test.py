#!/usr/bin/python3
"""Pods on a real containerd: each line of each, once, under its namespace's tenant, over rotation, kills and
deletion."""
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from harness import *
from containerd import Containerd, Pod

NAMESPACES = ("red", "green", "blue")


class Pods(LiveTest):
    @classmethod
    def setUpClass(cls):
        cls.containerd = Containerd()
        cls.addClassCleanup(cls.containerd.close)

    def setUp(self):
        self.started = time.monotonic()

    def agent(self, **settings):
        return super().agent(
            docker__enabled=False,
            cri__pods=str(self.containerd.pods),
            tenancy__tenant=["kubernetes"],
            tenancy__app=["kubernetes", "name"],
            batch__flush_after="300ms",
            **settings,
        )

    def pod(self, *arguments, **keywords):
        pod = Pod(self.containerd, *arguments, **keywords)
        self.addCleanup(lambda: pod.directory.exists() and pod.delete())
        return pod

    def test_nothing_is_lost_or_doubled_over_rotation_and_kills(self):
        lines = 6000
        script = (
            f"i=0; while [ $i -lt {lines} ]; do echo line $i; i=$((i+1)); [ $((i % 50)) -gt 0 ] || usleep 20000; done;"
            " sleep 1000"
        )
        pods = [self.pod(space, script, name=f"web-{n}") for n in range(2) for space in NAMESPACES]
        wide = self.pod(
            "red",
            (
                "i=0; while [ $i -lt 12 ]; do head -c 100000 /dev/zero | tr '\\0' x; echo $i; usleep 200000;"
                " i=$((i+1)); done; sleep 1000"
            ),
            name="wide-0",
        )
        agent = self.agent()
        for round in range(6):
            time.sleep(0.3)
            for pod in (*pods, wide):
                pod.rotate()
            if round in (1, 4):
                agent.kill()
                agent.start()
        wait_for(
            lambda: all(len(agent.reader().of(pod.source).lines) >= lines for pod in pods),
            90,
            "all lines are stored",
            pause=1,
        )
        wait_for(lambda: len(agent.reader().of(wide.source).lines) >= 12, 30, "the long lines are stored")
        self.assertEqual(agent.stop(), 0)
        for pod in pods:
            stored = agent.reader().of(pod.source)
            self.assert_numbers(stored, lines, container=pod.name)
            self.assertEqual(stored.tenant, pod.namespace)
            self.assertEqual(stored.heading["name"], f"{pod.namespace}/{pod.name}/app")
        self.assertEqual(agent.reader().of(wide.source).messages(), [b"x" * 100000 + b"%d" % i for i in range(12)])
        self.assertEqual(agent.tool("verify").returncode, 0)
        self.assertEqual(agent.raw("red/web-0/app").splitlines()[0], b"line 0", "found by the name that people know")

    def test_short_pods_are_whole_and_closed_and_others_go_on_over_a_crash_of_containerd(self):
        agent = self.agent()
        lasting = self.pod(
            "green", "i=0; while true; do echo line $i; i=$((i+1)); usleep 50000; done", name="lasting-0"
        )

        def live(number):
            pod = self.pod(
                NAMESPACES[number % 3],
                "i=0; while [ $i -lt 10 ]; do echo line $i; i=$((i+1)); done",
                name=f"job-{number}",
            )
            pod.wait()
            pod.delete()
            return pod

        short = in_parallel(live, range(18), workers=3)
        self.containerd.kill()
        time.sleep(1)
        self.containerd.start()
        seen = len(agent.reader().of(lasting.source).lines)
        wait_for(lambda: len(agent.reader().of(lasting.source).lines) > seen, 30, "lines behind the crash")
        wait_for(lambda: all(len(agent.reader().of(pod.source).lines) == 10 for pod in short), 30, "all short pods")
        self.assertEqual(agent.stop(), 0)
        for pod in short:
            self.assert_numbers(agent.reader().of(pod.source), 10, container=pod.name)
        stored = agent.reader().of(lasting.source)
        self.assert_numbers(stored, len(stored.lines), container="lasting")
        self.assertEqual(agent.tool("verify").returncode, 0)

    def test_a_run_again_and_a_pod_deleted_while_no_agent_ran_are_told(self):
        agent = self.agent()
        pod = self.pod("blue", "echo first; echo err >&2; printf unfinished")
        pod.wait()
        gone = self.pod("blue", "echo here; sleep 1000", name="gone-0")
        first = pod.source
        pod.start_again("echo second; sleep 1000")
        wait_for(
            lambda: len(agent.reader().of(first).lines) == 3
            and agent.reader().of(pod.source).lines
            and agent.reader().of(gone.source).lines,
            30,
            "lines of both runs",
        )
        # The runtime reads the two streams apart: which of their lines comes first is its own affair.
        self.assertEqual(agent.reader().of(first).messages("stdout"), [b"first", b"unfinished"])
        self.assertEqual(agent.reader().of(first).messages("stderr"), [b"err"])
        self.assertEqual(agent.reader().of(pod.source).messages(), [b"second"])
        self.assertEqual(agent.stop(), 0)
        gone.delete()
        agent.start()
        wait_for(lambda: agent.reader().of(gone.source).gaps, 30, "the gap record")
        self.assertEqual([gap["reason"] for gap in agent.reader().of(gone.source).gaps], ["removed-while-away"])
        self.assertEqual(agent.reader().of(first).gaps, [])
        self.assertEqual(agent.reader().of(pod.source).gaps, [])


if __name__ == "__main__":
    main()
