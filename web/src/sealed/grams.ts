// Which frames cannot hold a text (docs/formats/rollup.md, "Grams of an hour").
import { termsOf } from "../lib/question";
import { refuse } from "./refused";

const framesOfGroup = 256;
const commonBytes = 8192;
const bitsMax = 65_536;
const gramBytes = 4;

// The slots that a frame must have to hold all texts that are looked for. A letter that is also another one's small or
// capital form (k and the Kelvin sign, s and the long s) tells nothing, nor does what is no ASCII.
export function slotsOf(text: string): number[] {
    const slots = new Set<number>();
    for (const term of termsOf(text)) {
        if (term.out) continue;
        for (let at = 0; at + gramBytes <= term.text.length; at++) {
            const piece = term.text.slice(at, at + gramBytes);
            if (!/^[\x00-\x7f]{4}$/.test(piece) || /[ks]/i.test(piece)) continue;
            let gram = 0;
            for (let i = gramBytes; i-- > 0; ) gram = (gram << 8) | piece.charCodeAt(i) | 0x20;
            slots.add(Math.imul(gram, 2654435761) >>> 16);
        }
    }
    return [...slots];
}

// Of each of `frames` frames, in order: 1 where it may hold all `slots`.
export function mayHold(grams: Uint8Array, frames: number, slots: readonly number[]): Uint8Array {
    const may = new Uint8Array(frames);
    const has = (from: number, bit: number) => ((grams[from + (bit >> 3)]! >> (bit & 7)) & 1) !== 0;
    let at = 0;
    for (let first = 0; first < frames; first += framesOfGroup) {
        const count = Math.min(framesOfGroup, frames - first);
        const flag = grams[at];
        if (flag !== 0 && flag !== 1) refuse("roll-up: its grams do not fit its frames");
        const common = at + 1;
        at += 1 + (flag ? commonBytes : 0);
        let filter = at + 2 * count;
        const missing = flag ? slots.filter((slot) => !has(common, slot)) : slots;
        for (let i = 0; i < count; i++, at += 2) {
            if (at + 2 > grams.length) refuse("roll-up: its grams end early");
            const bits = (grams[at]! | (grams[at + 1]! << 8)) * 8;
            if (bits > bitsMax || filter + bits / 8 > grams.length) refuse("roll-up: its grams end early");
            may[first + i] =
                bits === 0 || missing.every((slot) => has(filter, Math.floor((slot * bits) / 65_536))) ? 1 : 0;
            filter += bits / 8;
        }
        at = filter;
    }
    if (at !== grams.length) refuse("roll-up: its grams do not fit its frames");
    return may;
}
