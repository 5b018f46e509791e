"""A TCP proxy before the S3 server that can be told to misbehave as networks and servers do."""
import random
import socket
import threading
import time

MODES = ("pass", "refuse", "hang", "503", "slow", "lose-answer")


class Proxy:
    """Listens on loopback; `mode` holds for what comes next.

    pass         forwards
    refuse       closes at once
    hang         takes the request and never answers (until the mode changes)
    503          answers 503 SlowDown by itself
    slow         forwards the request's body at 200 KB/s
    lose-answer  forwards the request, and closes when the answer comes: the store has it, the agent does not know
    """

    def __init__(self, port, upstream_port):
        self.port, self.upstream_port, self.mode, self.counts = port, upstream_port, "pass", {mode: 0 for mode in MODES}
        self.listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.closing = False
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.closing = True
        self.listener.close()

    def accept(self):
        while not self.closing:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        mode = self.mode
        self.counts[mode] += 1
        try:
            with client:
                if mode == "refuse":
                    return
                if mode == "hang":
                    while self.mode == "hang" and not self.closing:
                        time.sleep(0.1)
                    return
                if mode == "503":
                    client.settimeout(2)
                    client.recv(65536)
                    body = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
                    client.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/xml\r\nConnection: close\r\n"
                                   b"Content-Length: %d\r\n\r\n" % len(body) + body)
                    time.sleep(random.random() / 10)
                    return
                self.forward(client, mode)
        except OSError:
            pass

    def forward(self, client, mode):
        with socket.create_connection(("127.0.0.1", self.upstream_port), timeout=5) as upstream:
            upstream.settimeout(60)
            client.settimeout(60)
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
            try:
                while data := client.recv(20000):
                    upstream.sendall(data)
                    if mode == "slow":
                        time.sleep(len(data) / 200e3)
            except OSError:
                pass
            answered.wait(60)
