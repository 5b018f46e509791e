"""Instances as Marathon keeps them: one place in an app's count, with or without a task on a host."""
import dataclasses
import uuid

from .clock import stamp

ACTIVE = ("Provisioned", "Staging", "Starting", "Running", "Killing", "Unreachable")
LOST = ("Unreachable",)  # of these UNIQUE takes no notice; of UnreachableInactive it does (Condition.scala isLost)
STATES = {
    "Provisioned": "TASK_STAGING",
    "Staging": "TASK_STAGING",
    "Starting": "TASK_STARTING",
    "Running": "TASK_RUNNING",
    "Killing": "TASK_KILLING",
    "Unreachable": "TASK_UNREACHABLE",
    "UnreachableInactive": "TASK_UNREACHABLE",
}


@dataclasses.dataclass
class Instance:
    app: dict  # the definition that it was scheduled with
    id: str
    since: float  # of the condition
    condition: str = "Scheduled"
    goal: str = "Running"  # or Decommissioned
    machine: object = None
    agent_id: str = None
    host: str = None
    task: str = None
    ports: list = dataclasses.field(default_factory=list)
    staged_at: float = None
    started_at: float = None
    healthy: bool = None  # None: no health check has answered yet
    healthy_since: float = None
    kill_reason: str = None

    @property
    def app_id(self):
        return self.app["id"]

    @property
    def config_version(self):
        return self.app["versionInfo"]["lastConfigChangeAt"]

    @property
    def active(self):
        return self.condition in ACTIVE

    @property
    def counts(self):
        """Has a place in the app's count, as ScalingProposition counts."""
        return self.goal == "Running" and self.condition != "UnreachableInactive"

    @property
    def ready(self):
        """What a deployment waits for."""
        return (
            self.goal == "Running"
            and self.condition == "Running"
            and (self.healthy is True or not self.app["healthChecks"])
        )

    def become(self, condition, now):
        self.condition, self.since = condition, now


def scheduled(app, now):
    name = app["id"].strip("/").replace("/", "_")
    return Instance(app=app, id=f"{name}.instance-{uuid.uuid1()}", since=now)


def task_json(instance):
    active = instance.condition not in ("Unreachable", "UnreachableInactive")
    task = {
        "id": instance.task,
        "appId": instance.app_id,
        "host": instance.host,
        "slaveId": instance.agent_id,
        "state": STATES[instance.condition],
        "ports": instance.ports if active else [],
        "servicePorts": [],
        "localVolumes": [],
        "ipAddresses": [{"ipAddress": "127.0.0.1", "protocol": "IPv4"}] if active else [],
        "role": instance.app.get("role", "*"),
    }
    if active:
        task["stagedAt"] = stamp(instance.staged_at)
        task["version"] = instance.app["version"]
        if instance.started_at:
            task["startedAt"] = stamp(instance.started_at)
    if instance.app["healthChecks"] and instance.healthy is not None:
        since = stamp(instance.healthy_since)
        task["healthCheckResults"] = [
            {
                "alive": instance.healthy,
                "consecutiveFailures": 0 if instance.healthy else 1,
                "firstSuccess": since if instance.healthy else None,
                "lastSuccess": since if instance.healthy else None,
                "lastFailure": None if instance.healthy else since,
                "lastFailureCause": None if instance.healthy else "Command health check failed",
                "instanceId": instance.id,
            }
        ]
    return task


# Which instance goes first when there are too many (ScalingProposition.scala): what is Scheduled comes last of all,
# after healthy ones.
WEIGHTS = {"Unreachable": 1, "Staging": 2, "Starting": 3, "Running": 4}


def victims(candidates, count, selection):
    def order(instance):
        when = instance.staged_at if instance.condition == "Staging" else instance.started_at
        age = when or 0.0
        return WEIGHTS.get(instance.condition, 5), age if selection == "OLDEST_FIRST" else -age

    return sorted(candidates, key=order)[:count]
