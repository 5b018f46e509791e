// One segment, opened in the browser: its footer, and the text of its frames.
import { openFile, readPlaintext, type Opened } from "./age";
import type { Bytes, Fetch } from "./bytes";
import { checkChain } from "./chain";
import { readFooter, type Footer, type Frame } from "./footer";
import { readKey } from "./key";
import { refuse } from "./refused";
import { decompress, initZstd } from "./zstd";

// An object of up to so many bytes comes with one request; of a larger one its end does.
export const wholeBytesMax = 128 << 10;
const tailBytes = 96 << 10;
const textBytesMax = 4 << 20;

export interface Segment {
    size: number; // of the object
    opened: Opened | null; // null: a roll-up said what is in it, and it is opened when a frame is wanted
    footer: Footer;
    // Tells copies of one object under two keys from two objects.
    mac: string;
}

// `key`: by which it came. "": by none (a test vector).
export async function openSegment(
    key: string,
    size: number,
    from: Fetch,
    identities: readonly string[],
): Promise<Segment> {
    await initZstd();
    const fetch = await withTail(size, from);
    const { header, plaintextBytes, ...opened } = await openFile(size, fetch, identities);
    // The footer reads a few bytes here and there of the same last chunks: they are opened once.
    let held: { at: number; bytes: Bytes } | null = null;
    const read = async (offset: number, length: number) => {
        if (!held || offset < held.at) {
            const at = Math.min(offset, Math.floor(Math.max(0, plaintextBytes - 1) / 65_536) * 65_536);
            held = { at, bytes: await readPlaintext(opened, fetch, at, plaintextBytes - at) };
        }
        return held.bytes.subarray(offset - held.at, offset - held.at + length);
    };
    const footer = await readFooter(plaintextBytes, size, read);
    checkChain(header, footer);
    if (key) checkName(key, footer);
    return { size, opened, footer, mac: header.mac };
}

function checkName(key: string, footer: Footer) {
    const named = readKey(key);
    if (!named) refuse("its key is none of a segment");
    if (named.tenant !== footer.tenant) refuse("it is of another tenant than its key says");
    if (named.host !== footer.host || named.epoch !== footer.epoch || named.sequence !== footer.sequence)
        refuse("it was renamed: its footer says another host, epoch or number than its key");
}

// An object of which a roll-up knows the footer: it must be the one that the roll-up knows.
export async function openKnown({ size, footer, mac }: Segment, from: Fetch, identities: readonly string[]) {
    const fetch = size <= wholeBytesMax ? await withTail(size, from) : from;
    const { header, plaintextBytes, ...opened } = await openFile(size, fetch, identities);
    if (header.mac !== mac) refuse("the object is another one than the roll-up knows");
    const last = footer.frames.at(-1);
    if (last && last.offset + last.bytes > plaintextBytes) refuse("it is shorter than the roll-up says");
    return opened;
}

// With what is at hand of the object's end, or all of it.
async function withTail(size: number, fetch: Fetch): Promise<Fetch> {
    const first = size <= wholeBytesMax ? 0 : size - tailBytes;
    const tail = await fetch(first, size - first);
    if (tail.length !== size - first) refuse("the object has another size than was listed");
    return (at, length) =>
        at >= first && at + length <= size
            ? Promise.resolve(tail.subarray(at - first, at - first + length))
            : fetch(at, length);
}

// The texts of frames that lie side by side, by one fetch. What is wrong with one does not cost the others.
export async function* frameTexts(
    opened: Opened,
    fetch: Fetch,
    frames: readonly Frame[],
): AsyncGenerator<{ frame: Frame; text: Uint8Array } | { frame: Frame; error: unknown }> {
    await initZstd();
    const first = frames[0]!.offset;
    const last = frames.at(-1)!;
    let plaintext: Bytes;
    try {
        plaintext = await readPlaintext(opened, fetch, first, last.offset + last.bytes - first);
    } catch (error) {
        if (frames.length === 1) yield { frame: last, error };
        else for (const one of frames) yield* frameTexts(opened, fetch, [one]);
        return;
    }
    for (const frame of frames) {
        try {
            const at = frame.offset - first;
            yield { frame, text: decompress(plaintext.subarray(at, at + frame.bytes), textBytesMax, frame.textBytes) };
        } catch (error) {
            yield { frame, error };
        }
    }
}
