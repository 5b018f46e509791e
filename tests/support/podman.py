"""A real Podman: its service on a socket, and containers run by its command. Everything lies in a directory of its own.

What a person may have set in /etc/containers does not count: all is said by options, which conmon hands on to the
podman that cleans up behind a container (CONTAINERS_CONF it would not).

BOATSWAIN_TEST_PODMAN=SUITE: the Podman of a newer Debian suite (trixie: 5.4), with its conmon and runc, unpacked by
debootstrap into BOATSWAIN_ENGINES/SUITE-podman, once. It runs there by chroot, in a mount namespace of its own that
shares /tmp.
BOATSWAIN_TEST_PODMAN=rootless: this machine's, run by an ordinary user. No such user is made: it has lists of users of
its own, in a mount namespace.
"""
import fcntl
import os
import pathlib
import shutil
import signal
import subprocess

from containerd import archive
from harness import ROOTLESS_USER, alive, run, scratch, wait_for

IMAGE = "localhost/bw/busybox:1"


MIRROR = r"""
    awk '$1 == "URIs:" {print $2; exit} $1 == "deb" {for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) {print $i; exit}}' \
        /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null || true"""


def unpacked(suite):
    """Where that suite's Podman is."""
    root = pathlib.Path(os.environ.get("BOATSWAIN_ENGINES", "/var/cache/boatswain-engines")) / f"{suite}-podman"
    root.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{root}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / ".unpacked").exists():
            shutil.rmtree(root, ignore_errors=True)
            mirror = run("sh", "-c", MIRROR).stdout.decode().strip()
            run("debootstrap", "--variant=minbase", "--include=podman,conmon,runc", suite, root, mirror, timeout=900)
            (root / ".unpacked").touch()
    return root


class Suite:
    """A mount namespace in which a suite's root is set up; `command` runs a program in it."""

    def __init__(self, root):
        share = "".join(f" && mount --rbind /{name} {root}/{name}" for name in ("proc", "sys", "dev", "tmp"))
        self.process = subprocess.Popen(
            [
                "unshare",
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                f"mount --bind {root} {root}{share} && echo up && exec sleep inf",
            ],
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout.readline() == b"up\n", f"{root} cannot be mounted"
        self.command = ["nsenter", f"--mount=/proc/{self.process.pid}/ns/mnt", "chroot", str(root)]

    def close(self):
        self.process.kill()
        self.process.wait()


class Rootless:
    """A mount namespace that knows the user; `command` runs a program as him, with his home in `place`."""

    def __init__(self, place):
        lists, home, run_dir = (place / name for name in ("lists", "home", "run-dir"))
        for folder in (lists, home, run_dir):
            folder.mkdir()
        user = str(ROOTLESS_USER)
        for name, line in (
            ("passwd", f"rootless:x:{user}:{user}::{home}:/bin/sh"),
            ("group", f"rootless:x:{user}:"),
            ("subuid", "rootless:100000:65536"),
            ("subgid", "rootless:100000:65536"),
        ):
            known = pathlib.Path("/etc", name).read_text() if name in ("passwd", "group") else ""
            (lists / name).write_text(f"{known}{line}\n")
        for folder in (place, home, run_dir):
            os.chown(folder, ROOTLESS_USER, ROOTLESS_USER)
        run_dir.chmod(0o700)
        binds = " && ".join(f"mount --bind {one} /etc/{one.name}" for one in lists.iterdir())
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", f"{binds} && echo up && exec sleep inf"],
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout.readline() == b"up\n", "the lists of users cannot be mounted"
        self.user = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"]
        self.command = [
            *("nsenter", f"--mount=/proc/{self.process.pid}/ns/mnt", "--wd=/", *self.user),
            *("env", f"HOME={home}", f"XDG_RUNTIME_DIR={run_dir}"),
        ]

    def close(self):
        self.process.kill()
        self.process.wait()


class Podman:
    def __init__(self):
        self.place = scratch("bwp.")
        wanted = os.environ.get("BOATSWAIN_TEST_PODMAN")
        self.suite = (Rootless(self.place) if wanted == "rootless" else Suite(unpacked(wanted))) if wanted else None
        self.user = getattr(self.suite, "user", [])  # what runs a program as the user whose Podman it is
        self.command = [*(self.suite.command if self.suite else []), "podman"]
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
        return run(*self.command, *self.options, *arguments, check=check, timeout=timeout).stdout.decode().strip()

    def start(self):
        with open(self.place / "service.log", "ab") as log:
            self.process = subprocess.Popen(
                [*self.command, *map(str, self.options), "system", "service", "--time", "0", f"unix://{self.socket}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for(self.socket.exists, 30, "podman's socket")

    def stop(self):
        os.killpg(self.process.pid, signal.SIGKILL)  # a rootless one is two processes
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

    def remove(self, container, seconds=0):
        """Also where its conmon was killed: Podman 5 says at first that it cannot know the exit code."""
        words = ["rm", "--force", "--time", str(seconds), container]
        self.podman(*words, check=False)
        self.podman(*words, "--ignore")

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
            if self.suite:
                self.suite.close()
            shutil.rmtree(self.place, ignore_errors=True)
