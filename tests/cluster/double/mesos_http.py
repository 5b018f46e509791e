"""The master's HTTP: old endpoints and /api/v1, from the leader; others redirect, by a Location without a scheme.

Sources: M/src/master/{http,readonly_handler}.cpp, docs/operator-http-api.md, docs/recordio.md.
"""
from . import mesos_call, mesos_json
from .web import Response, Site


class MasterSite(Site):
    def __init__(self, cluster, port=0):
        self.cluster, self.master = cluster, cluster.master
        super().__init__(
            self.route, "mesos-master-readonly", port, unguarded=("/redirect", "/master/redirect"), plain_refusal=True
        )

    def route(self, request):
        leader = self.cluster.leading_master
        path = request.path.removeprefix("/master") or "/"
        if leader is None:
            return Response(503, "No leader elected")
        if path == "/redirect":
            return Response(307, headers={"Location": f"//{leader.address}"})
        if leader is not self:
            return Response(307, headers={"Location": f"//{leader.address}{request.target}"})
        if path == "/api/v1":
            return self.v1(request)
        with self.cluster.lock:
            if path == "/slaves":
                self.cluster.looks += 1
                wanted = request.text("slave_id")
                listed = [mesos_json.slave(one) for one in self.master.listed() if wanted in (None, one.agent_id)]
                return Response(
                    200,
                    {
                        "slaves": listed,
                        "recovered_slaves": [mesos_json.recovered_slave(one) for one in self.master.recovered()],
                    },
                )
            if path == "/state":
                return Response(200, self.state())
            if path == "/health":
                return Response(200, "")
            if path == "/version":
                return Response(200, {"version": "1.11.0"})
            if path == "/maintenance/status":
                return Response(200, self.maintenance_status())
        return Response(404, "Not Found.\n")

    def state(self):
        listed = self.master.listed()
        return {
            "version": "1.11.0",
            "id": self.master.id,
            "pid": f"master@{self.address}",
            "hostname": "127.0.0.1",
            "leader": f"master@{self.address}",
            "leader_info": {
                "id": self.master.id,
                "pid": f"master@{self.address}",
                "port": self.port,
                "hostname": "127.0.0.1",
            },
            "activated_slaves": sum(1 for one in listed if one.active),
            "deactivated_slaves": sum(1 for one in listed if not one.active),
            "unreachable_slaves": sum(1 for one in self.master.machines if not one.listed and not one.recovered),
            "flags": {},
            "slaves": [mesos_json.slave(one) for one in listed],
            "frameworks": [],
            "completed_frameworks": [],
        }

    def maintenance_status(self):
        draining = [
            host
            for host, (start, duration) in self.master.maintenance.items()
            if host not in self.master.down_for_maintenance
        ]
        told = {}
        if draining:
            told["draining_machines"] = [{"id": {"hostname": host, "ip": "127.0.0.1"}} for host in draining]
        if self.master.down_for_maintenance:
            told["down_machines"] = [
                {"hostname": host, "ip": "127.0.0.1"} for host in sorted(self.master.down_for_maintenance)
            ]
        return told

    def maintenance_schedule(self):
        windows = []
        for host, (start, duration) in self.master.maintenance.items():
            unavailability = {"start": {"nanoseconds": mesos_json.nanoseconds(start)}}
            if duration is not None:
                unavailability["duration"] = {"nanoseconds": int(duration * 1e9)}
            windows.append({"machine_ids": [{"hostname": host, "ip": "127.0.0.1"}], "unavailability": unavailability})
        return {"windows": windows} if windows else {}

    def v1(self, request):
        asked, refusal = mesos_call.read(request)
        if refusal:
            return refusal
        call = asked["type"]
        with self.cluster.lock:
            if call == "SUBSCRIBE":
                state = {
                    "get_agents": mesos_json.agents(self.master),
                    "get_frameworks": {},
                    "get_executors": {},
                    "get_tasks": {},
                }
                first = {"type": "SUBSCRIBED", "subscribed": {"get_state": state, "heartbeat_interval_seconds": 15.0}}
                return Response(200, stream=self.cluster.events.record_stream(first), content_type="application/json")
            answers = {
                "GET_AGENTS": lambda: {"get_agents": mesos_json.agents(self.master)},
                "GET_MAINTENANCE_STATUS": lambda: {"get_maintenance_status": {"status": self.maintenance_status()}},
                "GET_MAINTENANCE_SCHEDULE": lambda: {
                    "get_maintenance_schedule": {"schedule": self.maintenance_schedule()}
                },
                "GET_HEALTH": lambda: {"get_health": {"healthy": True}},
                "GET_VERSION": lambda: {"get_version": {"version_info": {"version": "1.11.0"}}},
                "GET_FLAGS": lambda: {
                    "get_flags": {"flags": [{"name": "agent_reregister_timeout", "value": "10mins"}]}
                },
                "GET_MASTER": lambda: {
                    "get_master": {
                        "master_info": {
                            "id": self.master.id,
                            "ip": 16777343,
                            "port": self.port,
                            "pid": f"master@{self.address}",
                            "hostname": "127.0.0.1",
                        }
                    }
                },
            }
            self.cluster.looks += call == "GET_AGENTS"
            if call not in answers:
                return Response(400, f"Failed to validate master::Call: unknown call '{call}'")
            return Response(200, {"type": call, **answers[call]()})
