#!/usr/bin/python3
"""The main job on pods of a real containerd, or on containers of a real Podman. Run it as `./dev demo --engine NAME`.

    demo_pods.py --engine containerd|podman [--once]

A private containerd (or Podman) of this machine's packages is started, with two tenants on it; an agent reads what they
print, without any socket from containerd; who has a tenant's key reads its lines, nobody else does. With --once: all of
it, then it is cleaned up; exit code 0, or another with the reason. Needs root.
"""
import argparse
import os
import pathlib
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[1]
for folder in ("live", "support"):
    sys.path.insert(0, str(ROOT / "tests" / folder))
import harness  # noqa: E402 - found by the path that is set above

TENANTS = ("red", "green")
LINES = 20
TALK = f"i=0; while [ $i -lt {LINES} ]; do echo $0 says $i; i=$((i+1)); done; exec sleep 100000"


def heading(text):
    print(f"\n== {text}", flush=True)


def say(text):
    print(text, flush=True)


class Pods:
    rule = "by the namespace in its log's path"

    def __init__(self):
        import containerd

        self.containerd = containerd.Containerd()
        self.engine = None
        self.settings = {
            "docker__enabled": False,
            "cri__pods": str(self.containerd.pods),
            "tenancy__tenant": ["kubernetes"],
            "tenancy__app": ["kubernetes", "name"],
        }
        say(
            f"containerd {self.containerd.version()}, and pods as a kubelet makes them; no socket is given to the agent"
        )
        for tenant in TENANTS:
            pod = containerd.Pod(self.containerd, tenant, TALK.replace("$0", tenant), name="web-0")
            say(f"  {pod.log.relative_to(self.containerd.pods)}")

    def close(self):
        self.containerd.close()


class Podman:
    rule = "by its label boatswain.tenant"

    def __init__(self):
        import podman

        self.engine = podman.Podman()
        self.settings = {"docker__root": str(self.engine.root), "tenancy__tenant": ["label:boatswain.tenant"]}
        say(f"Podman {self.engine.version()}, driver k8s-file")
        for tenant in TENANTS:
            script = TALK.replace("$0", tenant)
            container = self.engine.run(script, f"web-{tenant}", labels={"boatswain.tenant": tenant})
            say(f"  {container[:12]} web-{tenant}")

    def close(self):
        self.engine.close()


def show(agent, side):
    agent.start(wait=False)
    stored = lambda: sorted(found.tenant for found in agent.reader().containers().values() if len(found.lines) == LINES)
    harness.wait_for(lambda: stored() == sorted(TENANTS), 90, lambda: f"all lines are stored:\n{agent.last_words()}")
    say(f"All {len(TENANTS) * LINES} lines are sealed and stored; each container's tenant was found {side.rule}:")
    for key in agent.reader().objects():
        say(f"  {key}")
    heading("Who can read them")
    for tenant in TENANTS:
        text = agent.tool("logs", "--output", "text", tenants=(tenant,)).stdout.decode().splitlines()
        say(f"With {tenant}'s key, {len(text)} lines, the last:\n  {text[-1]}")
        assert len(text) == LINES and all(f"{tenant} says" in line for line in text), text
    reader = agent.reader()
    mine, other = (next(key for key in reader.objects() if f"tenant={tenant}/" in key) for tenant in TENANTS)
    refused = harness.run("age", "-d", "-i", reader.identity(TENANTS[1]), stdin=reader.bytes_of(mine), check=False)
    assert refused.returncode != 0 and not refused.stdout
    say(f"With {TENANTS[1]}'s key, {TENANTS[0]}'s object: {refused.stderr.decode().splitlines()[0]}")
    assert agent.tool("verify", tenants=TENANTS).returncode == 0
    say("boatswain verify: nothing is missing, and nothing was altered")


def main():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--engine", choices=("containerd", "podman"), required=True)
    parser.add_argument("--once", action="store_true", help="show everything, clean up, and end")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("the files in which the runtime keeps output are root's: run as root")
    heading(f"A private {arguments.engine}")
    side = (Pods if arguments.engine == "containerd" else Podman)()
    agent = harness.Agent(side.engine, tenants=TENANTS, **side.settings)
    try:
        heading("An agent, and what it stored")
        show(agent, side)
        if not arguments.once:
            heading("It goes on until you press Enter")
            say(f"  boatswain why --socket {agent.state}/agent.sock")
            say(f"  boatswain logs --store {agent.store} --identity {agent.keys}/{TENANTS[0]}.key --follow")
            sys.stdin.readline()
    except KeyboardInterrupt:
        pass
    except AssertionError as wrong:
        sys.exit(f"this should not be: {wrong}")
    finally:
        heading("Cleaning up")
        if agent.process:
            agent.stop()
        agent.close()
        side.close()
        say("Everything this demo started is gone.")


if __name__ == "__main__":
    main()
