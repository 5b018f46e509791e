"""The double's own promises: the traps of Marathon and Mesos that it must have, or trying against it proves nothing."""
import http.client
import json
import sys
import time
import unittest
import urllib.parse

sys.dont_write_bytecode = True
from double.cluster import Cluster

WAIT_SECONDS_MAX = 60
APP = "/fleet"
DEFINITION = {
    "id": APP,
    "cmd": "run",
    "instances": 3,
    "cpus": 0.2,
    "mem": 64,
    "constraints": [["hostname", "UNIQUE"]],
    "upgradeStrategy": {"minimumHealthCapacity": 0.5, "maximumOverCapacity": 0},
    "unreachableStrategy": {"inactiveAfterSeconds": 3600, "expungeAfterSeconds": 3600},
}


def ask(url, method, path, body=None, headers=None, raw=False):
    where = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=20)
    try:
        text = body if isinstance(body, (str, bytes, type(None))) else json.dumps(body)
        connection.request(method, path, text, {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        data = answer.read()
        return answer.status, data if raw else json.loads(data or b"null"), dict(answer.headers)
    finally:
        connection.close()


class Case(unittest.TestCase):
    hosts, scale, masters, marathons, agents_answer = 3, 400, 1, 1, False

    def setUp(self):
        self.cluster = Cluster(
            self.scale, marathons=self.marathons, masters=self.masters, agents_answer=self.agents_answer
        )
        self.addCleanup(self.cluster.close)
        self.faults, self.marathon = self.cluster.faults, self.cluster.marathons[0].url
        for number in range(1, self.hosts + 1):
            self.faults.add_host(f"h{number}", {"rack": f"r{number % 2}"})

    def wait(self, condition, what):
        end = time.monotonic() + WAIT_SECONDS_MAX
        while not (answer := condition()):
            if time.monotonic() > end:
                self.fail(f"not within {WAIT_SECONDS_MAX} s: {what}; {self.cluster.snapshot()}")
            time.sleep(0.01)
        return answer

    def deploy(self, **changes):
        self.faults.foreign_app({**DEFINITION, **changes})
        self.wait(self.still, "the app runs")

    def still(self):
        with self.cluster.lock:
            return (
                not self.cluster.marathon.deployments
                and len(self.cluster.running(APP)) == self.cluster.marathon.apps[APP]["instances"]
            )

    def scale_to(self, count, force=""):
        return ask(self.marathon, "PATCH", f"/v2/apps{APP}{force}", {"instances": count})

    def tasks(self):
        return {task["host"]: task for task in ask(self.marathon, "GET", f"/v2/apps{APP}/tasks")[1]["tasks"]}

    def pass_time(self, seconds):
        end = self.cluster.clock.now() + seconds
        self.wait(lambda: self.cluster.clock.now() >= end, "time passes")


class Deployments(Case):
    def test_more_than_can_be_placed_never_ends_and_locks_and_scaling_back_kills_a_healthy_one(self):
        self.deploy()
        status, told, headers = self.scale_to(5)
        self.assertEqual((status, headers["Marathon-Deployment-Id"]), (200, told["deploymentId"]))
        self.pass_time(3600)
        status, refused, _ = self.scale_to(3)
        self.assertEqual((status, refused["deployments"]), (409, [{"id": told["deploymentId"]}]))
        before = {host: task["id"] for host, task in self.tasks().items()}
        self.assertEqual(self.scale_to(3, "?force=true")[0], 200)
        self.wait(self.still, "three again")
        # The two that waited were Marathon's last victims: running ones went first, and those that waited took their
        # hosts.
        self.assertEqual(len([host for host, task in self.tasks().items() if before[host] != task["id"]]), 2)
        self.assertEqual({kill["condition"] for kill in self.cluster.journal.kills}, {"Running"})

    def test_the_same_count_again_is_answered_with_an_empty_deployment(self):
        self.deploy()
        status, told, _ = self.scale_to(3)
        self.assertEqual(status, 200)
        self.assertTrue(told["deploymentId"])
        self.assertEqual(ask(self.marathon, "GET", "/v2/deployments")[1], [])

    def test_a_deployment_can_be_reverted_or_cancelled(self):
        self.deploy()
        first = self.scale_to(5)[1]["deploymentId"]
        status, told, _ = ask(self.marathon, "DELETE", f"/v2/deployments/{first}")
        self.assertEqual(status, 200)
        self.assertNotEqual(told["deploymentId"], first)
        self.wait(self.still, "back at three")
        second = self.scale_to(5)[1]["deploymentId"]
        self.assertEqual(ask(self.marathon, "DELETE", f"/v2/deployments/{second}?force=true")[:2], (202, None))
        self.assertEqual(self.cluster.marathon.apps[APP]["instances"], 5, "cancelled, not undone")

    def test_during_an_upgrade_old_and_new_meet_on_one_host_when_none_may_be_missing(self):
        self.deploy(upgradeStrategy={"minimumHealthCapacity": 0.9, "maximumOverCapacity": 0})
        self.faults.foreign_change(APP, {"env": {"RELEASE": "2"}})
        self.wait(
            lambda: len(self.cluster.running(APP)) > len(set(self.cluster.running(APP))),
            "two on one host, in spite of UNIQUE",
        )
        self.wait(self.still, "the upgrade ends")
        self.assertEqual(len(set(self.cluster.running(APP))), 3)

    def test_a_fixed_port_makes_such_an_upgrade_wait_for_ever(self):
        self.deploy(
            requirePorts=True,
            portDefinitions=[{"port": 31464}],
            upgradeStrategy={"minimumHealthCapacity": 0.9, "maximumOverCapacity": 0},
        )
        self.faults.foreign_change(APP, {"env": {"RELEASE": "2"}})
        self.pass_time(1800)
        self.assertEqual(len(self.cluster.marathon.deployments), 1)
        item = ask(self.marathon, "GET", "/v2/queue")[1]["queue"][0]
        declined = {
            one["reason"]: one["declined"]
            for one in item["processedOffersSummary"]["rejectSummaryLastOffers"]
            if one["declined"]
        }
        self.assertEqual((item["count"], declined), (1, {"InsufficientPorts": 3}))


class Losses(Case):
    def lose(self, host, strategy):
        self.deploy(unreachableStrategy=strategy)
        self.task = self.tasks()[host]["id"]
        self.faults.cut_off(host)
        self.wait(
            lambda: not [
                one
                for one in ask(self.cluster.masters[0].url, "GET", "/slaves")[1]["slaves"]
                if one["hostname"] == host
            ],
            "it is unlisted",
        )

    def test_with_no_patience_the_replacement_waits_and_scaling_down_takes_the_wrong_one(self):
        self.lose("h2", {"inactiveAfterSeconds": 0, "expungeAfterSeconds": 0})
        self.assertNotIn("h2", self.tasks())
        self.wait(lambda: ask(self.marathon, "GET", "/v2/queue")[1]["queue"], "the replacement waits")
        self.scale_to(2)
        self.wait(lambda: len(self.tasks()) == 2 and not self.cluster.marathon.deployments, "two left")
        self.assertEqual([kill["condition"] for kill in self.cluster.journal.kills], ["Running"])
        self.faults.reconnect("h2")
        self.wait(lambda: "h2" not in self.cluster.running(APP), "what runs there is nobody's any more, and is killed")

    def test_with_patience_the_lost_one_is_the_first_to_go_and_one_that_returns_is_kept(self):
        self.lose("h2", {"inactiveAfterSeconds": 3600, "expungeAfterSeconds": 3600})
        self.assertEqual(self.tasks()["h2"]["state"], "TASK_UNREACHABLE")
        self.faults.reconnect("h2")
        self.wait(lambda: self.tasks()["h2"]["state"] == "TASK_RUNNING", "it is back")
        self.assertEqual(self.tasks()["h2"]["id"], self.task)
        self.faults.cut_off("h2")
        self.wait(lambda: self.tasks()["h2"]["state"] == "TASK_UNREACHABLE", "lost again")
        self.scale_to(2)
        self.wait(lambda: sorted(self.tasks()) == ["h1", "h3"], "the lost one is gone")

    def test_an_agent_that_is_not_heard_is_inactive_before_it_is_unlisted(self):
        self.deploy()
        with self.cluster.lock:  # the clock stands while it is looked at
            self.cluster.faults.cut_off("h2")
            now = self.cluster.clock.now()
            machine = self.cluster.master.machines[1]
            self.cluster.master.watch(machine, now)
            self.assertEqual((machine.listed, machine.active), (True, False))
            self.assertNotIn(machine, self.cluster.master.offers())
            self.cluster.master.watch(machine, now + 80)
            self.assertFalse(machine.listed)

    def test_a_host_in_maintenance_is_offered_and_declined(self):
        self.deploy()
        self.faults.maintenance("h3", start_in=-1)
        status = ask(self.cluster.masters[0].url, "POST", "/api/v1", {"type": "GET_MAINTENANCE_STATUS"})[1][
            "get_maintenance_status"
        ]["status"]
        self.assertEqual([one["id"]["hostname"] for one in status["draining_machines"]], ["h3"])
        ask(self.marathon, "DELETE", f"/v2/apps{APP}/tasks?host=h3")
        self.wait(
            lambda: "AgentMaintenance"
            in self.cluster.marathon.rejections.get(APP, {}).get(self.cluster.master.machines[2].agent_id, (0, []))[1],
            "its offer is declined",
        )
        self.assertEqual(self.cluster.eligible(APP), {"h1", "h2"})

    def test_a_host_can_be_named_when_scaling_down(self):
        self.deploy()
        self.assertEqual(ask(self.marathon, "DELETE", f"/v2/apps{APP}/tasks?host=h3&scale=true")[0], 200)
        self.wait(self.still, "two left")
        self.assertEqual((sorted(self.tasks()), self.cluster.marathon.apps[APP]["instances"]), (["h1", "h2"], 2))

    def test_a_drain_ends_every_task_of_the_host_and_shows_as_inactive(self):
        self.deploy()
        self.faults.drain("h1", max_grace=60)
        self.wait(lambda: "h1" not in self.cluster.running(APP), "its tasks end")
        one = next(
            one for one in ask(self.cluster.masters[0].url, "GET", "/slaves")[1]["slaves"] if one["hostname"] == "h1"
        )
        self.assertEqual((one["active"], one["deactivated"], one["drain_info"]["state"]), (False, True, "DRAINED"))

    def test_a_task_that_cannot_start_is_tried_again_ever_later(self):
        self.faults.launches_fail("h1", "no such image")
        self.faults.foreign_app(DEFINITION)
        self.wait(lambda: self.cluster.marathon.last_failure.get(APP), "it fails")
        self.wait(lambda: self.cluster.marathon.delays[APP][1] > 1.5, "the delay grows")
        failure = ask(self.marathon, "GET", f"/v2/apps{APP}")[1]["app"]["lastTaskFailure"]
        self.assertEqual(
            (failure["host"], failure["message"], failure["state"]), ("h1", "no such image", "TASK_FAILED")
        )


class Placement(Case):
    def reasons(self, **changes):
        self.faults.foreign_app({**DEFINITION, "id": "/wanted", "constraints": [], "instances": 1, **changes})
        self.wait(lambda: len(self.cluster.marathon.rejections.get("/wanted", {})) == 3, "all were offered")
        item = next(
            one
            for one in ask(self.marathon, "GET", "/v2/queue?embed=lastUnusedOffers")[1]["queue"]
            if one["app"]["id"] == "/wanted"
        )
        told = {reason for one in item["lastUnusedOffers"] for reason in one["reason"]}
        self.faults.foreign_cancel(self.cluster.marathon.deployments[-1].id)
        self.cluster.marathon.change("/wanted", None, True, "test")
        self.wait(lambda: "/wanted" not in self.cluster.marathon.apps, "it is gone")
        self.cluster.marathon.rejections.clear()
        return told

    def test_each_reason_is_named(self):
        self.assertEqual(self.reasons(cpus=64), {"InsufficientCpus"})
        self.assertEqual(self.reasons(mem=1 << 20), {"InsufficientMemory"})
        self.assertEqual(self.reasons(constraints=[["rack", "IS", "elsewhere"]]), {"UnfulfilledConstraint"})
        self.assertEqual(self.reasons(acceptedResourceRoles=["slave_public"]), {"UnfulfilledRole"})
        self.assertEqual(self.reasons(requirePorts=True, portDefinitions=[{"port": 80}]), {"InsufficientPorts"})

    def test_attributes_and_roles_choose_the_hosts(self):
        self.faults.add_host(
            "public",
            {"rack": "r9"},
            roles={"slave_public": {"cpus": 2, "mem": 512, "disk": 100, "ports": [[80, 90]]}},
            cpus=0,
        )
        self.deploy(
            instances=1, acceptedResourceRoles=["slave_public"], requirePorts=True, portDefinitions=[{"port": 80}]
        )
        self.assertEqual(list(self.tasks()), ["public"])
        self.assertEqual(self.tasks()["public"]["ports"], [80])
        self.assertEqual(self.cluster.eligible(APP), {"public"})
        self.faults.foreign_app(
            {
                **DEFINITION,
                "id": "/by-rack",
                "instances": 1,
                "constraints": [
                    ["rack", "LIKE", "r[0-1]"],
                    ["hostname", "MAX_PER", "1"],
                    ["rack", "UNLIKE", "r0"],
                    ["nothing", "UNLIKE", "x"],
                ],
            }
        )
        self.wait(lambda: self.cluster.running("/by-rack"), "it is placed")
        self.assertEqual(self.cluster.eligible("/by-rack"), {"h1", "h3"})


class Answers(Case):
    marathons = masters = 2

    def test_errors_have_the_bodies_that_marathon_sends(self):
        self.deploy()
        self.assertEqual(ask(self.marathon, "PATCH", f"/v2/apps{APP}", "{")[1]["message"], "Invalid JSON")
        self.assertIsInstance(ask(self.marathon, "PATCH", f"/v2/apps{APP}", "{")[1]["details"], str)
        status, told, _ = ask(self.marathon, "PATCH", f"/v2/apps{APP}", {"instances": "3"})
        self.assertEqual((status, told["details"][0]["path"]), (400, "/instances"))
        status, told, _ = self.scale_to(-1)
        self.assertEqual(
            (status, told["message"], told["details"][0]["path"]), (422, "Object is not valid", "/instances")
        )
        got = ask(self.marathon, "GET", f"/v2/apps{APP}")[1]["app"]
        self.assertEqual(ask(self.marathon, "PUT", f"/v2/apps{APP}", got)[0], 422, "what was got cannot be sent back")
        self.assertEqual(
            ask(self.marathon, "GET", "/v2/apps/none")[:2], (404, {"message": "App '/none' does not exist"})
        )
        self.assertEqual(ask(self.marathon, "GET", "/v2/nothing")[:2], (500, {"message": "URI not found"}))
        self.assertEqual(ask(self.marathon, "GET", "/ping", raw=True)[1], b"pong")

    def test_who_does_not_lead_passes_on_or_redirects(self):
        other = self.cluster.marathons[1].url
        status, _, headers = ask(other, "GET", "/v2/apps")
        self.assertEqual((status, headers["X-Marathon-Leader"]), (200, self.marathon))
        status, _, headers = ask(other, "GET", "/v2/events?event_type=a", raw=True)
        self.assertEqual((status, headers["Location"]), (302, self.marathon + "/v2/events?event_type=a"))
        leader = self.cluster.masters[0].address
        for path in ("/slaves", "/master/slaves", "/api/v1"):
            status, _, headers = ask(
                self.cluster.masters[1].url, "POST" if "api" in path else "GET", path, "{}", raw=True
            )
            self.assertEqual((status, headers["Location"]), (307, f"//{leader}{path}"))
        self.assertEqual(ask(self.cluster.masters[1].url, "GET", "/redirect", raw=True)[2]["Location"], "//" + leader)

    def test_after_a_failover_agents_are_recovered_before_they_are_there(self):
        self.faults.master_failover(election=400, back_after=400, every=400)
        self.assertEqual(ask(self.cluster.masters[0].url, "GET", "/slaves", raw=True)[:2], (503, b"No leader elected"))
        self.wait(lambda: self.cluster.master.has_leader, "another one leads")
        told = ask(self.cluster.masters[1].url, "GET", "/slaves")[1]
        self.assertEqual(len(told["slaves"]) + len(told["recovered_slaves"]), 3)
        self.assertTrue(told["recovered_slaves"])
        self.wait(lambda: len(self.cluster.master.listed()) == 3, "all are back")

    def test_integers_of_64_bits_are_numbers_that_a_double_cannot_hold(self):
        text = ask(self.cluster.masters[0].url, "POST", "/api/v1", {"type": "GET_AGENTS"}, raw=True)[1]
        nanoseconds = json.loads(text)["get_agents"]["agents"][0]["registered_time"]["nanoseconds"]
        self.assertIsInstance(nanoseconds, int)
        self.assertNotEqual(int(float(nanoseconds)), nanoseconds)

    def test_credentials_are_wanted_where_they_are_set(self):
        site = self.cluster.masters[0]
        site.basic = "operator:secret"
        status, text, headers = ask(site.url, "GET", "/slaves", raw=True)
        self.assertEqual((status, headers["WWW-Authenticate"]), (401, 'Basic realm="mesos-master-readonly"'))
        self.assertEqual(ask(site.url, "GET", "/redirect", raw=True)[0], 307)
        self.assertEqual(
            ask(site.url, "GET", "/slaves", headers={"Authorization": "Basic b3BlcmF0b3I6c2VjcmV0"})[0], 200
        )

    def test_every_write_is_kept_with_what_it_met(self):
        self.deploy()
        self.scale_to(2)
        write = self.cluster.journal.writes[-1]
        self.assertEqual(
            (write["method"], write["path"], write["body"], write["status"]),
            ("PATCH", f"/v2/apps{APP}", {"instances": 2}, 200),
        )
        self.assertEqual((write["seen"]["apps"][APP]["instances"], write["seen"]["agents_active"]), (3, 3))


class Agents(Case):
    """The agents' own HTTP: which sandboxes there are, and what is in them."""

    agents_answer = True

    def setUp(self):
        super().setUp()
        self.deploy(labels={"TENANT": "red"})
        self.machine = self.cluster.master.machines[0]
        self.wait(lambda: self.machine.agent_id in self.cluster.agents, "the agent answers")
        self.agent = f"http://127.0.0.1:{self.machine.port}"

    def state(self):
        return ask(self.agent, "GET", "/slave(1)/state")[1]

    def sandbox(self):
        return self.state()["frameworks"][0]["executors"][0]["directory"]

    def read(self, path, offset, length=-1):
        return ask(self.agent, "GET", f"/files/read?path={urllib.parse.quote(path)}&offset={offset}&length={length}")[1]

    def test_the_state_names_each_sandbox_and_the_tasks_labels(self):
        port = next(
            one["port"]
            for one in ask(self.cluster.masters[0].url, "GET", "/slaves")[1]["slaves"]
            if one["hostname"] == "h1"
        )
        self.assertEqual(port, self.machine.port, "the master says where the agent answers")
        (executor,) = self.state()["frameworks"][0]["executors"]
        (task,) = executor["tasks"]
        self.assertEqual((task["state"], task["labels"]), ("TASK_RUNNING", [{"key": "TENANT", "value": "red"}]))
        self.assertTrue(executor["directory"].endswith(f"/executors/{executor['id']}/runs/{executor['container']}"))
        self.assertEqual(
            [one["container_id"] for one in ask(self.agent, "GET", "/containers")[1]], [executor["container"]]
        )

    def test_a_read_has_at_most_64_kib_and_nothing_behind_the_end(self):
        self.faults.print("h1", APP, "x" * 100_000)
        path = f"{self.sandbox()}/stdout"
        self.assertEqual(self.read(path, -1), {"offset": 100_000, "data": ""})
        self.assertEqual(len(self.read(path, 0, 90_000)["data"]), 65_536)
        self.assertEqual(len(self.read(path, 65_536)["data"]), 100_000 - 65_536)
        self.assertEqual(self.read(path, 100_000), {"offset": 100_000, "data": ""})
        self.assertEqual(ask(self.agent, "GET", f"/files/download?path={path}", raw=True)[1], b"x" * 100_000)
        task = self.sandbox().split("/executors/")[1].split("/")[0]
        latest = f"/frameworks/{self.cluster.marathon.framework_id}/executors/{task}/runs/latest"
        self.assertEqual(self.read(f"{latest}/stdout", 5, 3), {"offset": 5, "data": "xxx"}, "by the virtual path too")

    def test_a_rotation_between_two_reads_swaps_the_file_unseen(self):
        self.faults.print("h1", APP, "first\nsecond\n")
        path = f"{self.sandbox()}/stdout"
        self.assertEqual(self.read(path, 0, 6)["data"], "first\n")
        self.faults.rotate("h1", APP)
        self.faults.print("h1", APP, "other\nfourth\n")
        self.assertEqual(self.read(path, 6)["data"], "fourth\n", "second is not seen, and nothing says so")
        names = {
            one["path"].rpartition("/")[2] for one in ask(self.agent, "GET", f"/files/browse?path={self.sandbox()}")[1]
        }
        self.assertEqual(names, {"stdout", "stdout.1", "stderr", "stdout.logrotate.conf", "stdout.logrotate.state"})

    def test_nothing_outside_the_sandboxes_is_read(self):
        inside = self.sandbox()
        for path, status in (
            (f"{inside}/../../../../../../../../log", 404),
            ("/etc/passwd", 404),
            (f"{inside}/none", 404),
            ("", 400),
            (inside, 400),
        ):
            self.assertEqual(ask(self.agent, "GET", f"/files/read?path={path}&offset=0", raw=True)[0], status, path)
        self.faults.forbid_sandboxes("h1")
        self.assertEqual(ask(self.agent, "GET", f"/files/browse?path={inside}", raw=True)[0], 403)

    def test_what_has_ended_is_listed_until_it_is_collected(self):
        directory = self.sandbox()
        self.faults.print("h1", APP, "last words\n")
        self.scale_to(0, "?force=true")
        self.wait(lambda: not self.state()["frameworks"][0]["executors"], "it ends")
        (executor,) = self.state()["frameworks"][0]["completed_executors"]
        self.assertEqual((executor["directory"], executor["completed_tasks"][0]["state"]), (directory, "TASK_KILLED"))
        self.assertEqual(self.read(f"{directory}/stdout", 0)["data"], "last words\n")
        self.faults.collect_sandboxes("h1")
        self.assertEqual(self.state()["frameworks"], [])

    def test_an_agent_that_is_down_refuses_and_one_with_credentials_wants_them(self):
        self.cluster.agents[self.machine.agent_id].basic = "operator:secret"
        status, _, headers = ask(self.agent, "GET", "/state", raw=True)
        self.assertEqual((status, headers["WWW-Authenticate"]), (401, 'Basic realm="mesos-agent-readonly"'))
        self.faults.power_off("h1")

        def refused():
            try:
                ask(self.agent, "GET", "/state", raw=True)
            except ConnectionError:
                return True
            return False

        self.wait(refused, "the port is closed")


if __name__ == "__main__":
    unittest.main(verbosity=1)
