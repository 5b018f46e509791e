#!/usr/bin/python3
"""why_test.py BOATSWAIND BOATSWAIN: asks a running agent about containers of every kind, and checks what it says.

Run by with_engine.sh, which gives the engine.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

DAEMON, TOOL = sys.argv[1:3]
ENGINE = os.environ["BOATSWAIN_TEST_ENGINE_SOCKET"]
WAIT_SECONDS_MAX = 20
SECRET = "hunter2-must-not-be-told"
PRINTED = "a-line-that-must-not-be-told"


def docker(*arguments):
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def make_key(directory, tenant):
    """The public half into the keyring; the identity beside it. Once."""
    if (directory / "keys" / f"{tenant}.pub").exists():
        return
    made = directory / "identities"
    subprocess.run([TOOL, "keys", "new", tenant, "--out", made], check=True, capture_output=True)
    (directory / "keys").mkdir(exist_ok=True)
    (made / f"{tenant}.pub").rename(directory / "keys" / f"{tenant}.pub")


class Agent:
    """A running agent with a state directory, a store and a keyring of its own."""

    def __init__(self, directory, *options):
        self.directory = directory
        self.socket = directory / "state" / "agent.sock"
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        (directory / "notify").unlink(missing_ok=True)
        self.manager.bind(str(directory / "notify"))
        self.manager.settimeout(WAIT_SECONDS_MAX)
        self.log = open(directory / "log", "a")
        self.process = subprocess.Popen(
            [
                DAEMON,
                "agent",
                "--state-dir",
                directory / "state",
                "--engine-socket",
                ENGINE,
                "--listen",
                "off",
                "--store-url",
                f"dir:{directory}/store",
                "--tenancy-keyring",
                directory / "keys",
                "--batch-flush-after",
                "1s",
                "--docker-exclude",
                "name:^by-rule",
                *options,
            ],
            stderr=self.log,
            env={**os.environ, "NOTIFY_SOCKET": str(directory / "notify")},
        )

    def told(self):
        return self.manager.recv(100).decode()

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(timeout=60)
        self.log.close()
        self.manager.close()
        return code


class Case(unittest.TestCase):
    agent = None  # the one that is asked unless another is named

    def run_tool(self, *arguments, agent=None):
        ran = subprocess.run(
            [TOOL, *arguments, "--socket", (agent or self.agent).socket], capture_output=True, text=True
        )
        for secret in (SECRET, PRINTED):
            self.assertNotIn(secret, ran.stdout + ran.stderr)
        return ran

    def container(self, name, *options, command="echo " + PRINTED + "; sleep 1000"):
        identity = docker(
            "run",
            "--detach",
            "--name",
            name,
            "--env",
            "PASSWORD=" + SECRET,
            *options,
            "bw/busybox",
            "sh",
            "-c",
            command,
        )
        self.addCleanup(docker, "rm", "--force", name)
        return identity

    def until(self, name, holds, agent=None):
        """The agent's answer about `name`, once `holds` is true of it."""
        end = time.monotonic() + WAIT_SECONDS_MAX
        while True:
            ran = self.run_tool("why", name, "--json", agent=agent)
            told = json.loads(ran.stdout) if ran.stdout else None
            if told and holds(told):
                return told
            if time.monotonic() > end:
                self.fail(f"{name}: {ran.stdout}{ran.stderr}")
            time.sleep(0.1)

    def explained(self, name, code):
        ran = self.run_tool("why", name)
        self.assertEqual(ran.returncode, code, ran.stdout + ran.stderr)
        return ran.stdout


class Why(Case):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="bww.", dir="/tmp"))
        for tenant in ("acme", "_unassigned"):
            make_key(cls.directory, tenant)
        cls.agent = Agent(cls.directory)
        assert cls.agent.told() == "READY=1"

    @classmethod
    def tearDownClass(cls):
        cls.agent.stop()
        shutil.rmtree(cls.directory)

    def test_a_json_file_container_of_a_tenant_is_collected(self):
        identity = self.container("web-1", "--env", "BOATSWAIN_TENANT=acme", "--label", "boatswain.app=shop/cart")
        told = self.until("web-1", lambda told: told["last_segment"] and told["held_back"]["lines"] == 0)
        self.assertEqual(told["verdict"], "collected")
        self.assertEqual(
            (told["id"], told["tenant"], told["app"], told["rule"]),
            (identity, "acme", "shop/cart", "env:BOATSWAIN_TENANT"),
        )
        self.assertEqual((told["reader"], told["lines_read"], told["position"]["lag_bytes"]), ("json-file", 1, 0))
        self.assertEqual(told["position"]["offset"], told["position"]["size"])
        self.assertIn("tenant=acme/", told["last_segment"]["key"])
        text = self.explained("web-1", 0)
        self.assertTrue(
            text.startswith(
                "web-1 is collected for tenant acme (rule env:BOATSWAIN_TENANT), read from its json-file log, 0 B"
                " behind; last segment "
            ),
            text,
        )
        self.assertEqual(
            self.explained(identity[:12], 0).splitlines()[0].split(";")[0], text.splitlines()[0].split(";")[0]
        )

    def test_a_container_with_driver_local_is_read_through_the_engine(self):
        self.container("local-1", "--log-driver", "local", "--env", "BOATSWAIN_TENANT=acme")
        told = self.until("local-1", lambda told: told["lines_read"] == 1)
        self.assertEqual(told["reader"], "logs")
        self.assertTrue(told["position"]["last_stdout"])
        self.assertIn("read through the engine", self.explained("local-1", 0))

    def test_a_container_with_driver_none_is_not_read_unless_it_asks_to_be_attached_to(self):
        self.container("none-1", "--log-driver", "none", "--env", "BOATSWAIN_TENANT=acme")
        self.container(
            "none-2", "--log-driver", "none", "--env", "BOATSWAIN_TENANT=acme", "--label", "boatswain.attach=true"
        )
        self.assertEqual(self.until("none-1", lambda told: True)["verdict"], "unreadable")
        text = self.explained("none-1", 1)
        self.assertTrue(text.startswith("none-1 is not collected: log driver none keeps nothing to read"), text)
        self.assertIn("To do: use a log driver that can be read", text)
        self.assertEqual(self.until("none-2", lambda told: True)["reader"], "attach")

    def test_an_excluded_container_is_told_with_its_rule(self):
        self.container("by-label", "--label", "boatswain.exclude=true")
        self.container("by-rule-1")
        self.until("by-label", lambda told: told["verdict"] == "excluded")
        self.assertIn("by-label is not collected: label boatswain.exclude=true\n", self.explained("by-label", 1))
        self.until("by-rule-1", lambda told: told["verdict"] == "excluded")
        self.assertIn("by-rule-1 is not collected: exclude rule name:^by-rule\n", self.explained("by-rule-1", 1))

    def test_a_container_without_tenant_or_key_is_quarantined(self):
        self.container("stray")
        self.container("keyless", "--env", "BOATSWAIN_TENANT=globex")
        for name, reason in (("stray", "no tenant"), ("keyless", "tenant globex (env:BOATSWAIN_TENANT) has no key")):
            told = self.until(name, lambda told: told["last_segment"])
            self.assertEqual((told["verdict"], told["tenant"]), ("quarantined", "_unassigned"))
            self.assertIn(reason, told["reason"])
            self.assertIn(f"{name} is collected for the operator, in quarantine", self.explained(name, 0))

    def test_a_container_that_is_gone_is_remembered(self):
        docker("run", "--rm", "--name", "brief", "--env", "BOATSWAIN_TENANT=acme", "bw/busybox", "echo", PRINTED)
        told = self.until("brief", lambda told: told["ended"])
        self.assertEqual((told["state"], told["lines_read"], told["verdict"]), ("removed", 1, "collected"))
        self.assertIn(
            "brief was collected for tenant acme (rule env:BOATSWAIN_TENANT) to its end", self.explained("brief", 0)
        )

    def test_an_unknown_or_ambiguous_name_is_said_to_be_that(self):
        ran = self.run_tool("why", "nosuch")
        self.assertEqual((ran.returncode, ran.stdout), (1, ""))
        self.assertIn('this agent knows no container "nosuch"', ran.stderr)
        known = []
        while len({identity[0] for identity in known}) == len(known):  # until two ids begin alike
            known.append(self.container(f"many-{len(known)}", "--env", "BOATSWAIN_TENANT=acme", command="sleep 1000"))
            self.until(known[-1], lambda told: True)
        twice = known[-1][0]
        ran = self.run_tool("why", twice)
        self.assertEqual(ran.returncode, 1)
        self.assertIn("may be any of several containers", ran.stderr)
        self.assertIn(known[-1][:12], ran.stderr)

    def test_without_a_name_all_are_listed(self):
        self.container("listed-1", "--env", "BOATSWAIN_TENANT=acme")
        self.container("listed-2", "--label", "boatswain.exclude=true")
        self.until("listed-1", lambda told: True)
        self.until("listed-2", lambda told: told["state"] == "running")
        ran = self.run_tool("why")
        self.assertEqual(ran.returncode, 0)
        rows = {line.split()[0]: line for line in ran.stdout.splitlines() if line}
        self.assertRegex(rows["listed-1"], r"running +collected +acme +listed-1 +json-file")
        self.assertRegex(rows["listed-2"], r"running +excluded .* label boatswain.exclude=true")
        lines = [json.loads(line) for line in self.run_tool("why", "--json").stdout.splitlines()]
        self.assertLessEqual({"listed-1", "listed-2"}, {one["name"] for one in lines})

    def test_the_socket_is_for_root_and_its_group(self):
        mode = os.stat(self.agent.socket).st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(stat.S_IMODE(mode), 0o660)

    def test_status_shows_how_the_agent_stands(self):
        ran = self.run_tool("status")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn("is healthy", ran.stdout)
        told = json.loads(self.run_tool("status", "--json").stdout)
        self.assertTrue(told["healthy"])
        self.assertEqual(told["store"], f"dir:{self.directory}/store")


class OtherAgents(Case):
    """Agents with other configurations: each has its own state directory."""

    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="bww.", dir="/tmp"))
        (cls.directory / "keys").mkdir()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.directory)

    def start(self, *options):
        agent = Agent(self.directory, *options)
        self.addCleanup(agent.stop)
        self.assertEqual(agent.told(), "READY=1")
        return agent

    def test_a_container_is_held_until_there_is_a_key_and_dropped_where_policy_says_so(self):
        self.container("held", "--env", "BOATSWAIN_TENANT=late")
        agent = self.start()
        told = self.until("held", lambda told: True, agent)
        self.assertEqual((told["verdict"], told["collected"], told["lines_read"]), ("held", False, 0))
        ran = self.run_tool("status", agent=agent)
        self.assertEqual(ran.returncode, 1, "nothing is read")
        self.assertRegex(ran.stdout, r"held: [0-9]+ of [0-9]+ containers? (is|are) held: no key")
        self.assertIn("containers are held: their lines are not read", (self.directory / "log").read_text())
        ran = self.run_tool("why", "held", agent=agent)
        self.assertEqual(ran.returncode, 1)
        self.assertIn("To do: put the tenant's TENANT.pub", ran.stdout)
        make_key(self.directory, "late")
        self.assertEqual(self.until("held", lambda told: told["collected"], agent)["tenant"], "late")
        agent.stop()

        self.container("dropped", "--env", "BOATSWAIN_TENANT=nobody")
        agent = self.start("--tenancy-unassigned", "drop")
        told = self.until("dropped", lambda told: told["verdict"] == "dropped", agent)
        self.assertFalse(told["collected"])

    def test_a_key_file_that_is_removed_holds_what_runs_until_it_is_back_or_gone_on_purpose(self):
        for tenant in ("globex", "_unassigned"):
            make_key(self.directory, tenant)
        self.addCleanup((self.directory / "keys" / "_unassigned.pub").unlink)
        key, away = self.directory / "keys" / "globex.pub", self.directory / "globex.pub"
        self.container("slip", "--env", "BOATSWAIN_TENANT=globex")
        agent = self.start()
        read = self.until("slip", lambda told: told["collected"] and told["lines_read"] > 0, agent)["lines_read"]
        key.rename(away)
        told = self.until("slip", lambda told: told["verdict"] == "held", agent)
        self.assertEqual(told["tenant"], "globex", "not the operator's")
        self.assertIn("globex.pub was removed", told["reason"])
        ran = self.run_tool("status", agent=agent)
        self.assertEqual(ran.returncode, 1)
        self.assertIn("keyring: globex.pub was removed from the keyring", ran.stdout)
        agent.stop()
        agent = self.start()
        self.assertEqual(self.until("slip", lambda told: True, agent)["verdict"], "held", "after a restart, too")
        away.rename(key)
        self.until("slip", lambda told: told["collected"] and told["tenant"] == "globex", agent)
        key.rename(key.with_suffix(".gone"))
        told = self.until("slip", lambda told: told["verdict"] == "quarantined", agent)
        self.assertGreaterEqual(read, 1)
        key.with_suffix(".gone").unlink()
        self.assertEqual(self.until("slip", lambda told: True, agent)["verdict"], "quarantined", "forgotten")

    def test_a_private_key_in_the_keyring_is_named_and_keeps_an_agent_from_starting(self):
        make_key(self.directory, "acme")
        leaked = self.directory / "keys" / "acme.key"
        self.addCleanup(leaked.unlink, missing_ok=True)
        agent = self.start()
        shutil.copy(self.directory / "identities" / "acme.key", leaked)
        end = time.monotonic() + WAIT_SECONDS_MAX
        while "holds a private key: acme.key" not in (ran := self.run_tool("status", agent=agent)).stdout:
            self.assertLess(time.monotonic(), end, ran.stdout)
            time.sleep(0.1)
        self.assertEqual(ran.returncode, 1)
        self.assertIn("the keys of before stay in force", ran.stdout)
        agent.stop()
        for command in ("agent", "check"):
            ran = subprocess.run(
                [
                    DAEMON,
                    command,
                    "--state-dir",
                    self.directory / "state",
                    "--store-url",
                    f"dir:{self.directory}/store",
                    "--tenancy-keyring",
                    self.directory / "keys",
                ],
                capture_output=True,
                text=True,
                timeout=60,
            )
            self.assertEqual(ran.returncode, 1, ran.stderr)
            self.assertIn("holds a private key: acme.key. A host keeps public keys (*.pub) only", ran.stderr)
            self.assertNotIn("AGE-SECRET-KEY", ran.stdout + ran.stderr)

    def test_an_agent_that_is_killed_leaves_a_socket_that_the_next_one_replaces(self):
        agent = self.start()
        agent.stop(signal.SIGKILL)
        ran = self.run_tool("status", agent=agent)
        self.assertEqual(ran.returncode, 3)
        self.assertIn("left over from one that has ended", ran.stderr)
        agent = self.start()
        self.assertEqual(self.run_tool("status", agent=agent).returncode, 0)
        agent.process.send_signal(signal.SIGTERM)
        self.assertEqual(agent.told(), "STOPPING=1")
        self.assertEqual(agent.process.wait(timeout=60), 0)
        ran = self.run_tool("status", agent=agent)
        self.assertEqual(ran.returncode, 3)
        self.assertIn("there is no such socket", ran.stderr)

    def test_the_metrics_tell_lag_by_reader_and_each_tenants_last_moments(self):
        self.container("measured", "--env", "BOATSWAIN_TENANT=acme")
        make_key(self.directory, "acme")
        before = time.time() - 5
        agent = self.start("--listen", "127.0.0.1:0")
        self.until("measured", lambda told: told["last_segment"] and told["spooled"]["segments"] == 0, agent)
        address = re.findall(r'listening address="?(127.0.0.1:[0-9]+)', (self.directory / "log").read_text())[-1]
        text = urllib.request.urlopen(f"http://{address}/metrics").read().decode()
        for name in ("last_line", "last_sealed", "last_stored"):
            told = re.search(r"^boatswain_" + name + r'_timestamp_seconds\{tenant="acme"\} (\S+)$', text, re.MULTILINE)
            self.assertGreater(float(told[1]), before, name)
        for reader in ("json-file", "held"):
            self.assertIn('boatswain_read_lag_bytes{reader="%s"} 0' % reader, text)

    def test_the_socket_can_be_elsewhere_or_not_at_all(self):
        agent = self.start("--control", str(self.directory / "other.sock"))
        self.assertFalse(agent.socket.exists())
        agent.socket = self.directory / "other.sock"
        self.assertEqual(self.run_tool("status", agent=agent).returncode, 0)
        agent.stop()
        agent = self.start("--control", "off")
        self.assertEqual(self.run_tool("status", agent=agent).returncode, 3)

    def test_a_store_that_takes_nothing_and_an_engine_that_is_away_are_told(self):
        (self.directory / "flat").mkdir()
        (self.directory / "flat" / "v1").write_text("")  # where the store wants a directory
        self.container("stuck", "--env", "BOATSWAIN_TENANT=acme")
        make_key(self.directory, "acme")
        agent = self.start("--store-url", f"dir:{self.directory}/flat")
        told = self.until("stuck", lambda told: told["spooled"]["segments"] > 0 and told["agent_troubles"], agent)
        self.assertIn("the store does not take segments", told["agent_troubles"][0])
        self.assertIn("not yet in the store", self.run_tool("why", "stuck", agent=agent).stdout)
        agent.stop()
        agent = self.start("--engine-socket", str(self.directory / "no-engine"))
        ran = self.run_tool("why", "stuck", agent=agent)
        self.assertEqual(ran.returncode, 1)
        self.assertIn("the engine is not followed", ran.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
