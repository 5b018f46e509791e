#!/usr/bin/python3
"""What happened while no agent ran: containers that were removed, a state that was damaged, a log that grew; and the
canary."""
import contextlib
import sqlite3
import sys

sys.dont_write_bytecode = True
from harness import *

RED = {"BOATSWAIN_TENANT": "red"}
LOCAL = ["--log-driver", "local"]
FOREVER = "i=0; while true; do echo line $i; i=$((i+1)); sleep 0.1; done"


class Away(LiveTest):
    def in_state(self, agent):
        """What the agent's state durably knows: container -> whether all that it printed before its end is sealed."""
        with contextlib.closing(sqlite3.connect(agent.state / "state.sqlite")) as state:
            return {source: bool(ended) for source, ended in state.execute("SELECT source, ended FROM checkpoints")}

    def wait_known_to_have_ended(self, agent, *containers):
        wait_for(
            lambda: all(self.in_state(agent).get(one) for one in containers),
            60,
            lambda: f"the state knows that they have ended: {self.in_state(agent)}",
        )

    def ends(self, agent, container):
        """The reasons of a container's closing records, as stock tools show them."""
        reader = agent.reader()
        found = []
        for key in reader.objects():
            if reader.tenant_of(key) == "_canary":
                continue
            text = reader.open(key).decode(errors="replace")
            heading = ""
            for line in text.splitlines():
                if line.startswith('# {"source"'):
                    heading = json.loads(line[2:])["source"]
                if line.startswith("# end ") and heading == container:
                    found.append(json.loads(line[6:])["reason"])
        return found

    def test_a_container_that_was_removed_meanwhile_is_named_in_its_tenants_log(self):
        agent = self.agent(batch__flush_after="300ms")
        running = [self.engine.shell(FOREVER, env=RED, options=options) for options in ([], LOCAL)]
        ended = [self.engine.shell("echo one; echo two", env=RED, options=options) for options in ([], LOCAL)]
        stays = self.engine.shell("echo here; sleep 1000", env=RED)
        self.engine.wait(*ended)
        wait_for(
            lambda: all(agent.reader().of(c).lines for c in (*running, *ended, stays)),
            60,
            "something of each is stored",
        )
        self.wait_known_to_have_ended(agent, *ended)
        self.assertEqual(agent.stop(), 0)
        self.engine.docker("rm", "-f", *running, *ended)
        agent.start()
        wait_for(lambda: all(agent.reader().of(c).gaps for c in running), 30, "gap records of both")
        wait_for(lambda: all(self.ends(agent, c) for c in ended), 30, "closing records of both")
        for container in running:
            gaps = agent.reader().of(container).gaps
            self.assertEqual([gap["reason"] for gap in gaps], ["removed-while-away"])
            self.assertLess(gaps[0]["from"], gaps[0]["to"])
            self.assertEqual(self.ends(agent, container), [])
        for container in ended:
            self.assertEqual(agent.reader().of(container).gaps, [])
            self.assertEqual(self.ends(agent, container), ["removed-while-away"])
        self.assertEqual(agent.metric("boatswain_containers_removed_while_away_total", outcome="gap"), 2)
        self.assertEqual(agent.metric("boatswain_containers_removed_while_away_total", outcome="read-whole"), 2)
        # Told once; and what is there is not touched.
        wait_for(lambda: set(self.in_state(agent)) == {stays}, 30, "who was told of is forgotten")
        self.assertEqual(agent.stop(), 0)
        agent.start()
        wait_for(lambda: agent.health()[1]["reading"] == "1", 60, "the one that is there is read")
        self.assertEqual(agent.stop(), 0)
        self.assertEqual([len(agent.reader().of(c).gaps) for c in (*running, *ended, stays)], [1, 1, 0, 0, 0])
        self.assertEqual(agent.tool("verify", check=False).returncode, 0)

    def test_a_container_that_ran_once_more_before_it_was_removed_meanwhile_is_not_called_whole(self):
        agent = self.agent(batch__flush_after="300ms")
        again, once = (self.engine.shell("echo line", env=RED) for _ in range(2))
        self.engine.wait(again, once)
        wait_for(lambda: all(agent.reader().of(c).lines for c in (again, once)), 60, "both lines are stored")
        self.wait_known_to_have_ended(agent, again, once)
        self.assertEqual(agent.stop(), 0)
        self.engine.docker("start", again)
        self.engine.wait(again)
        self.engine.docker("rm", again, once)
        agent.start()
        wait_for(lambda: self.ends(agent, once), 30, "the closing record of the one")
        wait_for(lambda: agent.reader().of(again).gaps, 30, "the gap record of the other")
        self.assertEqual([gap["reason"] for gap in agent.reader().of(again).gaps], ["removed-while-away"])
        self.assertEqual(self.ends(agent, again), [])
        self.assertEqual(agent.reader().of(once).gaps, [])

    def test_what_is_gone_before_anything_was_sealed_is_named(self):
        agent = self.agent(batch__flush_after="10m")
        go_on = "until [ -e /volume/go ]; do sleep 0.1; done; "
        rotating = self.engine.shell(
            f"echo early; {go_on}seq 1 20000; sleep 1000",
            env=RED,
            options=["--log-opt", "max-size=50k", "--log-opt", "max-file=2"],
        )
        removed = self.engine.shell("echo early; sleep 1000", env=RED)
        wait_for(
            lambda: (agent.health()[1]["reading"], agent.health()[1]["read_lag_bytes"]) == ("2", "0"),
            60,
            "both first lines are read",
        )
        wait_for(lambda: set(self.in_state(agent)) == {rotating, removed}, 30, "the state knows of both")
        agent.kill()
        self.engine.put("go", b"")
        wait_for(
            lambda: "20000" in self.engine.docker("logs", "--tail", "1", rotating), 60, "the log has been rotated away"
        )
        self.engine.docker("rm", "-f", removed)
        agent.start()
        # The one that is removed is sealed soon; the other one with all that waits, at the end.
        wait_for(lambda: agent.reader().of(removed).gaps, 30, "the gap record of the removed one")
        self.assertEqual(agent.stop(), 0)
        stored = agent.reader().of(rotating)
        self.assertEqual([gap["reason"] for gap in stored.gaps], ["rotated-away"])
        self.assertEqual(stored.messages()[-1], b"20000")
        self.assertNotIn(b"early", stored.messages())
        self.assertEqual([gap["reason"] for gap in agent.reader().of(removed).gaps], ["removed-while-away"])
        self.assertEqual(agent.tool("verify", check=False).returncode, 0)

    def test_what_was_rotated_away_before_anybody_read_it_is_named(self):
        agent = self.agent(batch__flush_after="300ms")
        before = self.engine.shell("echo here; sleep 1000", env=RED)
        self.wait_stored(agent.reader(), 1)
        self.assertEqual(agent.stop(), 0)
        kept = ["--log-opt", "max-size=50k", "--log-opt", "max-file=3"]
        rotated, compressed = (
            self.engine.shell("seq 1 20000; sleep 1000", env=RED, options=[*kept, *more])
            for more in ([], ["--log-opt", "compress=true"])
        )
        whole = self.engine.shell("seq 1 1000; sleep 1000", env=RED, options=kept)
        for container, last in ((rotated, "20000"), (compressed, "20000"), (whole, "1000")):
            wait_for(lambda: last in self.engine.docker("logs", "--tail", "1", container), 60, "all is printed")
        self.assertGreater(len(list(self.engine.log_file(whole).parent.glob("*-json.log*"))), 1)
        agent.start()
        wait_for(
            lambda: all(
                agent.reader().of(c).messages()[-1:] == [last]
                for c, last in ((rotated, b"20000"), (compressed, b"20000"), (whole, b"1000"))
            ),
            60,
            "all that is there is stored",
        )
        for container in (rotated, compressed):
            stored = agent.reader().of(container)
            self.assertEqual([gap["reason"] for gap in stored.gaps], ["rotated-away"])
            self.assertLess(stored.gaps[0]["from"], stored.gaps[0]["to"])
            first = int(stored.messages()[0])
            self.assertGreater(first, 1)
            self.assertEqual(stored.messages(), [b"%d" % n for n in range(first, 20001)])
        self.assertEqual(agent.reader().of(whole).messages(), [b"%d" % n for n in range(1, 1001)])
        for container in (before, whole):
            self.assertEqual(agent.reader().of(container).gaps, [])
        # Told once.
        agent.kill()
        agent.start()
        self.engine.docker("rm", "-f", rotated)
        wait_for(lambda: self.ends(agent, rotated), 30, "the closing record")
        self.assertEqual([len(agent.reader().of(c).gaps) for c in (rotated, compressed, whole, before)], [1, 1, 0, 0])
        self.assertEqual(agent.tool("verify", check=False).returncode, 0)

    def test_a_damaged_state_does_not_stop_the_start_and_the_log_says_that_lines_come_again(self):
        agent = self.agent(batch__flush_after="300ms")
        container = self.engine.shell("seq 1 50; sleep 1000", env=RED)
        self.wait_stored(agent.reader(), 50)
        self.assertEqual(agent.stop(), 0)
        state = agent.state / "state.sqlite"
        state.write_bytes(b"\x5a" * state.stat().st_size)
        agent.start()
        self.assertTrue(agent.logged("state not readable"))
        self.wait_stored(agent.reader(), 100)
        self.assertIn("put aside as state.sqlite.corrupt-", agent.health()[1]["state"])
        self.assertEqual(agent.metric("boatswain_state_lost_total"), 1)
        self.assertEqual(agent.stop(), 0)
        stored = agent.reader().of(container)
        self.assertEqual(sorted(stored.messages(), key=int), sorted([b"%d" % n for n in range(1, 51)] * 2, key=int))
        self.assertEqual([gap["reason"] for gap in stored.gaps], ["state-lost"])
        self.assertEqual(agent.tool("verify", check=False).returncode, 0)

    def test_a_large_log_is_gone_on_with_from_its_end(self):
        lines = 300_000
        agent = self.agent(batch__flush_after="500ms", batch__flush_bytes="1MiB")
        container = self.engine.shell(
            f"seq 1 {lines}; until [ -e /volume/go ]; do sleep 0.2; done; echo last; sleep 1000",
            env=RED,
            options=["--log-driver", "local", "--log-opt", "max-size=200m"],
        )
        wait_for(lambda: agent.metric("boatswain_sealed_lines_total", tenant="red") >= lines, 120, "all is sealed")
        self.assertEqual(agent.stop(), 0)
        agent.start()
        self.engine.put("go", b"")
        wait_for(lambda: agent.metric("boatswain_sealed_lines_total", tenant="red") >= 1, 60, "the last line is sealed")
        self.assertLess(agent.metric("boatswain_repeated_lines_total"), 5_000)
        self.assertEqual(agent.stop(), 0)
        messages = agent.reader().of(container).messages()
        self.assertEqual(len(messages), lines + 1)
        self.assertEqual(messages, [b"%d" % n for n in range(1, lines + 1)] + [b"last"])

    def test_the_canary_is_read_back_and_misses_what_somebody_deletes(self):
        agent = self.agent(canary=True, batch__flush_after="1s")
        wait_for(
            lambda: agent.metric("boatswain_canary_lines_total", outcome="verified") >= 3, 60, "lines are verified"
        )
        self.assertGreater(agent.metric("boatswain_canary_delay_seconds"), 0)
        self.assertEqual(agent.metric("boatswain_canary_lines_total", outcome="lost"), 0)
        self.assertEqual(agent.health()[1]["canary"], "ok")
        place = next(pathlib.Path(agent.store_dir).rglob("tenant=_canary"))
        deadline = time.monotonic() + 60
        while agent.metric("boatswain_canary_lines_total", outcome="lost") == 0 and time.monotonic() < deadline:
            for path in place.rglob("*.age"):
                path.unlink(missing_ok=True)
        self.assertGreater(agent.metric("boatswain_canary_lines_total", outcome="lost"), 0)
        self.assertIn("the canary lost", agent.health()[1]["canary"])
        self.assertTrue(agent.logged("canary lost"))

    def test_a_renamed_container_is_found_by_its_new_name(self):
        agent = self.agent()
        container = self.engine.shell("echo hello; sleep 1000", env=RED, name="first-name")
        self.wait_stored(agent.reader(), 1)
        self.engine.docker("rename", "first-name", "second-name")
        wait_for(lambda: "second-name" in self.why(agent, container), 20, "why tells the new name")
        for name in ("first-name", "second-name"):
            self.assertIn(container[:12], self.why(agent, name))
        # From now on its lines are stored under the new name; what was before stays under the old one.
        self.engine.docker("restart", "-t", "0", container)
        self.wait_stored(agent.reader(), 2)
        self.assertEqual(agent.stop(), 0)
        self.assertEqual([agent.raw(name) for name in ("first-name", "second-name")], [b"hello\n", b"hello\n"])

    def test_a_small_batch_waits_until_somebody_asks_for_a_flush(self):
        agent = self.agent(batch__flush_after="500ms", batch__flush_after_max="1h")
        container = self.engine.shell("echo one; exec sleep 1000", env={"BOATSWAIN_TENANT": "red"})
        wait_for(lambda: json.loads(self.why(agent, container)).get("lines_read") == 1, 30, "the line is read")
        time.sleep(2)
        self.assertEqual(agent.reader().of(container).messages(), [])
        asked = run(BUILD / "boatswain", "flush", "--socket", agent.state / "agent.sock")
        self.assertEqual(asked.stdout, b"1 batch of lines on the way to the store\n")
        wait_for(lambda: agent.reader().of(container).messages() == [b"one"], 30, "the line is stored")
        self.assertEqual(agent.stop(), 0)

    def why(self, agent, wanted):
        answer = subprocess.run(
            [BUILD / "boatswain", "why", "--socket", agent.state / "agent.sock", wanted, "--json"],
            capture_output=True,
            text=True,
            timeout=20,
        )
        return answer.stdout


if __name__ == "__main__":
    main()
