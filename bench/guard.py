"""What `boatswaind guard` costs: the engine asked directly and through it, in turns.

Inspect (small, redacted), a log read to its end, and a log followed while the container prints. CPU is counted of the
guard and of
dockerd, of an inspect also of HAProxy as the peer; the client is this Python, the same on both ways.
"""
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

CPU_ADDED_MAX = 0.05  # engine and guard together, over what the engine spends when it is asked directly
ADDED_MS_MAX = 1.0
INSPECTS, INSPECT_BLOCKS = 250, 8  # so many, directly and through the guard in turns


def cpu_of(pid):
    """User and system seconds so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ask(path, target):
    """One request at a unix socket: seconds, and the bytes of the whole answer."""
    started, size = time.monotonic(), 0
    buffer = bytearray(1 << 20)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        while got := client.recv_into(buffer):
            size += got
    return time.monotonic() - started, size


def percentiles(samples):
    ordered = sorted(samples)
    return {"p50_ms": ordered[len(ordered) // 2] * 1e3, "p99_ms": ordered[len(ordered) * 99 // 100] * 1e3}


def start_haproxy(place, engine, log):
    """The peer: HAProxy that passes bytes on and understands nothing of them. (process, its socket)"""
    settings, relay = place / "haproxy.cfg", place / "haproxy.sock"
    settings.write_text(
        "global\n nbthread 1\ndefaults\n mode tcp\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n"
        f"frontend relay\n bind unix@{relay}\n default_backend engine\nbackend engine\n server engine unix@{engine}\n"
    )
    return subprocess.Popen(["haproxy", "-db", "-f", settings], stdin=subprocess.DEVNULL, stdout=log, stderr=log), relay


def inspects(direct, through, relay, dockerd, proxies):
    """One small call again and again, by each way in turns."""
    seconds, spent = ({path: [] for path in (direct, through, relay)} for _ in range(2))
    for _ in range(INSPECT_BLOCKS):
        for path, samples in seconds.items():
            before = cpu_of(proxies.get(path, dockerd)), cpu_of(dockerd)
            samples += [ask(path, "/containers/done/json")[0] for _ in range(INSPECTS)]
            spent[path].append((cpu_of(proxies.get(path, dockerd)) - before[0], cpu_of(dockerd) - before[1]))
    calls = INSPECTS * INSPECT_BLOCKS

    def cpu_ms(path, of):
        return sum(both[of] for both in spent[path]) / calls * 1e3

    result = {
        "inspect_direct": percentiles(seconds[direct]),
        "inspect_guard": percentiles(seconds[through]),
        "inspect_haproxy": percentiles(seconds[relay]),
        "inspect_engine_cpu_ms": cpu_ms(direct, 1),
        "inspect_guard_cpu_ms": cpu_ms(through, 0),
        "inspect_haproxy_cpu_ms": cpu_ms(relay, 0),
    }
    result["inspect_added_ms"] = result["inspect_guard"]["p50_ms"] - result["inspect_direct"]["p50_ms"]
    result["inspect_cpu_added"] = (cpu_ms(through, 0) + cpu_ms(through, 1)) / cpu_ms(direct, 1) - 1
    return result


def measure(daemon, support, corpus, runs, log):
    """`corpus`: the file that containers print. RuntimeError: it could not be measured."""
    payload = corpus.stat().st_size
    place = pathlib.Path(tempfile.mkdtemp(prefix="bw-bench.", dir="/tmp"))
    engine, guard, haproxy = place / "engine", None, None
    try:
        if subprocess.run([support / "engine.sh", "start", engine], check=False, stdout=log, stderr=log).returncode:
            raise RuntimeError("the engine did not start (it needs root)")
        direct, through = engine / "docker.sock", place / "guard.sock"
        guard = subprocess.Popen(
            [
                daemon,
                "guard",
                "--guard-listen",
                through,
                "--guard-engine",
                direct,
                "--guard-redact",
                "environment",
                "--log-level",
                "warning",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        haproxy, relay = start_haproxy(place, direct, log)
        dockerd = int((engine / "dockerd.pid").read_text())
        shutil.copy(corpus, place / "corpus.log")
        docker = [
            "docker",
            "-H",
            f"unix://{direct}",
            "run",
            "--network",
            "none",
            "-e",
            "PASSWORD=x",
            "-v",
            f"{place}/corpus.log:/corpus.log:ro",
        ]
        print("  (a container prints the corpus)", file=sys.stderr)
        subprocess.run(
            [*docker, "--name", "done", "bw/busybox", "cat", "/corpus.log"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        while not (through.exists() and relay.exists()):
            if guard.poll() is not None or haproxy.poll() is not None:
                raise RuntimeError("the guard or HAProxy ended")
            time.sleep(0.05)

        result = inspects(direct, through, relay, dockerd, {through: guard.pid, relay: haproxy.pid})

        def timed(path, target):
            before = cpu_of(guard.pid), cpu_of(dockerd)
            seconds, size = ask(path, target)
            return seconds, cpu_of(guard.pid) - before[0], cpu_of(dockerd) - before[1], size

        def summary(samples):
            seconds, guard_cpu, engine_cpu, _ = (statistics.median(column) for column in zip(*samples))
            return {
                "mb_per_s": payload / 1e6 / seconds,
                "guard_cpu_s_per_gb": guard_cpu / payload * 1e9,
                "engine_cpu_s_per_gb": engine_cpu / payload * 1e9,
            }

        reads, follows = {direct: [], through: []}, {direct: [], through: []}
        for i in range(runs):
            print(f"  run {i + 1} of {runs}: guard", file=sys.stderr)
            for path in reads:
                reads[path].append(timed(path, "/containers/done/logs?stdout=1&stderr=1"))
            for path in follows:
                name = f"follow-{i}-{path.name}"
                # It waits until somebody follows.
                subprocess.run(
                    [*docker, "-d", "--name", name, "bw/busybox", "sh", "-c", "sleep 1; cat /corpus.log"],
                    check=True,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                )
                follows[path].append(timed(path, f"/containers/{name}/logs?stdout=1&stderr=1&follow=1"))
                subprocess.run(
                    ["docker", "-H", f"unix://{direct}", "rm", "-f", name],
                    check=True,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                )
        if min(size for samples in (*reads.values(), *follows.values()) for *_, size in samples) < payload:
            raise RuntimeError("an answer was shorter than what the container printed")
        result |= {
            "read_direct": summary(reads[direct]),
            "read_guard": summary(reads[through]),
            "follow_direct": summary(follows[direct]),
            "follow_guard": summary(follows[through]),
        }
        for how in ("read", "follow"):
            row = result[f"{how}_guard"]
            result[f"{how}_cpu_added"] = (row["guard_cpu_s_per_gb"] + row["engine_cpu_s_per_gb"]) / result[
                f"{how}_direct"
            ]["engine_cpu_s_per_gb"] - 1
        return result
    finally:
        for proxy in filter(None, (guard, haproxy)):
            proxy.terminate()
            proxy.wait()
        subprocess.run([support / "engine.sh", "stop", engine], check=False, stdout=log, stderr=log)
        shutil.rmtree(place, ignore_errors=True)


def show(row):
    def verdict(value, most):
        return f"goal: at most {most}: {'reached' if value <= most else 'MISSED'}"

    print("\nguard (engine asked directly -> through the guard)")
    for name in ("p50_ms", "p99_ms"):
        print(f"  inspect {name[:3]}   {row['inspect_direct'][name]:8.2f} -> {row['inspect_guard'][name]:8.2f} ms")
    print(
        f"  inspect adds {row['inspect_added_ms']:.2f} ms at p50 ({verdict(row['inspect_added_ms'], ADDED_MS_MAX)}),"
        f" and {row['inspect_guard_cpu_ms']:.2f} ms of CPU where the engine spends"
        f" {row['inspect_engine_cpu_ms']:.2f} (together {row['inspect_cpu_added']:+.1%}) and HAProxy, which only passes"
        f" bytes, {row['inspect_haproxy_cpu_ms']:.2f}"
    )
    for how, text in (("read", "logs"), ("follow", "logs, followed")):
        direct, through = row[f"{how}_direct"], row[f"{how}_guard"]
        print(
            f"  {text:<14} {direct['mb_per_s']:6.1f} -> {through['mb_per_s']:6.1f} MB/s; the engine spends"
            f" {direct['engine_cpu_s_per_gb']:.1f} -> {through['engine_cpu_s_per_gb']:.1f}, the guard"
            f" {through['guard_cpu_s_per_gb']:.2f} CPU s/GB: together"
            f" {row[f'{how}_cpu_added']:+.1%} ({verdict(row[f'{how}_cpu_added'], CPU_ADDED_MAX)})"
        )
