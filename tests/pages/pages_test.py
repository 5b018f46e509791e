#!/usr/bin/python3
"""pages_test.py BUILD: runs what the operator's pages tell people to type, word for word, in a root of its own that
vanishes.

The root is a Debian 12 made by debootstrap, with an engine of its own and the image `busybox`, and none of our files:
the first page
installs the packages. All pages run in it one after the other, as an operator would read them: each page is one shell,
each fenced block of
`sh` is run in order, and a command that fails ends the page. A block behind `<!-- not run: REASON -->` is not run; the
test lists
each with its reason, so that nothing is passed over unseen. `systemctl` is a small one (tests/pages/systemctl) that
runs the units' own command lines.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv[1])
# In the order of a reader: the first page installs, the last one uninstalls.
PAGES = [
    "README.md",
    "docs/start.md",
    "docs/operate/systemd.md",
    "docs/operate/customers.md",
    "docs/operate/quarantine.md",
    "docs/operate/keys.md",
    "docs/operate/migration.md",
    "docs/operate/cost.md",
    "docs/operate/sizing.md",
    "docs/operate/canary.md",
    "docs/operate/retention.md",
    "docs/operate/offboarding.md",
    "docs/operate/backup.md",
    "docs/operate/upgrade.md",
]
SUITE = "bookworm"
PROGRAMS = "ca-certificates,docker.io,age,zstd,busybox-static,python3-minimal,adduser,libcap2-bin,curl"
SECONDS_MAX = 420

BLOCK = re.compile(
    r"^(?:<!-- (?:not run|drill): (?P<reason>[^\n]*) -->\n)?```(?P<kind>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


def blocks(page):
    """(commands, reason why they are not run) of each fenced block of sh."""
    for found in BLOCK.finditer((ROOT / page).read_text()):
        if found["kind"] == "sh":
            yield found["text"], found["reason"]


def mirror():
    for path in [*pathlib.Path("/etc/apt/sources.list.d").glob("*.sources"), pathlib.Path("/etc/apt/sources.list")]:
        if path.exists() and (
            found := re.search(r"^(?:URIs:\s*|deb\s+(?:\[[^]]*\]\s+)?)(\S+)", path.read_text(), re.MULTILINE)
        ):
            return found[1]
    raise AssertionError("no mirror in apt's sources")


def base():
    """The unpacked suite, made once for a build directory: a minute, and 600 MB."""
    kept = BUILD / f"{SUITE}-pages"
    if not (kept / ".whole").exists():
        shutil.rmtree(kept, ignore_errors=True)
        made = subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={PROGRAMS}", SUITE, kept, mirror()],
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stdout[-3000:] + made.stderr[-3000:]
        (kept / ".whole").touch()
    return kept


# The first process of a pid namespace: with it everything ends that was started in the root.
OUTER = r"""
set -eu
place=$1 base=$2
mount -t tmpfs tmpfs "$place"
mkdir "$place/upper" "$place/work" "$place/root"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$place/upper,workdir=$place/work" "$place/root"
root=$place/root
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t tmpfs tmpfs "$root/run"
# overlay over overlay: the engine keeps its images on a file system of its own
mkdir -p "$root/var/lib/docker"; mount -t tmpfs tmpfs "$root/var/lib/docker"
rm -rf "$root/etc/apt"; cp -a /etc/apt "$root/etc/apt"
# A person says yes to apt's question.
echo 'APT::Get::Assume-Yes "true";' >"$root/etc/apt/apt.conf.d/99yes"
cp -a /usr/share/keyrings/. "$root/usr/share/keyrings/"
cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
cp -L /etc/hosts "$root/etc/hosts" 2>/dev/null || true
mkdir -p "$root/root/packages"; cp "$place"/../packages/*.deb "$root/root/packages/"
install -m 755 "$3" "$root/usr/local/bin/systemctl"
echo ready
exec chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 /bin/bash -c "$4"
"""

INNER = r"""
set -eu
cd /root/packages
dockerd --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false --bridge=none --storage-driver=vfs \
    >/var/log/dockerd.log 2>&1 </dev/null &
for _ in $(seq 600); do docker version >/dev/null 2>&1 && break; sleep 0.1; done
docker version >/dev/null || { tail -n 20 /var/log/dockerd.log; exit 1; }
mkdir -p /tmp/image/bin
cp /usr/bin/busybox /tmp/image/bin/ 2>/dev/null || cp /bin/busybox /tmp/image/bin/
for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -sf busybox "/tmp/image/bin/$applet"; done
tar -C /tmp/image -c . | docker import -c 'ENV PATH=/bin' -c 'CMD ["/bin/sh"]' - busybox >/dev/null
# The first apt-get of a page would look at lists that are not there.
apt-get update -qq >/dev/null
failed=0
for page in /tmp/pages/*; do
    echo "=== $(basename "$page")"
    if ! bash -euo pipefail -x "$page" 2>&1; then echo "=== FAILED"; failed=1; break; fi
done
[ "$failed" = 0 ] || for log in /var/log/boatswain*.log; do echo "=== $log"; tail -n 20 "$log"; done
docker ps -q | xargs -r docker kill >/dev/null
exit $failed
"""


class Pages(unittest.TestCase):
    def test_every_command_of_the_pages_works_or_says_why_it_is_not_run(self):
        place = pathlib.Path(tempfile.mkdtemp(prefix="bwp.", dir="/tmp"))
        self.addCleanup(shutil.rmtree, place, True)
        (place / "packages").mkdir()
        (place / "root").mkdir()
        made = subprocess.run(
            [ROOT / "scripts/package.sh", "--programs", BUILD, "--to", place / "packages"],
            capture_output=True,
            text=True,
        )
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        scripts, not_run, run = "mkdir -p /tmp/pages\n", [], 0
        for number, page in enumerate(PAGES):
            text = ""
            for commands, reason in blocks(page):
                if reason:
                    not_run.append(f"{page}: {reason}: {commands.splitlines()[0]}")
                else:
                    text += commands
                    run += 1
            scripts += f"cat >/tmp/pages/{number:02}-{page.replace('/', '-')} <<'END OF PAGE'\n{text}END OF PAGE\n"
        print(f"{run} blocks are run; not run:", *not_run, sep="\n  ")
        self.assertGreater(run, 20, "the pages have lost their commands, or this test its eyes")
        command = [
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--propagation",
            "private",
            "/bin/sh",
            "-c",
            OUTER,
            "sh",
            str(place / "root"),
            str(base()),
            str(ROOT / "tests/pages/systemctl"),
            scripts + INNER,
        ]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, stdin=subprocess.DEVNULL)
        self.assertEqual(ran.returncode, 0, f"{ran.stdout[-8000:]}\n{ran.stderr[-3000:]}")
        print(ran.stdout if "-v" in sys.argv else "all of them work")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
