"""The rules of fleet sync (docs/operate/fleet.md) in their smallest form, to try the double and the scenarios without
the real one.

Python's own HTTP, one look at a time. Simple on purpose: eligible hosts up at once, hosts that have gone by name after
the hold time.
"""
import http.client
import json
import threading
import urllib.parse


class Trouble(Exception):
    pass


def call(url, method, path, body=None, authorization=None):
    """Follows redirects, as a client must."""
    for _ in range(4):
        where = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=10)
        try:
            connection.request(
                method,
                path,
                json.dumps(body) if body is not None else None,
                {
                    "User-Agent": "model-sync",
                    "Content-Type": "application/json",
                    "Accept": "application/json",
                    **({"Authorization": authorization} if authorization else {}),
                },
            )
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as wrong:
            raise Trouble(f"{method} {url}{path}: {wrong}") from None
        finally:
            connection.close()
        if answer.status in (302, 307):
            target = urllib.parse.urlsplit(answer.headers["Location"])
            url, path = f"http://{target.netloc}", target.path or path
            continue
        if answer.status >= 400:
            raise Trouble(f"{method} {path}: {answer.status}")
        return json.loads(text) if text else None
    raise Trouble("too many redirects")


class ModelSync:
    def __init__(
        self,
        marathon,
        mesos,
        app,
        clock,
        interval=30,
        hold=900,
        stuck=600,
        drop_max=0.25,
        marathon_auth=None,
        mesos_auth=None,
    ):
        self.marathon, self.mesos, self.app, self.clock = marathon, mesos, app, clock
        self.interval, self.hold, self.stuck, self.drop_max = interval, hold, stuck, drop_max
        self.gone_since, self.deployments_since = {}, {}
        self.marathon_auth, self.mesos_auth = marathon_auth, mesos_auth
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def close(self):
        self.ending.set()
        self.thread.join()

    def run(self):
        while not self.ending.wait(self.interval / self.clock.scale):
            for marathon in self.marathon:
                try:
                    self.look(marathon)
                    break
                except Trouble:
                    continue

    def ask_mesos(self, what):
        return call(self.mesos[0], "POST", "/api/v1", {"type": what}, self.mesos_auth)

    def ask_marathon(self, marathon, method, path, body=None):
        return call(marathon, method, path, body, self.marathon_auth)

    def look(self, marathon):
        now = self.clock.now()
        agents = self.ask_mesos("GET_AGENTS")["get_agents"]
        status = self.ask_mesos("GET_MAINTENANCE_STATUS")["get_maintenance_status"]["status"]
        app = self.ask_marathon(marathon, "GET", "/v2/apps" + self.app)["app"]
        deployments = self.ask_marathon(marathon, "GET", "/v2/deployments")
        queue = {item["app"]["id"]: item["count"] for item in self.ask_marathon(marathon, "GET", "/v2/queue")["queue"]}
        down = {one.get("hostname") for one in status.get("down_machines", [])}
        listed, recovered = agents.get("agents", []), agents.get("recovered_agents", [])
        known = {one["agent_info"]["id"]["value"] for one in listed} | {one["id"]["value"] for one in recovered}
        good = {
            one["agent_info"]["hostname"]: one
            for one in listed
            if one["active"]
            and not one.get("deactivated")
            and "drain_info" not in one
            and one["agent_info"]["hostname"] not in down
        }
        leaving = {one["agent_info"]["hostname"] for one in listed if "drain_info" in one or one.get("deactivated")}
        own = [one for one in deployments if self.app in one["affectedApps"]]
        self.deployments_since = {one["id"]: self.deployments_since.get(one["id"], now) for one in own}
        if not listed or any(
            action["action"] != "ScaleApplication" for one in own for step in one["steps"] for action in step["actions"]
        ):
            return
        force = "?force=true" if own else ""
        with_task = {task["host"] for task in app["tasks"] if task["slaveId"] in known}
        free = [host for host, one in good.items() if host not in with_task and self.has_room(app, one)]
        gone = [task for task in app["tasks"] if task["slaveId"] not in known]
        self.gone_since = {task["id"]: self.gone_since.get(task["id"], now) for task in gone}
        need = len(free) - queue.get(self.app, 0)
        for task in gone:
            if need > 0:
                self.ask_marathon(marathon, "DELETE", f"/v2/apps{self.app}/tasks/{task['id']}")
                need -= 1
        if need > 0 and not gone:
            self.ask_marathon(marathon, "PATCH", f"/v2/apps{self.app}{force}", {"instances": app["instances"] + need})
            return
        if recovered or need > 0:
            return
        doomed = [task["id"] for task in app["tasks"] if task["host"] in leaving and task["state"] == "TASK_RUNNING"]
        if len(gone) <= max(1, int(self.drop_max * app["instances"])):
            doomed += [task["id"] for task in gone if now - self.gone_since[task["id"]] >= self.hold]
        if doomed and app["instances"] > len(good):
            self.ask_marathon(
                marathon, "POST", "/v2/tasks/delete?scale=true" + ("&force=true" if own else ""), {"ids": doomed}
            )
        elif not doomed:
            for one, since in self.deployments_since.items():
                if now - since >= self.stuck:
                    self.ask_marathon(marathon, "DELETE", f"/v2/deployments/{one}?force=true")

    @staticmethod
    def has_room(app, agent):
        """Fixed ports are what is tried here."""
        wanted = {one["port"] for one in app["portDefinitions"] or []} if app["requirePorts"] else set()
        taken = {
            port
            for one in agent.get("allocated_resources", [])
            if one["name"] == "ports"
            for range_ in one["ranges"]["range"]
            for port in range(range_["begin"], range_["end"] + 1)
        }
        return not wanted & taken


class NaiveSync(ModelSync):
    """What people wrote for years: the count is the number of active agents, by force. The scenarios must notice every
    harm it does."""

    def look(self, marathon):
        agents = self.ask_mesos("GET_AGENTS")["get_agents"].get("agents", [])
        count = sum(1 for one in agents if one["active"])
        if count != self.ask_marathon(marathon, "GET", "/v2/apps" + self.app)["app"]["instances"]:
            self.ask_marathon(marathon, "PATCH", f"/v2/apps{self.app}?force=true", {"instances": count})
