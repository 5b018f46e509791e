#!/usr/bin/python3
"""wycheproof_test.py SCRIPTS TOOL: Wycheproof's vectors for what our age code is made of.

X25519, ChaCha20-Poly1305 in the direction that opens, HKDF and HMAC with SHA-256, as our own functions compute them. A
vector applies when our function can be asked its question: age has no additional data and nonces of 96 bits alone, and
takes 32 bytes from HKDF (which are those that a longer output begins with) with an info of 128 bytes at most.
"""
import json
import pathlib
import subprocess
import sys

from debian_vectors import files_of_package

SUITE, PACKAGE = "trixie", "librust-wycheproof-dev"
FOLDER = "usr/share/cargo/registry/wycheproof-*/src/data"
ZERO = "00" * 32
# So many apply in the first release that was tried: fewer means that we look in the wrong place.
APPLY_MIN = {"x25519": 518, "open": 90, "hkdf": 83, "hmac": 66}


def x25519(_, test):
    """A point of low order has no secret product: age refuses it, whatever the vector calls it."""
    return ["x25519", test["private"], test["public"]], "refused" if test["shared"] == ZERO else test["shared"]


def opened(_, test):
    if test["aad"] or len(test["iv"]) != 24:
        return None
    wanted = test["msg"] if test["result"] == "valid" else "refused"
    return ["open", test["key"], test["iv"], test["ct"] + test["tag"]], wanted


def without_a_bit(_, test):
    """Each sound message once more with a flipped bit: vectors that must be refused have additional data, mostly."""
    if test["aad"] or len(test["iv"]) != 24 or test["result"] != "valid":
        return None
    sealed = bytearray.fromhex(test["ct"] + test["tag"])
    sealed[test["tcId"] % len(sealed)] ^= 1 << test["tcId"] % 8
    return ["open", test["key"], test["iv"], sealed.hex()], "refused"


def hkdf(_, test):
    if test["result"] != "valid" or len(test["info"]) > 2 * 128:
        return None
    return ["hkdf", test["ikm"], test["salt"], test["info"]], test["okm"][:64]


def hmac(_, test):
    return (["hmac", test["key"], test["msg"]], test["tag"]) if test["result"] == "valid" else None


KINDS = [
    ("x25519_test", x25519),
    ("chacha20_poly1305_test", opened),
    ("chacha20_poly1305_test", without_a_bit),
    ("hkdf_sha256_test", hkdf),
    ("hmac_sha256_test", hmac),
]


def questions(folder):
    for file, kind in KINDS:
        for group in json.loads((folder / f"{file}.json").read_text())["testGroups"]:
            for test in group["tests"]:
                asked = kind(group, test)
                if asked:
                    yield f"{file} {test['tcId']} ({kind.__name__})", *asked


def main(scripts, tool):
    folders = list(files_of_package(scripts, SUITE, PACKAGE).glob(FOLDER))
    if len(folders) != 1:
        sys.exit(f"{PACKAGE} of {SUITE} has no {FOLDER}")
    asked = list(questions(folders[0]))
    lines = "".join(" ".join([words[0], *("x" + word for word in words[1:])]) + "\n" for _, words, _ in asked)
    answered = subprocess.run([tool, "primitives"], input=lines, capture_output=True, text=True)
    if answered.returncode:
        sys.exit(f"the tool ended with {answered.returncode}: {answered.stderr[-1000:]}")
    bad = 0
    for (name, words, wanted), answer in zip(asked, answered.stdout.splitlines(), strict=True):
        got = answer[: len(wanted)] if words[0] in ("hkdf", "hmac") else answer  # vectors may have shorter ones
        if got != wanted:
            bad += 1
            print(f"{name}: {answer}, not {wanted}", file=sys.stderr)
    counts = {kind: sum(words[0] == kind for _, words, _ in asked) for kind in APPLY_MIN}
    print(f"{len(asked)} vectors, {counts}; {bad} wrong")
    return bad > 0 or any(counts[kind] < least for kind, least in APPLY_MIN.items())


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()))
