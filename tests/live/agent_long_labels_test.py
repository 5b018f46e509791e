#!/usr/bin/python3
"""A container's labels are in each of its events and in the list: megabytes of them hide no other container."""
import sys

sys.dont_write_bytecode = True
from harness import *

LOCAL = ["--log-driver", "local"]
RED = {"BOATSWAIN_TENANT": "red"}


class LongLabels(LiveTest):
    def ask(self, method, path, body=None):
        """A call to the engine: the docker command takes no argument so long."""
        connection = http.client.HTTPConnection("localhost", timeout=60)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.engine.socket))
        connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        self.assertLess(answer.status, 300, text[:500])
        return json.loads(text) if text else None

    def test_short_containers_of_others_are_read_whole_beside_a_container_with_3_mb_of_labels(self):
        agent = self.agent()
        labels = {"boatswain.tenant": "blue", **{f"long{i}": "x" * 60_000 for i in range(50)}}
        created = self.ask(
            "POST",
            "/containers/create",
            {
                "Image": IMAGE,
                "Cmd": ["sh", "-c", "echo loud; sleep 1000"],
                "Labels": labels,
                "HostConfig": {"LogConfig": {"Type": "local"}, "NetworkMode": "host"},
            },
        )["Id"]
        self.ask("POST", f"/containers/{created}/start")
        short = [
            self.engine.shell(f"echo short {i}; sleep 2; echo gone {i}", env=RED, options=["--rm", *LOCAL])
            for i in range(6)
        ]
        reader = agent.reader()
        whole = lambda i: [b"short %d" % i, b"gone %d" % i]
        seen = lambda i, one: reader.of(one).messages() == whole(i) or reader.of(one).gaps
        wait_for(
            lambda: all(seen(i, one) for i, one in enumerate(short)),
            30,
            lambda: [reader.of(one).messages() for one in short],
            pause=0.5,
        )
        wait_for(lambda: reader.of(created).messages() == [b"loud"], 30, "the container with the labels is read, too")
        # A stream that breaks on such an event would break again every few seconds.
        self.assertLessEqual(agent.metric("boatswain_engine_reconnects_total"), 1)
        self.assertGreaterEqual(agent.metric("boatswain_engine_odd_events_total", outcome="shortened"), 2)
        # A new start lists them all.
        self.assertEqual(agent.stop(), 0)
        agent.start()
        late = self.engine.shell("echo late", env=RED, options=LOCAL)
        wait_for(lambda: reader.of(late).messages() == [b"late"], 30, "a container after the list")
        self.engine.docker("rm", "-f", created)
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(reader.of(created).messages(), [b"loud"])


if __name__ == "__main__":
    unittest.main()
