#!/usr/bin/python3
"""Hostile and clumsy clients of `boatswaind guard`; behind it an engine that records, so that what arrives there is
seen byte by byte."""
import sys

sys.dont_write_bytecode = True
import http.client
import signal
import unittest

from recording_engine import *

LINE = b"GET /info HTTP/1.1\r\nHost: x\r\n"

# Requests of which the engine must not hear, and the status that they get.
HOSTILE = [
    # other methods, and other paths
    (b"POST /containers/create HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"DELETE /containers/web HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"PUT /containers/web/archive?path=/ HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"GET /containers/web/archive?path=/etc HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"GET /containers/web/export HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"POST /containers/web/exec HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"POST /containers/web/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\nUpgrade: tcp\r\n\r\n", 403),
    (
        (
            b"GET /containers/web/attach/ws?stream=1&stdin=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade:"
            b" websocket\r\n\r\n"
        ),
        403,
    ),
    (b"POST /session HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 403),
    (b"GET /images/json HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"GET /secrets HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"CONNECT /info HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    # paths that a router might take for another one
    (b"GET /containers/%2e%2e/images/json HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"GET /containers/../containers/web/export HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"GET /containers/web%2Fexport%3F/json HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"GET //info HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"GET /info/. HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"GET /v1.41//info HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"GET /v1.41/../info HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"GET /v1.%34%31/info HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"GET /containers/web/json;export HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"GET /containers/web\\..\\x/json HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"GET http://docker/info HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET /info\x00/containers/json HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET /info HTTP/1.1 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET /info\tHTTP/1.1\r\nHost: x\r\n\r\n", 400),
    # parameters
    (b"GET /containers/web/json?size=1 HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"GET /containers/web/logs?stdout=1&stdin=1 HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"GET /containers/web/logs?tail=1%20HTTP/1.1%0d%0a HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET /events?filters=%7B%22type%22%3A%5B%22image%22%5D%7D HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    (b"GET /events?filters=%7B HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET /info?x=1 HTTP/1.1\r\nHost: x\r\n\r\n", 403),
    # one request that two readers see as two
    (LINE + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nPOST /containers/create HTTP/1.1\r\nHost: x\r\n\r\n", 413),
    (LINE + b"Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc", 413),
    (LINE + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    (LINE + b"X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (LINE + b"Transfer-Encoding:\x0bchunked\r\n\r\n", 400),
    (LINE + b"Content-Length: 5\r\n\r\nPOST ", 413),
    (LINE + b"Content-Length: 0\r\nContent-Length: 40\r\n\r\nPOST /containers/create HTTP/1.1\r\nHost: x\r\n\r\n", 413),
    (LINE + b"Content-Length: -1\r\n\r\n", 413),
    (LINE + b"Host: y\r\n\r\n", 400),
    (LINE + b" folded: z\r\n\r\n", 400),
    (b"GET /info HTTP/1.1\r\n\r\n", 400),
    (b"GET /info HTTP/1.1\nHost: x\r\n\r\n", 400),
    (b"\r\n\r\nGET /info HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET /info HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    (LINE + b"Expect: 100-continue\r\n\r\n", 413),
    (LINE + b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n", 403),
    (LINE + b"Upgrade: tcp\r\nUpgrade: tcp\r\n\r\n", 400),
    # floods
    (LINE + b"A: b\r\n" * 200 + b"\r\n", 431),
    (LINE + b"A: " + b"b" * 20000 + b"\r\n\r\n", 431),
    (b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
]


class GuardTest(unittest.TestCase):
    def setUp(self):
        self.place = scratch("bwg.")
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)

    def guard(self, answer=None, **settings):
        self.engine = RecordingEngine(self.place / "docker.sock", answer)
        self.addCleanup(self.engine.close)
        guard = Guard(self.place / "docker.sock", **settings)
        self.addCleanup(guard.close)
        return guard.start()


class Hostile(GuardTest):
    def test_nothing_forbidden_ever_reaches_the_engine(self):
        guard = self.guard()
        for request, status in HOSTILE:
            with self.subTest(request=request[:100]):
                answer = guard.send(request)
                head, _, body = answer.partition(b"\r\n\r\n")
                self.assertEqual(head.split(b" ")[1], str(status).encode())
                # Debian's docker command (20.10) takes any answer to an upgrade that announces its end for the stream
                # asked for.
                upgrade = status == 403 and b"\r\nUpgrade:" in request
                self.assertEqual(b"Connection: close" in head, not upgrade)
                self.assertIn("boatswaind guard: ", json.loads(body)["message"])
                self.assertEqual(answer.count(b"HTTP/1.1 "), 1 + body.count(b"HTTP/1.1 "))
        self.assertEqual(self.engine.heads, [])
        self.assertTrue(guard.logged("request refused"))
        # And it still serves.
        self.assertEqual(guard.get("/info")[0], 200)
        self.assertEqual(self.engine.targets(), ["GET /info HTTP/1.1"])

    def test_the_engine_hears_the_guards_own_words_and_no_field_of_the_client(self):
        guard = self.guard()
        junk = (
            b"Authorization: Basic x\r\nX-Registry-Auth: y\r\nCookie: c\r\nConnection: keep-alive,"
            b" Upgrade\r\nX-Forwarded-For: z\r\nAccept-Encoding: gzip\r\nUser-Agent: evil\r\nContent-Length: 0\r\n"
        )
        for sent, heard in (
            (
                "/v1.41/containers/web/logs?tail=5&follow=0&stdout=true",
                "/v1.41/containers/web/logs?follow=0&stdout=1&tail=5",
            ),
            ("/containers/json?all=1", "/containers/json?all=1"),
            ("/_ping", "/_ping"),
        ):
            status, head, _ = guard.get(sent, fields=junk)
            self.assertEqual(status, 200)
            self.assertEqual(
                self.engine.heads.pop(),
                f"GET {heard} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: boatswain\r\nAccept: application/json\r\n"
                "Connection: close".encode(),
            )
            self.assertIn(b"Api-Version: 1.41", head)
            self.assertNotIn(b"X-Private", head)
        self.assertEqual(self.engine.rest, [])

    def test_of_pipelined_requests_one_is_answered_and_the_rest_is_dropped(self):
        guard = self.guard()
        answer = guard.send(LINE + b"\r\n" + b"POST /containers/create HTTP/1.1\r\nHost: x\r\n\r\n" + LINE + b"\r\n")
        self.assertEqual(answer.count(b"HTTP/1.1 "), 1)
        self.assertEqual(self.engine.targets(), ["GET /info HTTP/1.1"])
        self.assertEqual(self.engine.rest, [])

    def test_a_request_that_comes_byte_by_byte_is_the_same_request(self):
        guard = self.guard()
        with guard.connect() as client:
            for byte in LINE + b"X: y\r\n\r\n":
                client.sendall(bytes([byte]))
            self.assertTrue(read_all(client).startswith(b"HTTP/1.1 200 "))
        self.assertEqual(self.engine.targets(), ["GET /info HTTP/1.1"])

    def test_only_the_users_who_are_named_are_served(self):
        guard = self.guard(allow_uid=["nobody", "4242"], mode="0666")
        self.assertEqual(guard.get("/info")[0], 403)
        self.assertEqual(self.engine.heads, [])
        os.chmod(guard.place, 0o755)
        script = (
            "import os,socket,sys; os.setuid(int(sys.argv[2])); s=socket.socket(socket.AF_UNIX);"
            " s.connect(sys.argv[1]); s.sendall(b'GET /info HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');"
            " print(s.recv(100).split()[1].decode())"
        )
        for uid, status in ((65534, "200"), (4242, "200"), (4243, "403")):
            said = subprocess.run(
                [sys.executable, "-c", script, guard.socket, str(uid)], capture_output=True, text=True, timeout=30
            )
            self.assertEqual(said.stdout.strip(), status, said.stderr)
        self.assertEqual(oct(guard.socket.stat().st_mode & 0o777), "0o666")

    def test_a_flood_of_refusals_is_counted_and_told_briefly(self):
        port = free_port()
        guard = self.guard(metrics=f"127.0.0.1:{port}")
        for _ in range(60):
            self.assertEqual(guard.get("/images/json")[0], 403)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.addCleanup(connection.close)
        connection.request("GET", "/metrics")
        metrics = connection.getresponse().read().decode()
        self.assertIn('boatswain_guard_requests_total{call="other",outcome="refused"} 60', metrics)
        seconds = {entry["time"][:19] for entry in guard.logged("request refused")}
        self.assertLessEqual(len(guard.logged("request refused")), 10 * (len(seconds) + 1))


class Bounds(GuardTest):
    def test_clients_over_the_bound_are_told_so_and_others_are_served_afterwards(self):
        guard = self.guard(connections_max=5)
        clients = [guard.connect() for _ in range(5)]
        wait_for(lambda: guard.send(LINE + b"\r\n").startswith(b"HTTP/1.1 503 "), what="a refusal of the sixth")
        self.assertEqual(self.engine.heads, [])
        for client in clients:
            client.close()
        wait_for(lambda: guard.get("/info")[0] == 200, what="an answer when there is room again")

    def test_a_client_that_sends_no_whole_request_is_cut_off(self):
        guard = self.guard()
        with guard.connect(timeout=40) as silent, guard.connect(timeout=40) as slow:
            slow.sendall(LINE)
            begun = time.monotonic()
            self.assertEqual((read_all(silent), read_all(slow)), (b"", b""))
            self.assertGreater(time.monotonic() - begun, 5)
        self.assertEqual(self.engine.heads, [])

    def test_a_client_that_takes_nothing_is_cut_off_and_nothing_piles_up(self):
        sent = [0]

        def flood(connection, head):
            connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n")
            while sent[0] < 1 << 30:
                connection.sendall(chunk(b"x" * 16384))
                sent[0] += 16384

        guard = self.guard(flood, stall_timeout="1s")
        before = guard.resident_kib()
        with guard.connect() as client:
            client.sendall(b"GET /containers/web/logs?follow=1&stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n")
            guard.wait_logged("client cut off", why="took nothing")
            wait_for(lambda: self.engine.ended == 1, what="the end of the call to the engine")
        self.assertLess(sent[0], 4 << 20)
        self.assertLess(guard.resident_kib() - before, 8 << 10)

    def test_a_client_that_is_gone_ends_its_call_to_the_engine(self):
        gone = []

        def quiet(connection, head):
            connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"hello"))
            gone.append(connection.recv(1))  # until the guard closes

        guard = self.guard(quiet)
        client = guard.connect()
        client.sendall(b"GET /containers/web/logs?follow=1&stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n")
        data = b""
        while b"hello" not in data:
            data += client.recv(1000)
        # One that only says that it will send nothing more is still there.
        client.shutdown(socket.SHUT_WR)
        time.sleep(0.5)
        self.assertEqual(gone, [])
        client.close()
        wait_for(lambda: gone == [b""], what="the end of the call to the engine")

    def test_an_engine_that_is_away_or_hangs_is_told_with_a_status(self):
        def hang(connection, head):
            time.sleep(5)

        guard = self.guard(hang, engine__api_timeout="500ms")
        status, _, body = guard.get("/containers/web/json")
        self.assertEqual(status, 504)
        self.assertIn("does not answer", json.loads(body)["message"])
        self.engine.close()
        os.unlink(self.engine.path)
        status, _, body = guard.get("/info")
        self.assertEqual(status, 502)
        self.assertIn("cannot be reached", json.loads(body)["message"])

    def test_it_ends_at_once_with_clients_in_the_middle_and_removes_its_socket(self):
        guard = self.guard(lambda connection, head: connection.recv(1))
        with guard.connect() as client:
            client.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
            wait_for(lambda: self.engine.heads, what="the request")
            self.assertEqual(guard.stop(5), 0)
            self.assertEqual(read_all(client), b"")
        self.assertFalse(guard.socket.exists())


class Answers(GuardTest):
    def test_bodies_come_as_the_engine_sent_them(self):
        stream = b"".join(bytes([i % 251]) * (i % 97) for i in range(3000))

        def answer(connection, head):
            if b"/logs" in head:
                connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n")
                for at in range(0, len(stream), 777):
                    connection.sendall(chunk(stream[at : at + 777]))
                connection.sendall(b"0\r\n\r\n")
            elif b"/version" in head:
                connection.sendall(OK + b"\r\n" + b"until the end")
            elif b"/web/json" in head:
                connection.sendall(
                    sized(
                        b'{"message":"No such container: web"}\n',
                        b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n",
                    )
                )
            elif head.startswith(b"HEAD"):
                connection.sendall(OK + b"Content-Length: 2\r\n\r\n")
            else:
                connection.sendall(sized(b"OK"))

        guard = self.guard(answer, redact="all")

        def ask(target, method="GET"):
            connection = http.client.HTTPConnection("x", timeout=20)
            connection.sock = guard.connect()
            connection.request(method, target)
            got = connection.getresponse()
            return got.status, got.read()

        self.assertEqual(ask("/containers/web/logs?stdout=1"), (200, stream))
        self.assertEqual(ask("/version"), (200, b"until the end"))
        self.assertEqual(ask("/containers/web/json"), (404, b'{"message":"No such container: web"}\n'))
        self.assertEqual(ask("/_ping"), (200, b"OK"))
        self.assertEqual(ask("/_ping", "HEAD"), (200, b""))
        old = guard.send(b"GET /containers/web/logs?stdout=1 HTTP/1.0\r\n\r\n")
        self.assertEqual(old.partition(b"\r\n\r\n")[2], stream)

    def test_a_body_that_breaks_off_at_the_engine_breaks_off_at_the_client(self):
        guard = self.guard(
            lambda connection, head: connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"half"))
        )
        answer = guard.get("/containers/web/logs?stdout=1")[2]
        self.assertIn(b"half", answer)
        self.assertFalse(answer.endswith(b"0\r\n\r\n"))

    def test_values_are_hidden_and_an_unknown_shape_is_not_given_out(self):
        body = [b""]
        guard = self.guard(
            lambda connection, head: connection.sendall(sized(body[0])),
            redact="environment",
            tenancy__tenant=["env:TEAM"],
        )
        body[0] = b'{"Id":"a","Config":{"Env":["TEAM=red","PASSWORD=hunter2"]}}'
        status, _, seen = guard.get("/containers/web/json")
        self.assertEqual(
            (status, json.loads(seen)), (200, {"Id": "a", "Config": {"Env": ["TEAM=red", "PASSWORD=***"]}})
        )
        for odd in (
            b'{"Id":"a","Config":{"Environment":["PASSWORD=hunter2"]}}',
            b"hunter2",
            b'{"Config":{"Env":"PASSWORD=hunter2"}}',
        ):
            body[0] = odd
            status, head, seen = guard.get("/containers/web/json")
            self.assertEqual(status, 502)
            self.assertNotIn(b"hunter2", head + seen)
        self.assertNotIn("hunter2", guard.log_path.read_text())
        # SIGHUP takes the rules over.
        guard.sections["tenancy"]["tenant"] = ["env:PASSWORD"]
        guard.write_config()
        guard.process.send_signal(signal.SIGHUP)
        guard.wait_logged("configuration read again")
        body[0] = b'{"Id":"a","Config":{"Env":["TEAM=red","PASSWORD=hunter2"]}}'
        self.assertEqual(
            json.loads(guard.get("/containers/web/json")[2])["Config"]["Env"], ["TEAM=***", "PASSWORD=hunter2"]
        )

    def test_commands_in_events_are_hidden(self):
        event = (
            b'{"status":"exec_start: mysql -psecret","Action":"exec_start: mysql'
            b' -psecret","Type":"container","timeNano":1}\n'
        )

        def answer(connection, head):
            connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(event[:30]))
            time.sleep(0.05)
            connection.sendall(chunk(event[30:] + event) + b"0\r\n\r\n")

        guard = self.guard(answer, redact="environment")
        seen = guard.get("/events")[2]
        self.assertEqual(seen.count(b"exec_start: ***"), 4)
        self.assertNotIn(b"secret", seen)


class Attach(GuardTest):
    REQUEST = (
        b"POST /v1.41/containers/web/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade:"
        b" tcp\r\n\r\n"
    )
    UPGRADED = (
        b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade:"
        b" tcp\r\n\r\n"
    )

    def test_output_comes_and_input_never_goes(self):
        heard = []

        def answer(connection, head):
            connection.sendall(self.UPGRADED + b"first ")
            connection.settimeout(1.5)
            try:
                heard.append(connection.recv(1000))
            except TimeoutError:
                heard.append(None)
            connection.sendall(b"last")

        guard = self.guard(answer, attach=True)
        with guard.connect() as client:
            client.sendall(self.REQUEST + b"input at once")
            data = client.recv(1000)
            client.sendall(b"input later")
            data += read_all(client)
        self.assertTrue(data.startswith(b"HTTP/1.1 101 "))
        self.assertTrue(data.endswith(b"\r\n\r\nfirst last"), data)
        self.assertEqual(heard, [None])
        self.assertEqual(self.engine.rest, [])
        self.assertEqual(
            self.engine.targets(), ["POST /v1.41/containers/web/attach?stream=1&stdout=1&stdin=0 HTTP/1.1"]
        )
        self.assertEqual(guard.get("/containers/web/attach?stdin=1", "POST")[0], 403)
        self.assertEqual(guard.get("/containers/web/attach/ws")[0], 403)

    def test_a_client_that_falls_behind_is_cut_off_before_the_container_waits(self):
        slowest = [0.0]

        def answer(connection, head):
            connection.sendall(self.UPGRADED)
            while True:  # until the guard closes
                begun = time.monotonic()
                connection.sendall(b"x" * 16384)
                slowest[0] = max(slowest[0], time.monotonic() - begun)

        guard = self.guard(answer, attach=True, stall_timeout="60s")
        with guard.connect() as client:
            client.sendall(self.REQUEST)
            guard.wait_logged("client cut off", why="did not keep up")
            wait_for(lambda: self.engine.ended == 1, what="the end of the call to the engine")
        self.assertLess(slowest[0], 5, "the engine was held up")


class Confined(GuardTest):
    def test_it_says_how_far_it_is_confined(self):
        guard = self.guard()
        confined = guard.wait_logged("confined")[0]
        landlock = subprocess.run(
            [sys.executable, "-c", "import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))"],
            capture_output=True,
            text=True,
        ).stdout.strip()
        self.assertEqual(confined["landlock"], str(max(int(landlock), 0)))
        self.assertEqual(confined["seccomp"], "in force")
        status = pathlib.Path(f"/proc/{guard.process.pid}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        self.assertEqual(
            (fields["Seccomp"], fields["NoNewPrivs"], int(fields["CapPrm"], 16), int(fields["CapEff"], 16)),
            ("2", "1", 0, 0),
        )

    def test_off_means_off(self):
        guard = self.guard()
        guard.stop()
        guard.sections[""]["sandbox"] = "off"
        guard.write_config()
        guard.log_path.unlink()
        guard.start()
        self.assertEqual(guard.logged("confined"), [])
        self.assertIn("Seccomp:\t0", pathlib.Path(f"/proc/{guard.process.pid}/status").read_text())


if __name__ == "__main__":
    signal.alarm(190)
    unittest.main(verbosity=2)
