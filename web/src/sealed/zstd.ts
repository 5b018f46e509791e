// One zstd frame, decompressed by WebAssembly (zstddec: the decoder of the zstd library, its checksums too).
import { ZSTDDecoder } from "zstddec";
import { u32 } from "./bytes";
import { refuse } from "./refused";

const decoder = new ZSTDDecoder();
let ready: Promise<void> | undefined;

// Before the first decompress().
export function initZstd(): Promise<void> {
    return (ready ??= decoder.init());
}

const magic = 0xfd2fb528;

// What the head of a frame says (RFC 8878 section 3.1.1.1).
function headOf(frame: Uint8Array): { bytes: number; content: number; hasChecksum: boolean } {
    if (frame.length < 6 || u32(frame, 0) !== magic) refuse("zstd frame: it does not start as one");
    const descriptor = frame[4]!;
    const isSingle = (descriptor & 0x20) !== 0;
    const sizeFlag = descriptor >> 6;
    if ((descriptor & 0x08) !== 0) refuse("zstd frame: a reserved bit is set");
    let at = 5 + (isSingle ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
    const sizeBytes = sizeFlag === 0 ? (isSingle ? 1 : 0) : 1 << sizeFlag;
    if (sizeBytes === 0) refuse("zstd frame: it does not say its content size");
    if (frame.length < at + sizeBytes) refuse("zstd frame: it is cut short");
    let content = 0;
    for (let i = sizeBytes; i-- > 0; ) content = content * 256 + frame[at + i]!;
    if (sizeBytes === 2) content += 256;
    at += sizeBytes;
    return { bytes: at, content, hasChecksum: (descriptor & 0x04) !== 0 };
}

// How many bytes the frame at the start of `frame` takes.
function frameBytes(frame: Uint8Array, head: { bytes: number; hasChecksum: boolean }): number {
    let at = head.bytes;
    for (let isLast = false; !isLast; ) {
        if (frame.length < at + 3) refuse("zstd frame: it is cut short");
        const block = frame[at]! | (frame[at + 1]! << 8) | (frame[at + 2]! << 16);
        isLast = (block & 1) !== 0;
        const isRepeated = ((block >> 1) & 3) === 1;
        at += 3 + (isRepeated ? 1 : block >> 3);
    }
    return at + (head.hasChecksum ? 4 : 0);
}

// Its text; `expected`: how long that must be. More than `bytesMax` is refused before anything is decompressed.
export function decompress(frame: Uint8Array, bytesMax: number, expected?: number): Uint8Array {
    const head = headOf(frame);
    const { content } = head;
    if (content > bytesMax)
        refuse(`zstd frame: it says that it holds ${content} bytes, at most ${bytesMax} are allowed`);
    if (expected !== undefined && content !== expected)
        refuse(`zstd frame: it says that it holds ${content} bytes, the footer says ${expected}`);
    if (frameBytes(frame, head) !== frame.length) refuse("zstd frame: it is cut short, or something follows it");
    // The decoder takes 0 for "look it up" and gives an empty text for what it does not decompress.
    const text = decoder.decode(frame, Math.max(content, 1));
    if (text.length !== content) refuse("zstd frame: it is damaged");
    return text;
}
