#!/usr/bin/python3
"""deploy/swarm/boatswain.yaml on a swarm: a real engine in swarm mode, one node, tenants that are stacks."""
import urllib.request

import yaml
from deploy_test import OnAnEngine
from harness import BUILD, IMAGE as BUSYBOX, free_port, main, run, wait_for
from orchestrators import DEPLOY, IMAGE

FILE = DEPLOY / "swarm/boatswain.yaml"


class Swarm(OnAnEngine):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.engine.docker(
            "swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", f"127.0.0.1:{free_port()}"
        )
        self.addCleanup(self.engine.docker, "swarm", "leave", "--force")

    def deploy(self, name, services):
        """`docker stack deploy`: the file decides, of the test are only the host's paths, port, store and image."""
        path = self.host / f"{name}.yaml"
        path.write_text(yaml.safe_dump({"version": "3.8", "services": services}))
        self.engine.docker("stack", "deploy", "--resolve-image", "never", "--compose-file", path, name, timeout=120)
        self.addCleanup(self.remove, name)

    def remove(self, name):
        self.engine.docker("stack", "rm", name, timeout=120)
        wait_for(
            lambda: not self.engine.docker("ps", "-aq", "--filter", f"label=com.docker.stack.namespace={name}"),
            90,
            f"{name} is gone",
        )

    def services_of_the_file(self):
        paths = {
            "/run": self.engine.socket.parent,
            "/run/boatswain": self.host / "run",
            "/var/lib/docker/containers": self.engine.root / "containers",
            "/etc/boatswain": self.host / "etc",
            "/var/lib/boatswain": self.host / "state",
        }
        services = yaml.safe_load(FILE.read_text())["services"]
        for service in services.values():
            service["image"] = IMAGE
            for volume in service["volumes"]:
                volume["source"] = str(paths[volume["source"]])
            for port in service.get("ports", []):
                port["published"] = self.port
        environment = services["agent"]["environment"]
        self.assertIn("BOATSWAIN_STORE_URL", environment)
        environment.update(BOATSWAIN_STORE_URL="dir:/var/lib/boatswain/store", BOATSWAIN_BATCH_FLUSH_AFTER="1s")
        return services

    def task_of(self, service):
        """The id of the service's one running container; nothing while there is none."""
        running = self.engine.docker(
            "ps", "-q", "--no-trunc", "--filter", f"label=com.docker.swarm.service.name={service}"
        ).split()
        return running[0] if len(running) == 1 else None

    def said(self):
        return "\n".join(
            self.engine.docker("service", command, *more, service, check=False)
            for service in ("boatswain_guard", "boatswain_agent")
            for command, more in (("ps", ("--no-trunc",)), ("logs", ("--tail", "20")))
        )

    def ready(self):
        """At the port that Swarm publishes on the node."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def test_the_stack_reads_the_tenants_stacks_and_loses_nothing_when_it_is_updated(self):
        self.deploy("boatswain", self.services_of_the_file())
        self.deploy(
            "red",
            {
                "web": {
                    "image": BUSYBOX,
                    "command": ["sh", "-c", "i=0; while true; do i=$$((i + 1)); echo line $$i; sleep 0.01; done"],
                    "networks": [],
                    "deploy": {"endpoint_mode": "dnsrr"},
                }
            },
        )
        wait_for(lambda: self.reader.line_count() >= 300, 90, lambda: f"lines of the stack: {self.said()}")
        agent, web = self.task_of("boatswain_agent"), self.task_of("red_web")
        wait_for(lambda: self.ready(), 30, "ready")
        stored = self.reader.of(web)
        node = self.engine.docker("node", "inspect", "self", "--format", "{{.Description.Hostname}}")
        self.assertEqual((stored.tenant, stored.heading["app"]), ("red", "red_web"))
        self.assertRegex(stored.heading["instance"], r"^red_web\.1\.")
        self.assertTrue(
            all(f"/host={node}/" in key for key in self.reader.objects()), "objects name the node, not the container"
        )

        self.engine.docker("service", "update", "--force", "--detach", "boatswain_agent")
        self.engine.docker("service", "update", "--force", "--detach", "boatswain_guard")
        wait_for(
            lambda: self.task_of("boatswain_agent") not in (agent, None), 120, lambda: f"another agent: {self.said()}"
        )
        count = self.reader.line_count()
        wait_for(lambda: self.reader.line_count() >= count + 300, 90, lambda: f"lines after the update: {self.said()}")
        self.engine.docker("service", "scale", "--detach", "red_web=0")
        wait_for(
            lambda: self.reader.of(web).heading and self.task_of("red_web") is None, 60, "the tenant's service ends"
        )
        self.remove("boatswain")
        stored = self.reader.of(web)
        self.assert_numbers(stored, len(stored.lines), first=1)
        self.assertEqual(stored.gaps, [])
        verified = run(
            BUILD / "boatswain",
            "verify",
            "--store",
            f"dir:{self.host / 'state/store'}",
            "--identity",
            self.keys / "red.key",
            check=False,
        )
        self.assertEqual(verified.returncode, 0, verified.stdout.decode() + verified.stderr.decode())


if __name__ == "__main__":
    main()
