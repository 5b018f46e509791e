#!/usr/bin/python3
"""The agent with a real engine and a real S3 server, and what becomes of its lines when the server does not take
them."""
import sys

sys.dont_write_bytecode = True
from harness import *

RED = {"BOATSWAIN_TENANT": "red"}


class S3Agent(LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.s3 = S3()
        cls.addClassCleanup(cls.s3.close)

    def s3_agent(self, bucket, secret=None, **settings):
        return self.agent(store=self.s3.url(bucket), environment=self.s3.credentials(secret), **settings)

    def test_lines_of_three_tenants_rest_in_the_bucket_each_once(self):
        self.s3.make_bucket("three-tenants")
        agent = self.s3_agent("three-tenants")
        kinds = [
            (tenant, options)
            for tenant in ("red", "green", "blue")
            for options in (
                [],
                ["--rm"],
                ["--log-driver", "local"],
                ["--log-opt", "max-size=10k", "--log-opt", "max-file=50"],
            )
        ]

        def launch(kind):
            return self.engine.shell(
                "i=0; while [ $i -lt 100 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done",
                env={"BOATSWAIN_TENANT": kind[0]},
                options=kind[1],
            )

        ids = in_parallel(launch, kinds)
        reader = agent.reader(s3=self.s3, bucket="three-tenants")
        self.wait_stored_or_still(reader, 200 * len(kinds))
        self.assertEqual(agent.stop(), 0)
        for container, (tenant, options) in zip(ids, kinds):
            stored = reader.of(container)
            self.assertEqual(stored.tenant, tenant)
            for stream, name in (("stdout", b"out"), ("stderr", b"err")):
                self.assertEqual(stored.messages(stream), [b"%s %d" % (name, i) for i in range(100)], options)
            self.assertEqual(agent.raw(container, "stderr"), b"".join(b"err %d\n" % i for i in range(100)))
        for key in reader.objects():
            for other in {"red", "green", "blue"} - {reader.tenant_of(key)}:
                self.assertNotEqual(
                    run("age", "-d", "-i", reader.identity(other), stdin=reader.bytes_of(key), check=False).returncode,
                    0,
                )

    def test_a_missing_bucket_is_named_and_nothing_is_lost_until_it_is_there(self):
        agent = self.s3_agent("made-later")
        container = self.engine.shell("seq 1 100", env=RED)
        refused = agent.wait_logged("segment not stored")[0]
        self.assertIn("made-later", refused["error"])
        self.assertRegex(refused["error"], "(?i)bucket")
        self.assertIn("made-later", agent.health()[1]["shipping"])
        self.s3.make_bucket("made-later")
        reader = agent.reader(s3=self.s3, bucket="made-later")
        self.wait_stored(reader, 100, 60)
        wait_for(lambda: agent.health()[1]["shipping"] == "ok", what="shipping is well again")
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(reader.of(container).messages(), [b"%d" % i for i in range(1, 101)])

    def test_nothing_is_lost_or_doubled_over_an_outage_of_the_server(self):
        self.s3.make_bucket("outage")
        agent = self.s3_agent("outage", batch__flush_after="400ms")
        container = self.engine.shell(
            "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); [ $((i % 50)) != 0 ] || usleep 300000; done",
            env=RED,
        )
        time.sleep(2)
        self.s3.stop_gateway()
        time.sleep(8)
        self.assertEqual(agent.health()[0], 200)  # the spool has room
        self.s3.start_gateway()
        reader = agent.reader(s3=self.s3, bucket="outage")
        self.wait_stored(reader, 2000, 60)
        self.assertEqual(agent.stop(), 0)
        self.assert_numbers(reader.of(container), 2000)

    def test_a_wrong_secret_is_named_and_not_shown(self):
        self.s3.make_bucket("wrong-secret")
        agent = self.s3_agent("wrong-secret", secret="not-the-secret-0815", shutdown_timeout="2s")
        container = self.engine.shell("seq 1 100", env=RED)
        self.assertRegex(agent.wait_logged("segment not stored")[0]["error"], "(?i)signature|secret")
        self.assertNotIn("not-the-secret-0815", agent.log_path.read_text())
        agent.stop()
        # With the right one, at the next start, what waited in the spool goes out.
        agent.environment = self.s3.credentials()
        agent.start()
        reader = agent.reader(s3=self.s3, bucket="wrong-secret")
        self.wait_stored(reader, 100)
        self.assertEqual(reader.of(container).messages(), [b"%d" % i for i in range(1, 101)])


if __name__ == "__main__":
    main()
