"""The Mesos master and what its agents do: who is listed, who is lost, who drains; tasks that start, get healthy and
end.

Time-outs are the defaults of M/src/master/constants.hpp: an agent that does not answer five pings, 15 s apart, is
unreachable and
leaves the list; after a failover agents are `recovered` until they register again.
"""
from . import machines as hosts

PING_TIMEOUT_SECONDS = 75
REREGISTER_TIMEOUT_SECONDS = 600
REGISTER_SECONDS = 2  # how long an agent that can reach the master takes to register again
LAUNCH_SECONDS = 4  # image is there, container starts
HEALTH_SECONDS = 5  # first health check that passes
KILL_SECONDS = 2  # SIGTERM to gone


class Master:
    def __init__(self, clock, events, journal):
        self.clock, self.events, self.journal = clock, events, journal
        self.scheduler = None  # Marathon, set by the cluster
        self.id = hosts.new_master_id()
        self.machines = []
        self.next_agent = 0
        self.election_until = 0.0
        self.reregister_at = {}  # machine -> when it registers again
        self.maintenance = {}  # hostname -> (start, duration or None)
        self.down_for_maintenance = set()
        self.failed_over_at = None

    # -- what is known
    # ---------------------------------------------------------------------------------------------------

    @property
    def has_leader(self):
        return self.clock.now() >= self.election_until

    @property
    def offers_flow(self):
        return self.has_leader

    def listed(self):
        return [one for one in self.machines if one.listed and not one.recovered]

    def recovered(self):
        return [one for one in self.machines if one.recovered]

    def offers(self):
        return [one for one in self.listed() if one.active and one.hostname not in self.down_for_maintenance]

    def in_maintenance(self, machine):
        window = self.maintenance.get(machine.hostname)
        now = self.clock.now()
        return window is not None and now >= window[0] and (window[1] is None or now < window[0] + window[1])

    # -- hosts come and go
    # -----------------------------------------------------------------------------------------------

    def add(self, machine):
        self.next_agent += 1
        machine.new_agent_id(self.id, self.next_agent)
        machine.registered_at = self.clock.now()
        self.machines.append(machine)
        self.events.mesos("AGENT_ADDED", machine)
        return machine

    def unlist(self, machine):
        machine.listed = machine.recovered = False
        machine.connected = False
        self.reregister_at.pop(machine.agent_id, None)
        self.events.mesos("AGENT_REMOVED", machine)

    def register(self, machine, now):
        """Says what runs, and hears what of it nobody wants any more."""
        was_listed = machine.listed and not machine.recovered
        machine.listed, machine.recovered, machine.connected, machine.lost_at = True, False, True, None
        machine.reregistered_at = now
        if not was_listed:
            self.events.mesos("AGENT_ADDED", machine)
        for process in list(machine.processes.values()):
            if process.ready_at <= now:
                process.reported = True
                self.scheduler.task_update(process.task, "TASK_RUNNING", machine)
        for task in self.scheduler.tasks_on(machine.agent_id):
            if task not in machine.processes:
                self.scheduler.task_update(task, "TASK_LOST", machine, "Reconciliation: Task is unknown to the agent")

    def fail_over(self, election_seconds, back_after):
        """Another master takes over. `back_after(machine)`: seconds from the end of the election until it registers
        again."""
        now = self.clock.now()
        self.id = hosts.new_master_id()
        self.election_until = self.failed_over_at = now + election_seconds
        for machine in self.machines:
            if machine.listed:
                machine.recovered, machine.connected = True, False
                after = back_after(machine)
                if after is not None:
                    self.reregister_at[machine.agent_id] = self.election_until + after
        self.events.close_mesos()

    # -- time
    # ------------------------------------------------------------------------------------------------------------

    def tick(self, now):
        for machine in self.machines:
            if machine.processes:
                self.run_processes(machine, now)
            self.watch(machine, now)

    def watch(self, machine, now):
        answers = machine.up and machine.reachable
        if machine.recovered:
            if answers and self.has_leader and now >= self.reregister_at.get(machine.agent_id, now):
                self.register(machine, now)
            elif self.failed_over_at is not None and now >= self.failed_over_at + REREGISTER_TIMEOUT_SECONDS:
                self.give_up(machine)
        elif machine.listed and not answers:
            machine.connected = False
            machine.lost_at = machine.lost_at or now
            if now - machine.lost_at >= PING_TIMEOUT_SECONDS and self.has_leader:
                self.give_up(machine)
        elif answers and not machine.connected and self.has_leader:
            at = self.reregister_at.setdefault(machine.agent_id, now + REGISTER_SECONDS)
            if now >= at:
                del self.reregister_at[machine.agent_id]
                self.register(machine, now)
        if machine.drain and machine.drain.get("mark_gone") and not machine.processes and machine.listed:
            self.unlist(machine)

    def give_up(self, machine):
        self.unlist(machine)
        for task in self.scheduler.tasks_on(machine.agent_id):
            self.scheduler.task_update(task, "TASK_UNREACHABLE", machine, "Agent is unreachable")

    def run_processes(self, machine, now):
        if not machine.up:
            return
        for process in list(machine.processes.values()):
            if process.ends_at is not None:
                if now >= process.ends_at:
                    del machine.processes[process.task]
                    self.report(process, machine, "TASK_KILLED", "Container exited on signal Terminated")
            elif now >= process.ready_at and not process.reported:
                process.reported = True
                if machine.launch_fails or set(process.ports) & machine.ports_taken:
                    del machine.processes[process.task]
                    self.report(
                        process,
                        machine,
                        "TASK_FAILED",
                        machine.launch_fails or "Container exited with status 1: address in use",
                    )
                else:
                    self.report(process, machine, "TASK_RUNNING", "")
            elif now >= process.healthy_at and machine.connected and process.said_healthy is not machine.healthy:
                process.said_healthy = machine.healthy
                self.scheduler.health_update(process.task, machine.healthy)

    def report(self, process, machine, state, message):
        """What cannot be delivered now is made up for when the agent registers again: it then tells all that it
        runs."""
        if machine.connected and self.has_leader:
            self.scheduler.task_update(process.task, state, machine, message)
            self.events.mesos_task(process, machine, state)

    # -- what the scheduler asks
    # -----------------------------------------------------------------------------------------

    def launch(self, machine, instance, role):
        now, app = self.clock.now(), instance.app
        machine.processes[instance.task] = hosts.Process(
            task=instance.task,
            app=app["id"],
            config_version=instance.config_version,
            cpus=app["cpus"],
            mem=app["mem"],
            disk=app["disk"],
            ports=instance.ports,
            role=role,
            instance=instance.id,
            started_at=now,
            ready_at=now + LAUNCH_SECONDS,
            healthy_at=now + LAUNCH_SECONDS + HEALTH_SECONDS,
        )

    def kill(self, task, grace):
        for machine in self.machines:
            process = machine.processes.get(task)
            if process is not None and machine.up and machine.reachable and process.ends_at is None:
                process.ends_at = self.clock.now() + KILL_SECONDS

    # -- operators
    # -------------------------------------------------------------------------------------------------------

    def drain(self, machine, max_grace=None, mark_gone=False):
        machine.drain = {"mark_gone": mark_gone, "max_grace": max_grace, "since": self.clock.now()}
        machine.deactivated = True
        for process in machine.processes.values():
            process.ends_at = process.ends_at or self.clock.now() + KILL_SECONDS
            self.journal.note("drained", host=machine.hostname, task=process.task)

    def reactivate(self, machine):
        machine.drain, machine.deactivated = None, False
