"""What the engine itself recorded of a container: the ground truth against which a store is held.

The promise is about lines that the engine recorded, and an engine that is killed loses what it had read from a
container and not yet
written; it may also tear the record that it was just writing. So what a container printed is not what can be asked for.
A json-file log
that is rotated forgets its oldest part, therefore this one looks at the engine's directory all the time and holds every
file open:
rotation and removal take nothing away from an open file, and its inode is not used again meanwhile.
"""
import json
import os
import pathlib
import re
import threading
import zlib

PAUSE = 0.05  # seconds between two looks


class EngineRecord:
    def __init__(self, engine_root):
        self.directory = pathlib.Path(engine_root) / "containers"
        self.files = {}  # container id -> [open file]
        self.known = {}  # container id -> {(device, inode)}
        self.guard = threading.Lock()
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def close(self):
        self.ending.set()
        self.thread.join()
        for files in self.files.values():
            for file in files:
                file.close()

    def hold(self, container):
        """From now on, every log file of this container is kept. To be called as soon as its id is known."""
        with self.guard:
            self.files.setdefault(container, [])
            self.known.setdefault(container, set())
        self.look(container)

    def watch(self):
        while not self.ending.wait(PAUSE):
            for container in list(self.files):
                self.look(container)

    def look(self, container):
        """Opens what is new. Rotated files too: an engine that catches up fills a file faster than we look."""
        with self.guard:
            try:
                device = os.stat(self.directory / container).st_dev
                names = [
                    entry.path
                    for entry in os.scandir(self.directory / container)
                    if "-json.log" in entry.name and (device, entry.inode()) not in self.known[container]
                ]
            except OSError:
                return
            for name in names:
                try:
                    file = open(name, "rb")
                except OSError:
                    continue
                status = os.fstat(file.fileno())
                if (status.st_dev, status.st_ino) in self.known[container]:
                    file.close()
                    continue
                self.known[container].add((status.st_dev, status.st_ino))
                self.files[container].append(file)

    def lines(self, container):
        """{"stdout": [message], "stderr": [message]}: whole lines, pieces joined, without their newlines; what is
        pending at the end is the
        last. A record that the engine tore stands as it is, on stdout, as docs/intake/docker.md says; the next one may
        follow on its line.
        """
        found, pending = {"stdout": [], "stderr": []}, {"stdout": b"", "stderr": b""}
        for record in (part for line in self.records(container) for part in torn_and_whole(line)):
            try:
                entry = json.loads(record)
                stream, text = entry["stream"], entry["log"].encode()
            except (ValueError, KeyError):
                stream, text = "stdout", record + b"\n"
            pending[stream] += text
            if text.endswith(b"\n"):
                found[stream].append(pending[stream][:-1])
                pending[stream] = b""
        for stream, rest in pending.items():
            if rest:
                found[stream].append(rest)
        return found

    def records(self, container):
        """The json-file records of all files, oldest first. A file and its compressed copy begin with the same record:
        the longer counts."""
        contents = {}  # by the first record
        for file in self.files[container]:
            file.seek(0)
            text = file.read()
            if text.startswith(GZIP):
                text = gunzip(text)
            first = text.partition(b"\n")[0]
            if text and len(text) > len(contents.get(first, b"")):
                contents[first] = text
        for first in sorted(contents, key=time_of):
            lines = contents[first].split(b"\n")
            yield from lines[:-1]
            if lines[-1]:
                yield lines[-1]


def torn_and_whole(line):
    at = line.rfind(b'{"log":"')
    try:
        json.loads(line[at:] if at > 0 else b"")
        return [line[:at], line[at:]]
    except ValueError:
        return [line]


GZIP = b"\x1f\x8b"


def gunzip(text):
    """What there is of it: an engine that is killed while it compresses leaves half a file, and the plain one beside
    it."""
    try:
        return zlib.decompressobj(wbits=31).decompress(text)
    except zlib.error:
        return b""


def time_of(record):
    """As text that sorts: the engine trims zeros at the end of the fraction."""
    found = re.search(rb'"time":"([^"]*)Z"', record)
    seconds, _, fraction = found.group(1).partition(b".") if found else (b"", b"", b"")
    return seconds, fraction.ljust(9, b"0")


def differences(recorded, stored, skipped_at=frozenset()):
    """What is wrong with `stored` ([message] of one stream), given `recorded`; empty when every recorded line is there
    once, in order.
    Before the stored lines whose numbers `skipped_at` holds, a named gap says that recorded lines are missing."""
    wrong, due, rest = [], 0, False
    for number, message in enumerate(stored):
        behind_a_gap, rest = number in skipped_at or rest, False
        if due < len(recorded) and recorded[due] == message:
            due += 1
            continue
        later = recorded.index(message, due) if message in recorded[due:] else None
        what = message[:40]
        if behind_a_gap:
            if number in skipped_at and later is None and any(line.endswith(message) for line in recorded[due:]):
                rest = True  # of a line whose beginning is in the gap; the gap goes on to the next line
                continue
            if later is not None:
                due = later + 1
                continue
        if later is not None:
            wrong.append(f"{later - due} recorded lines are missing before {what!r}")
            due = later + 1
        elif message in recorded[:due]:
            wrong.append(f"{what!r} is there again")
        else:
            wrong.append(
                f"{what!r}, which the engine never recorded, where"
                f" {recorded[due][:40] if due < len(recorded) else 'nothing'!r} was due"
            )
    if due < len(recorded) and len(stored) not in skipped_at:
        wrong.append(f"{len(recorded) - due} recorded lines are missing at the end, from {recorded[due][:40]!r}")
    return wrong
