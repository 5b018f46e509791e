"""Event streams: Marathon's SSE and the master's RecordIO, each with heartbeats, filters, and an end that can be
forced.

One queue for each subscriber; a subscriber that does not read is cut off (Jetty, and the master's subscriber limit, do
the same).
"""
import json
import queue
import random

from .clock import stamp

SSE_HEARTBEAT_SECONDS = 10  # Jetty's EventSourceServlet
MESOS_HEARTBEAT_SECONDS = 15
QUEUE_MAX = 2000
MESOS_SUBSCRIBERS_MAX = 1000  # --max_operator_event_stream_subscribers

CLOSED = object()


class Subscriber:
    def __init__(self, wanted=None):
        self.wanted, self.queue = wanted, queue.Queue(QUEUE_MAX)

    def offer(self, kind, item):
        if self.wanted and kind not in self.wanted:
            return True
        try:
            self.queue.put_nowait(item)
            return True
        except queue.Full:
            return False

    def close(self):
        try:
            self.queue.put_nowait((CLOSED, None))
        except queue.Full:
            self.queue.get_nowait()
            self.queue.put_nowait((CLOSED, None))


class Events:
    def __init__(self, clock):
        self.clock = clock
        self.sse, self.records = [], []
        self.split = "random"  # how RecordIO is cut into chunks: "random", "byte" or "record"
        self.agent_json = None  # set by the cluster
        self.random = random.Random(7)

    # -- what happens
    # ------------------------------------------------------------------------------------------------------

    def marathon(self, kind, **body):
        if self.sse:
            item = (kind, {**body, "eventType": kind, "timestamp": stamp(self.clock.now())})
            self.sse = [one for one in self.sse if one.offer(kind, item)]

    def mesos(self, kind, machine):
        if self.records:
            if kind == "AGENT_ADDED":
                body = {"type": kind, "agent_added": {"agent": self.agent_json(machine)}}
            else:
                body = {"type": kind, "agent_removed": {"agent_id": {"value": machine.agent_id}}}
            self.records = [one for one in self.records if one.offer(kind, (kind, body))]

    def mesos_task(self, process, machine, state):
        if self.records:
            body = {
                "type": "TASK_UPDATED",
                "task_updated": {
                    "framework_id": {"value": "framework"},
                    "state": state,
                    "status": {
                        "task_id": {"value": process.task},
                        "state": state,
                        "agent_id": {"value": machine.agent_id},
                        "timestamp": self.clock.now(),
                    },
                },
            }
            self.records = [one for one in self.records if one.offer("TASK_UPDATED", ("TASK_UPDATED", body))]

    # -- who listens
    # -------------------------------------------------------------------------------------------------------

    def close_marathon(self):
        for one in self.sse:
            one.close()
        self.sse = []

    def close_mesos(self):
        for one in self.records:
            one.close()
        self.records = []

    def follow(self, subscriber, heartbeat_seconds, heartbeat):
        """The subscriber's items, with `heartbeat` when it is due; ends when the stream is closed."""
        due = self.clock.now() + heartbeat_seconds
        while True:
            try:
                kind, item = subscriber.queue.get(timeout=max(0.001, (due - self.clock.now()) / self.clock.scale))
            except queue.Empty:
                due = self.clock.now() + heartbeat_seconds
                yield heartbeat
                continue
            if kind is CLOSED:
                return
            yield item

    def sse_stream(self, wanted, remote):
        subscriber = Subscriber(set(wanted))
        self.sse.append(subscriber)
        attached = {"remoteAddress": remote, "eventType": "event_stream_attached", "timestamp": stamp(self.clock.now())}
        subscriber.offer("event_stream_attached", ("event_stream_attached", attached))
        try:
            for item in self.follow(subscriber, SSE_HEARTBEAT_SECONDS, None):
                yield (
                    b"\r\n"
                    if item is None
                    else f"event: {item['eventType']}\r\ndata: {json.dumps(item)}\r\n\r\n".encode()
                )
        finally:
            self.sse = [one for one in self.sse if one is not subscriber]

    def record_stream(self, first):
        subscriber = Subscriber()
        self.records.append(subscriber)
        for oldest in self.records[:-MESOS_SUBSCRIBERS_MAX]:
            oldest.close()
        self.records = self.records[-MESOS_SUBSCRIBERS_MAX:]
        try:
            yield from self.pieces(record(first))
            for item in self.follow(subscriber, MESOS_HEARTBEAT_SECONDS, {"type": "HEARTBEAT"}):
                yield from self.pieces(record(item))
        finally:
            self.records = [one for one in self.records if one is not subscriber]

    def pieces(self, data):
        """Chunk borders mean nothing in RecordIO, so they are put anywhere: inside a length, a character, a number."""
        if self.split == "record":
            yield data
        elif self.split == "byte":
            yield from (data[at : at + 1] for at in range(len(data)))
        else:
            at = 0
            while at < len(data):
                size = self.random.choice((1, 2, 3, 7, 100, 4096))
                yield data[at : at + size]
                at += size


def record(item):
    text = json.dumps(
        item, ensure_ascii=False
    ).encode()  # as bytes: lengths count them, and a border may lie inside a character
    return b"%d\n%s" % (len(text), text)
