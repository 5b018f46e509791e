"""Cluster time: runs `scale` times as fast as the wall's, so that ten minutes of an outage fit into a test."""
import datetime
import time


class Clock:
    """All durations of the model are seconds of this clock; only sockets know real ones."""

    def __init__(self, scale=1.0):
        self.scale = scale
        self.epoch, self.started = time.time(), time.monotonic()

    def now(self):
        return self.epoch + (time.monotonic() - self.started) * self.scale

    def sleep(self, seconds):
        time.sleep(seconds / self.scale)


def stamp(when):
    """As Marathon writes times: yyyy-MM-ddTHH:mm:ss.SSSZ, UTC."""
    if when is None:
        return None
    return datetime.datetime.fromtimestamp(when, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
