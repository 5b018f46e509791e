"""All that can be done to the cluster from outside, by tests in Python or through the control port: POST /VERB with a
JSON object.

Arguments are plain values; hosts go by their names. Durations are seconds of the cluster's clock.
"""
from . import resources
from .machines import Machine


class Faults:
    def __init__(self, cluster):
        self.cluster = cluster

    def _machine(self, host):
        found = [one for one in self.cluster.master.machines if one.hostname == host]
        if not found:
            raise KeyError(f"no host {host}")
        return found[-1]

    # -- hosts
    # -----------------------------------------------------------------------------------------------------------

    def add_host(self, host, attributes=None, region=None, zone=None, roles=None, **amounts):
        """`roles`: {role: {cpus, mem, ...}} of reservations; other amounts are unreserved."""
        have = resources.unreserved(**amounts)
        for role, reserved in (roles or {}).items():
            have[role] = {
                name: [tuple(range_) for range_ in value] if name == "ports" else value
                for name, value in reserved.items()
            }
        have["*"]["ports"] = [tuple(range_) for range_ in have["*"]["ports"]]
        machine = Machine(hostname=host, attributes=dict(attributes or {}), resources=have, region=region, zone=zone)
        return self.cluster.master.add(machine).agent_id

    def remove_host(self, host):
        """The machine is switched off for good; the master finds out by its time-outs."""
        machine = self._machine(host)
        machine.up = False
        machine.processes.clear()

    def retire_host(self, host):
        """The agent is shut down in order: it leaves the list at once."""
        machine = self._machine(host)
        self.remove_host(host)
        self.cluster.master.unlist(machine)
        for task in self.cluster.marathon.tasks_on(machine.agent_id):
            self.cluster.marathon.task_update(task, "TASK_LOST", machine, "Agent removed")

    def reimage(self, host):
        """A new system on the same host name: what ran is gone, and the agent registers with a new id."""
        old = self._machine(host)
        old.up = False
        old.processes.clear()
        return self.cluster.master.add(
            Machine(hostname=host, attributes=old.attributes, resources=old.resources, region=old.region, zone=old.zone)
        ).agent_id

    def cut_off(self, host):
        """The network is gone; tasks run on."""
        self._machine(host).reachable = False

    def reconnect(self, host):
        self._machine(host).reachable = True

    def power_off(self, host):
        machine = self._machine(host)
        machine.up = False
        machine.processes.clear()

    def power_on(self, host):
        self._machine(host).up = True

    def drain(self, host, max_grace=None, mark_gone=False):
        self.cluster.master.drain(self._machine(host), max_grace, mark_gone)

    def deactivate(self, host):
        self._machine(host).deactivated = True

    def reactivate(self, host):
        self.cluster.master.reactivate(self._machine(host))

    def maintenance(self, host, start_in=0, duration=None, down=False):
        master = self.cluster.master
        master.maintenance[host] = (self.cluster.clock.now() + start_in, duration)
        if down:
            master.down_for_maintenance.add(host)

    def end_maintenance(self, host):
        self.cluster.master.maintenance.pop(host, None)
        self.cluster.master.down_for_maintenance.discard(host)

    def take_port(self, host, port):
        """Something that is no task listens on it: tasks that get it fail."""
        self._machine(host).ports_taken.add(port)

    def free_port(self, host, port):
        self._machine(host).ports_taken.discard(port)

    def launches_fail(self, host, message=None):
        self._machine(host).launch_fails = message

    def unhealthy(self, host, healthy=False):
        self._machine(host).healthy = healthy

    # -- sandboxes (of agents that answer)
    # -------------------------------------------------------------------------------

    def _executor(self, host, app):
        machine = self._machine(host)
        self.cluster.sandboxes.follow(machine, self.cluster.marathon.framework_id, self.cluster.clock.now())
        found = [one for one in self.cluster.sandboxes.of(machine) if one.app == app]
        if not found:
            raise KeyError(f"no task of {app} on {host}")
        return found[-1]

    def print(self, host, app, text, stream="stdout"):
        """The app's last task on the host prints `text`."""
        self.cluster.sandboxes.write(self._executor(host, app), stream, text.encode())

    def rotate(self, host, app, stream="stdout"):
        self.cluster.sandboxes.rotate(self._executor(host, app), stream)

    def collect_sandboxes(self, host):
        self.cluster.sandboxes.collect(self._machine(host))

    def forbid_sandboxes(self, host, forbidden=True):
        self.cluster.agents[self._machine(host).agent_id].forbidden = forbidden

    # -- Mesos masters
    # ---------------------------------------------------------------------------------------------------

    def master_failover(self, election=5, back_after=None, every=0.0, never=()):
        """Agents register with the next master one after the other, `back_after` + n * `every` seconds after its
        election; the hosts
        `never` are switched off meanwhile."""
        order = {machine.agent_id: at for at, machine in enumerate(self.cluster.master.machines)}
        self.cluster.next_master()
        self.cluster.master.fail_over(
            election,
            lambda machine: (
                None
                if machine.hostname in never
                else (2 if back_after is None else back_after) + order[machine.agent_id] * every
            ),
        )
        for host in never:
            self.power_off(host)

    # -- Marathon
    # --------------------------------------------------------------------------------------------------------

    def marathon_failover(self, election=5):
        self.cluster.marathon_election(election)

    def marathon_down(self):
        """All of its instances: ports refuse, nothing is scheduled."""
        self.cluster.marathon.leading = False
        self.cluster.events.close_marathon()
        for site in self.cluster.marathons:
            site.close()

    def marathon_up(self):
        for site in self.cluster.marathons:
            if site.server is None:
                site.open()
        self.cluster.marathon.leading = True

    def site_fault(self, which, index=0, fault=None):
        """`which`: "marathon" or "master"; `fault`: None, "cut", "hang" or a status such as 503."""
        site = (self.cluster.marathons if which == "marathon" else self.cluster.masters)[index]
        site.fault = fault
        if fault:
            site.cut_all()

    def close_streams(self):
        self.cluster.events.close_marathon()
        self.cluster.events.close_mesos()

    def split_records(self, how):
        """How RecordIO is cut into chunks: "random", "byte" or "record"."""
        self.cluster.events.split = how

    def foreign_change(self, app, update, force=False):
        """Somebody else changes an app."""
        from . import appdef

        marathon = self.cluster.marathon
        return marathon.change(app, appdef.updated(marathon.apps[app], update), force, "somebody else").id

    def foreign_app(self, definition):
        from . import appdef

        app = appdef.create(definition)
        return self.cluster.marathon.change(app["id"], app, False, "somebody else").id

    def foreign_cancel(self, deployment):
        found = [one for one in self.cluster.marathon.deployments if one.id == deployment]
        for one in found:
            self.cluster.marathon.cancel(one)
        return len(found)
