"""An agent's HTTP: /state, /containers, the files of its sandboxes, and the part of /api/v1 that says the same.

Sources: M/src/slave/http.cpp, M/src/files/files.cpp, M/src/common/http.cpp, docs/operator-http-api.md, docs/sandbox.md.
"""
import base64
import grp
import os
import pathlib
import pwd
import stat

from . import mesos_call, mesos_json, resources
from .instances import STATES
from .web import Response, Site

PAGE_BYTES = 4096
READ_BYTES_MAX = 16 * PAGE_BYTES  # files.cpp: whoever asks for more gets this much
PROCESS = "/slave(1)"


class AgentSite(Site):
    def __init__(self, cluster, machine, port=0):
        self.cluster, self.machine = cluster, machine
        self.forbidden = False  # the ACL access_sandboxes
        super().__init__(self.route, "mesos-agent-readonly", port, plain_refusal=True)

    def route(self, request):
        path = request.path.removeprefix(PROCESS) or "/"
        with self.cluster.lock:
            self.cluster.sandboxes.follow(self.machine, self.cluster.marathon.framework_id, self.cluster.clock.now())
            if path == "/api/v1":
                return self.v1(request)
            if path == "/state":
                return Response(200, self.state())
            if path == "/containers":
                return Response(200, [self.container(one) for one in self.running()])
            if path == "/flags":
                return Response(200, {"flags": self.flags()})
            if path == "/version":
                return Response(200, {"version": "1.11.0"})
            if path == "/health":
                return Response(200, "")
            if path in ("/files/browse", "/files/read", "/files/download"):
                return self.files(request, path.rpartition("/")[2])
        return Response(404, "Not Found.\n")

    # -- what runs
    # -------------------------------------------------------------------------------------------------------

    def running(self):
        return [one for one in self.cluster.sandboxes.of(self.machine) if not one.completed]

    def flags(self):
        return {
            "work_dir": str(self.cluster.sandboxes.work_dir(self.machine)),
            "sandbox_directory": "/mnt/mesos/sandbox",
            "container_logger": "org_apache_mesos_LogrotateContainerLogger",
            "docker_remove_delay": "6hrs",
            "gc_delay": "1weeks",
        }

    def state(self):
        machine, framework = self.machine, self.cluster.marathon.framework_id
        executors = self.cluster.sandboxes.of(machine)
        told = {
            "version": "1.11.0",
            "id": machine.agent_id,
            "pid": f"slave(1)@{self.address}",
            "hostname": machine.hostname,
            "start_time": machine.registered_at,
            "attributes": machine.attributes,
            "resources": resources.flat_total(machine.resources),
            "flags": self.flags(),
            "frameworks": [],
            "completed_frameworks": [],
        }
        if executors:
            told["frameworks"].append(
                {
                    "id": framework,
                    "name": "marathon",
                    "user": "root",
                    "checkpoint": True,
                    "hostname": "127.0.0.1",
                    "role": "*",
                    "executors": [self.executor(one) for one in executors if not one.completed],
                    "completed_executors": [self.executor(one) for one in executors if one.completed],
                }
            )
        if machine.drain:
            told["drain_config"] = mesos_json.drain_info(machine)["config"]
        return told

    def executor(self, executor):
        process = self.machine.processes.get(executor.task)
        task = self.task(executor, process)
        return {
            "id": executor.task,
            "name": f"Command Executor (Task: {executor.task})",
            "source": executor.task,
            "container": executor.container,
            "directory": str(executor.directory),
            "resources": resources.flat({"cpus": process.cpus, "mem": process.mem} if process else {}),
            "tasks": [] if executor.completed else [task],
            "queued_tasks": [],
            "completed_tasks": [task] if executor.completed else [],
        }

    def task(self, executor, process):
        app = self.cluster.marathon.apps.get(executor.app, {})
        state = "TASK_KILLED" if process is None else STATES["Running" if process.reported else "Starting"]
        told = {
            "id": executor.task,
            "name": ".".join(reversed(executor.app.strip("/").split("/"))),
            "framework_id": executor.framework,
            "executor_id": "",
            "slave_id": self.machine.agent_id,
            "state": state,
            "role": "*",
            "resources": resources.flat({"cpus": process.cpus, "mem": process.mem} if process else {}),
            "statuses": [
                {
                    "state": state,
                    "timestamp": executor.started_at,
                    "container_status": {"container_id": {"value": executor.container}, "network_infos": []},
                }
            ],
        }
        if app.get("labels"):
            told["labels"] = [{"key": key, "value": value} for key, value in app["labels"].items()]
        if app.get("container"):
            told["container"] = app["container"]
        return told

    def container(self, executor):
        return {
            "framework_id": executor.framework,
            "executor_id": executor.task,
            "source": executor.task,
            "container_id": executor.container,
            "executor_name": f"Command Executor (Task: {executor.task})",
            "status": {"container_id": {"value": executor.container}},
            "statistics": {"timestamp": self.cluster.clock.now(), "mem_rss_bytes": 1 << 20},
        }

    # -- files
    # -----------------------------------------------------------------------------------------------------------

    def resolved(self, path):
        """The real path behind a virtual one; nothing when no such is attached. Files are attached by executor, and the
        agent's log."""
        if path == "/slave/log":
            return self.cluster.sandboxes.log(self.machine)
        for one in self.cluster.sandboxes.of(self.machine):
            runs = f"/frameworks/{one.framework}/executors/{one.task}/runs"
            work = self.cluster.sandboxes.work_dir(self.machine)
            virtual = (str(one.directory), f"{runs}/latest", f"{work}/slaves/{self.machine.agent_id}{runs}/latest")
            for root in virtual:
                if path == root or path.startswith(root + "/"):
                    real = pathlib.Path(os.path.realpath(str(one.directory) + path[len(root) :]))
                    inside = real == one.directory or one.directory in real.parents
                    return real if inside else None
        return None

    def files(self, request, verb):
        path = request.text("path")
        if not path:
            return Response(400, "Expecting 'path=value' in query.\n")
        if self.forbidden:
            return Response(403, "")
        real = self.resolved(path.rstrip("/") or "/")
        if real is None or not real.exists():
            return Response(404, "")
        if verb == "browse":
            return (
                Response(200, [info(path.rstrip("/"), one) for one in listed(real)])
                if real.is_dir()
                else Response(404, "")
            )
        if real.is_dir():
            return Response(
                400, "Cannot read from a directory.\n" if verb == "read" else "Cannot download a directory.\n"
            )
        if verb == "download":
            return Response(
                200,
                real.read_bytes(),
                {"Content-Disposition": f"attachment; filename={real.name}"},
                "application/octet-stream",
            )
        try:
            offset, length = int(request.text("offset", "-1")), int(request.text("length", "-1"))
        except ValueError as wrong:
            return Response(400, f"Failed to parse offset: {wrong}.\n")
        if offset < -1 or length < -1:
            return Response(400, f"Negative offset or length provided: {min(offset, length)}.\n")
        size, data = read(real, offset, length)
        # The bytes go into a JSON text as they are: what is no UTF-8 does not survive.
        return Response(
            200,
            {"offset": size, "data": ""} if offset == -1 else {"offset": offset, "data": data.decode(errors="replace")},
        )

    def v1(self, request):
        call, refusal = mesos_call.read(request)
        if refusal:
            return refusal
        kind = call["type"]
        if kind == "GET_HEALTH":
            return Response(200, {"type": kind, "get_health": {"healthy": True}})
        if kind == "GET_VERSION":
            return Response(200, {"type": kind, "get_version": {"version_info": {"version": "1.11.0"}}})
        if kind == "GET_FLAGS":
            return Response(
                200,
                {
                    "type": kind,
                    "get_flags": {"flags": [{"name": name, "value": value} for name, value in self.flags().items()]},
                },
            )
        if kind == "GET_CONTAINERS":
            told = [
                {
                    "framework_id": {"value": one.framework},
                    "executor_id": {"value": one.task},
                    "container_id": {"value": one.container},
                    "executor_name": f"Command Executor (Task: {one.task})",
                }
                for one in self.running()
            ]
            return Response(200, {"type": kind, "get_containers": {"containers": told} if told else {}})
        if kind in ("LIST_FILES", "READ_FILE"):
            return self.v1_files(kind, call.get(kind.lower(), {}))
        return Response(400, f"Failed to validate agent::Call: unknown type {kind}")

    def v1_files(self, kind, asked):
        if self.forbidden:
            return Response(403, "")
        path = asked.get("path", "").rstrip("/")
        real = self.resolved(path)
        if real is None or not real.exists() or real.is_dir() != (kind == "LIST_FILES"):
            return Response(404, "")
        if kind == "LIST_FILES":
            return Response(
                200, {"type": kind, "list_files": {"file_infos": [file_info(path, one) for one in listed(real)]}}
            )
        size, data = read(real, int(asked.get("offset", 0)), int(asked.get("length", -1)))
        return Response(200, {"type": kind, "read_file": {"size": size, "data": base64.b64encode(data).decode()}})


def listed(directory):
    return sorted(directory.iterdir())


def read(path, offset, length):
    """(size, bytes): at most READ_BYTES_MAX; nothing from behind the end."""
    wanted = READ_BYTES_MAX if length == -1 else min(length, READ_BYTES_MAX)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if offset == -1 or offset >= size:
            return size, b""
        file.seek(offset)
        return size, file.read(wanted)


def owner(facts):
    return {"uid": pwd.getpwuid(facts.st_uid).pw_name, "gid": grp.getgrgid(facts.st_gid).gr_name}


def info(directory, path):
    facts = path.lstat()
    return {
        "path": f"{directory}/{path.name}",
        "nlink": facts.st_nlink,
        "size": facts.st_size,
        "mtime": facts.st_mtime,
        "mode": stat.filemode(facts.st_mode),
        **owner(facts),
    }


def file_info(directory, path):
    facts = path.lstat()
    return {
        "path": f"{directory}/{path.name}",
        "nlink": facts.st_nlink,
        "size": facts.st_size,
        "mtime": {"nanoseconds": facts.st_mtime_ns},
        "mode": facts.st_mode,
        **owner(facts),
    }
