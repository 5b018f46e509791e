// Which frames cannot hold a text (docs/formats/rollup.md, "Grams of an hour").
import { termsOf } from "../lib/question";
import { refuse } from "./refused";

const framesOfBand = 8192;
const framesInRowsMin = 64;
const gramBytes = 5;
const slotBits = 20;
const multiplier = 0x9e3779b97f4a7c15n;
const widthMax = 53;

export const rowsOf = (width: number) => (width ? (4 + ((width - 1) % 4)) << (((width - 1) >> 2) + 1) : 0);

// Runs of letters, digits and points, and of spaces between two letters.
const words = /(?:[A-Za-z0-9.]|(?<=[A-Za-z]) (?=[A-Za-z]))+/g;

function slotOf(piece: string): number {
    let gram = 0n;
    for (let i = gramBytes; i-- > 0; ) gram = (gram << 8n) | BigInt(piece.charCodeAt(i) | 0x20);
    return Number(BigInt.asUintN(64, gram * multiplier) >> BigInt(64 - slotBits));
}

// The slots that a frame must have to hold all texts that are looked for. A letter that is also another one's small or
// capital form (k and the Kelvin sign, s and the long s) tells nothing, nor does what is no ASCII.
export function slotsOf(text: string): number[] {
    const slots = new Set<number>();
    for (const term of termsOf(text)) {
        if (term.out) continue;
        for (const [word] of term.text.matchAll(words))
            for (let at = 0; at + gramBytes <= word.length; at++) {
                const piece = word.slice(at, at + gramBytes);
                // A space at its end is in a word only for the letter beyond it.
                const first = piece.startsWith(" ") ? at - 1 : at;
                const end = at + gramBytes + (piece.endsWith(" ") ? 1 : 0);
                if (!/[ks]/i.test(word.slice(first, end))) slots.add(slotOf(piece));
            }
    }
    return [...slots];
}

// Of each of `frames` frames, in order: 1 where it may hold all `slots`.
export function mayHold(grams: Uint8Array, frames: number, slots: readonly number[]): Uint8Array {
    const may = new Uint8Array(frames);
    let at = 0;
    for (let first = 0; first < frames; first += framesOfBand) {
        const count = Math.min(framesOfBand, frames - first);
        if (at + count > grams.length) refuse("roll-up: its grams end early");
        const widths = grams.subarray(at, at + count);
        at += count;
        const members: number[][] = Array.from({ length: widthMax + 1 }, () => []);
        widths.forEach((width, i) => {
            if (width > widthMax) refuse("roll-up: a filter of an unknown width");
            members[width]!.push(first + i);
        });
        for (const frame of members[0]!) may[frame] = 1;
        for (let width = 1; width <= widthMax; width++) {
            const { length } = members[width]!;
            const inRows = length >= framesInRowsMin;
            const stride = ((inRows ? length : rowsOf(width)) + 7) >> 3;
            const bytes = (inRows ? rowsOf(width) : length) * stride;
            if (at + bytes > grams.length) refuse("roll-up: its grams end early");
            const rows = slots.map((slot) => Math.floor((slot * rowsOf(width)) / 2 ** slotBits));
            members[width]!.forEach((frame, column) => {
                const has = (row: number) =>
                    inRows
                        ? grams[at + row * stride + (column >> 3)]! & (1 << (column & 7))
                        : grams[at + column * stride + (row >> 3)]! & (1 << (row & 7));
                may[frame] = rows.every(has) ? 1 : 0;
            });
            at += bytes;
        }
    }
    if (at !== grams.length) refuse("roll-up: its grams do not fit its frames");
    return may;
}
