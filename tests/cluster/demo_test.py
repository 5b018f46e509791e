"""./dev demo --cluster shows what it says and leaves nothing behind."""
import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Demo(unittest.TestCase):
    def test_a_host_added_gets_its_agent_one_removed_is_given_up_and_nothing_is_left(self):
        def leftovers():
            return {path.name for path in pathlib.Path("/tmp").glob("boatswain-demo.*")}

        before = leftovers()
        done = subprocess.run(
            [ROOT / "scripts" / "demo_cluster.sh", "--once"], capture_output=True, text=True, timeout=480, check=False
        )
        print(done.stdout + done.stderr, file=sys.stderr)
        self.assertEqual(done.returncode, 0)
        for words in (
            "A host is added",
            "A host is switched off",
            "host-4: acme 100 lines",
            "Everything this demo started is gone.",
        ):
            self.assertIn(words, done.stdout)
        mine = leftovers() - before
        self.assertEqual({name for name in mine if f"{name}" in done.stdout}, set())


if __name__ == "__main__":
    unittest.main()
