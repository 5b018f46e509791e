#!/usr/bin/python3
"""Completions as real shells take them, and man pages as groff does: made from the programs' own tables of commands and
settings."""
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time
import unittest

BUILD = pathlib.Path(os.environ.get("BOATSWAIN_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build/release"))

# What is typed, and what must be offered; in all three shells.
CASES = [
    ("boatswain ver", {"verify", "version"}),
    ("boatswain keys ", {"new", "show", "derive"}),
    ("boatswain completion f", {"fish"}),
    ("boatswain logs --stream ", {"stdout", "stderr"}),
    ("boatswain logs --contai", {"--container"}),
    ("boatswain logs --store dir:STORE --tenant a", {"acme"}),
    ("boatswaind ag", {"agent"}),
    ("boatswaind completion ", {"bash", "zsh", "fish"}),
    ("boatswaind agent --store-u", {"--store-url"}),
    ("boatswaind check --tenancy-k", {"--tenancy-keyring"}),
]


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, **options)


class Zsh:
    """An interactive zsh on a terminal of its own: what its completion really offers, typed as a person types."""

    def __init__(self, functions):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="dumb", ZDOTDIR=str(functions), PATH=f"{BUILD}:{os.environ['PATH']}")
            os.execvp("zsh", ["zsh", "-f", "-i"])
        self.type(
            f"PROMPT='ready> ' RPROMPT= LISTMAX=0; fpath=({functions} $fpath); autoload -Uz compinit; compinit -u -D;"
            " zstyle ':completion:*' list-prompt ''; setopt list_rows_first no_list_beep; bindkey '^X' list-choices;"
            " bindkey '^U' kill-whole-line; echo set-''up\n"
        )
        self.read_until("set-up")

    def type(self, text):
        os.write(self.terminal, text.encode())

    def read_until(self, *wanted, seconds=30):
        seen, end = "", time.monotonic() + seconds
        while time.monotonic() < end and not all(
            re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", seen) for word in wanted
        ):
            if select.select([self.terminal], [], [], 0.2)[0]:
                seen += os.read(self.terminal, 65536).decode(errors="replace")
        return seen

    def offers(self, typed, wanted):
        self.type(typed + ("\t" if len(wanted) == 1 else "\x18"))  # one is completed, of several the list is shown
        seen = self.read_until(*wanted)
        self.type("\x15")
        return seen

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


class Shells(unittest.TestCase):
    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="bwc."))
        self.addCleanup(shutil.rmtree, self.place, True)
        # Who the tenants are is seen from names alone.
        segment = self.place / "store/v1/tenant=acme/hour=2026-11-23T10/host=n/20261123T043400Z-9f3a.0000000001.age"
        segment.parent.mkdir(parents=True)
        segment.touch()
        self.cases = [(typed.replace("STORE", f"{self.place}/store"), wanted) for typed, wanted in CASES]
        self.environment = {**os.environ, "PATH": f"{BUILD}:{os.environ['PATH']}", "HOME": str(self.place)}
        self.scripts = {}
        for program in ("boatswain", "boatswaind"):
            for shell in ("bash", "zsh", "fish"):
                ran = run(BUILD / program, "completion", shell)
                self.assertEqual(ran.returncode, 0, ran.stderr)
                self.scripts[program, shell] = ran.stdout
                (
                    self.place / {"bash": f"{program}.bash", "zsh": f"_{program}", "fish": f"{program}.fish"}[shell]
                ).write_text(ran.stdout)

    def test_bash_completes(self):
        for typed, wanted in self.cases:
            words = typed.split(" ")
            script = (
                f"source {self.place}/boatswain.bash; source {self.place}/boatswaind.bash\n"
                f"COMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}\n"
                # Bash keeps which function completes a command: that one is asked.
                f"name=$(complete -p {words[0]} | sed -E 's/.*-F ([^ ]+) .*/\\1/'); $name; printf '%s\\n'"
                ' "${COMPREPLY[@]}"'
            )
            ran = run("bash", "--norc", "-c", script, env=self.environment)
            self.assertEqual(ran.stderr, "")
            self.assertEqual(set(ran.stdout.split()), wanted, typed)

    def test_fish_completes(self):
        for typed, wanted in self.cases:
            script = f"source {self.place}/boatswain.fish; source {self.place}/boatswaind.fish; complete -C '{typed}'"
            ran = run("fish", "--no-config", "-c", script, env=self.environment)
            self.assertEqual(ran.stderr, "")
            self.assertEqual({line.split("\t")[0] for line in ran.stdout.splitlines()}, wanted, typed)

    def test_zsh_completes(self):
        zsh = Zsh(self.place)
        self.addCleanup(zsh.close)
        for typed, wanted in self.cases:
            seen = zsh.offers(typed, wanted)
            for word in wanted:
                self.assertRegex(seen, rf"(?<![\w-]){re.escape(word)}(?![\w-])", typed)


class ManPages(unittest.TestCase):
    def page(self, program, section):
        ran = run(BUILD / program, "--man")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        with tempfile.NamedTemporaryFile("w", suffix=f".{section}") as file:
            file.write(ran.stdout)
            file.flush()
            formatted = run("groff", "-man", "-ww", "-Tutf8", "-P-cbou", file.name)
            self.assertEqual((formatted.returncode, formatted.stderr), (0, ""), "groff complains of nothing")
            shown = run(
                "man", "-l", file.name, env={**os.environ, "MANWIDTH": "200", "MANPAGER": "cat", "LC_ALL": "C.UTF-8"}
            )
            self.assertEqual(shown.returncode, 0, shown.stderr)
        return re.sub(r"\x1b\[[\d;]*m|.\x08", "", shown.stdout)

    def test_the_tools_page_holds_every_command_option_and_example(self):
        page = self.page("boatswain", "1")
        for section in ("NAME", "SYNOPSIS", "COMMANDS", "ENVIRONMENT", "EXIT STATUS"):
            self.assertRegex(page, rf"(?m)^{section}$")
        commands = re.findall(
            r"^  (\w+) {2,}", run(BUILD / "boatswain", "--help").stdout.split("Subcommands:")[1], re.M
        )
        self.assertGreater(len(commands), 8)
        for command in commands:
            self.assertRegex(page, rf"(?m)^ +{command}", command)
            for option in re.findall(r"--[a-z][a-z-]+", run(BUILD / "boatswain", "help", command).stdout):
                self.assertIn(option, page)
        self.assertIn("age -d -i acme.key OBJECT | zstd -d", page, "quotes, dashes and bars as they are typed")

    def test_the_daemons_page_holds_every_setting_with_its_default(self):
        page = self.page("boatswaind", "8")
        settings = re.findall(r"^  (--[a-z-]+)", run(BUILD / "boatswaind", "help").stdout, re.M)
        self.assertGreater(len(settings), 20)
        for flag in settings:
            if flag != "--config":
                self.assertIn(f"BOATSWAIN_{flag[2:].replace('-', '_').upper()}", page)
                self.assertIn(flag, page)
        self.assertIn("boatswaind agent [--config FILE]", page)


if __name__ == "__main__":
    unittest.main(verbosity=2)
