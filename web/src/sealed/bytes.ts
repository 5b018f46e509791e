// Numbers and texts in bytes.
import { refuse } from "./refused";

export type Bytes = Uint8Array<ArrayBuffer>;

// Bytes [first, first + length) of an object.
export type Fetch = (first: number, length: number) => Promise<Bytes>;

export function u32(bytes: Uint8Array, at: number): number {
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

export async function fetchExactly(fetch: Fetch, first: number, length: number): Promise<Bytes> {
    if (length === 0) return new Uint8Array(0);
    const bytes = await fetch(first, length);
    if (bytes.length !== length)
        throw new Error(`asked for ${length} bytes at ${first}, got ${bytes.length}: ask again`);
    return bytes;
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function utf8(bytes: Uint8Array, what: string): string {
    try {
        return strict.decode(bytes);
    } catch {
        refuse(`${what}: not UTF-8`);
    }
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Canonical base64 without padding; null for anything else.
export function base64(text: string): Bytes | null {
    if (text.length % 4 === 1) return null;
    const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
    let held = 0;
    let bits = 0;
    let size = 0;
    for (const one of text) {
        const value = alphabet.indexOf(one);
        if (value < 0) return null;
        held = ((held << 6) | value) & 0xffff;
        bits += 6;
        if (bits >= 8) bytes[size++] = (held >> (bits -= 8)) & 0xff;
    }
    return (held & ((1 << bits) - 1)) === 0 ? bytes : null;
}

// A part of a key, percent-encoded, read back; null for an encoding that a writer would not have chosen.
export function decodedPart(part: string): string | null {
    let text: string;
    try {
        text = decodeURIComponent(part);
    } catch {
        return null;
    }
    return text !== "" && encodedPart(text) === part ? text : null;
}

function encodedPart(text: string): string {
    if (/^\.+$/.test(text)) return "%2E".repeat(text.length);
    return encodeURIComponent(text).replace(
        /[!'()*]/g,
        (one) => `%${one.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
    );
}
