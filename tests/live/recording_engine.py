"""An engine that records every byte that reaches it, and the guard before it."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import time

from harness import BUILD, alive, free_port, scratch, wait_for

OK = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nX-Private: inner\r\nContent-Type: application/json\r\n"


def sized(body, head=OK):
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


class RecordingEngine:
    """Listens at a unix socket. `answer(connection, request)` is called with each request's head."""

    def __init__(self, path, answer=None):
        self.path, self.heads, self.rest, self.ended = path, [], [], 0
        self.answer = answer or (lambda connection, head: connection.sendall(sized(b"{}\n")))
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(100)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        data = b""
        try:
            while b"\r\n\r\n" not in data:
                piece = connection.recv(65536)
                if not piece:
                    break
                data += piece
            head, _, rest = data.partition(b"\r\n\r\n")
            self.heads.append(head)
            if rest:
                self.rest.append(rest)
            self.answer(connection, head)
        except OSError:
            pass
        finally:
            connection.close()
            self.ended += 1

    def targets(self):
        return [head.split(b"\r\n")[0].decode() for head in self.heads]

    def close(self):
        self.listener.close()


class Guard:
    def __init__(self, engine_socket, place=None, **settings):
        self.place = place or scratch("bwg.")
        self.socket = self.place / "guard.sock"
        self.config = self.place / "guard.toml"
        self.log_path = self.place / "guard.log"
        self.process = None
        self.sections = {
            "": {},
            "engine": {},
            "tenancy": {},
            "guard": {"listen": f"unix:{self.socket}", "engine": str(engine_socket)},
            "log": {"format": "json", "level": "debug"},
        }
        for name, value in settings.items():
            section, _, setting = name.rpartition("__")
            self.sections[section or "guard"][setting] = value
        alive.append(self)
        self.write_config()

    def write_config(self):
        text = ""
        for section, values in self.sections.items():
            text += (f"[{section}]\n" if section else "") + "".join(
                f"{name} = {json.dumps(value)}\n" for name, value in values.items()
            )
        self.config.write_text(text)

    def start(self, prefix=()):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*prefix, str(BUILD / "boatswaind"), "guard", "--config", str(self.config)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        self.wait_logged("guard started")
        return self

    def log(self):
        entries = []
        for line in self.log_path.read_text(errors="replace").splitlines():
            try:
                entries.append(json.loads(line))
            except ValueError:
                entries.append({"event": line})
        return entries

    def logged(self, event, **fields):
        return [
            entry
            for entry in self.log()
            if event in entry["event"] and all(str(want) in entry.get(name, "") for name, want in fields.items())
        ]

    def wait_logged(self, event, seconds=20, **fields):
        def look():
            if found := self.logged(event, **fields):
                return found
            if self.process.poll() is not None:
                raise AssertionError(
                    f"the guard ended with {self.process.returncode}:\n{self.log_path.read_text()[-2000:]}"
                )

        return wait_for(look, seconds, lambda: f"log entry {event!r} {fields}:\n{self.log_path.read_text()[-2000:]}")

    def resident_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def connect(self, timeout=20):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(timeout)
        client.connect(str(self.socket))
        return client

    def send(self, request, timeout=20):
        """Everything that comes back until the guard closes."""
        with self.connect(timeout) as client:
            try:
                client.sendall(request)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has refused and closed already: the answer is there to be read
            return read_all(client)

    def get(self, target, method="GET", fields=b""):
        answer = self.send(f"{method} {target} HTTP/1.1\r\nHost: x\r\n".encode() + fields + b"\r\n")
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), head, body

    def stop(self, seconds=20):
        self.process.terminate()
        code = self.process.wait(seconds)
        self.process = None
        return code

    def close(self):
        if self in alive:
            alive.remove(self)
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.place, ignore_errors=True)


def read_all(client):
    data = b""
    while True:
        try:
            piece = client.recv(65536)
        except ConnectionResetError:
            return data
        if not piece:
            return data
        data += piece
