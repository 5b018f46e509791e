#!/usr/bin/python3
"""Pods on a real containerd: each line of each, once, under its namespace's tenant, over rotation, kills and
deletion."""
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from harness import *
import api_server
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
        usual = dict(
            docker__enabled=False,
            cri__pods=str(self.containerd.pods),
            tenancy__tenant=["kubernetes"],
            tenancy__app=["kubernetes", "name"],
            batch__flush_after="300ms",
        )
        return super().agent(**usual | settings)

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

    def test_variables_say_whose_pods_are_by_containerds_tasks(self):
        settings = dict(tenancy__tenant=["env:TEAM"], tenancy__trust_image=True, cri__tasks=str(self.containerd.tasks))
        early = self.pod("shop", "echo early; sleep 1000", name="early-0", environment={"TEAM": "red", "SECRET": "x"})
        agent = self.agent(cri__labels_wait="2s", **settings)
        self.assertTrue(agent.logged("confined", reads="what it needs"))
        pods = [
            self.pod(
                "shop", f"i=0; while [ $i -lt 10 ]; do echo line $i; i=$((i+1)); done{end}", name=name, environment=env
            )
            for name, end, env in (
                ("job-0", "", {"TEAM": "green"}),
                ("web-0", "; sleep 1000", {"TEAM": "blue"}),
                ("plain-0", "; sleep 1000", {}),
            )
        ]
        pods[0].wait()
        pods[0].start_again("echo again")
        pods[0].wait()
        tenants = ("green", "blue", "_unassigned")
        sources = [f"{pods[0].uid}/app/0", pods[1].source, pods[2].source]
        for source in sources:
            wait_for(lambda: len(agent.reader().of(source).lines) == 10, 30, source)
        wait_for(
            lambda: agent.reader().of(pods[0].source).lines and agent.reader().of(early.source).lines, 30, "others"
        )
        # Its tasks are gone when the agent comes back: what is known of it holds.
        agent.kill()
        agent.start()
        wait_for(lambda: agent.logged("container assigned again", container=sources[0]), 20, "the run that has ended")
        self.assertEqual(agent.stop(), 0)
        for source, tenant in zip(sources, tenants):
            self.assert_numbers(agent.reader().of(source), 10, container=source)
            self.assertEqual(agent.reader().of(source).tenant, tenant)
        self.assertEqual(agent.reader().of(pods[0].source).tenant, "green")
        self.assertEqual(agent.reader().of(early.source).tenant, "red")
        self.assertEqual(agent.tool("verify").returncode, 0)

    def test_labels_say_whose_pods_are_while_agent_and_api_server_come_and_go(self):
        place = scratch("bwa.")
        self.addCleanup(shutil.rmtree, place)
        token = place / "token"
        token.write_text("first\n")
        api = api_server.ApiServer(place, token="first")
        self.addCleanup(api.close)
        tell = lambda pod, **labels: api.put(api_server.pod(pod.namespace, pod.name, pod.uid, labels))
        agent = self.agent(
            tenancy__tenant=["pod-label:team", "namespace ~ /^green$/"],
            cri__api=api.url,
            cri__api_token_file=str(token),
            cri__api_ca_file=str(place / "ca.crt"),
            cri__node=api_server.NODE,
            cri__labels_wait="5m",
        )
        self.assertTrue(agent.logged("confined", reads="what it needs"))
        lines = 1500
        script = (
            f"i=0; while [ $i -lt {lines} ]; do echo line $i; i=$((i+1)); [ $((i % 50)) -gt 0 ] || usleep 50000; done;"
            " sleep 1000"
        )
        red, blue = (self.pod("shop", script, name=f"web-{n}") for n in range(2))
        green = self.pod("green", "echo mine; sleep 1000", name="plain-0")
        nobodys = self.pod("green", "echo whose; sleep 1000", name="unknown-0")
        why = lambda pod: json.loads(
            run(
                BUILD / "boatswain", "why", "--socket", agent.state / "agent.sock", pod.source, "--json", check=False
            ).stdout
            or "{}"
        )
        wait_for(lambda: "waits for its pod's labels" in why(red).get("reason", ""), 20, lambda: str(why(red)))
        tell(red, team="red")
        tell(blue, team="blue", app="web")
        tell(green)
        wait_for(
            lambda: agent.reader().of(red.source).lines and agent.reader().of(blue.source).lines, 30, "their lines"
        )
        # The token and the server are others when the agent comes back; and the labels are others, too.
        agent.kill()
        api.token = "second"
        token.write_text("second")
        api.forget()
        agent.settings["cri"]["labels_wait"] = "1s"
        agent.write_config()
        agent.start()
        wait_for(lambda: why(nobodys).get("verdict") == "quarantined", 30, lambda: str(why(nobodys)))
        self.assertIn("pod-label:team could not be asked: the API server knows no such pod", why(nobodys)["reason"])
        tell(red, team="blue")
        # A pod that lives while the server is away is read when it is back.
        api.refuse(503)
        api.drop()
        wait_for(lambda: agent.logged("watch is not followed"), 30, "the agent says so")
        short = self.pod("shop", "i=0; while [ $i -lt 10 ]; do echo line $i; i=$((i+1)); done", name="job-0")
        short.wait()
        wait_for(lambda: why(short).get("verdict") == "held", 30, lambda: str(why(short)))
        self.assertIn("HTTP 503: refused for a test", why(short)["reason"])
        short.delete()
        tell(short, team="red")
        api.refuse(None)
        wait_for(lambda: len(agent.reader().of(short.source).lines) == 10, 60, "the lines of the short one")
        for pod in (red, blue):
            wait_for(lambda: len(agent.reader().of(pod.source).lines) >= lines, 60, "all lines")
        self.assertEqual(agent.stop(), 0)
        for pod, tenant, count in ((red, "red", lines), (blue, "blue", lines), (short, "red", 10)):
            self.assert_numbers(agent.reader().of(pod.source), count, container=pod.name)
            self.assertEqual(agent.reader().of(pod.source).tenant, tenant)
        self.assertEqual(agent.reader().of(green.source).tenant, "green")
        self.assertEqual(agent.reader().of(nobodys.source).tenant, "_unassigned")
        told = agent.tool(
            "logs", "--namespace", "shop", "--pod", "web-1", "--container", "app", "--output", "raw"
        ).stdout
        self.assertEqual(len(told.splitlines()), lines, "found by the names that people know")
        watches = [asked for _, _, asked, _ in api.asked]
        self.assertEqual({asked["fieldSelector"] for asked in watches}, {f"spec.nodeName={api_server.NODE}"})
        self.assertEqual({sent for _, _, _, sent in api.asked}, {"Bearer first", "Bearer second"})
        self.assertLess(len(watches), 25, "it waits longer each time")
        self.assertEqual(agent.tool("verify").returncode, 0)


if __name__ == "__main__":
    main()
