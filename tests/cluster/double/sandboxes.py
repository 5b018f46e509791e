"""What the agents keep on disk: one work_dir a host, and in it each task's sandbox, laid out as Mesos does it.

`<work_dir>/slaves/<agent>/frameworks/<framework>/executors/<task>/runs/<container>/{stdout,stderr}`, with the links
`runs/latest` and
`slaves/latest` (Mesos src/slave/paths.cpp). Files are real: an input that reads them from disk can be tried on them
too.
"""
import dataclasses
import pathlib
import shutil
import tempfile
import uuid

ROTATED_MAX = 4  # stdout.1 to stdout.4, as the logrotate module keeps


@dataclasses.dataclass
class Executor:
    task: str
    app: str
    framework: str
    container: str
    directory: pathlib.Path
    started_at: float
    completed: bool = False


class Sandboxes:
    def __init__(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="bwc."))
        self.executors = {}  # agent id -> {task: Executor}

    def close(self):
        shutil.rmtree(self.place, ignore_errors=True)

    def work_dir(self, machine):
        return self.place / machine.hostname

    def log(self, machine):
        return self.work_dir(machine) / "log"

    def of(self, machine):
        return list(self.executors.get(machine.agent_id, {}).values())

    def follow(self, machine, framework, now):
        """Makes sandboxes of what runs, and marks as completed what does so no more."""
        known = self.executors.setdefault(machine.agent_id, {})
        for process in machine.processes.values():
            if process.task not in known:
                known[process.task] = self.make(machine, process, framework)
                self.note(machine, f"Launched task {process.task}", now)
        for task, executor in known.items():
            if task not in machine.processes and not executor.completed:
                executor.completed = True
                self.note(machine, f"Executor '{task}' terminated", now)

    def make(self, machine, process, framework):
        container = str(uuid.uuid4())
        slaves = self.work_dir(machine) / "slaves"
        runs = slaves / machine.agent_id / "frameworks" / framework / "executors" / process.task / "runs"
        directory = runs / container
        directory.mkdir(parents=True)
        relink(runs / "latest", container)
        relink(slaves / "latest", machine.agent_id)
        (directory / "stdout").write_bytes(b"")
        (directory / "stderr").write_bytes(b"")
        return Executor(process.task, process.app, framework, container, directory, process.started_at)

    def note(self, machine, words, now):
        with open(self.log(machine), "a", encoding="utf-8") as log:
            log.write(f"{now:.6f} {words}\n")

    def write(self, executor, stream, data):
        with open(executor.directory / stream, "ab") as out:
            out.write(data)

    def rotate(self, executor, stream):
        """The logrotate module's way: renamed, and a new file with the next write (Mesos
        src/slave/container_loggers/logrotate.cpp)."""
        path = executor.directory / stream
        (executor.directory / f"{stream}.logrotate.conf").write_text(f"{path} {{ rotate {ROTATED_MAX} }}\n")
        (executor.directory / f"{stream}.logrotate.state").write_text("logrotate state -- version 2\n")
        (executor.directory / f"{stream}.{ROTATED_MAX}").unlink(missing_ok=True)
        for number in range(ROTATED_MAX - 1, 0, -1):
            if (older := executor.directory / f"{stream}.{number}").exists():
                older.rename(executor.directory / f"{stream}.{number + 1}")
        if path.exists():
            path.rename(executor.directory / f"{stream}.1")

    def collect(self, machine):
        """Removes the sandboxes of what has ended, as --gc_delay does after a week."""
        known = self.executors.get(machine.agent_id, {})
        for task in [task for task, executor in known.items() if executor.completed]:
            shutil.rmtree(known.pop(task).directory.parent.parent)


def relink(path, target):
    path.unlink(missing_ok=True)
    path.symlink_to(target)
