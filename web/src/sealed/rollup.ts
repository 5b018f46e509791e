// The roll-up of a day: what its segments' footers say, by a few requests (docs/formats/rollup.md). It is believed only
// where it is proven by an identity that is here; whatever is wrong with it, it is as if it were not there.
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { base64nopad, bech32 } from "@scure/base";
import { identityToRecipient } from "age-encryption";
import { openFile, readPlaintext, type Opened } from "./age";
import { u32, utf8, type Fetch } from "./bytes";
import { parseFooter, type Footer } from "./footer";
import { mayHold } from "./grams";
import { readKey } from "./key";
import { refuse as refuseIt } from "./refused";
import { decompress, initZstd } from "./zstd";

const refuse = (why: string): never => refuseIt(`roll-up: ${why}`);

const indexBytesMax = 1 << 20;
const proofBytes = 64;
const proofsMax = 64;
const trailerBytes = 16;
const hoursMax = 24;
// Of one hour; docs/formats allow 256 MiB.
const footersTextMax = 64 << 20;
const gramsBytesMax = 64 << 20;
const tailBytes = 64 << 10;

interface Part {
    offset: number;
    bytes: number;
}

export interface Hour {
    hour: string; // 2026-11-30T10
    footers: Part;
    footersTextBytes: number;
    grams: Part | null;
}

export interface Rollup {
    opened: Opened;
    hours: Hour[];
}

// What a roll-up says of one segment.
export interface Summary {
    key: string;
    size: number;
    mac: string; // as the object's header writes it
    footer: Footer;
}

export async function openRollup(
    tenant: string,
    day: string,
    size: number,
    fetch: Fetch,
    identities: readonly string[],
): Promise<Rollup> {
    await initZstd();
    const { plaintextBytes, header, ...opened } = await openFile(size, fetch, identities);
    const from = Math.max(0, plaintextBytes - tailBytes);
    let tail = await readPlaintext(opened, fetch, from, plaintextBytes - from);
    if (plaintextBytes < trailerBytes) refuse("too short");
    const trailer = tail.subarray(tail.length - trailerBytes);
    if (String.fromCharCode(...trailer.subarray(8)) !== "BSWNRLP2") refuse("it does not end as one");
    const [indexBytes, proofs] = [u32(trailer, 0), u32(trailer, 4)];
    const end = indexBytes + proofs * proofBytes + trailerBytes;
    if (proofs > proofsMax || indexBytes > indexBytesMax || end > plaintextBytes) refuse("lengths that do not fit");
    if (end > tail.length) tail = await readPlaintext(opened, fetch, plaintextBytes - end, end);
    const indexAt = tail.length - end;
    const index = tail.subarray(indexAt, indexAt + indexBytes);
    const proven = tail.subarray(indexAt + indexBytes, tail.length - trailerBytes);
    const said = new Uint8Array([...base64nopad.decode(header.mac), ...index]);
    if (!(await isProven(said, proven, identities))) refuse("no proof by the key that is here");
    const json: unknown = JSON.parse(utf8(decompress(index, indexBytesMax), "roll-up"));
    return { opened, hours: hoursIn(json, tenant, day, plaintextBytes - end) };
}

// `said`: the MAC of the age header and the index. No part of the object has a hash: who does not know the file key makes
// no chunk that opens.
async function isProven(said: Uint8Array, proofs: Uint8Array, identities: readonly string[]): Promise<boolean> {
    const text = (bytes: Uint8Array) => base64nopad.encode(bytes);
    for (const identity of identities) {
        const secret = bech32.decodeToBytes(identity.toLowerCase()).bytes;
        const recipient = bech32.decodeToBytes(await identityToRecipient(identity)).bytes;
        const key = hkdf(sha256, secret, undefined, new TextEncoder().encode("boatswain rollup v2"), 32);
        const proof = text(new Uint8Array([...recipient, ...hmac(sha256, key, said)]));
        for (let at = 0; at < proofs.length; at += proofBytes)
            if (text(proofs.subarray(at, at + proofBytes)) === proof) return true;
    }
    return false;
}

type Json = Record<string, unknown>;
const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function partIn(value: unknown, bytesMax: number): Part {
    const { offset, bytes } = (value ?? {}) as Json;
    if (!isNumber(offset) || !isNumber(bytes) || offset + bytes > bytesMax) return refuse("a part outside of it");
    return { offset, bytes };
}

function hoursIn(value: unknown, tenant: string, day: string, partsBytes: number): Hour[] {
    const index = value as Json;
    if (index?.version !== 2 || index.tenant !== tenant || index.day !== day)
        refuse("of another version, tenant or day");
    const hours = index.hours as Json[];
    if (!Array.isArray(hours) || hours.length > hoursMax) return refuse("hours that are none");
    return hours.map((one) => {
        const hour = String(one.hour);
        if (!hour.startsWith(`${day}T`) || !hour.endsWith(":00:00.000000000Z")) refuse("an hour of another day");
        const textBytes = (one.footers as Json | undefined)?.text_bytes;
        if (!isNumber(textBytes)) return refuse("footers without a size");
        return {
            hour: hour.slice(0, 13),
            footers: partIn(one.footers, partsBytes),
            footersTextBytes: textBytes,
            grams: one.grams === undefined ? null : partIn(one.grams, partsBytes),
        };
    });
}

const read = (rollup: Rollup, fetch: Fetch, part: Part): Promise<Uint8Array> =>
    readPlaintext(rollup.opened, fetch, part.offset, part.bytes);

export async function readSummaries(rollup: Rollup, fetch: Fetch, hour: Hour, tenant: string): Promise<Summary[]> {
    await initZstd();
    const packed = await read(rollup, fetch, hour.footers);
    const text = decompress(packed, footersTextMax, hour.footersTextBytes);
    const all: Summary[] = [];
    let at = 0;
    const take = (length: number) => {
        if (at + length > text.length) refuse("footers that end early");
        return text.subarray(at, (at += length));
    };
    while (at < text.length) {
        const key = utf8(take(u32(take(4), 0)), "roll-up");
        const size = take(8);
        const bytes = u32(size, 0) + u32(size, 4) * 2 ** 32;
        const mac = base64nopad.encode(take(32));
        const footer = parseFooter(utf8(take(u32(take(4), 0)), "roll-up"), bytes);
        const named = readKey(key);
        if (named?.tenant !== tenant || footer.tenant !== tenant || named.host !== footer.host)
            refuse("a footer of another tenant or host");
        if (named!.epoch !== footer.epoch || named!.sequence !== footer.sequence) refuse("a footer of another segment");
        all.push({ key, size: bytes, mac, footer });
    }
    return all;
}

// Of each frame of the hour's segments, in their order: 1 where it may hold all `slots`.
export async function filter(
    rollup: Rollup,
    fetch: Fetch,
    grams: Part,
    frames: number,
    slots: readonly number[],
): Promise<Uint8Array> {
    if (grams.bytes > gramsBytesMax) refuse("too many grams");
    return mayHold(await read(rollup, fetch, grams), frames, slots);
}
