#!/usr/bin/python3
"""The Debian package: built by ./dev package's script, installed, used, removed and purged, in a root of its own that vanishes.

The root is an overlay over this machine's in a mount namespace: dpkg and the maintainer scripts see a real Debian, and write nothing to it.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BOATSWAIN_BUILD", ROOT / "build/release"))

OVERLAY = r"""
set -eu
place=$1; shift
mount -t tmpfs tmpfs "$place"
mkdir "$place/upper" "$place/work" "$place/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" "$place/root"
mount -t proc proc "$place/root/proc"
mount --bind /dev "$place/root/dev"
mount -t tmpfs tmpfs "$place/root/run"
mkdir -p "$place/root/package"
cp "$1" "$place/root/package/boatswain.deb"
exec chroot "$place/root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 /bin/sh -eu -c "$2"
"""


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="bwk.", dir="/tmp"))
        cls.addClassCleanup(shutil.rmtree, cls.place, True)
        made = subprocess.run([ROOT / "scripts/package.sh", "--programs", BUILD, "--to", cls.place / "out"], capture_output=True, text=True, timeout=280)
        assert made.returncode == 0, made.stdout + made.stderr
        cls.package, = (cls.place / "out").glob("boatswain_*.deb")
        cls.said = made.stdout

    def in_a_root(self, script):
        overlay = pathlib.Path(tempfile.mkdtemp(prefix="bwo.", dir="/tmp"))
        self.addCleanup(overlay.rmdir)
        ran = subprocess.run(["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", OVERLAY, "sh", str(overlay), str(self.package), script],
                             capture_output=True, text=True, timeout=200)
        self.assertEqual(ran.returncode, 0, f"{ran.stdout}\n{ran.stderr}")
        return ran.stdout

    def test_it_holds_what_an_operator_needs_and_says_what_it_depends_on(self):
        field = lambda name: subprocess.run(["dpkg-deb", "--field", self.package, name], capture_output=True, text=True, check=True).stdout.strip()
        self.assertEqual(field("Package"), "boatswain")
        for needed in ("libc6", "libcurl4", "libssl3", "libzstd1", "libsqlite3-0", "adduser", "ca-certificates"):
            self.assertIn(needed, field("Depends"))
        listing = subprocess.run(["dpkg-deb", "--contents", self.package], capture_output=True, text=True, check=True).stdout
        for line in listing.splitlines():
            self.assertIn(" root/root ", line, "everything is root's")
            self.assertNotRegex(line.split()[0][1:], "^.......w.", "nothing is everybody's to write")
        for path in ("/usr/bin/boatswaind", "/usr/bin/boatswain", "/etc/boatswain/boatswain.toml", "/etc/boatswain/keys/",
                     "/usr/lib/systemd/system/boatswain.service", "/usr/lib/systemd/system/boatswain-guard.service",
                     "/usr/share/man/man1/boatswain.1.gz", "/usr/share/man/man8/boatswaind.8.gz",
                     "/usr/share/bash-completion/completions/boatswain", "/usr/share/bash-completion/completions/boatswaind",
                     "/usr/share/zsh/vendor-completions/_boatswain", "/usr/share/zsh/vendor-completions/_boatswaind",
                     "/usr/share/fish/vendor_completions.d/boatswain.fish", "/usr/share/fish/vendor_completions.d/boatswaind.fish",
                     "/usr/share/doc/boatswain/copyright", "/usr/share/doc/boatswain/examples/marathon/agent.json"):
            self.assertIn(f" .{path}\n", listing + "\n")

    def test_debians_own_checker_finds_nothing(self):
        checked = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0", self.package],
                                 capture_output=True, text=True, timeout=200)
        self.assertEqual((checked.returncode, checked.stdout), (0, ""), checked.stderr)

    def test_it_is_installed_and_removed_and_purged_and_nothing_is_left(self):
        before = set(os.listdir("/etc"))
        said = self.in_a_root("""
            ! getent passwd boatswain
            # Small images of Debian leave pages and documents out; we look at them.
            dpkg --path-include '/usr/share/*' -i /package/boatswain.deb
            echo "user: $(getent passwd boatswain)"
            stat -c 'state: %U %G %a' /var/lib/boatswain
            boatswaind --version
            boatswain keys new acme --out /root >/dev/null
            cp /root/acme.pub /etc/boatswain/keys/
            # As its own user, with the configuration that came along.
            setpriv --reuid boatswain --regid boatswain --clear-groups boatswaind check >/tmp/checked 2>&1
            grep -q '# ok: the agent would start with this' /tmp/checked
            grep 'unix:///run/boatswain/engine.sock' /tmp/checked
            systemd-analyze verify /usr/lib/systemd/system/boatswain.service 2>&1 | grep boatswain || echo "unit: fine"
            man -w boatswaind boatswain
            bash -c 'source /usr/share/bash-completion/completions/boatswain; complete -p boatswain'
            # A second time, as an upgrade: what was changed stays.
            echo '# mine' >>/etc/boatswain/boatswain.toml
            dpkg -i /package/boatswain.deb >/dev/null
            grep '# mine' /etc/boatswain/boatswain.toml
            touch /var/lib/boatswain/spooled
            dpkg -r boatswain
            ls /var/lib/boatswain/spooled /etc/boatswain/boatswain.toml
            ! command -v boatswaind
            dpkg -P boatswain
            ls /etc/boatswain/keys
            ! ls /var/lib/boatswain /etc/boatswain/boatswain.toml 2>/dev/null
            ! getent passwd boatswain
            ! dpkg -s boatswain 2>/dev/null
            ! find / -xdev -name '*boatswain*' -newer /package/boatswain.deb -path '/[uev]*' ! -path '/etc/boatswain*' | grep .
            echo all gone
        """)
        self.assertIn("Boatswain is installed and not started", said)
        self.assertIn(":/var/lib/boatswain:/usr/sbin/nologin", said)
        self.assertIn("state: boatswain boatswain 750", said)
        self.assertIn("unit: fine", said)
        self.assertIn("/usr/share/man/man8/boatswaind.8.gz", said)
        self.assertIn("acme.pub", said, "a key that somebody put there is his")
        self.assertTrue(said.rstrip().endswith("all gone"), said)
        self.assertEqual(set(os.listdir("/etc")), before, "this machine was not touched")

    def test_the_image_holds_two_programs_and_no_other(self):
        tar = self.place / "out/boatswain-image.tar"
        listing = subprocess.run(["tar", "-tvf", tar], capture_output=True, text=True, check=True).stdout
        programs = [line.split()[-1] for line in listing.splitlines() if line.startswith("-") and "x" in line.split()[0]]
        self.assertEqual(sorted(programs), ["./lib64/ld-linux-x86-64.so.2", "./usr/bin/boatswain", "./usr/bin/boatswaind"])
        self.assertLess(tar.stat().st_size, 48 << 20)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=2)
