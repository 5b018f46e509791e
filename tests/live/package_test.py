#!/usr/bin/python3
"""The Debian packages: built by ./dev package's script, installed, used, removed and purged, in a root of its own that
vanishes.

The root is an overlay over this machine's in a mount namespace: dpkg and the maintainer scripts see a real Debian, and
write nothing to it.
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
cp "$2" "$place/root/package/boatswain-tools.deb"
exec chroot "$place/root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
    LC_ALL=C.UTF-8 /bin/sh -eu -c "$3"
"""


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="bwk.", dir="/tmp"))
        cls.addClassCleanup(shutil.rmtree, cls.place, True)
        made = subprocess.run(
            [ROOT / "scripts/package.sh", "--programs", BUILD, "--to", cls.place / "out"],
            capture_output=True,
            text=True,
            timeout=280,
        )
        assert made.returncode == 0, made.stdout + made.stderr
        (cls.package,) = (cls.place / "out").glob("boatswain_*.deb")
        (cls.tools,) = (cls.place / "out").glob("boatswain-tools_*.deb")
        cls.said = made.stdout

    def in_a_root(self, script):
        overlay = pathlib.Path(tempfile.mkdtemp(prefix="bwo.", dir="/tmp"))
        self.addCleanup(overlay.rmdir)
        ran = subprocess.run(
            [
                "unshare",
                "--mount",
                "--propagation",
                "private",
                "/bin/sh",
                "-c",
                OVERLAY,
                "sh",
                str(overlay),
                str(self.package),
                str(self.tools),
                script,
            ],
            capture_output=True,
            text=True,
            timeout=200,
        )
        self.assertEqual(ran.returncode, 0, f"{ran.stdout}\n{ran.stderr}")
        return ran.stdout

    def field(self, package, name):
        return subprocess.run(
            ["dpkg-deb", "--field", package, name], capture_output=True, text=True, check=True
        ).stdout.strip()

    def listing(self, package):
        return (
            subprocess.run(["dpkg-deb", "--contents", package], capture_output=True, text=True, check=True).stdout
            + "\n"
        )

    def test_it_holds_what_an_operator_needs_and_says_what_it_depends_on(self):
        self.assertEqual(self.field(self.package, "Package"), "boatswain")
        for needed in (
            "libc6",
            "libcurl4",
            "libssl3",
            "libzstd1",
            "libsqlite3-0",
            "adduser",
            "ca-certificates",
            "boatswain-tools (= ",
        ):
            self.assertIn(needed, self.field(self.package, "Depends"))
        self.assertEqual(self.field(self.package, "Recommends"), "", "an engine is suggested, never brought along")
        self.assertIn("docker", self.field(self.package, "Suggests"))
        listing = self.listing(self.package)
        for line in (listing + self.listing(self.tools)).split("\n"):
            if not line:
                continue
            self.assertIn(" root/root ", line, "everything is root's")
            self.assertNotRegex(line.split()[0][1:], "^.......w.", "nothing is everybody's to write")
        for path in (
            "/usr/bin/boatswaind",
            "/etc/boatswain/boatswain.toml",
            "/etc/boatswain/keys/",
            "/usr/lib/systemd/system/boatswain.service",
            "/usr/lib/systemd/system/boatswain-guard.service",
            "/usr/share/man/man8/boatswaind.8.gz",
            "/usr/share/bash-completion/completions/boatswaind",
            "/usr/share/zsh/vendor-completions/_boatswaind",
            "/usr/share/fish/vendor_completions.d/boatswaind.fish",
            "/usr/share/doc/boatswain/copyright",
            "/usr/share/doc/boatswain/examples/marathon/agent.json",
            "/usr/share/doc/boatswain/docs/operate/agent.md",
            "/usr/share/doc/boatswain/docs/intake/tenancy.md",
        ):
            self.assertIn(f" .{path}\n", listing)
        self.assertNotIn(" ./usr/bin/boatswain\n", listing)

    def test_a_readers_laptop_gets_the_tool_alone(self):
        self.assertEqual(self.field(self.tools, "Package"), "boatswain-tools")
        self.assertNotIn("adduser", self.field(self.tools, "Depends"))
        listing = self.listing(self.tools)
        for path in (
            "/usr/bin/boatswain",
            "/usr/share/man/man1/boatswain.1.gz",
            "/usr/share/bash-completion/completions/boatswain",
            "/usr/share/zsh/vendor-completions/_boatswain",
            "/usr/share/fish/vendor_completions.d/boatswain.fish",
        ):
            self.assertIn(f" .{path}\n", listing)
        for part in ("boatswaind", "systemd", "/etc/"):
            self.assertNotIn(part, listing)
        self.in_a_root(
            """
            dpkg -i /package/boatswain-tools.deb >/dev/null
            boatswain keys new acme --out /root >/dev/null
            ! command -v boatswaind
            ! getent passwd boatswain
        """
        )

    def test_debians_own_checker_finds_nothing(self):
        for package in (self.package, self.tools):
            checked = subprocess.run(
                ["lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0", package],
                capture_output=True,
                text=True,
                timeout=200,
            )
            self.assertEqual((checked.returncode, checked.stdout), (0, ""), checked.stderr)

    def test_it_is_installed_and_removed_and_purged_and_nothing_is_left(self):
        before = set(os.listdir("/etc"))
        said = self.in_a_root(
            """
            ! getent passwd boatswain
            # Small images of Debian leave pages and documents out; we look at them.
            dpkg --path-include '/usr/share/*' -i /package/boatswain-tools.deb /package/boatswain.deb
            echo "user: $(getent passwd boatswain)"
            stat -c 'state: %U %G %a' /var/lib/boatswain
            stat -c 'store: %U %G %a' /var/lib/boatswain-store
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
            dpkg -i /package/boatswain-tools.deb /package/boatswain.deb >/dev/null
            grep '# mine' /etc/boatswain/boatswain.toml
            touch /var/lib/boatswain/state.sqlite
            dpkg -r boatswain boatswain-tools
            ls /var/lib/boatswain/state.sqlite /etc/boatswain/boatswain.toml
            ! command -v boatswaind boatswain
            dpkg -P boatswain boatswain-tools
            ls /etc/boatswain/keys
            ! ls -d /var/lib/boatswain /var/lib/boatswain-store /etc/boatswain/boatswain.toml 2>/dev/null
            ! getent passwd boatswain
            ! dpkg -s boatswain 2>/dev/null
            left=$(find / -xdev -name '*boatswain*' -newer /package/boatswain.deb -path '/[uev]*' || true)
            ! echo "$left" | grep -v '^/etc/boatswain' | grep .
            echo all gone
        """
        )
        self.assertIn("Boatswain is installed and not started", said)
        self.assertIn(":/var/lib/boatswain:/usr/sbin/nologin", said)
        self.assertIn("state: boatswain boatswain 750", said)
        self.assertIn("store: boatswain boatswain 750", said)
        self.assertIn("unit: fine", said)
        self.assertIn("/usr/share/man/man8/boatswaind.8.gz", said)
        self.assertIn("acme.pub", said, "a key that somebody put there is his")
        self.assertTrue(said.rstrip().endswith("all gone"), said)
        self.assertEqual(set(os.listdir("/etc")), before, "this machine was not touched")

    def test_purging_keeps_sealed_logs_and_names_them(self):
        for kept, gone in (
            ("/var/lib/boatswain-store/v1/tenant=acme/x.age", "/var/lib/boatswain"),
            ("/var/lib/boatswain/spool/7.age", "/var/lib/boatswain-store"),
            ("/var/lib/boatswain/store/v1/tenant=acme/x.age", "/var/lib/boatswain-store"),
        ):
            with self.subTest(kept=kept):
                said = self.in_a_root(
                    f"""
                    dpkg -i /package/boatswain-tools.deb /package/boatswain.deb >/dev/null
                    install -D -o boatswain /etc/hostname {kept}
                    dpkg -P boatswain
                    ls {kept}
                    ! ls -d {gone} 2>/dev/null
                    getent passwd boatswain
                """
                )
                self.assertIn(f"boatswain: kept {'/'.join(kept.split('/')[:4])}: 1 sealed segments", said)

    def test_the_image_holds_two_programs_and_no_other(self):
        tar = self.place / "out/boatswain-image.tar"
        listing = subprocess.run(["tar", "-tvf", tar], capture_output=True, text=True, check=True).stdout
        programs = [
            line.split()[-1] for line in listing.splitlines() if line.startswith("-") and "x" in line.split()[0]
        ]
        self.assertEqual(
            sorted(programs), ["./lib64/ld-linux-x86-64.so.2", "./usr/bin/boatswain", "./usr/bin/boatswaind"]
        )
        self.assertLess(tar.stat().st_size, 48 << 20)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=2)
