"""The double against Debian's python3-marathon, a client that knows nothing of it: what that client understands,
Marathon could have sent."""
import logging
import threading
import time
import unittest

import marathon
from marathon.models import MarathonApp
from marathon.models.events import MarathonDeploymentSuccess

from double.cluster import Cluster

logging.disable(logging.CRITICAL)  # the client logs each answer that is an error
SCALE = 50
WAIT_SECONDS_MAX = 60
APP = "/infra/boatswain"


def wait_for(condition, what):
    end = time.monotonic() + WAIT_SECONDS_MAX
    while not (answer := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {WAIT_SECONDS_MAX} s: {what}")
        time.sleep(0.02)
    return answer


class PythonMarathon(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(SCALE, marathons=2, version="1.8.222")  # what the client's models know
        self.addCleanup(self.cluster.close)
        for name in ("a", "b", "c"):
            self.cluster.faults.add_host(name, {"rack": "r1", "slots": 4})
        self.client = self.connect([site.url for site in self.cluster.marathons])

    def connect(self, urls, **more):
        import requests

        session = requests.Session()
        session.trust_env = False  # a proxy of the machine's is not for loopback
        client = marathon.MarathonClient(urls, timeout=30, session=session, **more)
        if hasattr(client, "sse_session"):
            client.sse_session.trust_env = False
        return client

    def make_app(self, instances, **more):
        app = MarathonApp(
            cmd="sleep 1000", cpus=0.2, mem=64, instances=instances, constraints=[["hostname", "UNIQUE"]], **more
        )
        created = self.client.create_app(APP, app)
        self.assertEqual((created.id, created.instances), (APP, instances))

    def settled(self, instances):
        def holds():
            app = self.client.get_app(APP)
            return app.tasks_running == instances and not app.deployments

        wait_for(holds, f"{instances} instances run and no deployment does")

    def test_an_app_is_made_scaled_and_deleted(self):
        self.make_app(2)
        self.settled(2)
        answer = self.client.scale_app(APP, instances=3)
        self.assertIn("deploymentId", answer)
        self.settled(3)
        tasks = self.client.list_tasks(APP)
        self.assertEqual(sorted(task.host for task in tasks), ["a", "b", "c"])
        self.assertEqual({task.state for task in tasks}, {"TASK_RUNNING"})
        self.assertTrue(all(task.started_at and task.slave_id for task in tasks))
        self.client.delete_app(APP)
        wait_for(lambda: not self.client.list_apps(), "the app is gone")
        with self.assertRaises(marathon.NotFoundError):
            self.client.get_app(APP)

    def test_a_scale_beyond_the_hosts_locks_the_app_until_it_is_forced_or_taken_back(self):
        self.make_app(3)
        self.settled(3)
        deployment = self.client.scale_app(APP, instances=5)["deploymentId"]
        with self.assertRaises(marathon.exceptions.ConflictError) as conflict:
            self.client.scale_app(APP, instances=4)
        self.assertEqual(conflict.exception.status_code, 409)
        self.assertIn("App is locked by one or more deployments", str(conflict.exception))
        running = self.client.list_deployments()
        self.assertEqual(
            [(one.id, one.affected_apps, one.current_actions[0].action) for one in running],
            [(deployment, [APP], "ScaleApplication")],
        )

        def waits():
            queue = self.client.list_queue(embed_last_unused_offers=True)
            return queue and queue[0].count == 2 and queue

        item = wait_for(waits, "two instances wait in the queue")[0]
        self.assertEqual(item.app.id, APP)
        self.client.delete_deployment(deployment)  # without force: goes back to what was
        self.settled(3)
        self.assertEqual(self.client.get_app(APP).instances, 3)
        again = self.client.scale_app(APP, instances=5)["deploymentId"]
        forced = self.client.scale_app(APP, instances=3, force=True)[
            "deploymentId"
        ]  # sends force=True, as Python writes it
        self.assertNotEqual(again, forced)
        self.settled(3)

    def test_a_wrong_definition_is_refused_with_details(self):
        self.make_app(1)
        with self.assertRaises(marathon.MarathonHttpError) as refused:
            self.client.scale_app(APP, instances=-1)
        self.assertEqual(
            (refused.exception.status_code, refused.exception.error_details[0]["path"]), (422, "/instances")
        )
        with self.assertRaises(marathon.exceptions.ConflictError):
            self.client.create_app(APP, MarathonApp(cmd="sleep 1"))

    def test_a_hosts_task_can_be_named_when_scaling_down(self):
        self.make_app(3)
        self.settled(3)
        self.client.kill_tasks(APP, host="b", scale=True)
        self.settled(2)
        self.assertEqual(sorted(task.host for task in self.client.list_tasks(APP)), ["a", "c"])
        killed = self.client.kill_task(APP, self.client.list_tasks(APP)[0].id)
        self.assertEqual(killed.app_id, APP)
        self.settled(2)

    def test_events_come_from_the_leader_through_a_redirect(self):
        client = self.connect([self.cluster.marathons[1].url])  # the one that does not lead
        got = []

        def listen():
            for event in client.event_stream(
                event_types=[MarathonDeploymentSuccess, "deployment_info", "status_update_event"]
            ):
                got.append(event)

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        wait_for(lambda: self.cluster.events.sse, "it has subscribed")
        self.make_app(2)
        wait_for(lambda: any(isinstance(event, MarathonDeploymentSuccess) for event in got), lambda: got)
        running = [
            event for event in got if event.event_type == "status_update_event" and event.task_status == "TASK_RUNNING"
        ]
        self.assertEqual((len(running), {event.app_id for event in running}), (2, {APP}))
        begun = next(event for event in got if event.event_type == "deployment_info")
        self.assertEqual(begun.plan.steps[-1].actions[0].action, "ScaleApplication")
        self.cluster.faults.close_streams()
        thread.join(WAIT_SECONDS_MAX)
        self.assertFalse(thread.is_alive(), "the stream ends when the server closes it")

    def test_leaders_change_and_there_is_none_for_a_while(self):
        self.make_app(2)
        self.settled(2)
        first = self.client.get_leader()["leader"]
        self.assertEqual(self.client.get_info().leader, first)
        self.cluster.faults.marathon_failover(election=100)
        with self.assertRaises(marathon.exceptions.InternalServerError) as none:
            self.client.get_app(APP)
        self.assertEqual(none.exception.status_code, 502)

        def leads():
            try:
                return self.client.get_leader()["leader"]
            except marathon.exceptions.InternalServerError:
                return None

        self.assertNotEqual(wait_for(leads, "another one leads"), first)
        self.settled(2)
        self.assertEqual(self.client.ping(), b"pong")

    def test_credentials_and_tokens_are_wanted(self):
        site = self.cluster.marathons[0]
        site.basic = "fleet:secret"
        with self.assertRaises(marathon.MarathonHttpError) as refused:
            self.connect([site.url]).get_info()
        self.assertEqual(refused.exception.status_code, 401)
        self.assertEqual(self.connect([site.url], username="fleet", password="secret").get_info().name, "marathon")
        site.basic, site.token = None, "abc"
        self.assertEqual(self.connect([site.url], auth_token="abc").get_info().name, "marathon")
        with self.assertRaises(marathon.MarathonHttpError):
            self.connect([site.url], auth_token="abd").get_info()


if __name__ == "__main__":
    unittest.main(verbosity=2)
