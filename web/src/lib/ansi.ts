// Lines with terminal colours: split into pieces, each with its look. Every other escape sequence is left out, and what
// is left of control characters is shown as a picture of itself.

export interface Piece {
    text: string;
    // Of page.css: ansi-1 is red, ansi-9 bright red, bold, faint, italic, underline, strike, ansi-on-1...
    looks: string[];
    // One of 256 or 16 million colours; null: none.
    colour: string | null;
}

// ESC [ ... letter; ESC ] ... BEL or ESC \; ESC and one or two others.
const escape = /\x1b(?:\[([0-9:;<=>?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])/g;

interface Pen {
    fore: string | null;
    back: string | null;
    colour: string | null;
    looks: Set<string>;
}

export function piecesOf(text: string): Piece[] {
    if (!text.includes("\x1b")) return [{ text: visible(text), looks: [], colour: null }];
    const pieces: Piece[] = [];
    const pen: Pen = { fore: null, back: null, colour: null, looks: new Set() };
    let from = 0;
    const put = (to: number) => {
        if (to <= from) return;
        const looks = [...pen.looks];
        if (pen.fore) looks.push(pen.fore);
        if (pen.back) looks.push(pen.back);
        pieces.push({ text: visible(text.slice(from, to)), looks, colour: pen.colour });
    };
    for (const found of text.matchAll(escape)) {
        put(found.index);
        from = found.index + found[0].length;
        if (found[2] === "m") apply(pen, found[1] ?? "");
    }
    put(text.length);
    return pieces;
}

// The text alone, for copying and searching.
export function plain(text: string): string {
    return text.includes("\x1b") ? text.replace(escape, "") : text;
}

const switches: Record<number, string> = {
    1: "bold",
    2: "faint",
    3: "italic",
    4: "underline",
    7: "inverse",
    9: "strike",
};

function apply(pen: Pen, codes: string) {
    const list = codes.split(/[;:]/).map((one) => (one === "" ? 0 : Number(one)));
    for (let i = 0; i < list.length; i++) {
        const code = list[i]!;
        if (code === 0) {
            pen.fore = pen.back = pen.colour = null;
            pen.looks.clear();
        } else if (switches[code]) pen.looks.add(switches[code]);
        else if (code === 22) ["bold", "faint"].forEach((look) => pen.looks.delete(look));
        else if (code >= 23 && code <= 29 && switches[code - 20]) pen.looks.delete(switches[code - 20]!);
        else if (code >= 30 && code <= 37) paint(pen, `ansi-${code - 30}`);
        else if (code >= 90 && code <= 97) paint(pen, `ansi-${code - 82}`);
        else if (code === 39) paint(pen, null);
        else if (code >= 40 && code <= 47) pen.back = `ansi-on-${code - 40}`;
        else if (code >= 100 && code <= 107) pen.back = `ansi-on-${code - 92}`;
        else if (code === 49) pen.back = null;
        else if (code === 38 || code === 48) {
            const kind = list[i + 1];
            const numbers = kind === 5 ? list.slice(i + 2, i + 3) : kind === 2 ? list.slice(i + 2, i + 5) : [];
            i += 1 + numbers.length;
            if (code === 38 && numbers.every((one) => one >= 0 && one <= 255)) paintNumber(pen, numbers);
        }
    }
}

function paint(pen: Pen, look: string | null) {
    pen.fore = look;
    pen.colour = null;
}

function paintNumber(pen: Pen, numbers: number[]) {
    if (numbers.length === 3) {
        pen.fore = null;
        pen.colour = `rgb(${numbers.join(" ")})`;
        return;
    }
    const n = numbers[0];
    if (n === undefined) return;
    if (n < 16) return paint(pen, `ansi-${n}`);
    pen.fore = null;
    if (n >= 232) {
        const grey = 8 + (n - 232) * 10;
        pen.colour = `rgb(${grey} ${grey} ${grey})`;
        return;
    }
    const cube = [Math.floor((n - 16) / 36), Math.floor((n - 16) / 6) % 6, (n - 16) % 6];
    pen.colour = `rgb(${cube.map((one) => (one === 0 ? 0 : 55 + one * 40)).join(" ")})`;
}

// U+2400 and what follows it are pictures of the control characters; tabs and line ends stay.
export function visible(text: string): string {
    return text.replace(/[\0-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (one) => {
        const code = one.charCodeAt(0);
        if (code === 0x7f) return "\u2421";
        return code < 0x20 ? String.fromCharCode(0x2400 + code) : `<U+${code.toString(16).toUpperCase()}>`;
    });
}
