"""Marathon's /v2 over the scheduler, for one of its instances: the leader answers, others pass on, /v2/events is
redirected.

Sources: SC/marathon/api/v2/{Apps,AppTasks,Tasks,Deployments,Queue,Info,Leader}Resource, LeaderProxyFilter,
MarathonExceptionMapper.
"""
import contextlib
import json

from . import appdef, instances, placement
from .appdef import Refused
from .clock import stamp
from .web import Response, Site, html_error


class MarathonSite(Site):
    def __init__(self, cluster, port=0):
        self.cluster, self.marathon = cluster, cluster.marathon
        super().__init__(self.route, "Mesosphere", port, unguarded=("/ping",))

    # -- who answers
    # -----------------------------------------------------------------------------------------------------

    def route(self, request):
        if request.path == "/ping":
            return Response(200, "pong")
        leader = self.cluster.leading_marathon
        if leader is None:
            return html_error(502, "Could not determine the current leader")
        if request.path == "/v2/events":
            if leader is not self:
                return Response(302, headers={"Location": leader.url + request.target})
            return Response(
                200,
                stream=self.cluster.events.sse_stream(request.query.get("event_type", []), request.remote),
                headers={"X-Marathon-Leader": leader.url},
                content_type="text/event-stream;charset=UTF-8",
            )
        with self.cluster.lock:
            seen = self.cluster.snapshot() if request.method != "GET" else None
            body = parsed(request.body)
            try:
                response = self.dispatch(request)
            except Refused as refused:
                response = Response(refused.status, refused.body)
            if seen is not None:
                with contextlib.suppress(ValueError):
                    answer = json.loads(response.body or b"null")
                    self.cluster.journal.write(
                        request.headers.get("User-Agent", ""),
                        request.method,
                        request.path,
                        {key: values[-1] for key, values in request.query.items()},
                        body,
                        response.status,
                        answer,
                        seen,
                    )
        response.headers["X-Marathon-Leader"] = leader.url
        if leader is not self:
            response.headers["X-Marathon-Via"] = f"1.1 {self.address}"
        return response

    def dispatch(self, request):
        parts = [part for part in request.path.split("/") if part]
        if not parts or parts[0] != "v2":
            raise Refused(500, {"message": "URI not found"})
        handler = {
            "apps": self.apps,
            "tasks": self.tasks,
            "deployments": self.deployments,
            "queue": self.queue,
            "info": self.info,
            "leader": self.leader,
        }.get(parts[1] if len(parts) > 1 else "")
        if handler is None:
            raise Refused(500, {"message": "URI not found"})
        return handler(request, parts[2:])

    # -- /v2/apps
    # --------------------------------------------------------------------------------------------------------

    def apps(self, request, parts):
        if not parts:
            return self.create(request) if request.method == "POST" else self.listing(request)
        if "tasks" in parts:
            at = parts.index("tasks")
            return self.app_tasks(request, "/" + "/".join(parts[:at]), "/".join(parts[at + 1 :]))
        if parts[-1] == "restart" and request.method == "POST":
            app = self.known("/" + "/".join(parts[:-1]))
            return self.deployed(
                self.marathon.change(app["id"], app, request.flag("force"), self.who(request), restart=True)
            )
        if parts[-1] == "versions" and request.method == "GET":
            return Response(200, {"versions": [self.known("/" + "/".join(parts[:-1]))["version"]]})
        return self.app(request, "/" + "/".join(parts))

    def app(self, request, app_id):
        if request.method == "GET":
            return Response(200, {"app": self.app_json(self.known(app_id), tasks=True)})
        if request.method == "DELETE":
            self.known(app_id)
            return self.deployed(self.marathon.change(app_id, None, request.flag("force", True), self.who(request)))
        update = self.json(request)
        if request.method == "PUT" and app_id not in self.marathon.apps:
            deployment = self.marathon.change(
                app_id, appdef.create({**update, "id": app_id}), request.flag("force"), self.who(request)
            )
            response = self.deployed(deployment)
            response.status, response.headers["Location"] = 201, self.url + "/v2/apps" + app_id
            return response
        partial = request.method == "PATCH" or request.flag("partialUpdate", True)
        target = appdef.updated(self.known(app_id), update, partial)
        return self.deployed(self.marathon.change(app_id, target, request.flag("force"), self.who(request)))

    def create(self, request):
        app = appdef.create(self.json(request))
        if app["id"] in self.marathon.apps:
            raise Refused(409, {"message": f"An app with id [{app['id']}] already exists."})
        deployment = self.marathon.change(app["id"], app, request.flag("force"), self.who(request))
        return Response(
            201,
            self.app_json(self.marathon.apps[app["id"]]),
            {"Marathon-Deployment-Id": deployment.id, "Location": self.url + "/v2/apps" + app["id"]},
        )

    def listing(self, request):
        embed = request.query.get("embed", [])
        apps = [
            app
            for app in self.marathon.apps.values()
            if request.text("id", "") in app["id"] and labelled(app, request.text("label"))
        ]
        return Response(
            200, {"apps": [self.app_json(app, tasks=bool({"app.tasks", "apps.tasks"} & set(embed))) for app in apps]}
        )

    def app_json(self, app, tasks=False):
        own = self.marathon.instances_of(app["id"])
        running = [one for one in own if one.condition == "Running"]
        told = {
            **self.versioned(app),
            "tasksStaged": sum(1 for one in own if one.condition in ("Staging", "Starting", "Provisioned")),
            "tasksRunning": len(running),
            "tasksHealthy": sum(1 for one in running if one.healthy is True),
            "tasksUnhealthy": sum(1 for one in running if one.healthy is False),
            "deployments": [{"id": one.id} for one in self.marathon.locks_on(app["id"])],
        }
        if tasks:
            told["tasks"] = [instances.task_json(one) for one in own if one.task]
            if app["id"] in self.marathon.last_failure:
                told["lastTaskFailure"] = self.marathon.last_failure[app["id"]]
        return told

    def versioned(self, app):
        return app if self.cluster.has_roles else {key: value for key, value in app.items() if key != "role"}

    def known(self, app_id):
        if app_id not in self.marathon.apps:
            raise Refused(404, {"message": f"App '{app_id}' does not exist"})
        return self.marathon.apps[app_id]

    # -- tasks
    # -----------------------------------------------------------------------------------------------------------

    def app_tasks(self, request, app_id, task):
        self.known(app_id)
        own = [one for one in self.marathon.instances_of(app_id) if one.task]
        if request.method == "GET":
            return Response(200, {"tasks": [instances.task_json(one) for one in own]})
        if task:
            doomed = [one for one in own if one.task == task]
            if not doomed:
                raise Refused(404, {"message": f"Task '{task}' does not exist"})
        else:
            host = request.text("host", "*")
            doomed = [one for one in own if host in ("*", one.host)]
        return self.end_tasks(request, app_id, doomed, single=bool(task))

    def tasks(self, request, parts):
        if parts == ["delete"] and request.method == "POST":
            ids = self.json(request).get("ids", [])
            doomed = [one for one in self.marathon.instances.values() if one.task in ids]
            if not doomed:
                return Response(200, {"tasks": []})
            return self.end_tasks(request, doomed[0].app_id, doomed, single=False)
        wanted = request.query.get("status", []) + request.query.get("status[]", [])
        own = [one for one in self.marathon.instances.values() if one.task]
        if wanted:
            own = [one for one in own if one.condition.lower() in wanted]
        return Response(200, {"tasks": [instances.task_json(one) for one in own]})

    def end_tasks(self, request, app_id, doomed, single):
        if request.flag("scale"):
            return self.deployed(self.marathon.kill_and_scale(app_id, doomed, request.flag("force"), self.who(request)))
        told = [instances.task_json(one) for one in doomed]
        for instance in doomed:
            self.marathon.kill(instance, "killed by the API")
            if request.flag("wipe"):
                self.marathon.forget(instance)
        self.marathon.scale_check(app_id)
        return Response(200, {"task": told[0]} if single else {"tasks": told})

    # -- the rest
    # --------------------------------------------------------------------------------------------------------

    def deployments(self, request, parts):
        if not parts:
            return Response(200, [one.json() for one in self.marathon.deployments])
        found = [one for one in self.marathon.deployments if one.id == parts[0]]
        if not found:
            raise Refused(404, {"message": f"DeploymentPlan {parts[0]} does not exist"})
        if request.flag("force"):
            self.marathon.cancel(found[0])
            return Response(202)
        return self.deployed(self.marathon.revert(found[0], self.who(request)))

    def queue(self, request, parts):
        if parts and parts[-1] == "delay" and request.method == "DELETE":
            self.marathon.delays.pop("/" + "/".join(parts[:-1]), None)
            return Response(204)
        now, told = self.cluster.clock.now(), []
        for app_id, app in self.marathon.apps.items():
            waiting = [one for one in self.marathon.instances_of(app_id) if one.condition == "Scheduled"]
            if waiting:
                told.append(self.queued(app, waiting, now, "lastUnusedOffers" in request.query.get("embed", [])))
        return Response(200, {"queue": told})

    def queued(self, app, waiting, now, with_offers):
        until, _ = self.marathon.delays.get(app["id"], (0, 0))
        offered = self.marathon.offered_at.get(
            app["id"], {"processed": 0, "unused": 0, "last_unused": None, "last_used": None}
        )
        listed = {machine.agent_id: machine for machine in self.cluster.master.offers()}
        last = {
            agent: (when, reasons)
            for agent, (when, reasons) in self.marathon.rejections.get(app["id"], {}).items()
            if agent in listed
        }
        summary = {
            "processedOffersCount": offered["processed"],
            "unusedOffersCount": offered["unused"],
            "rejectSummaryLastOffers": funnel(reasons for _, reasons in last.values()),
            "rejectSummaryLaunchAttempt": funnel(reasons for _, reasons in last.values()),
        }
        for name, key in (("lastUnusedOfferAt", "last_unused"), ("lastUsedOfferAt", "last_used")):
            if offered[key]:
                summary[name] = stamp(offered[key])
        item = {
            "app": self.versioned(app),
            "count": len(waiting),
            "since": stamp(min(one.since for one in waiting)),
            "delay": {"timeLeftSeconds": max(0, int(until - now)), "overdue": now >= until},
            "processedOffersSummary": summary,
        }
        if self.cluster.has_roles:
            item["role"] = app["role"]
        if with_offers:
            item["lastUnusedOffers"] = [
                self.offer_json(listed[agent], when, reasons) for agent, (when, reasons) in last.items() if reasons
            ]
        return item

    def offer_json(self, machine, when, reasons):
        from . import mesos_json

        return {
            "offer": {
                "id": f"{self.cluster.master.id}-O{int(when)}",
                "agentId": machine.agent_id,
                "hostname": machine.hostname,
                "resources": mesos_json.offered(machine),
                "attributes": mesos_json.attributes(machine),
            },
            "timestamp": stamp(when),
            "reason": reasons,
        }

    def info(self, _request, _parts):
        master = self.cluster.leading_master
        return Response(
            200,
            {
                "name": "marathon",
                "version": self.cluster.version,
                "buildref": "double",
                "elected": self.cluster.leading_marathon is self,
                "leader": self.cluster.leading_marathon.address,
                "frameworkId": self.marathon.framework_id,
                "marathon_config": {
                    "master": "zk://127.0.0.1:2181/mesos",
                    "framework_name": "marathon",
                    "mesos_role": "*",
                    "env_vars_prefix": None,
                    "mesos_leader_ui_url": master.url + "/" if master else None,
                    "hostname": "127.0.0.1",
                    "failover_timeout": 604800,
                    "checkpoint": True,
                    "ha": True,
                    "features": [],
                    "maintenance_mode": False,
                    "decline_offer_duration": 120000,
                    "reconciliation_interval": self.marathon.unreachable_granularity * 1000,
                    "scale_apps_interval": 300000,
                    "max_instances_per_offer": 5,
                },
                "zookeeper_config": {"zk": "zk://127.0.0.1:2181/marathon"},
                "http_config": {"http_port": self.port, "https_port": 8443},
            },
        )

    def leader(self, request, _parts):
        if request.method == "DELETE":
            self.cluster.faults.marathon_failover()
            return Response(200, {"message": "Leadership abdicated"})
        return Response(200, {"leader": self.cluster.leading_marathon.address})

    def deployed(self, deployment):
        return Response(
            200,
            {"version": deployment.version, "deploymentId": deployment.id},
            {"Marathon-Deployment-Id": deployment.id},
        )

    @staticmethod
    def who(request):
        return request.headers.get("User-Agent", "")

    @staticmethod
    def json(request):
        try:
            return json.loads(request.body)
        except ValueError as wrong:
            raise Refused(400, {"message": "Invalid JSON", "details": f"Unexpected character ({wrong})"}) from None


def parsed(body):
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode(errors="replace")


def labelled(app, selector):
    """`a==b`, `a!=b` or `a`, with commas between."""
    for part in (selector or "").split(","):
        name, equal, value = part.partition("==")
        name_not, unequal, value_not = part.partition("!=")
        if unequal and app["labels"].get(name_not) == value_not:
            return False
        if equal and app["labels"].get(name) != value:
            return False
        if part and not equal and not unequal and part not in app["labels"]:
            return False
    return True


def funnel(all_reasons):
    """For each reason, how many offers came so far and how many of them it turned away; each offer counts for its first
    reason."""
    firsts = [min(reasons, key=placement.REASONS.index) if reasons else None for reasons in all_reasons]
    left, told = len(firsts), []
    for reason in placement.REASONS:
        declined = firsts.count(reason)
        told.append({"reason": reason, "declined": declined, "processed": left})
        left -= declined
    return told
