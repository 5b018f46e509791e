"""A small HTTP/1.1 server for the personalities: requests in, responses or chunked streams out, and faults on the way.

A site can be made to refuse connections (its port is closed), to cut them, to hang, or to answer every request with one
status.
"""
import base64
import http.server
import json
import socket
import struct
import threading
import time
import urllib.parse

BODY_BYTES_MAX = 16 << 20
HANG_SECONDS_MAX = 120


class Request:
    def __init__(self, method, target, headers, body, remote):
        split = urllib.parse.urlsplit(target)
        self.method, self.target, self.path, self.headers, self.body, self.remote = (
            method,
            target,
            split.path,
            headers,
            body,
            remote,
        )
        self.query = urllib.parse.parse_qs(split.query, keep_blank_values=True)

    def flag(self, name, default=False):
        """As Java's Boolean.parseBoolean: python3-marathon sends "True"."""
        return self.query[name][-1].lower() == "true" if name in self.query else default

    def text(self, name, default=None):
        return self.query[name][-1] if name in self.query else default


class Response:
    def __init__(self, status=200, body=None, headers=None, content_type=None, stream=None):
        self.status, self.headers, self.stream = status, dict(headers or {}), stream
        if body is None:
            self.body = b""
        elif isinstance(body, (bytes, str)):
            self.body = body.encode() if isinstance(body, str) else body
            self.headers["Content-Type"] = content_type or "text/plain;charset=utf-8"
        else:
            self.body = json.dumps(body).encode()
            self.headers["Content-Type"] = content_type or "application/json"
        if content_type:
            self.headers["Content-Type"] = content_type


def html_error(status, reason):
    """Jetty's standard page."""
    return Response(
        status,
        (
            f"<html><head><title>Error {status} {reason}</title></head><body><h2>HTTP ERROR {status}</h2>"
            f"<p>{reason}</p></body></html>"
        ),
        content_type="text/html;charset=iso-8859-1",
    )


class Site:
    """One listening address. `answer(request)` gives the Response; `basic` "user:password" and `token` guard it when
    set."""

    def __init__(self, answer, realm, port=0, unguarded=(), plain_refusal=False):
        self.answer, self.realm, self.unguarded, self.plain_refusal = answer, realm, unguarded, plain_refusal
        self.basic = self.token = None
        self.fault = None  # None, "cut", "hang", or a status
        self.requests = 0
        self.server = None
        self.port = port
        self.sockets = set()
        self.guard = threading.Lock()
        self.open()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"http://{self.address}"

    def open(self):
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            server_version, sys_version = "double", ""
            disable_nagle_algorithm = True
            wbufsize = -1

            def log_message(self, *_):
                pass

            def setup(self):
                super().setup()
                with site.guard:
                    site.sockets.add(self.connection)

            def finish(self):
                with site.guard:
                    site.sockets.discard(self.connection)
                try:
                    super().finish()
                except OSError:
                    pass

            def serve(self):
                site.serve(self)

            do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = do_HEAD = serve

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass  # a client that went away

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self):
        """The port refuses connections, and those that there are end."""
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
        self.cut_all()

    def cut_all(self):
        with self.guard:
            for connection in self.sockets:
                try:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def serve(self, handler):
        self.requests += 1
        length = int(handler.headers.get("Content-Length") or 0)
        if length > BODY_BYTES_MAX:
            handler.close_connection = True
            return
        body = handler.rfile.read(length)
        fault = self.fault
        if fault == "hang":
            end = time.monotonic() + HANG_SECONDS_MAX
            while self.fault == "hang" and time.monotonic() < end:
                time.sleep(0.02)
            fault = "cut"
        if fault == "cut":
            handler.close_connection = True
            return
        request = Request(handler.command, handler.path, handler.headers, body, handler.client_address[0])
        response = html_error(fault, "Service Unavailable") if fault else self.refused(request) or self.answer(request)
        try:
            self.send(handler, response)
        except OSError:
            handler.close_connection = True

    def refused(self, request):
        if request.path in self.unguarded or not (self.basic or self.token):
            return None
        given = request.headers.get("Authorization", "")
        if self.basic and given == "Basic " + base64.b64encode(self.basic.encode()).decode():
            return None
        if self.token and given == "token=" + self.token:
            return None
        headers = {"WWW-Authenticate": f'Basic realm="{self.realm}"' if self.basic else 'acsjwt realm="Dcos"'}
        if self.plain_refusal:
            return Response(401, "Unauthorized\n", headers)
        response = html_error(401, "Unauthorized")
        response.headers.update(headers)
        return response

    def send(self, handler, response):
        handler.send_response(response.status)
        for name, value in response.headers.items():
            handler.send_header(name, value)
        if response.stream is None:
            if response.status not in (204, 304):
                handler.send_header("Content-Length", str(len(response.body)))
            handler.end_headers()
            if handler.command != "HEAD":
                handler.wfile.write(response.body)
            return
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.flush()
        try:
            for piece in response.stream:
                handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                handler.wfile.flush()
            handler.wfile.write(b"0\r\n\r\n")
        finally:
            response.stream.close()
            handler.close_connection = True
