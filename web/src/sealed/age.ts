// One age v1 file, opened in parts: its header by the age-encryption package, its payload chunk by chunk
// (https://c2sp.org/age). Refuses what the C++ reader refuses; bounded before anything is believed.
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { Decrypter } from "age-encryption";
import { base64, fetchExactly, type Bytes, type Fetch } from "./bytes";
import { NoMatch, refuse } from "./refused";

export const headerBytesMax = 64 << 10;
const stanzasMax = 64;
const bodyColumns = 64;
const firstFetch = 4096;
const nonceBytes = 16;
const tagBytes = 16;
const chunkBytes = 64 << 10;
const sealedChunkBytes = chunkBytes + tagBytes;
const objectBytesMax = 2 ** 40;

interface Stanza {
    args: string[];
    body: number; // bytes
}

export interface Header {
    bytes: number; // of all of it, with the newline behind the MAC
    mac: string; // as written
    stanzas: Stanza[];
}

// The header at the start of `file`; null: more of it is needed.
export function readHeader(file: Uint8Array): Header | null {
    const start = file.subarray(0, headerBytesMax);
    // Latin-1, so that a byte is a character; what is not ASCII is refused below.
    let text = "";
    for (let at = 0; at < start.length; at += 4096) text += String.fromCharCode(...start.subarray(at, at + 4096));
    const version = "age-encryption.org/v1\n";
    if (!text.startsWith(version)) {
        if (version.startsWith(text)) return null;
        refuse("age header: not an age v1 file");
    }
    const stanzas: Stanza[] = [];
    let at = version.length;
    const line = () => {
        const end = text.indexOf("\n", at);
        if (end < 0) {
            if (file.length >= headerBytesMax) refuse(`age header: longer than ${headerBytesMax} bytes`);
            return null;
        }
        const found = text.slice(at, end);
        at = end + 1;
        return found;
    };
    for (;;) {
        const first = line();
        if (first === null) return null;
        if (first.startsWith("---")) {
            const mac = first.startsWith("--- ") ? base64(first.slice(4)) : null;
            if (mac?.length !== 32) refuse("age header: a MAC that is not 32 bytes in canonical base64");
            if (stanzas.length === 0) refuse("age header: no recipient");
            return { bytes: at, mac: first.slice(4), stanzas };
        }
        if (!first.startsWith("-> ")) refuse("age header: a line that starts neither a stanza nor the MAC");
        if (stanzas.length === stanzasMax) refuse(`age header: more than ${stanzasMax} stanzas`);
        const args = first.slice(3).split(" ");
        if (args.some((arg) => !/^[\x21-\x7e]+$/.test(arg))) refuse("age header: an argument of a stanza is wrong");
        let body = 0;
        for (;;) {
            const row = line();
            if (row === null) return null;
            if (row.length > bodyColumns) refuse("age header: a body line longer than 64 columns");
            const bytes = base64(row);
            if (!bytes) refuse("age header: a body line that is not canonical base64");
            body += bytes.length;
            if (row.length < bodyColumns) break;
        }
        if (args[0] === "X25519" && (args.length !== 2 || base64(args[1]!)?.length !== 32 || body !== 32))
            refuse("age header: an X25519 stanza that is not as the specification wants it");
        stanzas.push({ args, body });
    }
}

// What is needed to read an object's payload. Plain data: workers pass it on to each other.
export interface Opened {
    size: number; // of the object
    headerBytes: number;
    payloadKey: Bytes;
}

export interface OpenedFile extends Opened {
    header: Header;
    plaintextBytes: number;
}

export async function openFile(size: number, fetch: Fetch, identities: readonly string[]): Promise<OpenedFile> {
    if (size > objectBytesMax) refuse("age file: longer than an object can be");
    let start = await fetchExactly(fetch, 0, Math.min(size, firstFetch));
    let header = readHeader(start);
    if (!header && start.length < size) {
        start = await fetchExactly(fetch, 0, Math.min(size, headerBytesMax));
        header = readHeader(start);
    }
    if (!header) refuse("age header: it is cut short");
    const nonceAt = header.bytes;
    if (size < nonceAt + nonceBytes) refuse("age file: it is cut short");
    const nonce =
        start.length >= nonceAt + nonceBytes
            ? start.subarray(nonceAt, nonceAt + nonceBytes)
            : await fetchExactly(fetch, nonceAt, nonceBytes);
    const fileKey = await fileKeyOf(start.subarray(0, header.bytes), identities);
    const payloadKey = hkdf(sha256, fileKey, nonce, new TextEncoder().encode("payload"), 32) as Bytes;
    fileKey.fill(0);
    const opened = { size, headerBytes: header.bytes, payloadKey };
    return { ...opened, header, plaintextBytes: plaintextBytesOf(opened) };
}

async function fileKeyOf(header: Uint8Array, identities: readonly string[]): Promise<Uint8Array> {
    const decrypter = new Decrypter();
    for (const identity of identities) decrypter.addIdentity(identity);
    try {
        return await decrypter.decryptHeader(header);
    } catch (error) {
        if (error instanceof Error && error.message.startsWith("no identity matched")) throw new NoMatch();
        refuse(`age header: ${error instanceof Error && error.message ? error.message : "it does not open"}`);
    }
}

const payloadBytesOf = ({ size, headerBytes }: Opened) => size - headerBytes - nonceBytes;

function plaintextBytesOf(opened: Opened): number {
    const bytes = payloadBytesOf(opened);
    const chunks = Math.ceil(bytes / sealedChunkBytes);
    const last = bytes - (chunks - 1) * sealedChunkBytes;
    if (chunks === 0 || last < tagBytes) refuse("age file: it is cut short");
    if (last === tagBytes && chunks > 1) refuse("age file: its last chunk is empty");
    return bytes - chunks * tagBytes;
}

// How many bytes of the object are fetched to read so much of its plaintext.
export const fetchedBytes = (offset: number, length: number) =>
    (Math.ceil((offset + length) / chunkBytes) - Math.floor(offset / chunkBytes)) * sealedChunkBytes;

// Bytes [offset, offset + length) of the plaintext, by one fetch.
export async function readPlaintext(opened: Opened, fetch: Fetch, offset: number, length: number): Promise<Bytes> {
    const all = payloadBytesOf(opened);
    const chunks = Math.ceil(all / sealedChunkBytes);
    const first = Math.floor(offset / chunkBytes);
    const end = Math.min(chunks, Math.max(first + 1, Math.ceil((offset + length) / chunkBytes)));
    const from = first * sealedChunkBytes;
    const payloadAt = opened.headerBytes + nonceBytes;
    const sealed = await fetchExactly(fetch, payloadAt + from, Math.min(all, end * sealedChunkBytes) - from);
    const text = new Uint8Array(sealed.length - (end - first) * tagBytes);
    for (let i = first; i < end; i++) {
        const at = (i - first) * sealedChunkBytes;
        const nonce = new Uint8Array(12);
        new DataView(nonce.buffer).setUint32(7, i);
        nonce[11] = i === chunks - 1 ? 1 : 0;
        try {
            const into = text.subarray((i - first) * chunkBytes, (i - first + 1) * chunkBytes);
            chacha20poly1305(opened.payloadKey, nonce).decrypt(sealed.subarray(at, at + sealedChunkBytes), into);
        } catch {
            refuse(`age file: chunk ${i} does not open: it was changed, or the object was cut`);
        }
    }
    const skipped = offset - first * chunkBytes;
    if (text.length < skipped + length) refuse("age file: it is shorter than its footer says");
    return text.subarray(skipped, skipped + length);
}
