"""What was done to the cluster and what the cluster looked like just then: tests judge a client by it.

Every write that reaches Marathon over HTTP is kept with the state that it met, and every instance that Marathon killed
with the
deployment in whose course it happened.
"""
import copy

KEPT_MAX = 100000


class Journal:
    def __init__(self, clock):
        self.clock = clock
        self.writes, self.kills, self.notes = [], [], []
        self.look = dict  # set by the cluster: a snapshot

    def write(self, client, method, path, query, body, status, answer, seen):
        self.keep(
            self.writes,
            {
                "client": client,
                "method": method,
                "path": path,
                "query": query,
                "body": copy.deepcopy(body),
                "status": status,
                "answer": answer,
                "seen": seen,
            },
        )

    def killed(self, instance, reason, deployments):
        holding = [deployment for deployment in deployments if instance.app_id in deployment.apps]
        machine = instance.machine
        self.keep(
            self.kills,
            {
                "instance": instance.id,
                "app": instance.app_id,
                "host": instance.host,
                "condition": instance.condition,
                "healthy": instance.healthy,
                "reason": reason,
                "by": holding[-1].by if holding else None,
                "deployment": holding[-1].id if holding else None,
                "host_well": (
                    machine is not None
                    and machine.up
                    and machine.reachable
                    and not machine.deactivated
                    and not machine.drain
                ),
            },
        )

    def note(self, what, **more):
        self.keep(self.notes, {"what": what, **more})

    def keep(self, kept, entry):
        if len(kept) < KEPT_MAX:
            kept.append({"at": self.clock.now(), **entry})
