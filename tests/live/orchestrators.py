"""Starts containers as orchestrators do, from the descriptors under deploy/: the descriptor decides, the test only says
where the host is.

What an orchestrator would do is emulated to the letter (arguments of `docker run`); what a descriptor says of the
host's paths, ports and
image is replaced by those of the test, and nothing else.
"""
import copy
import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
IMAGE = "boatswain:test"


def import_image(engine, build, place):
    """`docker import` of the staged tree: the image, made without a registry."""
    tree = place / "tree"
    subprocess.run([ROOT / "scripts/stage.sh", build, tree], check=True, timeout=300)
    tar = subprocess.Popen(
        ["tar", "--xattrs", "--xattrs-include=security.capability", "-C", tree, "-c", "."], stdout=subprocess.PIPE
    )
    subprocess.run(
        ["docker", "import", "--change", "ENV PATH=/usr/bin", "--change", 'CMD ["boatswaind", "agent"]', "-", IMAGE],
        check=True,
        stdin=tar.stdout,
        stdout=subprocess.DEVNULL,
        env=engine.env,
        timeout=300,
    )
    tar.stdout.close()
    assert tar.wait() == 0


def marathon_app(name, app_id=None):
    """An app of deploy/marathon; `app_id` picks it out of a group."""
    descriptor = json.loads((DEPLOY / "marathon" / name).read_text())
    if app_id:
        descriptor = next(app for app in descriptor["apps"] if app["id"] == app_id)
    return descriptor


def on_this_host(app, host_paths, ports, env):
    """The app with the test's host: {"/var/lib/boatswain": place}, {9435: port}, and variables that say where things
    are."""
    app = copy.deepcopy(app)
    app["container"]["docker"]["image"] = IMAGE
    for volume in app["container"]["volumes"]:
        volume["hostPath"] = str(host_paths.pop(volume["hostPath"]))
    assert not host_paths, f"the descriptor mounts nothing of {list(host_paths)}"
    for definition in app["portDefinitions"]:
        was, definition["port"] = definition["port"], ports[definition["port"]]
        for key, value in app["env"].items():
            if value.endswith(f":{was}"):
                app["env"][key] = value.removesuffix(str(was)) + str(definition["port"])
    unknown = set(env) - set(app["env"]) - {"BOATSWAIN_BATCH_FLUSH_AFTER"}
    assert not unknown, f"the descriptor does not set {unknown}"
    app["env"].update(env)
    return app


def mesos_docker_arguments(app, task_id, container_uuid, sandbox):
    """What the Mesos docker executor makes of a Marathon app: Docker::run of apache/mesos src/docker/docker.cpp, in its
    order."""
    docker = app["container"]["docker"]
    words = ["run", "--cpu-shares", str(max(2, int(app["cpus"] * 1024))), "--memory", str(int(app["mem"]) << 20)]
    if docker["privileged"]:
        words.append("--privileged")
    variables = {
        "MARATHON_APP_ID": app["id"],
        "MESOS_TASK_ID": task_id,
        "MARATHON_APP_DOCKER_IMAGE": docker["image"],
        "MARATHON_APP_VERSION": "2026-11-25T10:00:00.000Z",
        "MARATHON_APP_LABELS": " ".join(key.upper() for key in app.get("labels", {})),
        **{f"MARATHON_APP_LABEL_{key.upper()}": value for key, value in app.get("labels", {}).items()},
        **app["env"],
        "MESOS_SANDBOX": "/mnt/mesos/sandbox",
        "MESOS_CONTAINER_NAME": f"mesos-{container_uuid}",
    }
    for key, value in variables.items():
        words += ["-e", f"{key}={value}"]
    for volume in app["container"]["volumes"]:
        words += ["-v", f"{volume['hostPath']}:{volume['containerPath']}:{volume['mode'].lower()}"]
    words += ["-v", f"{sandbox}:/mnt/mesos/sandbox"]
    words += ["--net", app["networks"][0]["mode"]]
    words += [f"--{parameter['key']}={parameter['value']}" for parameter in docker.get("parameters", [])]
    words += [f"--label=MESOS_TASK_ID={task_id}"]
    return [*words, "--name", f"mesos-{container_uuid}", docker["image"], *app["args"]]


class MesosTask:
    """A task as Mesos runs it: `docker run` in the foreground, its output in the sandbox; ended by `docker stop` with
    the app's grace."""

    def __init__(self, engine, app, place):
        self.engine, self.app = engine, app
        name = app["id"].strip("/").replace("/", "_")
        self.uuid = f"00000000-0000-4000-8000-{abs(hash(str(place))) % 10**12:012d}"
        self.task_id = f"{name}.instance-{self.uuid}._app.1"
        self.sandbox = place / "slaves/agent-S0/frameworks/framework-0000/executors" / self.task_id / "runs" / self.uuid
        self.sandbox.mkdir(parents=True)
        self.name = f"mesos-{self.uuid}"
        with open(self.sandbox / "stdout", "wb") as out, open(self.sandbox / "stderr", "wb") as err:
            self.process = subprocess.Popen(
                ["docker", *mesos_docker_arguments(app, self.task_id, self.uuid, self.sandbox)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=engine.env,
            )

    @property
    def port(self):
        return self.app["portDefinitions"][0]["port"]

    def id(self):
        return self.engine.docker("inspect", "--format", "{{.Id}}", self.name)

    def pid(self):
        return int(self.engine.docker("inspect", "--format", "{{.State.Pid}}", self.name))

    def last_words(self):
        return (self.sandbox / "stderr").read_text(errors="replace")[-3000:] + (self.sandbox / "stdout").read_text(
            errors="replace"
        )[-1000:]

    def mesos_http_check(self):
        """MESOS_HTTP of the app: the agent host's curl, in the container's network namespace (here: the host's), at
        127.0.0.1."""
        check = self.app["healthChecks"][0]
        ran = subprocess.run(
            [
                "curl",
                "-s",
                "-S",
                "-L",
                "-k",
                "-w",
                "%{http_code}",
                "-o",
                "/dev/null",
                "-g",
                "--max-time",
                str(check["timeoutSeconds"]),
                f"http://127.0.0.1:{self.app['portDefinitions'][check['portIndex']]['port']}{check['path']}",
            ],
            capture_output=True,
            text=True,
        )
        return ran.returncode == 0 and 200 <= int(ran.stdout) < 400

    def stop(self):
        grace = self.app["taskKillGracePeriodSeconds"]
        self.engine.docker("stop", "--time", str(grace), self.name, timeout=grace + 60)
        return self.process.wait(30)

    def close(self):
        if self.process.poll() is None:
            self.engine.docker("kill", self.name, check=False)
            self.process.wait(30)
