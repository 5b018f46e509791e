// npm age-encryption (typage) opens what we seal, and we open what it seals.
// node age_encryption.mjs PATH_OF_INTEROP_TOOL
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes, webcrypto } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Debian 12's node 18 has it, and not under its global name.
globalThis.crypto ??= webcrypto;
const { Decrypter, Encrypter, generateIdentity, identityToRecipient } = await import("age-encryption");

const tool = process.argv[2];
const directory = mkdtempSync(join(tmpdir(), "boatswain-interop-"));
const run = (args, input) => execFileSync(tool, args, { input, maxBuffer: 64 << 20 });
const same = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0;

try {
    const keys = [];
    for (let i = 0; i < 2; ++i) {
        const identity = await generateIdentity();
        const file = join(directory, `identity-${i}`);
        writeFileSync(file, `# made by age-encryption\n${identity}\n`);
        keys.push({ identity, file, recipient: await identityToRecipient(identity) });
    }

    for (const size of [0, 1, 65535, 65536, 65537, 131072, 1000000]) {
        const plaintext = randomBytes(size);

        const ours = run(["encrypt", ...keys.map((key) => key.recipient)], plaintext);
        for (const key of keys) {
            const decrypter = new Decrypter();
            decrypter.addIdentity(key.identity);
            assert(same(await decrypter.decrypt(new Uint8Array(ours)), plaintext), `age-encryption opens ours, ${size} bytes`);
        }

        const encrypter = new Encrypter();
        for (const key of keys) encrypter.addRecipient(key.recipient);
        const file = join(directory, "theirs");
        writeFileSync(file, await encrypter.encrypt(new Uint8Array(plaintext)));
        for (const key of keys) assert(same(run(["decrypt", key.file, file]), plaintext), `we open age-encryption's, ${size} bytes`);
    }

    // A segment: age-encryption, then stock zstd, print its text.
    const decrypter = new Decrypter();
    decrypter.addIdentity(keys[1].identity);
    const segment = run(["segment", ...keys.map((key) => key.recipient)]);
    assert(segment.includes("-> boatswain-chain node-7 "), "a segment has a chain stanza, which age-encryption passes over");
    const frames = await decrypter.decrypt(new Uint8Array(segment));
    const text = execFileSync("zstd", ["-d"], { input: frames, maxBuffer: 64 << 20 });
    assert(same(text, run(["sample"])), "age-encryption and zstd print a segment");
    console.log("age-encryption: every file opens both ways");
} finally {
    rmSync(directory, { recursive: true, force: true });
}
