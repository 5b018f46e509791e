#!/usr/bin/python3
"""docs/formats/derivation.md in another language: hashlib's scrypt, Bech32 from BIP 173, age-keygen for the public
half.

derive.py TENANT SECRET       prints the identity
derive.py --check FILE        checks every vector of FILE; exits 1 at the first that differs
derive.py --make FILE         prints FILE with scalar, identity and recipient filled in
"""
import hashlib
import subprocess
import sys

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech32_polymod(values):
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if top >> i & 1:
                check ^= generator
    return check


def bech32(prefix, data):
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    values = [int(bits[i : i + 5], 2) for i in range(0, len(bits), 5)]
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = bech32_polymod(expanded + values + [0] * 6) ^ 1
    values += [check >> 5 * (5 - i) & 31 for i in range(6)]
    return prefix + "1" + "".join(ALPHABET[value] for value in values)


def scalar(tenant, secret):
    return hashlib.scrypt(secret, salt=b"boatswain/derive/v1/" + tenant, n=2**14, r=8, p=4, maxmem=2**26, dklen=32)


def identity(tenant, secret):
    return bech32("age-secret-key-", scalar(tenant, secret)).upper()


def recipient(identity_text):
    return subprocess.run(
        ["age-keygen", "-y"], input=identity_text + "\n", capture_output=True, text=True, check=True
    ).stdout.strip()


def blocks(path):
    for block in open(path, encoding="utf-8").read().split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if lines:
            yield dict(line.split(": ", 1) for line in lines)


def filled(vector):
    tenant, secret = bytes.fromhex(vector["tenant-hex"]), bytes.fromhex(vector["secret-hex"])
    secret_key = identity(tenant, secret)
    return {
        **vector,
        "scalar-hex": scalar(tenant, secret).hex(),
        "identity": secret_key,
        "recipient": recipient(secret_key),
    }


if sys.argv[1] == "--check":
    vectors = list(blocks(sys.argv[2]))
    for vector in vectors:
        if filled(vector) != vector:
            sys.exit(f"differs: {vector['about']}")
    print(f"{len(vectors)} vectors agree")
elif sys.argv[1] == "--make":
    print("\n\n".join("\n".join(f"{k}: {v}" for k, v in filled(vector).items()) for vector in blocks(sys.argv[2])))
else:
    print(identity(sys.argv[1].encode(), sys.argv[2].encode()))
