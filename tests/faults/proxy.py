"""A TCP proxy before the S3 server that can be told to misbehave as networks and servers do."""
import email.utils
import random
import socket
import threading
import time

HEAD_BYTES_MAX = 65536
CLOCK_ERROR_SECONDS = 5 * 3600  # of the server that the mode `skewed` plays: more than any server forgives


def refusal(status, code, message, date=None):
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    stamp = email.utils.formatdate(time.time() if date is None else date, usegmt=True)
    return (
        f"HTTP/1.1 {status}\r\nDate: {stamp}\r\nContent-Type: application/xml\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


class Proxy:
    """Listens on loopback; `set(mode)` holds for what comes next, and cuts connections that are open (but for `pass`).

    pass         forwards
    refuse       closes at once
    hang         takes the request and never answers (until the mode changes)
    503          answers 503 SlowDown by itself
    skewed       answers RequestTimeTooSkewed by itself, as a server whose clock is five hours ahead
    slow         forwards the request's body at 200 KB/s
    cut-body     forwards some of the request, then closes
    lose-answer  forwards the request, and closes when the answer comes: the store has it, the agent does not know

    In every mode a session whose token is in `revoked` is told that it has expired.
    """

    MODES = ("pass", "refuse", "hang", "503", "skewed", "slow", "cut-body", "lose-answer")

    def __init__(self, port, upstream_port):
        self.port, self.upstream_port, self.mode = port, upstream_port, "pass"
        self.counts = dict.fromkeys((*self.MODES, "expired"), 0)
        self.revoked = set()
        self.open = set()
        self.guard = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.closing = False
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.closing = True
        self.listener.close()

    def set(self, mode):
        assert mode in self.MODES, mode
        self.mode = mode
        if mode != "pass":
            self.sever()

    def revoke(self, token):
        self.revoked.add(token.encode())
        self.sever()

    def sever(self):
        """Connections are kept alive over requests: those that are open would know nothing of what changed."""
        with self.guard:
            for connection in self.open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def accept(self):
        while not self.closing:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        mode = self.mode
        with self.guard:
            self.open.add(client)
        try:
            with client:
                self.misbehave(client, mode)
        except OSError:
            pass
        finally:
            with self.guard:
                self.open.discard(client)

    def misbehave(self, client, mode):
        if mode == "refuse":
            self.counts[mode] += 1
            return
        client.settimeout(60)
        head = b""
        while b"\r\n\r\n" not in head and len(head) < HEAD_BYTES_MAX:
            data = client.recv(20000)
            if not data:
                return
            head += data
        self.counts[mode] += 1  # what is counted is requests (the first of each connection), not connections
        if any(token in head for token in self.revoked):
            self.counts["expired"] += 1
            client.sendall(refusal("400 Bad Request", "ExpiredToken", "The provided token has expired."))
        elif mode == "hang":
            while self.mode == "hang" and not self.closing:
                time.sleep(0.1)
        elif mode == "503":
            client.sendall(refusal("503 Service Unavailable", "SlowDown", "Please reduce your request rate."))
            time.sleep(random.random() / 10)
        elif mode == "skewed":
            client.sendall(
                refusal(
                    "403 Forbidden",
                    "RequestTimeTooSkewed",
                    "The difference between the request time and the current time is too large.",
                    date=time.time() + CLOCK_ERROR_SECONDS,
                )
            )
        else:
            self.forward(client, mode, head)

    def forward(self, client, mode, head):
        with socket.create_connection(("127.0.0.1", self.upstream_port), timeout=5) as upstream:
            upstream.settimeout(60)
            answered = threading.Event()

            def back():
                try:
                    while data := upstream.recv(65536):
                        # "100 Continue" is no answer yet.
                        if mode == "lose-answer" and not data.startswith(b"HTTP/1.1 100"):
                            break
                        client.sendall(data)
                except OSError:
                    pass
                finally:
                    answered.set()
                    for end in (client, upstream):
                        try:
                            end.shutdown(socket.SHUT_RDWR)
                        except OSError:
                            pass

            thread = threading.Thread(target=back, daemon=True)
            thread.start()
            left = random.randrange(200, 20000) if mode == "cut-body" else None
            try:
                data = head
                while data:
                    if left is not None and len(data) >= left:
                        upstream.sendall(data[:left])
                        upstream.shutdown(socket.SHUT_RDWR)
                        break
                    upstream.sendall(data)
                    if left is not None:
                        left -= len(data)
                    if mode == "slow":
                        time.sleep(len(data) / 200e3)
                    data = client.recv(20000)
            except OSError:
                pass
            answered.wait(60)
