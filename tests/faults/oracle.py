"""Accounts for every line of every container: stored exactly once, unaltered, in order; or in a gap that a fault
explains.

The store is read twice: by stock age and zstd, and by our own `boatswain logs` and `boatswain verify`. Both must say
the same. What counts
as explained is decided here and nowhere else:

  - A gap record counts only in a container whose log rotates, and only when the time it names overlaps one in which
  nobody read.
  - A container that removed itself need not be whole when nobody read at some time of its life, or when the agent was
  ended before it
    can have been sealed. What there is of it must be right all the same.
  - Lines that the engine lost when it was ended itself are no loss of ours; that it lost them must show in what it
  recorded.

Anything else is a problem. Times are of the host's clock, in seconds.
"""
import collections
import dataclasses
import datetime
import json
import re

import engine_record
import harness

WATCHED = ("plain", "rotating", "compressed")  # kinds of containers of whose log files everything is known

# From the end of a container that removes itself to the durable segment, on a machine that is not busy: one second
# until the batch is
# due, one until the engine has told how it ended.
SEALED_AFTER = 3.0
# Times in gap records are of lines; nobody reads for a moment around them.
GAP_SLACK = 3.0


def checksum(payload):
    value = 2166136261
    for byte in payload:
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def numbered(message):
    """(number, payload) of an intact line of printer.c; None when it was altered."""
    parts = message.split(b" ", 3)
    try:
        number, length, told, payload = int(parts[0]), int(parts[1]), int(parts[2], 16), parts[3]
    except (ValueError, IndexError):
        return None
    return number if len(payload) == length and checksum(payload) == told else None


@dataclasses.dataclass
class Printer:
    """A container that ran printer.c."""

    name: str
    tenant: str
    kind: str  # plain, rotating, compressed, local, or short: one that removed itself
    started: float  # before it was created
    ended: float = float("inf")  # after it was seen to have ended

    @property
    def short(self):
        return self.kind == "short"


class Windows:
    """When nobody read (`down`), and when nothing could be made durable (`unsealed`)."""

    def __init__(self):
        self.down, self.unsealed = [], []
        self.lags = []  # (when, seconds): how late this process itself was woken

    def sealed_by(self, when):
        """What was printed before is durable at `when`, if somebody read it at all."""
        late = max((lag for at, lag in self.lags if when - 20 < at <= when + 1), default=0)
        horizon = when - SEALED_AFTER - 3 * late
        for began, ended in sorted(self.unsealed, reverse=True):
            if began < when and ended > horizon:
                horizon = min(horizon, began - SEALED_AFTER)
        return horizon

    def excuse(self, printer):
        """Whether a container that removed itself may be incomplete."""
        return any(printer.started < ended and printer.ended > self.sealed_by(began) for began, ended in self.down)

    def explain_gap(self, since, until):
        return any(since - GAP_SLACK < ended and until + GAP_SLACK > began for began, ended in self.down)


class EngineLog:
    """What `docker logs --timestamps` has of a container that cannot be watched on disk (driver `local`)."""

    # It writes a time in front of each entry. Behind the last piece of a long line, the driver `local` forgets the
    # newline: all pieces of a line have one time.
    TIME = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) ")
    PIECE_BYTES = 16384

    def __init__(self, text_of):
        self.text_of = text_of  # container -> {"stdout": bytes, "stderr": bytes}
        self.known = {}

    @classmethod
    def lines_of(cls, text):
        words, lines, time_before, is_open = cls.TIME.split(text)[1:], [], None, False
        for time_of_entry, entry in zip(words[::2], words[1::2]):
            ends_long_line = is_open and time_of_entry == time_before and len(entry) < cls.PIECE_BYTES
            if is_open:
                lines[-1] += entry
            else:
                lines.append(entry)
            time_before, is_open = time_of_entry, not (ends_long_line or entry.endswith(b"\n"))
        return [line.removesuffix(b"\n") for line in lines]

    def of(self, container):
        if container not in self.known:
            streams = {}
            for name, text in self.text_of(container).items():
                lines = self.lines_of(text)
                numbers = {numbered(line) for line in lines} - {None}
                altered = {line for line in lines if not line.startswith(b"end ") and numbered(line) is None}
                streams[name] = numbers, altered, any(line.startswith(b"end ") for line in lines)
            self.known[container] = streams
        return self.known[container]

    def lost(self, container, stream, due, found):
        """Whether the engine has not the lines from `due` on, before `found`, though it has what is around them."""
        numbers = self.of(container)[stream][0]
        return (due == 0 or due - 1 in numbers) and found in numbers and not numbers & set(range(due, found))

    def altered(self, container, stream, message):
        """Whether the engine itself recorded this line so: it was ended amid a long one."""
        return message in self.of(container)[stream][1]


class Account:
    def __init__(self):
        self.lines, self.gaps, self.problems = 0, collections.Counter(), []


class Oracle:
    """`record`: what the engine wrote of those containers whose log files were watched (live/engine_record.py); `log`:
    an EngineLog."""

    def __init__(self, printers, windows, record, log):
        self.printers, self.windows, self.record, self.log = printers, windows, record, log

    def account(self, entries, tenants):
        """`entries`: {container: [("line", stream, tag, message) | ("gap", dict)]}, `tenants`: {container: those it
        lies under}."""
        account = Account()
        for container, printer in sorted(self.printers.items(), key=lambda item: item[1].name):
            where = f"{printer.name} {printer.kind} {printer.tenant} {container[:12]}"
            if tenants.get(container, set()) - {printer.tenant}:
                account.problems.append(f"{where}: lies under {tenants[container]}")
            by = self.by_record if printer.kind in WATCHED else self.by_numbers
            found = collections.Counter()
            try:
                account.lines += by(entries.get(container, []), printer, container, found)
                account.gaps += found
            except AssertionError as problem:
                account.problems.append(f"{where}: {problem}")
        return account

    def account_gap(self, gap, printer, named):
        """False: it takes nothing away."""
        named[gap["reason"]] += 1
        if gap["reason"] == "malformed" and printer.kind in WATCHED:
            return False  # the torn record of an engine that was killed; it follows, as it is
        rotated = gap["reason"] == "rotated-away" and printer.kind in ("rotating", "compressed")
        removed = gap["reason"] == "removed-while-away" and printer.short
        assert rotated or removed, f"a gap that nothing explains: {gap}"
        since, until = seconds_of(gap["from"]), seconds_of(gap["to"])
        assert self.windows.explain_gap(since, until), f"a gap at a time when somebody read: {gap}"
        return True

    # ---- A container whose log was watched: what the engine recorded is known to the byte, whatever the engine went
    # through.

    def by_record(self, entries, printer, container, named):
        stored, gap_before = {"stdout": [], "stderr": []}, {"stdout": set(), "stderr": set()}
        pieces = {"stdout": b"", "stderr": b""}
        for entry in entries:
            if entry[0] == "gap":
                if self.account_gap(entry[1], printer, named):
                    for stream in stored:
                        gap_before[stream].add(len(stored[stream]))
                        pieces[stream] = b""
                continue
            _, stream, tag, message = entry
            pieces[stream] += message
            if tag == "F":
                stored[stream].append(pieces[stream])
                pieces[stream] = b""
        recorded = self.record.lines(container)
        for stream in stored:
            if pieces[stream]:
                stored[stream].append(pieces[stream])
            wrong = engine_record.differences(recorded[stream], stored[stream], gap_before[stream])
            assert not wrong, (
                f"{stream}: {'; '.join(wrong[:5])} ({len(recorded[stream])} recorded, {len(stored[stream])} stored,"
                f" gaps {dict(named)})"
            )
        return sum(map(len, stored.values()))

    # ---- The others: by the numbers and checksums of their lines.

    def by_numbers(self, entries, printer, container, named):
        streams = {"stdout": Stream(), "stderr": Stream()}
        excused = printer.short and self.windows.excuse(printer)
        for entry in entries:
            if entry[0] == "gap":
                self.account_gap(entry[1], printer, named)
                continue
            _, name, tag, message = entry
            stream = streams[name]
            message = stream.whole(tag, message)
            if message is not None:
                self.account_line(stream, name, message, printer, container, named)
        for name, stream in streams.items():
            if not stream.ended and not excused:
                self.account_end(stream, name, printer, container)
        return sum(stream.lines for stream in streams.values())

    def account_line(self, stream, name, message, printer, container, named):
        assert not stream.ended, f"{name}: {message[:40]!r} after its end"
        stream.lines += 1
        number = int(message[4:]) if re.fullmatch(rb"end \d+", message) else numbered(message)
        if number is None:
            assert not printer.short and self.log.altered(
                container, name, message
            ), f"{name}: the line after {stream.due - 1} was altered: {message[:40]!r}"
            named["(lines that the engine itself has not whole)"] += 1
            stream.due += 1
            return
        if number > stream.due and not printer.short and self.log.lost(container, name, stream.due, number):
            named["(lines that the engine itself has not)"] += number - stream.due
            stream.due = number
        assert number == stream.due, f"{name}: line {number} where {stream.due} was due"
        if message.startswith(b"end "):
            stream.ended = True
        else:
            stream.due = number + 1

    def account_end(self, stream, name, printer, container):
        assert not printer.short, f"{name}: incomplete: {stream.due} lines and no end"
        # A fault may have ended the container itself, before it was through: then the engine's log says how far it
        # came.
        numbers, _, has_end = self.log.of(container)[name]
        assert not has_end, f"{name}: incomplete: {stream.due} lines stored, and the engine has the end"
        assert (
            not numbers or stream.due == max(numbers) + 1
        ), f"{name}: incomplete: {stream.due} lines stored, and the engine has those up to {max(numbers)}"


class Stream:
    """Where the account of one stream of one container stands."""

    def __init__(self):
        self.due, self.lines, self.ended = 0, 0, False
        self.piece = b""

    def whole(self, tag, message):
        """The line that is complete with this piece of it, if it is."""
        message = self.piece + message
        self.piece = message if tag == "P" else b""
        return message if tag == "F" else None


def seconds_of(time):
    return datetime.datetime.fromisoformat(time[:26] + "+00:00").timestamp()


# ---- The two ways to read


def by_stock_tools(reader):
    """(entries, tenants) of a store, as Oracle.account() takes them."""
    entries, tenants = collections.defaultdict(list), collections.defaultdict(set)
    for key in sorted(reader.objects(), key=reader.order_of):
        container = None
        for line in reader.open(key).split(b"\n")[:-1]:
            if line.startswith(b"# {"):
                container = json.loads(line[2:])["source"]
                tenants[container].add(reader.tenant_of(key))
            elif line.startswith(b"# gap "):
                entries[container].append(("gap", json.loads(line[6:])))
            elif not line.startswith(b"# "):
                _, stream, tag, message = line.split(b" ", 3)
                entries[container].append(("line", stream.decode(), tag.decode(), message))
    return entries, tenants


class OwnTools:
    """`boatswain` on a store in a directory."""

    def __init__(self, directory, keys, tenants):
        self.directory, self.keys, self.tenants = directory, keys, tenants

    def run(self, *arguments, tenants=None, check=True):
        files = {
            (self.keys / f"{tenant}.key").read_bytes(): self.keys / f"{tenant}.key"
            for tenant in tenants or self.tenants
        }
        identities = [word for file in files.values() for word in ("--identity", file)]  # many tenants may have one key
        return harness.run(
            harness.BUILD / "boatswain",
            *arguments,
            "--store",
            f"dir:{self.directory}",
            *identities,
            check=check,
            timeout=600,
        )

    def entries(self):
        """As by_stock_tools() has them, but by stream: `boatswain logs` shows a container's lines in the order of their
        times."""
        found = collections.defaultdict(lambda: {"stdout": [], "stderr": [], "gaps": []})
        for tenant in self.tenants:
            for line in self.run("logs", "--tenant", tenant, "--output", "json", tenants=[tenant]).stdout.splitlines():
                entry = json.loads(line)
                assert entry["tenant"] == tenant, entry
                place = found[entry["container"]]
                if "gap" in entry:
                    place["gaps"].append(entry["gap"])
                else:
                    place[entry["stream"]].append(("P" if entry["partial"] else "F", entry["message"].encode()))
        return found

    def raw(self, container, stream, tenant):
        return self.run(
            "logs",
            "--tenant",
            tenant,
            "--container",
            container,
            "--stream",
            stream,
            "--output",
            "raw",
            tenants=[tenant],
        ).stdout

    def verify(self):
        """What `boatswain verify` says is wrong; nothing when it proves the store."""
        done = self.run("verify", "--json", check=False)
        proof = json.loads(done.stdout) if done.stdout else {}
        if done.returncode == 0:
            return []
        return [f"boatswain verify: {problem}" for problem in proof.get("problems", [])] or [
            f"boatswain verify: {done.stderr.decode()}"
        ]


def disagreements(entries, own, raw_of=()):
    """What our own tools say otherwise than stock age and zstd. `raw_of`: (container, tenant) to be compared byte for
    byte as well."""
    problems, ours = [], own.entries()
    for container in sorted(set(entries) | set(ours)):
        for stream in ("stdout", "stderr"):
            stock = [
                (entry[2], entry[3])
                for entry in entries.get(container, [])
                if entry[0] == "line" and entry[1] == stream
            ]
            if stock != ours[container][stream]:
                problems.append(
                    f"{container[:12]} {stream}: stock tools find {len(stock)} lines, boatswain logs"
                    f" {len(ours[container][stream])}; they differ first at"
                    f" {first_difference(stock, ours[container][stream])}"
                )
        gaps = [entry[1] for entry in entries.get(container, []) if entry[0] == "gap"]
        if sorted(map(str, gaps)) != sorted(map(str, ours[container]["gaps"])):
            problems.append(
                f"{container[:12]}: stock tools find the gaps {gaps}, boatswain logs {ours[container]['gaps']}"
            )
    for container, tenant in raw_of:
        for stream in ("stdout", "stderr"):
            stock = b"".join(
                entry[3] + (b"\n" if entry[2] == "F" else b"")
                for entry in entries.get(container, [])
                if entry[0] == "line" and entry[1] == stream
            )
            if own.raw(container, stream, tenant) != stock:
                problems.append(
                    f"{container[:12]} {stream}: boatswain logs --output raw prints other bytes than age and zstd"
                )
    return problems


def first_difference(one, other):
    for at, (a, b) in enumerate(zip(one, other)):
        if a != b:
            return at
    return min(len(one), len(other))
