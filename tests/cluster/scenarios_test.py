"""What may happen to a fleet, played on the double with `boatswain fleet sync` at work, and judged by what the double
saw.

In each: exactly one running instance on each eligible host, ordered at the latest with the second look after the
change; no healthy instance
ever killed by us; no deployment of ours left; nothing written while anything was unsure. Cluster time runs SCALE times
as fast as the wall's,
so ten minutes without Marathon are seconds; what must be soon is counted in looks, so that a slow machine is no
failure.

scenarios_test.py [--model | --naive] [NAME...]: all, several at a time. --model plays model_sync.py instead of the real
one; --naive plays what does
harm, and succeeds when each scenario that is named notices it.
"""
import base64
import concurrent.futures
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
from double.cluster import Cluster
from model_sync import ModelSync, NaiveSync

BUILD = pathlib.Path(
    os.environ.get("BOATSWAIN_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build" / "release")
)
SCALE = 60
HOLD, STUCK = 900, 600  # seconds of the cluster, as the defaults are
INTERVAL = 1  # second of the wall: fleet sync has none that is shorter
WAIT_SECONDS_MAX = 20 if "--naive" in sys.argv else 80  # of the wall
AT_ONCE = 5
LOOKS_MAX = 2  # one may be under way while the change happens
BEGINNINGS = ("the app starts", "the first looks")
APP = "/infra/boatswain"
PORT = 31464
DEFINITION = {
    "id": APP,
    "instances": 3,
    "cpus": 0.2,
    "mem": 256,
    "args": ["agent"],
    "constraints": [["hostname", "UNIQUE"]],
    "requirePorts": True,
    "networks": [{"mode": "host"}],
    "portDefinitions": [{"port": PORT, "protocol": "tcp", "name": "http"}],
    "container": {"type": "DOCKER", "docker": {"image": "boatswain:1"}},
    "healthChecks": [{"protocol": "MESOS_HTTP", "path": "/healthz", "portIndex": 0}],
    "unreachableStrategy": {"inactiveAfterSeconds": 3600, "expungeAfterSeconds": 3600},
    "killSelection": "YOUNGEST_FIRST",
}
naive = "--naive" in sys.argv
model = "--model" in sys.argv or naive


class RealSync:
    """`boatswain fleet sync`, at the cluster's pace."""

    def __init__(self, cluster, credentials, interval):
        def real(seconds):
            return f"{max(1, round(seconds * 1000 / cluster.clock.scale))}ms"

        self.log = tempfile.TemporaryFile()
        words = [
            "fleet",
            "sync",
            "--marathon",
            ",".join(site.url for site in reversed(cluster.marathons)),
            "--mesos",
            ",".join(site.url for site in reversed(cluster.masters)),
            "--app",
            APP,
            "--interval",
            f"{interval}s",
            "--hold",
            real(HOLD),
            "--stuck",
            real(STUCK),
            "--timeout",
            "10s",
        ]
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        if credentials:
            environment |= {
                "BOATSWAIN_MARATHON_AUTH": f"token {credentials[0]}",
                "BOATSWAIN_MESOS_AUTH": f"basic {credentials[1]}",
            }
        self.process = subprocess.Popen(
            [BUILD / "boatswain", *words], stdout=self.log, stderr=self.log, env=environment
        )

    def close(self):
        self.process.terminate()
        code = self.process.wait(20)
        self.log.close()
        return code

    def last_words(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")[-6000:]


class Scenario(unittest.TestCase):
    syncs, scale, hosts, credentials, healthy_min = 1, SCALE, 3, None, 0.5
    interval, first_looks = INTERVAL, 2

    def setUp(self):
        self.cluster = Cluster(self.scale, marathons=2, masters=2)
        self.addCleanup(self.cluster.close)
        self.faults = self.cluster.faults
        for number in range(1, self.hosts + 1):
            self.faults.add_host(self.host(number), {"rack": f"r{number % 3}"})
        self.faults.foreign_app(
            {
                **DEFINITION,
                "instances": self.hosts,
                "upgradeStrategy": {"minimumHealthCapacity": self.healthy_min, "maximumOverCapacity": 0},
            }
        )
        self.wait(lambda: self.settled(), BEGINNINGS[0])
        if self.credentials:
            for site in self.cluster.marathons:
                site.token = self.credentials[0]
            for site in self.cluster.masters:
                site.basic = self.credentials[1]
        self.running_syncs = [self.sync() for _ in range(self.syncs)]
        looks = self.cluster.looks
        self.wait(lambda: self.cluster.looks >= looks + self.first_looks, BEGINNINGS[1])

    def sync(self):
        if model:
            token, basic = self.credentials or (None, None)
            one = (NaiveSync if naive else ModelSync)(
                [site.url for site in self.cluster.marathons],
                [site.url for site in self.cluster.masters],
                APP,
                self.cluster.clock,
                INTERVAL * self.scale,
                HOLD,
                STUCK,
                marathon_auth=token and f"token={token}",
                mesos_auth=basic and "Basic " + base64.b64encode(basic.encode()).decode(),
            ).start()
        else:
            one = RealSync(self.cluster, self.credentials, self.interval)
        self.addCleanup(one.close)
        return one

    @staticmethod
    def host(number):
        return f"host-{number:03}"

    # -- what is seen
    # ----------------------------------------------------------------------------------------------------

    def app(self):
        return self.cluster.marathon.apps[APP]

    def covered(self, but=()):
        """Each eligible host has exactly one running instance, and no other host has any."""
        with self.cluster.lock:
            return sorted(self.cluster.running(APP)) == sorted(self.cluster.eligible(APP) - set(but))

    def settled(self, but=()):
        with self.cluster.lock:
            healthy = all(one.healthy for one in self.cluster.marathon.instances_of(APP) if one.condition == "Running")
            return self.covered(but) and healthy and not self.cluster.marathon.locks_on(APP)

    def wait(self, condition, what):
        end = time.monotonic() + WAIT_SECONDS_MAX
        while not condition():
            if time.monotonic() > end:
                with self.cluster.lock:
                    self.fail(
                        f"not within {WAIT_SECONDS_MAX} s: {what}; running {sorted(self.cluster.running(APP))},"
                        f" eligible {sorted(self.cluster.eligible(APP))}, {json.dumps(self.cluster.snapshot())}"
                    )
            time.sleep(0.03)

    def pass_time(self, seconds, blind=False):
        """Of the cluster; and so many looks that a sync that would act had the chance to, unless it is `blind`
        meanwhile."""
        looks = -2 * self.syncs if blind else self.cluster.looks
        end = self.cluster.clock.now() + seconds
        self.wait(
            lambda: self.cluster.clock.now() >= end and self.cluster.looks >= looks + 2 * self.syncs,
            f"{seconds} s pass",
        )

    def writes(self, since=0.0):
        return [one for one in self.cluster.journal.writes if one["at"] >= since]

    def accepted(self, since=0.0):
        return [one for one in self.writes(since) if one["status"] < 300]

    @contextlib.contextmanager
    def change(self):
        """What is changed inside is to be answered by an order, at the latest with the second look."""
        with self.cluster.lock:
            self.changed_at, looks = self.cluster.clock.now(), self.cluster.looks
            yield
        self.wait(lambda: self.accepted(self.changed_at), "an order")
        first = self.accepted(self.changed_at)[0]
        self.assertLessEqual(first["seen"]["looks"] - looks, LOOKS_MAX * self.syncs, first)

    # -- what must never be
    # ----------------------------------------------------------------------------------------------

    def tearDown(self):
        if any(test is self for test, _ in self._outcome.result.errors + self._outcome.result.failures):
            return self.tell()
        with self.subTest("what must never be"):
            self.judge()
        if any(
            getattr(test, "test_case", test) is self
            for test, _ in self._outcome.result.errors + self._outcome.result.failures
        ):
            self.tell()

    def tell(self):
        print(f"--- {self.id()}", file=sys.stderr)
        for one in self.running_syncs if hasattr(self, "running_syncs") and not model else []:
            print(one.last_words(), file=sys.stderr)
        journal = self.cluster.journal
        for entry in sorted(journal.writes + journal.kills + journal.notes, key=lambda entry: entry["at"])[-40:]:
            print({**entry, "at": round(entry["at"] - self.cluster.clock.epoch)}, file=sys.stderr)

    def judge(self):
        journal = self.cluster.journal
        ours = {one["client"] for one in journal.writes}
        for kill in journal.kills:
            if kill["by"] in ours or (kill["by"] is None and kill["reason"] in ("killed by the API", "over capacity")):
                self.assertFalse(
                    kill["condition"] == "Running" and kill["host_well"], f"a healthy instance was killed: {kill}"
                )
        for write in journal.writes:
            seen = write["seen"]
            self.assertTrue(
                seen["master_leads"] or write["status"] >= 400, f"written while Mesos had no leader: {write}"
            )
            self.assertGreater(seen["agents_active"], 0, f"written while Mesos listed no agent: {write}")
            if self.lowers(write):
                self.assertEqual(seen["agents_recovered"], 0, f"lowered while agents were still to come back: {write}")
            for deployment in seen["deployments"]:
                if APP in deployment["apps"] and set(deployment["actions"]) != {"ScaleApplication"}:
                    self.assertNotIn("force", write["query"], f"forced over somebody's deployment: {write}")
                    self.assertGreaterEqual(write["status"], 400, f"written over somebody's deployment: {write}")
        for note in journal.notes:
            if note["what"] == "deployment cancelled" and note["by"] not in ours:
                self.assertIn(note["deployment"], self.may_be_cancelled, f"somebody's deployment was cancelled: {note}")
        left = [one.id for one in self.cluster.marathon.deployments if one.by in ours]
        self.assertEqual(left, [], "deployments of ours are left")

    may_be_cancelled = ()

    @staticmethod
    def lowers(write):
        if write["query"].get("scale") == "true":
            return True
        wanted = (write["body"] or {}).get("instances") if isinstance(write["body"], dict) else None
        return wanted is not None and wanted < write["seen"]["apps"][APP]["instances"]


class Credentials(Scenario):
    credentials = ("eyJhbGciOi.token", "operator:a secret: with colons")

    def test_marathon_wants_a_token_and_mesos_a_password_and_streams_break(self):
        for number in range(4, 8):
            with self.change():
                self.faults.add_host(self.host(number))
            self.faults.close_streams()
        self.wait(self.settled, "7 instances")
        self.assertEqual(self.app()["instances"], 7)


class Hints(Scenario):
    # By the interval alone the next look would come after WAIT_SECONDS_MAX. A hint makes it come, at the soonest a
    # sixth of it after the
    # last; the first hint is that a stream has begun.
    interval = 120

    def test_an_event_makes_it_look_long_before_the_interval_is_over(self):
        looks = self.cluster.looks
        self.faults.add_host(self.host(4))
        self.wait(lambda: self.app()["instances"] == 4, "the count is raised")
        self.assertEqual(self.cluster.looks, looks + 1)
        self.wait(self.settled, "4 instances")


class Grow(Scenario):
    def test_from_3_to_50_hosts(self):
        with self.change():
            for number in range(4, 51):
                self.faults.add_host(self.host(number))
        self.wait(self.settled, "50 instances")
        self.assertEqual(self.app()["instances"], 50)


class Shrink(Scenario):
    hosts, scale = 12, 120

    def test_hosts_that_are_switched_off_for_good_are_given_up_by_name_after_the_hold_time(self):
        lost = [self.host(2), self.host(7)]
        for host in lost:
            self.faults.remove_host(host)
        began = self.cluster.clock.now()
        self.wait(lambda: self.app()["instances"] == 10, "the count is lowered")
        self.assertGreaterEqual(self.cluster.clock.now() - began, HOLD)
        self.wait(self.settled, "10 instances")
        self.assertEqual({kill["host"] for kill in self.cluster.journal.kills}, set(lost))


class UpgradeDuringGrowth(Scenario):
    hosts, healthy_min = 10, 0.9  # one after the other: it takes some looks

    def test_the_upgrade_ends_undisturbed_and_then_the_fleet_grows(self):
        before = self.app()["versionInfo"]["lastConfigChangeAt"]
        with self.cluster.lock:
            deployment = self.faults.foreign_change(APP, {"env": {"RELEASE": "2"}})
            for number in range(11, 16):
                self.faults.add_host(self.host(number))
        self.wait(
            lambda: not [one for one in self.cluster.marathon.deployments if one.id == deployment], "the upgrade ends"
        )
        self.wait(self.settled, "15 instances")
        self.assertEqual(self.app()["instances"], 15)
        self.assertNotEqual(self.app()["versionInfo"]["lastConfigChangeAt"], before)
        current = {one.config_version for one in self.cluster.marathon.instances_of(APP)}
        self.assertEqual(current, {self.app()["versionInfo"]["lastConfigChangeAt"]})


class MasterFailover(Scenario):
    hosts, scale = 10, 120

    def test_agents_that_come_back_one_by_one_are_not_given_up_and_one_that_never_does_is(self):
        tasks = self.tasks()
        self.faults.master_failover(election=20, back_after=10, every=20, never=[self.host(4)])
        began = self.cluster.clock.now()
        self.wait(lambda: self.app()["instances"] == 9, "the one that never came back is given up")
        self.assertGreaterEqual(
            self.cluster.clock.now() - began, 600 + HOLD, "the reregister timeout, then the hold time"
        )
        self.wait(self.settled, "9 instances")
        self.assertEqual(
            self.tasks(), {host: task for host, task in tasks.items() if host != self.host(4)}, "no task was restarted"
        )

    def tasks(self):
        with self.cluster.lock:
            return {one.host: one.task for one in self.cluster.marathon.instances_of(APP) if one.condition == "Running"}


class RackLost(MasterFailover):
    hosts, scale = 12, SCALE

    def test_agents_that_come_back_one_by_one_are_not_given_up_and_one_that_never_does_is(self):
        tasks = self.tasks()
        rack = [self.host(number) for number in (3, 6, 9, 12)]
        for host in rack:
            self.faults.cut_off(host)
        self.pass_time(600)
        self.assertEqual(self.app()["instances"], 12)
        for host in rack:
            self.faults.reconnect(host)
        self.wait(lambda: self.tasks() == tasks, "the same tasks run on")
        self.assertTrue(self.settled())
        self.assertEqual(self.cluster.journal.kills, [])
        self.assertEqual(self.writes(), [])


class Drain(Scenario):
    hosts = 6

    def test_a_host_that_is_drained_costs_no_other_host_its_instance(self):
        self.faults.drain(self.host(5))
        self.wait(self.settled, "5 instances")
        self.pass_time(HOLD + 120)
        self.assertTrue(self.covered())
        self.faults.reactivate(self.host(5))
        self.wait(self.settled, "6 instances")

    def test_a_host_that_is_only_deactivated_keeps_its_instance_or_loses_only_that(self):
        self.faults.maintenance(self.host(2), down=True)
        self.faults.drain(self.host(2))
        self.wait(self.settled, "5 instances")
        self.faults.end_maintenance(self.host(2))
        self.faults.reactivate(self.host(2))
        self.wait(self.settled, "6 instances")


class ForeignDeployment(Scenario):
    hosts = 5

    def test_an_upgrade_that_hangs_holds_everything_until_somebody_ends_it(self):
        for number in range(1, 6):
            self.faults.launches_fail(self.host(number), "image not found")
        self.faults.foreign_change(APP, {"env": {"RELEASE": "broken"}})
        self.faults.add_host(self.host(6))
        self.pass_time(STUCK + 120)
        self.assertEqual(self.accepted(), [])
        self.assertEqual(self.app()["instances"], 5)
        for number in range(1, 6):
            self.faults.launches_fail(self.host(number))
        self.wait(self.settled, "the upgrade ends, and the new host has its instance")
        self.assertEqual(self.app()["instances"], 6)


class StuckScaling(Scenario):
    hosts = 5

    def test_a_count_that_cannot_be_placed_does_not_hold_the_lock_for_ever(self):
        stuck = self.faults.foreign_change(APP, {"instances": 20})
        self.may_be_cancelled = (stuck,)
        self.wait(lambda: not self.cluster.marathon.locks_on(APP), "the lock is gone")
        self.assertTrue(self.covered())
        self.faults.add_host(self.host(6))
        self.wait(self.settled, "6 instances")


class MarathonDown(Scenario):
    hosts = 4

    def test_ten_minutes_without_marathon_and_then_the_new_hosts_have_theirs(self):
        self.faults.marathon_down()
        for number in range(5, 8):
            self.faults.add_host(self.host(number))
        self.pass_time(600, blind=True)
        self.assertEqual(self.writes(), [])
        with self.change():
            self.faults.marathon_up()
        self.wait(self.settled, "7 instances")
        self.faults.site_fault("marathon", 0, 503)
        self.faults.add_host(self.host(8))
        self.pass_time(300, blind=True)
        self.faults.site_fault("marathon", 0, None)
        self.wait(self.settled, "8 instances")
        with self.cluster.lock:
            self.faults.marathon_failover(election=60)
            self.faults.add_host(self.host(9))
        self.wait(self.settled, "9 instances, by another leader")


class PortTaken(Scenario):
    hosts = 4

    def test_a_host_without_room_is_not_counted_until_it_has_room(self):
        self.faults.add_host("full", {"full": "yes"})
        self.faults.foreign_app(
            {
                "id": "/squatter",
                "cmd": "listen",
                "instances": 1,
                "cpus": 0.1,
                "mem": 32,
                "requirePorts": True,
                "constraints": [["full", "IS", "yes"]],
                "portDefinitions": [{"port": PORT}],
            }
        )
        self.wait(
            lambda: self.cluster.running("/squatter") == ["full"] or self.cluster.running(APP).count("full"),
            "somebody has the port",
        )
        self.pass_time(STUCK + 120)
        self.wait(
            lambda: self.settled(but={"full"}) or self.settled(), "the others have theirs, and no deployment hangs"
        )
        if "full" not in self.cluster.running(APP):
            self.faults.foreign_change("/squatter", {"instances": 0})
        self.wait(self.settled, "5 instances")


class Reimaged(Scenario):
    hosts = 5

    def test_a_host_that_comes_back_under_the_same_name_with_a_new_agent_gets_a_new_instance(self):
        self.faults.reimage(self.host(3))
        self.wait(self.settled, "the new system has its instance")
        self.pass_time(HOLD + 120)
        self.assertEqual(self.app()["instances"], 5)
        self.assertTrue(self.settled())


class TwoSyncs(Scenario):
    syncs, scale = 2, 120

    def test_two_that_race_do_no_harm(self):
        with self.change():
            for number in range(4, 21):
                self.faults.add_host(self.host(number))
        self.wait(self.settled, "20 instances")
        self.assertEqual(self.app()["instances"], 20)
        for number in (5, 6):
            self.faults.remove_host(self.host(number))
        self.wait(lambda: self.app()["instances"] == 18, "two are given up")
        self.wait(self.settled, "18 instances")
        self.faults.add_host(self.host(21))
        self.wait(self.settled, "19 instances")
        self.assertEqual(self.app()["instances"], 19)


def play(name):
    command = [sys.executable, __file__, *(["--naive"] if naive else ["--model"] if model else []), name]
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return name, done.returncode, time.monotonic() - began, done.stdout + done.stderr


def main():
    names = [word for word in sys.argv[1:] if not word.startswith("-")]
    if len(names) == 1:
        unittest.main(argv=[sys.argv[0], names[0]], verbosity=2)
    every = names or [
        name
        for name, one in globals().items()
        if isinstance(one, type) and issubclass(one, Scenario) and one is not Scenario
    ]
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for name, code, seconds, output in pool.map(play, every):
            print(f"{name}: {'ok' if code == 0 else 'FAILED'} in {seconds:.0f} s", flush=True)
            if naive:  # a scenario that did not come to its beginning has noticed nothing
                bad += code == 0 or any(f": {never}; running" in output for never in BEGINNINGS)
            elif code != 0:
                bad += 1
                print(output, flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
