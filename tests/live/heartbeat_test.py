#!/usr/bin/python3
"""heartbeat_test.py BOATSWAIND BOATSWAIN: an agent's heartbeats, as `boatswain fleet status` sees them. No engine is
needed: that it is missing
is what the agent has to say."""
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

DAEMON, TOOL = sys.argv[1:3]
WAIT_SECONDS_MAX = 60


class Heartbeats(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name)
        self.store = f"dir:{self.top}/store"
        (self.top / "store").mkdir()
        (self.top / "keys").mkdir()

    def tool(self, *arguments):
        return subprocess.run([TOOL, "fleet", *arguments], capture_output=True, text=True, timeout=60)

    def start(self, host, *options):
        log = open(self.top / f"{host}.log", "w")
        self.addCleanup(log.close)
        agent = subprocess.Popen(
            [
                DAEMON,
                "agent",
                "--host",
                host,
                "--state-dir",
                self.top / f"state-{host}",
                "--engine-socket",
                self.top / "no-engine.sock",
                "--docker-root",
                self.top / "no-docker",
                "--listen",
                "off",
                "--store-url",
                self.store,
                "--tenancy-keyring",
                self.top / "keys",
                "--fleet-heartbeat",
                "1s",
                *options,
            ],
            stderr=log,
        )
        self.addCleanup(lambda: agent.poll() is None and (agent.kill(), agent.wait()))
        return agent

    def rows(self, *options):
        done = self.tool("status", "--store", self.store, "--json", *options)
        return done.returncode, {host["host"]: host for host in json.loads(done.stdout)["hosts"]}

    def wait_for(self, condition, what):
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not condition():
            self.assertLess(
                time.monotonic(), deadline, what + "\n" + "".join(path.read_text() for path in self.top.glob("*.log"))
            )
            time.sleep(0.2)

    def test_are_proven_tell_trouble_and_grow_late(self):
        fleet_key, other_key, host_key = (str(self.top / name) for name in ("fleet.key", "other.key", "b.key"))
        self.assertEqual(self.tool("key", "new", "--out", fleet_key).returncode, 0)
        self.assertEqual(
            self.tool("key", "new", "--out", fleet_key).returncode, 1, "an existing key is never overwritten"
        )
        self.assertEqual(pathlib.Path(fleet_key).stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.tool("key", "new", "--out", other_key).returncode, 0)
        derived = self.tool("key", "derive", "b", "--key", fleet_key)
        pathlib.Path(host_key).write_text(derived.stdout)

        agents = [self.start("a", "--fleet-key", fleet_key), self.start("b", "--fleet-key", host_key), self.start("c")]
        self.wait_for(lambda: len(self.rows()[1]) == 3, "three heartbeats")
        code, rows = self.rows("--fleet-key", fleet_key)
        self.assertEqual(code, 1)
        self.assertEqual(
            {host: row["heartbeat"]["proof"] for host, row in rows.items()},
            {"a": "proven", "b": "proven", "c": "forged"},
        )
        self.assertIn("the engine is not followed", rows["a"]["why"])
        stored = [rows["a"]["heartbeat"][name] for name in ("stored_segments", "stored_bytes", "put_requests")]
        self.assertEqual(stored, [0, 0, 0], "what the store costs, of a host that stored nothing")
        self.assertIn("forged", rows["c"]["why"])
        _, rows = self.rows("--fleet-key", other_key)
        self.assertEqual(rows["a"]["heartbeat"]["proof"], "forged")
        _, rows = self.rows("--expect", "a,z")
        self.assertEqual(rows["z"]["why"], "no heartbeat")

        seen = rows["a"]["heartbeat"]["time"]
        self.wait_for(lambda: self.rows()[1]["a"]["heartbeat"]["time"] > seen, "the next heartbeat")
        agents[1].terminate()
        self.assertEqual(agents[1].wait(timeout=60), 0)
        self.wait_for(lambda: "last heard of" in self.rows()[1]["b"]["why"], "b to be late")
        table = self.tool("status", "--store", self.store).stdout
        self.assertRegex(table, r"^HOST .* OBJECTS/H +STORED +HEARD .*\n(.*\n)*a .* 0 B .*PROBLEM")
        self.assertNotIn("\x1b", table)

    def test_of_nodes_of_kubernetes_tell_which_node_is_in_trouble_and_which_has_no_agent(self):
        subprocess.run([TOOL, "keys", "new", "acme", "--out", self.top / "keys"], check=True, capture_output=True)
        (self.top / "keys/acme.key").rename(self.top / "acme.key")
        for node in ("node-1", "node-2"):
            log = self.top / node / "acme_web-0_11111111-2222-3333-4444-555555555555/app/0.log"
            log.parent.mkdir(parents=True)
            log.write_text(f"2026-11-30T10:00:00Z stdout F of {node}\n")
        # As deploy/kubernetes/boatswain.yaml has it; on the third node /var/log/pods is not mounted.
        as_on_a_node = ("--docker-enabled=false", "--tenancy-tenant", "kubernetes", "--batch-flush-after", "200ms")
        for node in ("node-1", "node-2", "node-3"):
            self.start(node, *as_on_a_node, "--cri-pods", self.top / node)
        nodes = ("--expect", "node-1,node-2,node-3,node-4")
        good = lambda row: row.get("heartbeat", {}).get("stored_segments", 0) > 0
        self.wait_for(lambda: all(good(self.rows(*nodes)[1][f"node-{n}"]) for n in (1, 2)), "two nodes that store")
        self.wait_for(lambda: "heartbeat" in self.rows(*nodes)[1]["node-3"], "the third node's heartbeat")
        code, rows = self.rows(*nodes)
        self.assertEqual(code, 1)
        self.assertEqual([rows[f"node-{n}"]["why"] for n in (1, 2)], ["", ""])
        self.assertEqual(rows["node-1"]["heartbeat"]["containers"], 1)
        self.assertIn("is not followed", rows["node-3"]["why"])
        self.assertEqual(rows["node-4"]["why"], "no heartbeat")
        code, rows = self.rows("--expect", "node-1,node-2")
        self.assertEqual(sorted(rows), ["node-1", "node-2", "node-3"], "one that is not expected is shown all the same")

    def test_cannot_be_found_out_without_a_store(self):
        self.assertEqual(self.tool("status", "--store", "s3://nobody?endpoint=http://127.0.0.1:1").returncode, 2)
        self.assertEqual(self.tool("status").returncode, 2)
        self.assertEqual(self.tool("status", "--store", f"dir:{self.top}/nowhere").returncode, 2)
        (self.top / "empty").mkdir()
        self.assertEqual(self.tool("status", "--store", f"dir:{self.top}/empty").returncode, 1)

    def test_a_key_of_another_host_is_refused_before_anything_is_read(self):
        fleet_key, host_key = str(self.top / "fleet.key"), self.top / "b.key"
        self.tool("key", "new", "--out", fleet_key)
        host_key.write_text(self.tool("key", "derive", "b", "--key", fleet_key).stdout)
        agent = self.start("a", "--fleet-key", host_key)
        self.assertNotEqual(agent.wait(timeout=60), 0)
        self.assertIn('is the key of host "b"', (self.top / "a.log").read_text())


unittest.main(argv=sys.argv[:1])
