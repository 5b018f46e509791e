#!/usr/bin/python3
"""Engines whose containers are other users: with userns-remap, and rootless. Every line once, from the directory that
the engine names."""
import sys

sys.dont_write_bytecode = True
from harness import *

RED = {"BOATSWAIN_TENANT": "red"}
COUNT = 300
LINES = f"i=0; while [ $i -lt {COUNT} ]; do echo line $i; i=$((i+1)); done"
SLOWLY = LINES.replace("; i=", "; [ $((i % 10)) != 0 ] || usleep 50000; i=")
ROTATED = ["--log-opt", "max-size=10k", "--log-opt", "max-file=100"]
KINDS = {
    "json-file": [],
    "rotated": ROTATED,
    "local": ["--log-driver", "local"],
    "removed": ["--rm"],
    "removed-rotated": ["--rm", *ROTATED],
}


class OtherUsers(LiveTest):
    engine_with = None
    suite = ""  # this machine's engine

    @classmethod
    def setUpClass(cls):
        os.environ["BOATSWAIN_TEST_ENGINE_WITH"] = cls.engine_with
        os.environ["BOATSWAIN_TEST_ENGINE"] = cls.suite
        super().setUpClass()

    def assert_every_line_is_stored_once(self, root, prefix=()):
        before = {kind: self.engine.shell(LINES, env=RED, options=KINDS[kind]) for kind in ("rotated", "local")}
        self.engine.wait(*before.values())
        agent = self.agent(start=False, prefix=prefix)
        if prefix:
            self.give_to_the_engines_user(agent)
        said = run(*prefix, agent.program, "check", "--config", agent.config_path).stdout.decode()
        self.assertIn(f"# its data directory {root} is seen", said)
        agent.start()
        confined = agent.wait_logged("confined")[0]
        if confined["landlock"] != "none":
            self.assertEqual(confined["reads"], "what it needs")

        after = {kind: self.engine.shell(LINES, env=RED, options=options) for kind, options in KINDS.items()}
        slow = self.engine.shell(SLOWLY, env=RED, options=ROTATED)
        reader = agent.reader()
        self.wait_stored(reader, (len(before) + len(after)) * COUNT)
        agent.kill()
        agent.start()
        self.engine.wait(slow)
        everything = {**{f"before, {kind}": one for kind, one in before.items()}, **after, "slow": slow}
        self.wait_stored(reader, len(everything) * COUNT)
        self.assertEqual(agent.health()[1]["containers_directory"], "ok")
        self.assertEqual(agent.stop(), 0)
        for kind, container in everything.items():
            how = "through the engine" if "local" in kind else "its directory can be read"
            found = agent.logged("container found", since_start=False, container=container[:12], reader=how)
            self.assertTrue(found, kind)
            self.assert_numbers(reader.of(container), COUNT, container=kind)

    def give_to_the_engines_user(self, agent):
        agent.state.mkdir()
        agent.store_dir.mkdir()
        for path in (agent.state, agent.store_dir, agent.place):
            os.chown(path, ROOTLESS_USER, ROOTLESS_USER)


class Remapped(OtherUsers):
    engine_with, suite = "userns-remap", "trixie"

    def test_every_line_of_an_engine_with_userns_remap_is_stored_once(self):
        root = self.engine.root
        self.assertRegex(root.name, r"^\d+\.\d+$")
        self.assertNotEqual((root / "containers").stat().st_uid + root.stat().st_gid, 0)
        self.assert_every_line_is_stored_once(root)


class Rootless(OtherUsers):
    engine_with = "rootless"

    def test_every_line_of_a_rootless_engine_is_stored_once_by_an_agent_of_its_user(self):
        self.assertEqual(self.engine.socket.stat().st_uid, ROOTLESS_USER)
        user = ["setpriv", "--reuid", str(ROOTLESS_USER), "--regid", str(ROOTLESS_USER), "--clear-groups"]
        self.assert_every_line_is_stored_once(self.engine.root, user)

    def test_check_says_what_an_agent_of_another_user_will_meet(self):
        agent = self.agent(start=False)
        said = run(agent.program, "check", "--config", agent.config_path).stderr.decode()
        self.assertIn("Permission denied (run as the user whose engine it is", said)


if __name__ == "__main__":
    main()
