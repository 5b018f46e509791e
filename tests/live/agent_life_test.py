#!/usr/bin/python3
"""What an agent goes through: it is stopped, killed, started again; its engine restarts; its disk is full; it is asked
how it is."""
import sys

sys.dont_write_bytecode = True
from harness import *
from engine_record import EngineRecord, differences

RED = {"BOATSWAIN_TENANT": "red"}
# Kept long enough for an agent that is away for a second.
ROTATED = ["--log-opt", "max-size=50k", "--log-opt", "max-file=10"]
COMPRESSED = [*ROTATED, "--log-opt", "compress=true"]
LOCAL = ["--log-driver", "local"]


def counting(count, pause_ms=200, every=50):
    return (
        f"i=0; while [ $i -lt {count} ]; do echo line $i {'.' * 60}; i=$((i+1)); "
        f"[ $((i % {every})) != 0 ] || usleep {pause_ms * 1000}; done; sleep 1000"
    )


NUMBERED = "line {} " + "." * 60


class AgentRestarts(LiveTest):
    def writers(self, count):
        return [
            self.engine.shell(counting(count), env=RED, options=options)
            for options in ([], [], ROTATED, COMPRESSED, LOCAL)
        ]

    def check_all(self, agent, writers, count):
        reader = agent.reader()
        self.wait_stored_or_still(reader, count * len(writers), still=8)
        self.assertEqual(agent.stop(), 0)
        for container in writers:
            self.assert_numbers(reader.of(container), count, NUMBERED, container=container)

    def test_nothing_is_lost_or_doubled_when_the_agent_ends_and_starts_amid_output(self):
        agent = self.agent(batch__flush_after="400ms")
        writers = self.writers(2000)
        for _ in range(4):
            time.sleep(1.3)
            self.assertEqual(agent.stop(), 0)
            time.sleep(0.3)
            agent.start()
        self.check_all(agent, writers, 2000)

    def test_nothing_is_lost_or_doubled_when_the_agent_is_killed_amid_output(self):
        agent = self.agent(batch__flush_after="300ms")
        writers = self.writers(2500)
        for i in range(8):
            time.sleep(0.5 + 0.17 * i)
            agent.kill()
            agent.start()
        self.check_all(agent, writers, 2500)

    def test_nothing_is_lost_or_doubled_when_it_is_killed_while_it_catches_up(self):
        writers = [
            self.engine.shell(counting(30_000, 1, 10_000), env=RED, options=options)
            for options in ([], LOCAL, ["--log-opt", "max-size=100k", "--log-opt", "max-file=100"])
        ]
        wait_for(
            lambda: all("line 29999" in self.engine.docker("logs", "--tail", "1", container) for container in writers),
            60,
        )
        agent = self.agent(start=False, batch__flush_after="100ms")
        for i in range(8):
            agent.start(wait=False)
            time.sleep(0.05 + 0.04 * i)
            agent.kill()
        agent.start()
        self.check_all(agent, writers, 30_000)

    def test_what_an_attached_container_prints_while_nobody_is_attached_is_a_gap(self):
        agent = self.agent()
        container = self.engine.shell(
            "echo before; sleep 3; echo after; sleep 1000",
            env=RED,
            verb="create",
            options=["--log-driver", "none", "--label", "boatswain.attach=true"],
        )
        agent.wait_logged("attached to container", container=container)
        self.engine.docker("start", container)
        self.wait_stored(agent.reader(), 1)
        self.assertEqual(agent.stop(), 0)
        time.sleep(0.5)
        agent.start()
        self.wait_stored(agent.reader(), 2)
        self.assertEqual(agent.stop(), 0)
        stored = agent.reader().of(container)
        self.assertEqual(stored.messages(), [b"before", b"after"])
        self.assertEqual([gap["reason"] for gap in stored.gaps], ["not-attached"])


class EngineRestarts(LiveTest):
    """Without live-restore: containers end with their engine."""

    def test_after_a_restart_of_the_engine_reading_goes_on_and_new_containers_are_found(self):
        agent = self.agent()
        always = [
            self.engine.shell(counting(100_000), env=RED, options=["--restart", "always", *options])
            for options in ([], ["--log-opt", "max-size=50k", "--log-opt", "max-file=100"])
        ]
        once = self.engine.shell(counting(100_000), env=RED)
        local = self.engine.shell(counting(100_000), env=RED, options=LOCAL)
        time.sleep(2)
        for how in ("TERM", "KILL"):
            self.engine.restart(how)
            new = self.engine.shell("echo a new one", env=RED)
            wait_for(lambda: agent.reader().of(new).messages() == [b"a new one"], 30, "a container of the new engine")
            self.engine.docker("start", once, local)
            time.sleep(1)
        self.engine.docker("stop", "-t", "0", *always, once, local)
        reader = agent.reader()
        wanted = {container: self.engine.docker("logs", container).splitlines() for container in (*always, once, local)}
        self.wait_stored_or_still(reader, sum(map(len, wanted.values())) + 2)
        self.assertGreaterEqual(agent.metric("boatswain_engine_reconnects_total"), 2)
        self.assertEqual(agent.stop(), 0)
        for container, lines in wanted.items():
            self.assertEqual([message.decode() for message in reader.of(container).messages()], lines)


class LiveRestore(LiveTest):
    """With live-restore: containers run on while their engine is away."""

    engine_options = ("--live-restore",)

    def test_nothing_is_lost_or_doubled_over_restarts_of_the_engine(self):
        agent = self.agent()
        record = EngineRecord(self.engine.root)
        self.addCleanup(record.close)
        writers = [
            self.engine.shell(counting(2000), env=RED, options=options, verb="create")
            for options in ([], ROTATED, LOCAL)
        ]
        for container in writers:
            record.hold(container)
        self.engine.docker("start", *writers)
        for how in ("TERM", "KILL", "TERM"):
            time.sleep(1.5)
            self.engine.stop_daemon(how)
            time.sleep(1)
            self.assertEqual(agent.health()[0], 200)
            self.engine.start_daemon()
        new = self.engine.shell("echo a new one", env=RED)
        reader = agent.reader()
        self.wait_stored_or_still(reader, 2000 * len(writers) + 1, still=8)
        self.assertEqual(agent.stop(), 0)
        # An engine that is killed amid output loses what it had read and not yet written: its own record is what
        # counts.
        plain, rotated, local = (reader.of(container) for container in writers)
        for stored, container in ((plain, writers[0]), (rotated, writers[1])):
            self.assertEqual(differences(record.lines(container)["stdout"], stored.messages()), [])
            self.assertEqual([gap for gap in stored.gaps if gap["reason"] != "malformed"], [])
            self.assertGreater(len(stored.lines), 1900)
        self.assertEqual(
            [message.decode() for message in local.messages()], self.engine.docker("logs", writers[2]).splitlines()
        )
        self.assertEqual(local.gaps, [])
        self.assertEqual(reader.of(new).messages(), [b"a new one"])

    def test_an_agent_that_starts_before_its_engine_finds_it_later(self):
        container = self.engine.shell("echo hello", env=RED)
        self.engine.stop_daemon()
        agent = self.agent(start=False).start(wait=False)
        agent.wait_logged("engine not followed")
        self.assertIn("docker.sock", agent.logged("engine not followed")[0]["error"])
        self.engine.start_daemon()
        agent.wait_logged("engine followed", 30)
        self.wait_stored(agent.reader(), 1)
        self.assertEqual(agent.reader().of(container).messages(), [b"hello"])


class Manners(LiveTest):
    def test_connections_that_ask_for_nothing_keep_no_health_check_out(self):
        health = free_port()
        agent = self.agent(start=False, health__listen=f"127.0.0.1:{health}")
        agent.start()
        for crowd in (80, 1000):
            for port in (agent.port, health):
                idle = []
                for _ in range(crowd):
                    idle.append(socket.create_connection(("127.0.0.1", port)))
                answers = []
                for _ in range(40):
                    idle += [socket.create_connection(("127.0.0.1", port)) for _ in range(4)]
                    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                    connection.request("GET", "/healthz")
                    answers.append(connection.getresponse().status)
                    connection.close()
                self.assertEqual(answers, [200] * 40, f"with {crowd} idle connections at {port}")
                for one in idle:
                    one.close()
        self.assertGreater(agent.metric("boatswain_http_closed_early_total", listener="listen"), 1000)
        self.assertGreater(agent.metric("boatswain_http_closed_early_total", listener="health"), 1000)

    def test_the_second_instance_waits_for_the_first_and_takes_over(self):
        first = self.agent()
        container = self.engine.shell(counting(1500), env=RED)
        log = first.place / "second.log"
        with open(log, "wb") as output:
            second = subprocess.Popen(
                [BUILD / "boatswaind", "agent", "--config", first.config_path],
                stderr=output,
                env={"PATH": os.environ["PATH"]},
            )
        self.addCleanup(lambda: (second.kill(), second.wait()))
        wait_for(lambda: b"another instance works in the state directory" in log.read_bytes(), 10, "the second waits")
        time.sleep(1)
        self.assertIsNone(second.poll())
        self.assertEqual(first.stop(), 0)
        wait_for(lambda: b"engine followed" in log.read_bytes(), 10, "the second works")
        self.wait_stored_or_still(first.reader(), 1500)
        second.terminate()
        self.assertEqual(second.wait(30), 0)
        self.assert_numbers(first.reader().of(container), 1500, NUMBERED)

    def test_a_third_instance_that_is_told_to_end_while_it_waits_ends(self):
        first = self.agent()
        waiting = subprocess.Popen(
            [BUILD / "boatswaind", "agent", "--config", first.config_path], stderr=subprocess.PIPE
        )
        self.addCleanup(lambda: (waiting.kill(), waiting.wait(), waiting.stderr.close()))
        wait_for(lambda: b"waiting until it ends" in waiting.stderr.readline(), 5, "the other instance waits")
        waiting.terminate()
        waiting.wait(5)
        self.assertEqual(first.health()[0], 200)

    def test_a_hangup_while_it_starts_or_ends_is_not_its_end(self):
        first = self.agent()
        log = first.place / "second.log"
        with open(log, "wb") as output:
            second = subprocess.Popen(
                [BUILD / "boatswaind", "agent", "--config", first.config_path],
                stderr=output,
                env={"PATH": os.environ["PATH"]},
            )
        self.addCleanup(lambda: (second.kill(), second.wait()))
        wait_for(lambda: b"another instance works in the state directory" in log.read_bytes(), 30, "the second waits")
        second.send_signal(signal.SIGHUP)
        # The first one reads on to the end of what was printed, though it is told again and again to read its
        # configuration.
        container = self.engine.shell("seq 1 20000", env=RED)
        self.engine.wait(container)
        first.signal(signal.SIGTERM)
        while first.process.poll() is None:
            first.signal(signal.SIGHUP)
            time.sleep(0.001)
        self.assertEqual(first.process.poll(), 0)
        wait_for(lambda: b"engine followed" in log.read_bytes() or second.poll() is not None, 30, "the second works")
        wait_for(
            lambda: b"configuration read again" in log.read_bytes() or second.poll() is not None,
            30,
            "it obeys, once it can",
        )
        self.assertIsNone(second.poll())
        second.terminate()
        self.assertEqual(second.wait(60), 0)
        self.assert_numbers(first.reader().of(container), 20000, "{}", first=1, container=container)

    def test_a_hundred_hangups_before_a_sigterm_are_no_hundred_reloads(self):
        agent = self.agent()
        text = agent.config_path.read_bytes()
        agent.config_path.unlink()
        os.mkfifo(agent.config_path)
        agent.signal(signal.SIGHUP)
        writer = os.open(agent.config_path, os.O_WRONLY)  # opens when the agent reads: it is within a reload now
        for _ in range(140):
            agent.signal(signal.SIGHUP)
            time.sleep(0.001)
        agent.signal(signal.SIGTERM)
        os.write(writer, text)
        os.close(writer)
        # Another reload would wait for somebody who writes, and nobody does.
        self.assertEqual(agent.process.wait(30), 0)
        self.assertEqual(agent.logged("configuration read again"), [], "the reload under way was given up")
        agent.process = None

    def test_sighup_reads_rules_and_keys_again(self):
        agent = self.agent()
        container = self.engine.shell(
            "echo one; sleep 4; echo two; sleep 1000", env={"BOATSWAIN_TENANT": "red", "TEAM": "green"}
        )
        self.wait_stored(agent.reader(), 1)
        agent.settings["tenancy"]["tenant"] = ["env:TEAM"]
        agent.write_config()
        agent.signal(signal.SIGHUP)
        agent.wait_logged("configuration read again")
        second = self.engine.shell("echo three", env={"TEAM": "green", "BOATSWAIN_TENANT": "red"})
        self.wait_stored(agent.reader(), 3)
        stored = agent.reader().containers()
        self.assertEqual(stored[second, "green"].messages(), [b"three"])
        self.assertEqual(stored[container, "red"].messages()[:1], [b"one"])

        # A configuration with a mistake changes nothing, and says so.
        agent.settings["tenancy"]["tenant"] = ["enf:TEAM"]
        agent.write_config()
        agent.signal(signal.SIGHUP)
        self.assertIn("enf", agent.wait_logged("configuration not taken over")[0]["error"])
        third = self.engine.shell("echo four", env={"TEAM": "blue"})
        self.wait_stored(agent.reader(), 4)
        self.assertEqual(agent.reader().of(third).tenant, "blue")

    def test_sigterm_ends_within_its_bound_when_the_store_takes_nothing(self):
        # A closed port: what is sealed waits in the spool, and goes out at the next start.
        agent = self.agent(
            start=False,
            shutdown_timeout="2s",
            store=f"s3://bucket/x?endpoint=http://127.0.0.1:{free_port()}&region=r&path_style=true",
        )
        agent.environment = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        agent.start()
        container = self.engine.shell(counting(500, 1), env=RED)
        wait_for(lambda: agent.metric("boatswain_sealed_lines_total") >= 500, what="500 sealed lines")
        begun = time.monotonic()
        self.assertEqual(agent.stop(), 0)
        self.assertLess(time.monotonic() - begun, 6)
        self.assertTrue(agent.logged("agent ended", shipped="not all"))
        agent.store = f"dir:{agent.store_dir}"
        agent.write_config()
        agent.start()
        self.wait_stored(agent.reader(), 500)
        self.assert_numbers(agent.reader().of(container), 500, NUMBERED)

    def test_a_configuration_that_cannot_work_ends_with_a_sentence_that_names_the_mistake(self):
        def ends_with(*words, **settings):
            agent = self.agent(start=False, **settings)
            agent.start(wait=False)
            code = agent.process.wait(10)
            agent.process = None
            self.assertNotEqual(code, 0)
            for word in words:
                self.assertIn(word, agent.last_words(5))

        ends_with("flush_aftr", "flush_after", batch__flush_aftr="1s")
        ends_with("tenancy", "colour:X", tenancy__tenant=["colour:X"])
        ends_with("store", "ftp", store="ftp://somewhere")
        ends_with("docker", "imagine:x", docker__include=["imagine:x"])
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            ends_with(str(taken.getsockname()[1]), listen=f"127.0.0.1:{taken.getsockname()[1]}")

    def test_metrics_and_health_tell_what_is_read(self):
        agent = self.agent()
        self.engine.shell("seq 1 100; sleep 1000", env=RED)
        self.engine.shell("sleep 1000", env=RED, options=["--log-driver", "none"])
        self.wait_stored(agent.reader(), 100)
        status, detail = agent.health()
        self.assertEqual((status, agent.ready()), (200, (True, [])))
        self.assertEqual(
            (detail["containers"], detail["reading"], detail["engine"], detail["shipping"]),
            ("2", "1", "followed", "ok"),
        )
        self.assertEqual(agent.metric("boatswain_containers", reader="json-file"), 1)
        self.assertEqual(agent.metric("boatswain_containers", reader="none"), 1)
        self.assertEqual(agent.metric("boatswain_sealed_lines_total", tenant="red"), 100)
        self.assertEqual(agent.metric("boatswain_uploads_total", outcome="created"), len(agent.reader().objects()))
        self.assertEqual(agent.get("/nothing")[0], 404)

    def test_it_survives_a_full_disk_and_stores_everything_when_there_is_room_again(self):
        agent = self.agent(start=False, batch__flush_after="300ms")
        agent.state.mkdir()
        run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", agent.state)
        self.addCleanup(run, "umount", agent.state)
        # Before the umount: the agent, and the containers, whose mount namespaces hold the mount too.
        self.addCleanup(agent.close)
        self.addCleanup(self.engine.remove_all)
        agent.start()
        quiet = self.engine.shell("echo quiet; sleep 1000", env={"BOATSWAIN_TENANT": "green"})
        self.wait_stored(agent.reader(), 1)
        filler = agent.state / "filler"
        run("dd", "if=/dev/zero", f"of={filler}", "bs=4096", check=False)  # until there is no space left
        writers = [
            self.engine.shell(counting(1000, 100), env={"BOATSWAIN_TENANT": tenant}) for tenant in ("red", "blue")
        ]
        wait_for(lambda: "sealing" in agent.ready()[1], 20, "it is not ready, and says why")
        self.assertRegex(json.dumps(agent.health()[1]) + agent.last_words(50), "No space left|disk is full")
        self.assertEqual(agent.get("/healthz")[0], 200, "no reason to end it: the disk would be as full after a start")
        time.sleep(4)
        self.assertIsNone(agent.process.poll())
        filler.unlink()
        self.wait_stored_or_still(agent.reader(), 2001, still=10)
        wait_for(lambda: agent.ready()[0], 20, "it is well again")
        self.assertEqual(agent.stop(), 0)
        for container in writers:
            self.assert_numbers(agent.reader().of(container), 1000, NUMBERED)
        self.assertEqual(agent.reader().of(quiet).messages(), [b"quiet"])


if __name__ == "__main__":
    main()
