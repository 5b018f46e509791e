#!/usr/bin/python3
"""Containers of a real Podman: each line of each, once, by its log file, over rotations, kills, and of those that
remove themselves. No step waits for a time: containers go on when a file says so."""
import json
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from harness import *
from podman import Podman

ROUNDS, LINES = 4, 600  # a round's lines are less than a file's 32 kB: never two rotations in one


class PodmanAgent(LiveTest):
    @classmethod
    def setUpClass(cls):
        cls.engine = Podman()
        cls.addClassCleanup(cls.engine.close)

    def why(self, agent, name):
        words = ["why", "--socket", agent.state / "agent.sock", name, "--json"]
        return json.loads(run(BUILD / "boatswain", *words, check=False).stdout or "{}")

    def start(self, agent, *names):
        """Until it reads them. Podman asks conmon, runc and dpkg before it says who it is: that takes its time."""
        agent.start(wait=False)
        for name in names:
            agent.wait_logged("container found", 90, name=name, action="seal")

    def ending(self, agent, container):
        """The closing record of a source, by the text of its objects."""
        for key in agent.reader().objects():
            text = agent.reader().open(key)
            ends = [line for line in text.split(b"\n") if line.startswith(b"# end ")]
            if container.encode() in text and ends:
                return json.loads(ends[-1][6:])
        return None

    def test_each_line_is_stored_once_over_rotations_and_kills_and_of_those_that_remove_themselves(self):
        say = scratch("bwpv.")
        self.addCleanup(shutil.rmtree, say)
        say.chmod(0o755)
        talker = (
            f"i=0; for round in $(seq {ROUNDS}); do for n in $(seq {LINES}); do echo line $i; i=$((i+1)); done;"
            " while [ ! -e /say/$round ]; do usleep 10000; done; done; exec sleep 1000"
        )
        options = ["--volume", f"{say}:/say:ro"]
        plain = self.engine.run(talker, "plain", labels={"boatswain.tenant": "red"}, options=options)
        # The graph root is named, so that the sandbox need not wait for Podman to say it.
        agent = self.agent(
            start=False, prefix=self.engine.user, docker__root=str(self.engine.root), batch__flush_after="200ms"
        )
        if self.engine.user:
            for path in (agent.state, agent.store_dir):
                path.mkdir()
            for path in (agent.state, agent.store_dir, agent.place):
                os.chown(path, ROOTLESS_USER, ROOTLESS_USER)
        self.start(agent, "plain")
        self.assertTrue(agent.logged("confined", reads="what it needs"))
        checked = run(
            *self.engine.user, BUILD / "boatswaind", "check", "--config", agent.config_path, check=False
        ).stdout.decode()
        self.assertIn(f"engine Podman {self.engine.version()}", checked)
        self.assertIn("k8s-file logs are read from their files", checked)
        rotating = self.engine.run(
            talker,
            "rotating",
            labels={"boatswain.tenant": "green"},
            options=[*options, "--log-opt", "max-size=32k"],
        )
        for round in range(1, ROUNDS + 1):
            for container in (plain, rotating):
                wait_for(
                    lambda: len(agent.reader().of(container).lines) == round * LINES,
                    30,
                    lambda: f"{len(agent.reader().of(container).lines)} lines in round {round}",
                )
            # What is read and not sealed yet is read again.
            if round in (1, 3):
                agent.kill()
                self.start(agent, "plain", "rotating")
            (say / str(round)).touch()
        self.assertLess(self.engine.log_of(rotating).stat().st_size, 33 << 10, "it was rotated")

        def live(number):
            script = "for n in $(seq 10); do echo line $((n-1)); done; usleep 300000; exit 7"
            return self.engine.run(script, f"short-{number}", labels={"boatswain.tenant": "blue"}, options=["--rm"])

        short = in_parallel(live, range(12), workers=4)
        wait_for(lambda: all(self.ending(agent, one) for one in short), 40, "the ends of all short ones")

        # conmon's own crash: what it wrote by then is there, and no more comes.
        os.kill(self.engine.conmon_of(plain), signal.SIGKILL)
        self.engine.remove(plain)
        wait_for(lambda: self.ending(agent, plain), 30, "its end")

        # Podman refuses a container with the driver journald where there is no journal.
        self.engine.run("true", "passed", labels={"boatswain.tenant": "red"}, driver="passthrough", verb=["create"])
        told = lambda: self.why(agent, "passed")
        wait_for(lambda: told().get("verdict") == "unreadable", 30, told)
        self.assertIn("log driver passthrough", told()["reason"])

        self.assertEqual(agent.stop(), 0)
        for container, lines in ((plain, ROUNDS * LINES), (rotating, ROUNDS * LINES), *((one, 10) for one in short)):
            self.assert_numbers(agent.reader().of(container), lines, container=container)
        self.assertEqual([self.ending(agent, one)["exit_code"] for one in short], [7] * len(short))
        self.assertEqual(agent.tool("verify").returncode, 0)
        self.assertEqual(agent.raw("rotating").splitlines()[0], b"line 0", "found by the name that people know")


if __name__ == "__main__":
    main()
