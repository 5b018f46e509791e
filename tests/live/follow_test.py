#!/usr/bin/python3
"""Lines while they are printed: a real engine, an agent, `boatswain serve` as its hub, and followers who count.

Batches are sealed after an hour here: what a follower sees within the test came by the hub, or because it asked."""
import sys

sys.dont_write_bytecode = True
from harness import *
import asyncio
import collections
import datetime
import http.client
import random
import ssl
import threading
import urllib.parse
import websockets


class Hub:
    """`boatswain serve` with a hub, on a directory store, which can be killed and started again."""

    def __init__(self, place, tls=False):
        self.place = place
        self.certificate, self.key = (place / "hub.pem", place / "hub.key") if tls else (None, None)
        if tls:
            words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
            words += ["-subj", "/CN=hub", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
            run(*words, "-keyout", self.key, "-out", self.certificate)
        self.fleet_key = place / "fleet.key"
        self.port, self.hub_port = free_port(), free_port()
        run(BUILD / "boatswain", "fleet", "key", "new", "--out", self.fleet_key)
        self.log_path = place / "serve.log"
        self.process = self.tokens = None

    def start(self, agent):
        if not self.tokens:
            self.tokens = agent.place / "tokens"
            self.red = self.token("red")
        words = ["serve", "--store", agent.store, "--identities", agent.keys, "--tokens", self.tokens]
        words += ["--listen", f"127.0.0.1:{self.port}", "--hub", f"127.0.0.1:{self.hub_port}"]
        words += ["--fleet-key", self.fleet_key]
        if self.certificate:
            words += ["--tls-certificate", self.certificate, "--tls-key", self.key]
        began = self.log_path.stat().st_size if self.log_path.exists() else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([BUILD / "boatswain", *words], stderr=log)
        wait_for(lambda: b"serving" in self.log_path.read_bytes()[began:], 10, "serve")

    def url(self):
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.hub_port}"

    def connection(self):
        if not self.certificate:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        context = ssl.create_default_context(cafile=self.certificate)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context)

    def token(self, tenant):
        return run(BUILD / "boatswain", "token", "new", tenant, "--tokens", self.tokens).stdout.decode().strip()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(40)


class Follower(threading.Thread):
    """Follows until it is told to end, through servers that come and go; keeps what it saw, and when."""

    def __init__(self, hub, token, query='{app=~".+"}', start=None):
        super().__init__(daemon=True)
        self.hub, self.token, self.query = hub, token, query
        self.start_at = start or datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=10)
        self.lines = collections.Counter()  # by (source, ordinal, text)
        self.order = collections.defaultdict(list)  # ordinals by source
        self.delays, self.records, self.ending = [], [], False
        self.connections = 0

    def run(self):
        while not self.ending:
            try:
                self.follow()
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.2)

    def follow(self):
        asking = self.hub.connection()
        start = self.start_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        words = urllib.parse.urlencode({"query": self.query, "start": start})
        asking.request("GET", f"/boatswain/api/v1/follow?{words}", headers={"Authorization": f"Bearer {self.token}"})
        answer = asking.getresponse()
        if answer.status != 200:
            raise OSError(answer.read())
        self.connections += 1
        seen = set()
        for line in answer:
            record = json.loads(line)
            if record["kind"] == "line":
                place = (record["source"], record["ordinal"])
                assert place not in seen, f"twice in one stream: {place}"
                seen.add(place)
                message = record["message"]
                self.lines[(*place, message)] += 1
                self.order[record["source"]].append(record["ordinal"])
                printed = datetime.datetime.fromisoformat(record["time"][:26].rstrip("Z") + "+00:00")
                self.delays.append((datetime.datetime.now(datetime.timezone.utc) - printed).total_seconds())
            else:
                self.records.append(record)
            if self.ending:
                return

    def messages(self):
        return collections.Counter(text for (_, _, text) in self.lines)

    def kinds(self):
        return [record["kind"] for record in self.records]


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0


class Live(LiveTest):
    def setUp(self):
        super().setUp()
        self.hub = Hub(scratch("bwh."))
        self.addCleanup(self.hub.close)

    def following_agent(self, **settings):
        return self.agent(
            start=False,
            batch__flush_after="1h",
            fleet__key=str(self.hub.fleet_key),
            follow__hub=[self.hub.url()],
            follow__ca_file=str(self.hub.certificate or ""),
            tenancy__app=["env:APP", "name"],
            tenancy__tenant=["env:TENANT"],
            **settings,
        )

    def test_shows_lines_as_they_are_printed_to_their_tenant_alone(self):
        self.hub = Hub(scratch("bwh."), tls=True)
        self.addCleanup(self.hub.close)
        agent = self.following_agent()
        agent.start()
        self.hub.start(agent)
        agent.wait_logged("hub connected")
        counting = "i=0; while [ $i -lt 100 ]; do echo line $i; i=$((i+1)); sleep 0.02; done; sleep 600"
        first = self.engine.shell(counting, name="first", env={"TENANT": "red", "APP": "shop"})
        self.engine.shell("echo green secret; sleep 600", name="other", env={"TENANT": "green", "APP": "other"})
        token = self.hub.red
        early, narrow = Follower(self.hub, token), Follower(self.hub, token, '{app="shop"} |= "line 7"')
        early.start(), narrow.start()
        wait_for(lambda: len(early.lines) >= 100, 30, "100 lines")
        late = Follower(self.hub, token)
        late.start()
        wait_for(lambda: len(late.lines) >= 100, 30, "what was printed before")
        self.engine.shell("echo fresh; exit 3", name="second", env={"TENANT": "red", "APP": "api"})
        for follower in (early, late):
            wait_for(lambda: "fresh" in follower.messages(), 20, "a container that started since")
        wait_for(lambda: len(narrow.lines) == 11, 10, "lines of the query")
        self.engine.docker("rm", "second")
        wait_for(lambda: any(r["kind"] == "end" and r.get("exit_code") == 3 for r in early.records), 20, "its end")
        for follower in (early, late):
            self.assertEqual(sum(follower.lines.values()), 101)
            self.assertEqual(set(follower.lines.values()), {1})
            self.assertEqual(follower.order[first], list(range(100)))
            self.assertNotIn("green secret", follower.messages())
            self.assertIn("live", follower.kinds())
        print(f"delay of a line: median {percentile(early.delays[-50:], .5):.3f} s", file=sys.stderr)
        self.assertEqual(agent.metric("boatswain_live_streams", hub=self.hub.url()), 1)
        for follower in (early, late, narrow):
            follower.ending = True

    def test_tails_as_loki_does(self):
        agent = self.following_agent()
        agent.start()
        self.hub.start(agent)
        agent.wait_logged("hub connected")
        self.engine.shell("echo before; sleep 3; echo after; sleep 600", env={"TENANT": "red", "APP": "shop"})
        url = f"ws://127.0.0.1:{self.hub.port}/loki/api/v1/tail?query=%7Bapp%3D%22shop%22%7D"

        async def connect(where=url, token=self.hub.red, **words):
            headers = {"Authorization": f"Bearer {token}"}
            return await websockets.connect(where, extra_headers=headers, **words)

        async def refusal(**words):
            try:
                await connect(**words)
            except websockets.InvalidStatusCode as refused:
                return refused.status_code
            return None

        async def tail():
            lines, socket = [], await connect()
            await (await socket.ping())
            while len(lines) < 2:
                message = json.loads(await asyncio.wait_for(socket.recv(), 20))
                for stream in message["streams"]:
                    self.assertEqual(stream["stream"]["app"], "shop")
                    lines += [line for _, line in stream["values"]]
            self.hub.process.terminate()
            with self.assertRaises(websockets.ConnectionClosed) as closed:
                await asyncio.wait_for(socket.recv(), 20)
            self.assertEqual(closed.exception.rcvd.code, 1001, "the server says that it ends")
            return lines

        async def refusals():
            return [
                await refusal(token="nobody's"),
                await refusal(where=url.replace("%7D", "")),
                await refusal(where=url.replace("%7Bapp", "rate(%7Bapp").replace("%7D", "%7D[1m])")),
                await refusal(origin="https://elsewhere.example"),
            ]

        self.assertEqual(asyncio.run(refusals()), [401, 400, 400, 403])
        self.assertEqual(asyncio.run(tail()), ["before", "after"])


class Faults(Live):
    test_shows_lines_as_they_are_printed_to_their_tenant_alone = None
    test_tails_as_loki_does = None

    def test_nothing_is_shown_twice_or_left_out_when_agent_hub_and_store_are_gone_for_a_while(self):
        seed = int(os.environ.get("BOATSWAIN_TEST_SEED", random.randrange(1 << 32)))
        chance = random.Random(seed)
        agent = self.following_agent(spool__bytes_max="64MiB")
        agent.start()
        self.hub.start(agent)
        names = [f"c{i}" for i in range(4)]
        count = 1500
        for name in names:
            script = (
                f"i=0; while [ $i -lt {count} ]; do echo {name} $i; i=$((i+1)); [ $((i%5)) != 0 ] || sleep 0.05; done;"
                " sleep 600"
            )
            self.engine.shell(script, name=name, env={"TENANT": "red", "APP": name})
        token = self.hub.red
        followers = [Follower(self.hub, token) for _ in range(3)]
        for follower in followers:
            follower.start()
        store, away = agent.store_dir, agent.place / "away"
        for fault in ("agent", "hub", "store", "agent", "hub", "both"):
            time.sleep(chance.uniform(1, 2.5))
            if fault == "store":
                # Somebody who begins to follow now gets what is before him when it is back.
                store.rename(away)
                followers.append(Follower(self.hub, token))
                followers[-1].start()
                time.sleep(chance.uniform(1, 7))
                away.rename(store)
                continue
            if fault != "hub":
                agent.kill()
            if fault != "agent":
                self.hub.kill()
                time.sleep(chance.uniform(0, 1))
                self.hub.start(agent)
            if fault != "hub":
                time.sleep(chance.uniform(0, 0.5))
                agent.start()
        wanted = {f"{name} {i}" for name in names for i in range(count)}

        def is_whole(follower):
            return set(follower.messages()) == wanted

        for follower in followers:
            wait_for(
                lambda: is_whole(follower), 60, f"every line (seed {seed}); {len(follower.messages())} of {len(wanted)}"
            )
            # Of one text there is one source and one ordinal, however often it was asked again.
            self.assertEqual(len(follower.lines), len(wanted), f"seed {seed}")
            follower.ending = True
        self.assertGreater(followers[0].connections, 2)


if __name__ == "__main__":
    main()
