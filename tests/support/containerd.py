"""A real containerd with its CRI plugin, and pods on it as a kubelet makes them. No kubelet: tests are it.

What a kubelet does with logs (kubernetes, pkg/kubelet/kuberuntime and pkg/kubelet/logs): it makes the directory
PODS/NAMESPACE_POD_UID/CONTAINER, asks the runtime to write RUN.log there, renames it when it is long and asks the
runtime
to open it again, and deletes the pod's directory with the pod.

BOATSWAIN_TEST_CONTAINERD=SUITE: the containerd of a newer Debian suite (trixie: 1.7, sid: 2.1 or later) from where
engine.sh unpacks it, with this machine's runc.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import time
import uuid

from harness import BUILD, alive, run, scratch, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
STUBS = BUILD / "tests/cri"
IMAGE, PAUSE = "docker.io/local/busybox:1", "docker.io/local/pause:1"


def stubs():
    """The CRI's messages and calls, made once of Debian's api.proto (newer suites alone have it)."""
    if not (STUBS / "api_pb2_grpc.py").exists():
        unpacked = pathlib.Path.home() / ".cache/boatswain/cri-api"
        run(ROOT / "scripts/debian.sh", "files", "sid", "golang-github-kubernetes-cri-api-dev", unpacked, timeout=600)
        proto = next(unpacked.rglob("runtime/v1/api.proto")).read_text()
        STUBS.mkdir(parents=True, exist_ok=True)
        (STUBS / "api.proto").write_text("".join(line for line in proto.splitlines(True) if "gogoproto" not in line))
        run(
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            "-I",
            STUBS,
            f"--python_out={STUBS}",
            f"--grpc_python_out={STUBS}",
            STUBS / "api.proto",
        )
    sys.path.insert(0, str(STUBS))
    import api_pb2
    import api_pb2_grpc
    import grpc

    return api_pb2, api_pb2_grpc, grpc


def archive(place, name, command):
    """An image of busybox alone, as `docker save` writes it."""
    layer = place / "layer.tar"
    with tarfile.open(layer, "w") as tar:
        for folder in ("bin", "tmp", "proc", "sys", "dev", "etc"):
            member = tarfile.TarInfo(folder)
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(member)
        tar.add(os.path.realpath(shutil.which("busybox")), "bin/busybox")
        for applet in ("sh", "sleep", "seq", "echo", "cat", "head", "tr", "yes", "usleep"):
            member = tarfile.TarInfo(f"bin/{applet}")
            member.type, member.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(member)
    digest = run("sha256sum", layer).stdout.decode().split()[0]
    config = place / "config.json"
    config.write_text(
        json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Cmd": command, "Env": ["PATH=/bin"]},
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
            }
        )
    )
    manifest = place / "manifest.json"
    manifest.write_text(json.dumps([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]))
    packed = place / "image.tar"
    with tarfile.open(packed, "w") as tar:
        for file in (manifest, config, layer):
            tar.add(file, file.name)
    return packed


def programs(place):
    """PATH with the suite's programs first."""
    suite = os.environ.get("BOATSWAIN_TEST_CONTAINERD")
    if not suite:
        return os.environ["PATH"]
    unpacked = pathlib.Path(os.environ.get("BOATSWAIN_ENGINES", "/var/cache/boatswain-engines")) / suite
    (place / "bin").mkdir()
    for name in ("containerd", "containerd-shim-runc-v2", "ctr"):
        (place / "bin" / name).symlink_to(unpacked / "usr/bin" / name)
    return f"{place / 'bin'}:{os.environ['PATH']}"


class Containerd:
    def __init__(self):
        self.cri, calls, self.grpc = stubs()
        self.place = scratch("bwc.")
        self.environment = os.environ | {"PATH": programs(self.place)}
        self.program = shutil.which("containerd", path=self.environment["PATH"])
        self.pods = self.place / "pods"
        self.tasks = self.place / "state/io.containerd.runtime.v2.task/k8s.io"
        self.pods.mkdir()
        self.socket = self.place / "containerd.sock"
        (self.place / "config.toml").write_text(
            f"""version = 2
root = "{self.place}/root"
state = "{self.place}/state"
[grpc]
  address = "{self.socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  disable_apparmor = true
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "native"
"""
        )
        self.process = None
        alive.append(self)
        self.start()
        self.runtime = calls.RuntimeServiceStub(self.grpc.insecure_channel(f"unix://{self.socket}"))
        for name, command in ((IMAGE, ["sh"]), (PAUSE, ["sleep", "2000000000"])):
            self.ctr("-n", "k8s.io", "images", "import", archive(self.place, name, command))
        wait_for(lambda: self.version(), 30, "the CRI answers")

    def ctr(self, *arguments, check=True):
        program = shutil.which("ctr", path=self.environment["PATH"])
        return run(program, "-a", self.socket, *arguments, check=check, env=self.environment)

    def start(self):
        with open(self.place / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "-c", str(self.place / "config.toml")], stdout=log, stderr=log, env=self.environment
            )
        wait_for(lambda: self.ctr("version", check=False).returncode == 0, 30, "containerd answers")

    def kill(self):
        """As a crash: containers run on, kept by their shims."""
        self.process.kill()
        self.process.wait()

    def version(self):
        try:
            return self.runtime.Version(self.cri.VersionRequest()).runtime_version
        except self.grpc.RpcError:
            return None

    def close(self):
        if self in alive:
            alive.remove(self)
        if self.process is None:
            return
        try:
            for pod in self.runtime.ListPodSandbox(self.cri.ListPodSandboxRequest()).items:
                self.runtime.StopPodSandbox(self.cri.StopPodSandboxRequest(pod_sandbox_id=pod.id))
                self.runtime.RemovePodSandbox(self.cri.RemovePodSandboxRequest(pod_sandbox_id=pod.id))
        finally:
            self.process.terminate()
            self.process.wait(20)
            self.process = None
            for line in reversed(pathlib.Path("/proc/self/mountinfo").read_text().splitlines()):
                target = line.split()[4]
                if target.startswith(str(self.place)):
                    run("umount", "-l", target, check=False)
            shutil.rmtree(self.place, ignore_errors=True)


class Pod:
    """One container in one pod of `namespace`, which runs `script`."""

    def __init__(self, containerd, namespace, script, name="web-0", container="app", environment=None):
        self.containerd, self.container, self.run_number = containerd, container, 0
        self.environment = environment or {}
        self.made, self.rotated = time.time(), 0
        cri, self.runtime = containerd.cri, containerd.runtime
        self.uid, self.name, self.namespace = str(uuid.uuid4()), name, namespace
        self.directory = containerd.pods / f"{namespace}_{name}_{self.uid}"
        (self.directory / container).mkdir(parents=True)
        self.namespaces = cri.NamespaceOption(network=2, pid=1, ipc=2)  # the node's network: no CNI plugin is asked for
        context = cri.LinuxSandboxSecurityContext(namespace_options=self.namespaces)
        self.config = cri.PodSandboxConfig(
            metadata=cri.PodSandboxMetadata(name=name, uid=self.uid, namespace=namespace),
            log_directory=str(self.directory),
            labels={
                "io.kubernetes.pod.name": name,
                "io.kubernetes.pod.namespace": namespace,
                "io.kubernetes.pod.uid": self.uid,
            },
            linux=cri.LinuxPodSandboxConfig(security_context=context),
        )
        self.sandbox = self.runtime.RunPodSandbox(cri.RunPodSandboxRequest(config=self.config)).pod_sandbox_id
        self.start(script)

    @property
    def source(self):
        return f"{self.uid}/{self.container}/{self.run_number}"

    @property
    def log(self):
        return self.directory / self.container / f"{self.run_number}.log"

    def start(self, script):
        cri = self.containerd.cri
        config = cri.ContainerConfig(
            metadata=cri.ContainerMetadata(name=self.container, attempt=self.run_number),
            image=cri.ImageSpec(image=IMAGE),
            command=["sh", "-c", script],
            envs=[cri.KeyValue(key=key, value=value) for key, value in self.environment.items()],
            log_path=f"{self.container}/{self.run_number}.log",
            linux=cri.LinuxContainerConfig(
                security_context=cri.LinuxContainerSecurityContext(namespace_options=self.namespaces)
            ),
        )
        request = cri.CreateContainerRequest(pod_sandbox_id=self.sandbox, config=config, sandbox_config=self.config)
        self.id = self.runtime.CreateContainer(request).container_id
        self.runtime.StartContainer(cri.StartContainerRequest(container_id=self.id))

    def start_again(self, script):
        """As after a crash of the container: a run with a log of its own."""
        self.run_number += 1
        self.start(script)

    def rotate(self):
        self.rotated += 1  # the kubelet's names have whole seconds, and it looks every ten
        self.log.rename(f"{self.log}.{time.strftime('%Y%m%d-%H%M%S', time.gmtime(self.made + self.rotated))}")
        self.runtime.ReopenContainerLog(self.containerd.cri.ReopenContainerLogRequest(container_id=self.id))

    def exited(self):
        status = self.runtime.ContainerStatus(self.containerd.cri.ContainerStatusRequest(container_id=self.id)).status
        return status.state == self.containerd.cri.CONTAINER_EXITED

    def wait(self, seconds=60):
        wait_for(self.exited, seconds, f"{self.namespace}/{self.name} exits", pause=0.02)

    def delete(self):
        cri = self.containerd.cri
        self.runtime.StopPodSandbox(cri.StopPodSandboxRequest(pod_sandbox_id=self.sandbox))
        self.runtime.RemovePodSandbox(cri.RemovePodSandboxRequest(pod_sandbox_id=self.sandbox))
        shutil.rmtree(self.directory)
