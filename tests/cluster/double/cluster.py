"""The cluster as a whole: its parts put together, its clock turned, and its truth told.

One lock guards all of it: the thread that turns the clock and every request take it, so each sees a state that is
whole.
"""
import functools
import threading
import time

from . import constraints, machines, mesos_json, placement
from .agent_http import AgentSite
from .clock import Clock, stamp
from .faults import Faults
from .journal import Journal
from .marathon import Marathon
from .marathon_http import MarathonSite
from .master import Master
from .mesos_http import MasterSite
from .resources import total
from .sandboxes import Sandboxes
from .streams import Events

TICK_SECONDS = 0.01  # of the wall


class Cluster:
    def __init__(self, scale=1.0, marathons=1, masters=1, seed=1, ports=(), version="1.11.24", agents_answer=False):
        self.version = version  # Marathon's
        self.has_roles = tuple(int(part) for part in version.split(".")[:2]) >= (1, 9)
        self.lock = threading.RLock()
        self.clock = Clock(scale)
        self.events, self.journal = Events(self.clock), Journal(self.clock)
        self.master = Master(self.clock, self.events, self.journal)
        self.marathon = Marathon(self.clock, self.master, self.events, self.journal, seed)
        self.master.scheduler = self.marathon
        self.events.agent_json = mesos_json.agent
        self.faults = Locked(Faults(self), self.lock)
        ports = list(ports) + [0] * (marathons + masters)
        self.marathons = [MarathonSite(self, ports[at]) for at in range(marathons)]
        self.masters = [MasterSite(self, ports[marathons + at]) for at in range(masters)]
        # By agent id; none unless they are wanted: a cluster of thousands would have as many ports.
        self.agents_answer, self.agents, self.sandboxes = agents_answer, {}, Sandboxes() if agents_answer else None
        self.marathon_at = self.master_at = 0
        self.marathon_election_until = 0.0
        self.looks = 0  # how often the agents were listed: a client's polls
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.turn, daemon=True)
        self.thread.start()

    def close(self):
        self.ending.set()
        self.thread.join()
        self.events.close_marathon()
        self.events.close_mesos()
        for site in self.marathons + self.masters + list(self.agents.values()):
            site.close()
        if self.sandboxes:
            self.sandboxes.close()

    def turn(self):
        while not self.ending.is_set():
            started = time.monotonic()
            with self.lock:
                now = self.clock.now()
                self.master.tick(now)
                if not self.marathon.leading and self.marathon_election_until and now >= self.marathon_election_until:
                    self.marathon.leading, self.marathon_election_until = True, 0.0
                self.marathon.tick(now)
                if self.agents_answer:
                    self.agents_tick(now)
            self.ending.wait(max(TICK_SECONDS, (time.monotonic() - started)))

    def agents_tick(self, now):
        """An agent answers at the port that the master tells of, while its machine is up and can be reached."""
        for machine in self.master.machines:
            self.sandboxes.follow(machine, self.marathon.framework_id, now)
            site = self.agents.get(machine.agent_id)
            if site is None:
                site = self.agents[machine.agent_id] = AgentSite(self, machine)
                site.basic, site.token = self.masters[0].basic, self.masters[0].token
                machine.port = site.port
            answers = machine.up and machine.reachable
            if answers and site.server is None:
                site.open()
            elif not answers and site.server is not None:
                site.close()

    # -- leaders
    # ---------------------------------------------------------------------------------------------------------

    @property
    def leading_marathon(self):
        return self.marathons[self.marathon_at] if self.marathon.leading else None

    @property
    def leading_master(self):
        return self.masters[self.master_at] if self.master.has_leader else None

    def marathon_election(self, seconds):
        self.marathon.leading = False
        self.marathon_at = (self.marathon_at + 1) % len(self.marathons)
        self.marathon_election_until = self.clock.now() + seconds
        self.events.close_marathon()

    def next_master(self):
        self.master_at = (self.master_at + 1) % len(self.masters)

    # -- the truth
    # -------------------------------------------------------------------------------------------------------

    def eligible(self, app_id):
        """Host names that should have one instance: machines that are well, and that the app can be placed on."""
        app = self.marathon.apps[app_id]
        return {one.hostname for one in self.master.machines if self.well(one) and suits(app, one)}

    def well(self, machine):
        return (
            machine.up
            and machine.reachable
            and not machine.deactivated
            and not machine.drain
            and machine.hostname not in self.master.down_for_maintenance
            and not self.master.in_maintenance(machine)
        )

    def running(self, app_id):
        """[host name] of every process of the app that truly runs, however many to a host."""
        now = self.clock.now()
        return [one.hostname for one in self.master.machines if one.up for _ in one.running(app_id, now)]

    def snapshot(self):
        """What a write met."""
        listed = self.master.listed()
        return {
            "apps": {
                name: {
                    "instances": app["instances"],
                    "placed": sum(1 for one in self.marathon.instances_of(name) if one.task),
                    "waiting": sum(1 for one in self.marathon.instances_of(name) if not one.task),
                }
                for name, app in self.marathon.apps.items()
            },
            "deployments": [
                {
                    "id": one.id,
                    "by": one.by,
                    "apps": one.apps,
                    "actions": [action.name for step in one.steps for action in step],
                }
                for one in self.marathon.deployments
            ],
            "agents_active": sum(1 for one in listed if one.active),
            "agents_listed": len(listed),
            "agents_recovered": len(self.master.recovered()),
            "master_leads": self.master.has_leader,
            "looks": self.looks,
        }

    def truth(self):
        """For the control port: everything, as JSON can hold it."""
        now = self.clock.now()
        return {
            "now": stamp(now),
            "seconds": now,
            **self.snapshot(),
            "hosts": [
                {
                    "host": one.hostname,
                    "agent": one.agent_id,
                    "up": one.up,
                    "reachable": one.reachable,
                    "well": self.well(one),
                    "listed": one.listed,
                    "recovered": one.recovered,
                    "active": one.active,
                    "processes": [vars(process) for process in one.processes.values()],
                }
                for one in self.master.machines
            ],
            "eligible": {app: sorted(self.eligible(app)) for app in self.marathon.apps},
            "running": {app: sorted(self.running(app)) for app in self.marathon.apps},
        }


def suits(app, machine):
    """Could one instance be here, were the host empty? UNIQUE and MAX_PER aside, which are about other hosts'
    instances."""
    if not all(constraints.met(one, machine, []) for one in app["constraints"]):
        return False
    roles = [role for role in placement.accepted_roles(app) if role in machine.resources]
    empty = machines.Machine(hostname=machine.hostname, resources=machine.resources)
    return (
        bool(roles)
        and all(total(machine.resources, name) >= app[name] for name in ("cpus", "mem", "disk"))
        and any(not placement.fits(app, empty, role)[0] for role in roles)
    )


class Locked:
    """An object whose public methods hold the lock."""

    def __init__(self, wrapped, lock):
        self._wrapped, self._lock = wrapped, lock

    def __getattr__(self, name):
        method = getattr(self._wrapped, name)

        @functools.wraps(method)
        def held(*arguments, **keywords):
            with self._lock:
                return method(*arguments, **keywords)

        return held
