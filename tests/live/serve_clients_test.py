#!/usr/bin/python3
"""Three `boatswain serve` behind HAProxy answer as one, page by page, while one of them is killed and comes again: a
page that breaks off is asked for again with the same cursor, and no line comes twice or not at all. And npm's SDK for
Loki reads what one of them answers."""
import sys

sys.dont_write_bytecode = True
from serving import *
import threading

CLIENTS, PAGE = 4, 500
RANGE = {"query": '{app="bench"}', "since": "1h"}

BALANCER = """
defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    retries 3
    option redispatch
    retry-on conn-failure empty-response
frontend logs
    bind 127.0.0.1:{port}
    default_backend serve
backend serve
    balance roundrobin
    option httpchk GET /ready
    default-server check inter 200ms fall 1 rise 1
{servers}
"""


class Clients(Serving):
    def balance(self):
        servers = "\n".join(f"    server s{port} 127.0.0.1:{port}" for port in self.ports)
        configuration = self.place / "haproxy.cfg"
        configuration.write_text(BALANCER.format(port=self.balancer, servers=servers))
        with open(self.place / "haproxy.log", "wb") as log:
            haproxy = shutil.which("haproxy") or "/usr/sbin/haproxy"
            self.running.append(subprocess.Popen([haproxy, "-db", "-f", configuration], stdout=log, stderr=log))

    def page(self, cursor):
        """Records of a page, its last one apart; nothing where it broke off, or nobody answered."""
        given = {**RANGE, "direction": "forward", "limit": PAGE} | ({"cursor": cursor} if cursor else {})
        try:
            records = [
                json.loads(line) for line in self.ask("/boatswain/api/v1/lines", given, self.balancer).splitlines()
            ]
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            return None
        return (records[:-1], records[-1]) if records and records[-1]["kind"] == "done" else None

    def read_all(self, results):
        found, cursor, again = [], None, 0
        while True:
            answer = self.page(cursor)
            if answer is None:
                again += 1
                if again > 50:
                    break
                time.sleep(0.1)
                continue
            records, done = answer
            found += [record["message"] for record in records if record["kind"] == "line"]
            if done["complete"]:
                break
            cursor = done["cursor"]
        results.append((found, again))

    def test_answer_as_one_while_one_is_killed(self):
        replicas = [self.serve(port) for port in self.ports]
        self.balance()

        def ready():
            try:
                return self.ask("/ready", {}, self.balancer)
            except OSError:
                return None

        wait_for(ready, 20, "HAProxy and a replica")
        for port in self.ports:
            wait_for(lambda: b"serving" in (self.place / f"serve-{port}.log").read_bytes(), 20, "serve")
        results = []
        clients = [threading.Thread(target=self.read_all, args=(results,)) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        rounds = 0
        while any(client.is_alive() for client in clients):
            victim = rounds % REPLICAS
            replicas[victim].kill()
            replicas[victim].wait()
            time.sleep(0.3)
            replicas[victim] = self.serve(self.ports[victim])
            rounds += 1
            time.sleep(0.5)
        for client in clients:
            client.join()
        self.assertGreater(rounds, 0)
        self.assertEqual(len(results), CLIENTS)
        for found, again in results:
            self.assertEqual(len(found), len(self.lines), f"asked again {again} times")
            self.assertEqual(found, self.lines)
        # Each says the same by itself, whoever answered before.
        counted = {"query": 'count_over_time({app="bench"}[1h])'}
        for port in self.ports:
            wait_for(lambda: self.reaches(port), 20, "a replica that came again")
            values = json.loads(self.ask("/loki/api/v1/query", counted, port))["data"]["result"]
            self.assertEqual(sum(int(one["value"][1]) for one in values), len(self.lines))

    def test_an_sdk_for_loki_reads_it(self):
        place = self.place / "sdk"
        shutil.copytree(HERE / "loki_sdk", place)
        flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        run("npm", "ci", *flags, "--prefix", place, timeout=90)
        self.serve(self.ports[0])
        wait_for(lambda: self.reaches(self.ports[0]), 20, "serve")
        url = f"http://127.0.0.1:{self.ports[0]}"
        print(run("node", place / "ask.mjs", url, self.token, len(self.lines)).stdout.decode().strip())


if __name__ == "__main__":
    unittest.main(verbosity=2)
