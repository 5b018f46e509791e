"""Deployments: plans that take time, lock the apps they touch, and may never end.

A plan is a list of steps, a step a list of actions. Marathon stores the new definitions when it accepts the plan; the
actions then
bring the instances there. Sources: DeploymentPlan, ScalingProposition, TaskStartActor, TaskReplaceActor
(SC/marathon/core/deployment).
"""
import dataclasses
import math
import uuid

from . import appdef
from .instances import victims


@dataclasses.dataclass
class Action:
    name: str
    app: str
    scale_to: int = 0
    sentenced: list = dataclasses.field(default_factory=list)  # instance ids that go first
    begun: bool = False
    ending: set = dataclasses.field(default_factory=set)  # instance ids whose end it waits for
    capacity: int = 0
    queue: list = dataclasses.field(default_factory=list)  # of an upgrade: old instances, in the order in which they go
    started: set = dataclasses.field(default_factory=set)
    credited: set = dataclasses.field(default_factory=set)


@dataclasses.dataclass
class Deployment:
    version: str
    steps: list
    original: dict  # app id -> definition before, None when it did not exist
    target: dict  # app id -> definition after, None when it is to go
    by: str  # who asked, for the journal
    id: str = dataclasses.field(default_factory=lambda: str(uuid.uuid4()))
    current: int = 0
    since: float = 0.0

    @property
    def apps(self):
        return sorted({action.app for step in self.steps for action in step})

    def json(self):
        return {
            "id": self.id,
            "version": self.version,
            "affectedApps": self.apps,
            "affectedPods": [],
            "steps": [
                {"actions": [{"action": action.name, "app": action.app} for action in step]} for step in self.steps
            ],
            "currentActions": [
                {"action": action.name, "app": action.app, "readinessCheckResults": []} for action in self.now
            ],
            "currentStep": min(self.current + 1, len(self.steps)),
            "totalSteps": len(self.steps),
        }

    def plan_json(self):
        """As events carry it, with the groups before and after: python3-marathon insists on them. Of the groups only
        what changes is told."""

        def group(apps):
            return {
                "id": "/",
                "apps": [app for app in apps.values() if app],
                "groups": [],
                "pods": [],
                "dependencies": [],
                "version": self.version,
            }

        return {
            "id": self.id,
            "version": self.version,
            "original": group(self.original),
            "target": group(self.target),
            "steps": [
                {"actions": [{"action": action.name, "app": action.app} for action in step]} for step in self.steps
            ],
        }

    @property
    def now(self):
        return self.steps[self.current] if self.current < len(self.steps) else []


def plan(original, target, sentenced=()):
    """The steps that lead from one definition to another; none when they ask for the same."""
    if target is None:
        return [[Action("StopApplication", original["id"])]] if original else []
    name, count = target["id"], target["instances"]
    if original is None:
        steps = [[Action("StartApplication", name)]]
        return steps + [[Action("ScaleApplication", name, count)]] if count else steps
    if not appdef.same_configuration(original, target):
        return [[Action("RestartApplication", name, count)]]
    if original["instances"] != count or sentenced:
        return [[Action("ScaleApplication", name, count, list(sentenced))]]
    return []


def begin(action, marathon):
    action.begun = True
    {
        "StartApplication": lambda *_: None,
        "StopApplication": begin_stop,
        "ScaleApplication": begin_scale,
        "RestartApplication": begin_restart,
    }[action.name](action, marathon)


def done(action, marathon):
    return {
        "StartApplication": lambda *_: True,
        "StopApplication": stopped,
        "ScaleApplication": scaled,
        "RestartApplication": restarted,
    }[action.name](action, marathon)


def begin_stop(action, marathon):
    for instance in marathon.instances_of(action.app):
        marathon.kill(instance, "app stopped", decommission=True)


def stopped(action, marathon):
    return not [
        one for one in marathon.instances_of(action.app) if one.condition not in ("Unreachable", "UnreachableInactive")
    ]


def begin_scale(action, marathon):
    counted = [one for one in marathon.instances_of(action.app) if one.counts]
    first = [one for one in counted if one.id in action.sentenced]
    rest = [one for one in counted if one.id not in action.sentenced]
    count = max(len(counted) - action.scale_to, len(first))
    selection = marathon.apps[action.app]["killSelection"]
    for instance in (first + victims(rest, len(rest), selection))[:count]:
        action.ending.add(instance.id)
        marathon.kill(instance, "scaled down", decommission=True)
    marathon.schedule(action.app, action.scale_to - len(counted) + count)


def scaled(action, marathon):
    instances = marathon.instances_of(action.app)
    if action.ending & {one.id for one in instances if one.condition != "Unreachable"}:
        return False
    missing = action.scale_to - sum(1 for one in instances if one.counts)
    if missing > 0:  # one failed meanwhile
        marathon.schedule(action.app, missing)
    return action.ending or sum(1 for one in instances if one.ready) >= action.scale_to


def restart_strategy(app, running):
    """(how many old ones are killed at once, how many old and new may be), TaskReplaceActor.computeRestartStrategy."""
    strategy, wanted = app["upgradeStrategy"], app["instances"]
    healthy_min = math.ceil(wanted * strategy["minimumHealthCapacity"])
    capacity = int(wanted * (1 + strategy["maximumOverCapacity"]))
    if healthy_min == capacity and capacity <= running:
        capacity += 1
    return max(0, running - healthy_min), capacity


def begin_restart(action, marathon):
    app = marathon.apps[action.app]
    active = [one for one in marathon.instances_of(action.app) if one.active and one.goal == "Running"]
    for waiting in marathon.instances_of(
        action.app
    ):  # not yet launched: nothing to kill, they go out with the new definition
        if waiting.condition == "Scheduled" and waiting.config_version != app["versionInfo"]["lastConfigChangeAt"]:
            marathon.forget(waiting)
    action.queue = [one.id for one in active if one.config_version != app["versionInfo"]["lastConfigChangeAt"]]
    action.ending = set(action.queue)
    action.started = {
        one.id for one in marathon.instances_of(action.app) if one.id not in action.ending and one.goal == "Running"
    }
    at_once, action.capacity = restart_strategy(app, len(active))
    for _ in range(at_once):
        kill_next(action, marathon)
    launch_more(action, marathon)


def kill_next(action, marathon):
    if action.queue:
        marathon.kill(marathon.instances[action.queue.pop(0)], "upgraded", decommission=True)


def launch_more(action, marathon):
    left = max(0, action.capacity - len(action.ending) - len(action.started))
    wanted = min(max(0, marathon.apps[action.app]["instances"] - len(action.started)), left)
    action.started |= {one.id for one in marathon.schedule(action.app, wanted)}


def restarted(action, marathon):
    alive = {one.id: one for one in marathon.instances_of(action.app)}
    gone = {one for one in action.ending if one not in alive or alive[one].condition == "UnreachableInactive"}
    failed = {one for one in action.started if one not in alive}
    action.queue = [one for one in action.queue if one in alive]
    action.ending -= gone
    action.started -= failed
    for new in sorted(action.started):
        if alive[new].ready and new not in action.credited:
            action.credited.add(new)
            kill_next(action, marathon)
    launch_more(action, marathon)
    ready = sum(1 for one in action.started if alive.get(one) and alive[one].ready)
    return not action.ending and ready >= marathon.apps[action.app]["instances"]
