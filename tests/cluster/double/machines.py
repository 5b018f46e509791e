"""Hosts, each with its Mesos agent: what the master knows of it, and what truly runs there.

The two differ, which is the point: an agent behind a broken switch is gone for the master while its tasks run on, and
after a
failover the master knows nothing of agents that are perfectly well.
"""
import dataclasses
import uuid

from . import resources


@dataclasses.dataclass
class Process:
    """One task that runs on a host. `ready_at`, `healthy_at`: cluster time; `ends_at` once it is asked to end."""

    task: str
    app: str
    config_version: str
    cpus: float
    mem: float
    disk: float
    ports: list
    role: str
    instance: str
    started_at: float
    ready_at: float
    healthy_at: float
    ends_at: float = None
    reported: bool = False  # that it runs
    said_healthy: bool = None  # what was last reported of its health


@dataclasses.dataclass
class Machine:
    hostname: str
    attributes: dict = dataclasses.field(default_factory=dict)
    resources: dict = dataclasses.field(default_factory=resources.unreserved)
    region: str = None
    zone: str = None
    port: int = 5051
    agent_id: str = None
    # The truth.
    up: bool = True  # the machine itself
    reachable: bool = True  # from the master
    processes: dict = dataclasses.field(default_factory=dict)  # task id -> Process
    ports_taken: set = dataclasses.field(default_factory=set)  # by something that is no task: Mesos does not know
    launch_fails: str = None  # a message: tasks that are launched here fail at once
    healthy: bool = True  # what health checks of tasks on this host say
    # What the master knows.
    listed: bool = True  # in `agents`/`slaves`
    recovered: bool = False  # known from the registry only, after a failover
    connected: bool = True
    deactivated: bool = False
    drain: dict = None  # {"mark_gone": b, "max_grace": seconds or None, "since": t}
    lost_at: float = None  # when the master last heard of it, while it hears nothing
    registered_at: float = 0.0
    reregistered_at: float = None

    def new_agent_id(self, master, number):
        self.agent_id = f"{master}-S{number}"
        return self.agent_id

    @property
    def active(self):
        """`active` of the master's answers: false while disconnected, drained or deactivated (master.cpp:3459-3484)."""
        return self.connected and not self.deactivated and not self.drain

    @property
    def drain_state(self):
        return None if not self.drain else "DRAINING" if self.processes else "DRAINED"

    def taken(self, name):
        return sum(getattr(process, name) for process in self.processes.values())

    def task_ports(self):
        return {port for process in self.processes.values() for port in process.ports}

    def running(self, app, now):
        return [process for process in self.processes.values() if process.app == app and process.ready_at <= now]


def new_master_id():
    return str(uuid.uuid4())
