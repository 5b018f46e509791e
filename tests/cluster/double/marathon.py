"""The scheduler: apps, instances, deployments, the launch queue. What /v2 shows and changes is marathon_http.py's.

It hears of tasks from the master (task_update) and launches on the hosts that the master offers. While no instance
leads, nothing moves
but what is due is done later: deployments are stored in ZooKeeper and go on under the next leader.
"""
import copy
import random
import uuid

from . import deployments as plans
from . import instances as kinds
from . import placement
from .appdef import Refused, same_configuration
from .clock import stamp

DEPLOYMENTS_MAX = 100  # --max_running_deployments
SCALE_APPS_SECONDS = 300  # --scale_apps_interval
OFFER_SECONDS = 2
UNIQUE_LOCK = (
    "App is locked by one or more deployments. Override with the option '?force=true'. View details at"
    " '/v2/deployments/<DEPLOYMENT_ID>'."
)


class Marathon:
    def __init__(self, clock, master, events, journal, seed=1):
        self.clock, self.master, self.events, self.journal = clock, master, events, journal
        self.random = random.Random(seed)
        self.framework_id = str(uuid.uuid4()) + "-0000"
        self.apps, self.instances, self.deployments = {}, {}, []
        self.rejections = {}  # app id -> {agent id: reasons of its last offer}
        self.last_failure = {}  # app id -> lastTaskFailure
        self.delays = {}  # app id -> (until, seconds)
        self.offered_at = {}  # app id -> {"used": t, "unused": t, "processed": n, "unused_count": n}
        self.next_offers = self.next_scale = 0.0
        self.unreachable_granularity = (
            600  # --reconciliation_interval: how coarsely time-outs of lost instances are noticed
        )
        self.next_expunge = None
        self.leading = True
        self.last_stamp = 0.0

    # -- what others ask
    # -------------------------------------------------------------------------------------------------

    def instances_of(self, app):
        return [one for one in self.instances.values() if one.app_id == app]

    def tasks_on(self, agent_id):
        return [one.task for one in self.instances.values() if one.agent_id == agent_id and one.task]

    def locks_on(self, app):
        return [deployment for deployment in self.deployments if app in deployment.apps]

    def new_version(self):
        # Two changes within a millisecond still have two versions.
        self.last_stamp = max(self.clock.now(), self.last_stamp + 0.001)
        return stamp(self.last_stamp)

    # -- changes
    # ---------------------------------------------------------------------------------------------------------

    def change(self, app_id, target, force, by, sentenced=(), restart=False):
        """A deployment that makes `target` of the app (None: nothing); Refused with 409 while another one holds it."""
        original = self.apps.get(app_id)
        version = self.new_version()
        if target is not None:
            target = copy.deepcopy(target)
            scale_only = original is not None and not restart and same_configuration(original, target)
            target["version"] = version
            old = (original or {}).get("versionInfo", {})
            scaled = original is None or original["instances"] != target["instances"] or not scale_only
            target["versionInfo"] = {
                "lastScalingAt": version if scaled else old["lastScalingAt"],
                "lastConfigChangeAt": old["lastConfigChangeAt"] if scale_only else version,
            }
        steps = plans.plan(original, target, sentenced)
        if restart:
            steps = [[plans.Action("RestartApplication", app_id, target["instances"])]]
        deployment = plans.Deployment(
            version=version,
            steps=steps,
            original={app_id: original},
            target={app_id: target},
            by=by,
            since=self.clock.now(),
        )
        self.accept(deployment, force)
        return deployment

    def accept(self, deployment, force):
        blocking = [other for other in self.deployments if set(other.apps) & set(deployment.apps)]
        if blocking and not force:
            raise Refused(409, {"message": UNIQUE_LOCK, "deployments": [{"id": other.id} for other in blocking]})
        if len(self.deployments) - len(blocking) >= DEPLOYMENTS_MAX:
            raise Refused(
                403,
                {
                    "message": (
                        f"Max number ({DEPLOYMENTS_MAX}) of running deployments is achieved. Wait for existing"
                        " deployments to complete or cancel one using force=true parameter."
                    )
                },
            )
        for other in blocking:
            self.cancel(other)
        for app_id, target in deployment.target.items():
            if target is not None:
                self.apps[app_id] = target
            elif not deployment.steps:
                self.apps.pop(app_id, None)
        if deployment.steps:
            self.deployments.append(deployment)
            self.events.marathon(
                "deployment_info",
                plan=deployment.plan_json(),
                currentStep={"actions": deployment.json()["currentActions"]},
            )
        else:
            self.events.marathon("deployment_success", id=deployment.id, plan=deployment.plan_json())

    def cancel(self, deployment):
        self.deployments.remove(deployment)
        self.journal.note("deployment cancelled", deployment=deployment.id, by=deployment.by, apps=deployment.apps)
        self.events.marathon("deployment_failed", id=deployment.id, plan=deployment.plan_json(), reason="cancelled")

    def revert(self, deployment, by):
        """What DELETE /v2/deployments/{id} without force does: a forced deployment back to what was."""
        latest = None
        for app_id, original in deployment.original.items():
            latest = self.change(app_id, original, force=True, by=by)
        return latest

    def kill_and_scale(self, app_id, doomed, force, by):
        """TaskKiller.killAndScale: only what has been launched can be named; each lowers the count by one."""
        app = self.apps[app_id]
        doomed = [one for one in doomed if one.active]
        target = {**app, "instances": max(0, app["instances"] - sum(1 for one in doomed if one.condition != "Killing"))}
        return self.change(app_id, target, force, by, sentenced=[one.id for one in doomed])

    def kill(self, instance, reason, decommission=False):
        """Asks for the instance's end. What was never launched, or cannot be reached, is gone at once
        (KillAction.scala)."""
        now = self.clock.now()
        if decommission:
            instance.goal = "Decommissioned"
        if instance.condition != "Killing":
            self.journal.killed(instance, reason, self.deployments)
        if instance.condition in ("Scheduled", "Unreachable", "UnreachableInactive"):
            self.forget(instance)
            return
        instance.become("Killing", now)
        instance.kill_reason = reason
        self.master.kill(instance.task, instance.app.get("taskKillGracePeriodSeconds"))

    def forget(self, instance):
        self.instances.pop(instance.id, None)

    def schedule(self, app_id, count):
        new = [kinds.scheduled(self.apps[app_id], self.clock.now()) for _ in range(max(0, count))]
        self.instances.update({one.id: one for one in new})
        return new

    # -- what the master says
    # --------------------------------------------------------------------------------------------

    def task_update(self, task, state, machine, message=""):
        now = self.clock.now()
        instance = next((one for one in self.instances.values() if one.task == task), None)
        if instance is None:
            if state in ("TASK_RUNNING", "TASK_STAGING"):
                self.master.kill(task, None)  # expunged here, alive there
                self.events.marathon("unknown_instance_terminated_event", instanceId=task)
            return
        before = instance.condition
        if state == "TASK_RUNNING":
            if instance.condition == "Killing":
                self.master.kill(task, None)  # the first request did not reach it
            elif instance.goal == "Running":
                instance.become("Running", now)
                instance.started_at = instance.started_at or now
            else:
                self.master.kill(task, None)
        elif state == "TASK_UNREACHABLE":
            instance.become("Unreachable", now)
            if strategy(instance) == (0, 0):
                self.lost(instance)
        elif state in ("TASK_KILLED", "TASK_FINISHED", "TASK_FAILED", "TASK_GONE", "TASK_LOST"):
            self.ended(instance, state, message)
        self.tell(instance, state, message, before)

    def ended(self, instance, state, message):
        now = self.clock.now()
        self.forget(instance)
        if state == "TASK_FAILED":
            self.last_failure[instance.app_id] = {
                "appId": instance.app_id,
                "host": instance.host,
                "message": message,
                "state": state,
                "taskId": instance.task,
                "timestamp": stamp(now),
                "version": instance.app["version"],
                "slaveId": instance.agent_id,
            }
            _, seconds = self.delays.get(
                instance.app_id, (0, instance.app["backoffSeconds"] / instance.app["backoffFactor"])
            )
            seconds = min(seconds * instance.app["backoffFactor"], instance.app["maxLaunchDelaySeconds"])
            self.delays[instance.app_id] = (now + seconds, seconds)
        if instance.goal == "Running":
            self.scale_check(instance.app_id)

    def lost(self, instance):
        """Its time is up, or there was none: expunged, and replaced as far as no deployment is at it."""
        self.journal.note("instance expunged", instance=instance.id, host=instance.host)
        self.forget(instance)
        self.scale_check(instance.app_id)

    def health_update(self, task, healthy):
        instance = next((one for one in self.instances.values() if one.task == task), None)
        if instance is None or instance.healthy is healthy:
            return
        instance.healthy, instance.healthy_since = healthy, self.clock.now()
        self.events.marathon(
            "health_status_changed_event",
            appId=instance.app_id,
            instanceId=instance.id,
            version=instance.app["version"],
            alive=healthy,
        )

    def tell(self, instance, state, message, before):
        self.events.marathon(
            "status_update_event",
            slaveId=instance.agent_id,
            taskId=instance.task,
            taskStatus=state,
            message=message,
            appId=instance.app_id,
            host=instance.host,
            ipAddresses=[],
            ports=instance.ports,
            version=instance.app["version"],
        )
        if before != instance.condition:
            self.events.marathon(
                "instance_changed_event",
                instanceId=instance.id,
                condition=instance.condition,
                runSpecId=instance.app_id,
                agentId=instance.agent_id,
                host=instance.host,
                runSpecVersion=instance.app["version"],
            )

    # -- time
    # ------------------------------------------------------------------------------------------------------------

    def tick(self, now):
        if not self.leading:
            return
        self.expunge(now)
        self.advance()
        if now >= self.next_scale:
            self.next_scale = now + SCALE_APPS_SECONDS
            for app_id in list(self.apps):
                self.scale_check(app_id)
        if now >= self.next_offers and self.master.offers_flow:
            self.next_offers = now + OFFER_SECONDS
            self.launch(now)

    def expunge(self, now):
        if self.next_expunge is None or now < self.next_expunge:
            self.next_expunge = self.next_expunge or now + self.unreachable_granularity
            return
        self.next_expunge = now + self.unreachable_granularity
        for instance in [
            one for one in self.instances.values() if one.condition in ("Unreachable", "UnreachableInactive")
        ]:
            times = strategy(instance)
            if times is None:
                continue
            inactive, final = times
            if now - instance.since >= final:
                self.lost(instance)
            elif now - instance.since >= inactive and instance.condition == "Unreachable":
                instance.condition = "UnreachableInactive"  # `since` stays: it counts from the loss
                self.scale_check(instance.app_id)

    def scale_check(self, app_id):
        """Outside deployments Marathon keeps the count by itself."""
        app = self.apps.get(app_id)
        if app is None or self.locks_on(app_id):
            return
        counted = [one for one in self.instances_of(app_id) if one.counts]
        self.schedule(app_id, app["instances"] - len(counted))
        for extra in (
            kinds.victims(counted, len(counted) - app["instances"], app["killSelection"])
            if len(counted) > app["instances"]
            else ()
        ):
            self.kill(extra, "over capacity", decommission=True)

    def advance(self):
        for deployment in list(self.deployments):
            while deployment.now:
                for action in deployment.now:
                    if not action.begun:
                        plans.begin(action, self)
                if not all([plans.done(action, self) for action in deployment.now]):
                    break
                self.events.marathon(
                    "deployment_step_success",
                    plan=deployment.plan_json(),
                    currentStep={"actions": deployment.json()["currentActions"]},
                )
                deployment.current += 1
            if not deployment.now and deployment in self.deployments:
                self.deployments.remove(deployment)
                for app_id, target in deployment.target.items():
                    if target is None:
                        self.apps.pop(app_id, None)
                        for instance in self.instances_of(app_id):
                            self.forget(instance)
                self.events.marathon("deployment_success", id=deployment.id, plan=deployment.plan_json())
                for app_id in deployment.target:
                    self.scale_check(app_id)

    def launch(self, now):
        waiting = {}
        for instance in self.instances.values():
            if instance.condition == "Scheduled" and now >= self.delays.get(instance.app_id, (0, 0))[0]:
                waiting.setdefault(instance.app_id, []).append(instance)
        if not waiting:
            return
        others = {
            app_id: [
                one.machine
                for one in self.instances_of(app_id)
                if one.condition != "Scheduled"
                and one.condition not in kinds.LOST
                and one.config_version == self.apps[app_id]["versionInfo"]["lastConfigChangeAt"]
            ]
            for app_id in waiting
        }
        machines = self.master.offers()
        self.random.shuffle(machines)
        for machine in machines:
            in_maintenance = self.master.in_maintenance(machine)
            for app_id, queue in waiting.items():
                if not queue:
                    continue
                app = queue[0].app
                role, ports, reasons = placement.match(app, machine, others[app_id], in_maintenance)
                self.account(app_id, machine, reasons, now)
                if not reasons:
                    self.place(queue.pop(0), machine, role, ports, now)
                    others[app_id].append(machine)

    def account(self, app_id, machine, reasons, now):
        self.rejections.setdefault(app_id, {})[machine.agent_id] = (now, reasons)
        told = self.offered_at.setdefault(app_id, {"processed": 0, "unused": 0, "last_unused": None, "last_used": None})
        told["processed"] += 1
        told["last_unused" if reasons else "last_used"] = now
        told["unused"] += 1 if reasons else 0

    def place(self, instance, machine, role, ports, now):
        instance.machine, instance.agent_id, instance.host = machine, machine.agent_id, machine.hostname
        instance.task = f"{instance.id}._app.1"
        instance.ports, instance.staged_at = ports, now
        instance.become("Staging", now)
        self.master.launch(machine, instance, role)
        self.tell(instance, "TASK_STAGING", "", "Scheduled")


def strategy(instance):
    """(inactive, expunge) in seconds, or None when lost instances stay."""
    told = instance.app["unreachableStrategy"]
    return None if told == "disabled" else (told["inactiveAfterSeconds"], told["expungeAfterSeconds"])
