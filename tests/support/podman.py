"""A real Podman: its service on a socket, and containers run by its command. Everything lies in a directory of its own.

What a person may have set in /etc/containers does not count: all is said by options, which conmon hands on to the
podman that cleans up behind a container (CONTAINERS_CONF it would not).
"""
import shutil
import subprocess

from containerd import archive
from harness import alive, run, scratch, wait_for

IMAGE = "localhost/bw/busybox:1"


class Podman:
    def __init__(self):
        self.place = scratch("bwp.")
        self.socket = self.place / "podman.sock"
        self.root = self.place / "root"
        self.options = [
            *("--root", self.root, "--runroot", self.place / "run", "--tmpdir", self.place / "tmp"),
            *("--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--runtime", "runc"),
            *("--events-backend", "file"),
        ]
        self.process = None
        alive.append(self)
        try:
            self.podman("load", "--input", archive(self.place, IMAGE, ["sh"]))
            self.start()
        except BaseException:
            self.close()
            raise

    def podman(self, *arguments, check=True, timeout=60):
        return run("podman", *self.options, *arguments, check=check, timeout=timeout).stdout.decode().strip()

    def start(self):
        with open(self.place / "service.log", "ab") as log:
            self.process = subprocess.Popen(
                ["podman", *map(str, self.options), "system", "service", "--time", "0", f"unix://{self.socket}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_for(self.socket.exists, 30, "podman's socket")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.socket.unlink(missing_ok=True)

    def run(self, script, name, labels=None, driver="k8s-file", options=(), verb=("run", "--detach")):
        """The container's id."""
        words = [*verb, "--name", name, "--log-driver", driver]
        # No network is asked for, and limits that a container in a container may set.
        words += ["--network", "host", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
        for key, value in (labels or {}).items():
            words += ["--label", f"{key}={value}"]
        return self.podman(*words, *options, IMAGE, "sh", "-c", script)

    def log_of(self, container):
        return self.root / "vfs-containers" / container / "userdata/ctr.log"

    def conmon_of(self, container):
        return int(self.podman("inspect", "--format", "{{.State.ConmonPid}}", container))

    def version(self):
        return self.podman("version", "--format", "{{.Client.Version}}")

    def remove_all(self):
        self.podman("rm", "--all", "--force", "--time", "0", check=False)

    def close(self):
        if self in alive:
            alive.remove(self)
        try:
            self.remove_all()
        finally:
            if self.process:
                self.stop()
            with open("/proc/self/mountinfo") as mounts:
                targets = [line.split()[4] for line in mounts]
            for target in reversed(targets):
                if target.startswith(f"{self.place}/"):
                    run("umount", "-l", target, check=False)
            shutil.rmtree(self.place, ignore_errors=True)
