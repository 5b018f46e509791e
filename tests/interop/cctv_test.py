#!/usr/bin/python3
"""cctv_test.py SCRIPTS TOOL: C2SP's vectors for age (CCTV), read by our reader.

They come from a Debian package of a newer suite, unpacked into the cache (scripts/debian.sh), not from this tree. Our
reader knows binary files for X25519 identities: of those it accepts exactly what must be accepted, with the payload
that the vector names. Everything else it has to refuse, whatever it is.
"""
import collections
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zlib

from debian_vectors import files_of_package

SUITE, PACKAGE = "trixie", "golang-github-c2sp-cctv-dev"
FOLDER = "usr/share/gocode/src/c2sp.org/CCTV/age/testdata"
APPLY_MIN = 67  # so many apply in the first release that was tried: fewer means that we look in the wrong place
SOME_IDENTITY = "AGE-SECRET-KEY-1XMWWC06LY3EE5RYTXM9MFLAZ2U56JJJ36S0MYPDRWSVLUL66MV4QX3S7F6"  # of their own, public


class Vector:
    def __init__(self, path):
        self.name = path.name
        head, _, body = path.read_bytes().partition(b"\n\n")
        self.fields = collections.defaultdict(list)
        for line in head.decode().splitlines():
            name, _, value = line.partition(": ")
            self.fields[name].append(value)
        self.bytes = zlib.decompress(body) if "compressed" in self.fields else body
        self.identities = [
            one
            for one in self.fields["identity"]
            if one.startswith("AGE-SECRET-KEY-1") and not one.startswith("AGE-SECRET-KEY-PQ")
        ]
        self.applies = bool(self.identities) and "armored" not in self.fields
        self.succeeds = self.applies and self.fields["expect"] == ["success"]


def problem_of(tool, vector, place):
    (place / "identities").write_text("\n".join(vector.identities or [SOME_IDENTITY]) + "\n")
    (place / "file").write_bytes(vector.bytes)
    read = subprocess.run([tool, "decrypt", place / "identities", place / "file"], capture_output=True)
    if read.returncode not in (0, 1):
        return f"the tool ended with {read.returncode}: {read.stderr.decode()[-500:]}"
    if vector.succeeds and read.returncode:
        return f"refused: {read.stderr.decode().strip()}"
    if vector.succeeds and hashlib.sha256(read.stdout).hexdigest() != vector.fields["payload"][0]:
        return "accepted, with another payload"
    if not vector.succeeds and read.returncode == 0:
        return f"accepted, and must be refused ({vector.fields['expect'][0]})"
    return None


def main(scripts, tool):
    vectors = [Vector(path) for path in sorted((files_of_package(scripts, SUITE, PACKAGE) / FOLDER).iterdir())]
    applying = sum(vector.applies for vector in vectors)
    with tempfile.TemporaryDirectory(prefix="bw-cctv.") as place:
        problems = {vector.name: problem_of(tool, vector, pathlib.Path(place)) for vector in vectors}
    bad = {name: problem for name, problem in problems.items() if problem}
    for name, problem in bad.items():
        print(f"{name}: {problem}", file=sys.stderr)
    print(
        f"{len(vectors)} vectors, {applying} for binary files and X25519, of which {sum(v.succeeds for v in vectors)} "
        f"are to be accepted; {len(bad)} wrong"
    )
    return bool(bad) or applying < APPLY_MIN


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()))
