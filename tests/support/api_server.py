#!/usr/bin/python3
"""A double of the Kubernetes API server's pods: list and watch, as far as clients see it.

As documented (Kubernetes API concepts, "Efficient detection of changes") and as `@kubernetes/client-node` understands
it (tests/interop/kubernetes_watch.mjs): a list has a version, a watch from there says what happened since; a watch from
0 says what is there first; who asks for a version that is forgotten is told 410, on the stream; bookmarks say that
nothing happened; a watch ends by itself after timeoutSeconds. Metadata alone for who accepts PartialObjectMetadata.

As a program: says its URL, then does what comes on standard input, a JSON array a line: ["put", POD], ["delete", UID],
["forget"], ["refuse", STATUS], ["drop"].
"""
import http.server
import json
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

NODE = "node-1"


def pod(namespace, name, uid, labels=None, annotations=None, node=NODE):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid,
            "labels": labels or {},
            "annotations": annotations or {},
        },
        "spec": {"nodeName": node, "containers": [{"name": "app", "env": [{"name": "SECRET", "value": "hidden"}]}]},
    }


def status(code, reason, message):
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }


class ApiServer:
    def __init__(self, place=None, token=None, port=0, bookmark_every=1.0):
        """With `place` it speaks TLS, by a certificate of its own: place/ca.crt."""
        self.token, self.bookmark_every = token, bookmark_every
        self.pods, self.history, self.version, self.oldest = {}, [], 100, 100
        self.refusal, self.asked, self.ended, self.generation = None, [], False, 0
        self.news = threading.Condition()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), self.handler())
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"{'https' if place else 'http'}://127.0.0.1:{self.port}"
        if place:
            self.server.socket = self.certificate(place).wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True, kwargs={"poll_interval": 0.05}).start()

    def certificate(self, place):
        key, certificate = place / "api.key", place / "ca.crt"
        if not certificate.exists():
            words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=api"
            subprocess.run(
                [
                    "openssl",
                    *words.split(),
                    "-addext",
                    "subjectAltName=IP:127.0.0.1",
                    "-keyout",
                    key,
                    "-out",
                    certificate,
                ],
                check=True,
                capture_output=True,
            )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context

    def close(self):
        with self.news:
            self.ended = True
            self.news.notify_all()
        self.server.shutdown()
        self.server.server_close()

    # ---- What happens in the cluster

    def happened(self, kind, one):
        self.version += 1
        one["metadata"]["resourceVersion"] = str(self.version)
        self.history.append((self.version, kind, json.loads(json.dumps(one))))
        self.news.notify_all()

    def put(self, one):
        with self.news:
            uid = one["metadata"]["uid"]
            kind = "MODIFIED" if uid in self.pods else "ADDED"
            self.pods[uid] = one
            self.happened(kind, one)

    def delete(self, uid):
        with self.news:
            self.happened("DELETED", self.pods.pop(uid))

    def forget(self):
        """As etcd's compaction: who asks for what was before now is told that it is gone."""
        with self.news:
            self.version += 1
            self.oldest, self.history = self.version, []

    def refuse(self, code):
        """All requests from now on; None: none."""
        with self.news:
            self.refusal = code

    def drop(self):
        """Ends the watches that are open, as a server that is started again does."""
        with self.news:
            self.generation += 1
            self.news.notify_all()

    # ---- What clients see

    def handler(double):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                asked = {name: values[0] for name, values in urllib.parse.parse_qs(url.query).items()}
                double.asked.append((time.monotonic(), url.path, asked, self.headers.get("Authorization", "")))
                if double.refusal:
                    return self.answer(double.refusal, status(double.refusal, "Refused", "refused for a test"))
                if double.token and self.headers.get("Authorization") != f"Bearer {double.token}":
                    return self.answer(401, status(401, "Unauthorized", "Unauthorized"))
                if url.path != "/api/v1/pods":
                    return self.answer(404, status(404, "NotFound", "the server could not find it"))
                if asked.get("watch") in ("1", "true"):
                    return self.watch(asked)
                return self.list(asked)

            def shown(self, one):
                if "as=PartialObjectMetadata" not in self.headers.get("Accept", ""):
                    return one
                return {
                    "kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": one["metadata"],
                }

            def wanted(self, asked, one):
                selector = asked.get("fieldSelector", "")
                assert selector == "" or selector.startswith("spec.nodeName="), selector
                return not selector or one["spec"]["nodeName"] == selector.partition("=")[2]

            def answer(self, code, body):
                body = json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def list(self, asked):
                with double.news:
                    items = [self.shown(one) for one in double.pods.values() if self.wanted(asked, one)]
                    version = double.version
                kind = {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": str(version)}}
                self.answer(200, kind | {"items": items})

            def event(self, kind, shown):
                line = json.dumps({"type": kind, "object": shown}, separators=(",", ":")).encode() + b"\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))

            def watch(self, asked):
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                try:
                    self.events(asked)
                    self.wfile.write(b"0\r\n\r\n")
                except OSError:
                    self.close_connection = True  # the client has gone

            def events(self, asked):
                end = time.monotonic() + float(asked.get("timeoutSeconds", 1800))
                since = int(asked.get("resourceVersion") or 0)
                with double.news:
                    generation = double.generation
                    first = [("ADDED", one) for one in double.pods.values()] if since == 0 else []
                    if since == 0:
                        since = double.version
                    elif since < double.oldest:
                        return self.event(
                            "ERROR", status(410, "Expired", f"too old resource version: {since} ({double.oldest})")
                        )
                for kind, one in first:
                    if self.wanted(asked, one):
                        self.event(kind, self.shown(one))
                marked = 0 if since == double.version and not first else time.monotonic()
                while time.monotonic() < end:
                    with double.news:
                        double.news.wait_for(
                            lambda: double.version > since or double.ended or double.generation != generation,
                            double.bookmark_every,
                        )
                        if double.ended or double.generation != generation:
                            return
                        new = [(kind, one) for version, kind, one in double.history if version > since]
                        since = double.version
                    for kind, one in new:
                        if self.wanted(asked, one):
                            self.event(kind, self.shown(one))
                    if (
                        asked.get("allowWatchBookmarks") == "true"
                        and time.monotonic() - marked >= double.bookmark_every
                    ):
                        marked = time.monotonic()
                        mark = {"kind": "Pod", "apiVersion": "v1", "metadata": {"resourceVersion": str(since)}}
                        self.event("BOOKMARK", mark)

        return Handler


def main():
    server = ApiServer()
    print(server.url, flush=True)
    for line in sys.stdin:
        word, *rest = json.loads(line)
        getattr(server, word)(*rest)
        print("done", flush=True)


if __name__ == "__main__":
    main()
