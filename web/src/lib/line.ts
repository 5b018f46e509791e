// What a container printed, and what is said of it: lines, gaps, ends.

interface Common {
    // Unique in the page: what it is, of which source, and where in it.
    id: string;
    time: bigint; // nanoseconds since 1970
    source: string; // the container's id
    ordinal: number; // of the line in its source; of the next line for what is none
    labels: Record<string, string>; // of the container
    // What the server found in it, or about it.
    more: Record<string, string>;
}

export interface Line extends Common {
    kind: "line";
    text: string;
    stream: string;
    level: Level;
    isText: boolean; // false: its bytes are no UTF-8
    hit: boolean; // among lines around one: the one
}

// A loss with a name: at least so much is missing here.
export interface Gap extends Common {
    kind: "gap";
    from: bigint;
    to: bigint;
    reason: string;
    linesMin: number;
    bytesMin: number;
}

// The container was removed.
export interface End extends Common {
    kind: "end";
    reason: string;
    exitCode: number | null;
}

export type Entry = Line | Gap | End;

export const levels = ["critical", "error", "warn", "info", "debug", "trace", "unknown"] as const;
export type Level = (typeof levels)[number];

const named: Record<string, Level> = {
    fatal: "critical",
    critical: "critical",
    crit: "critical",
    emerg: "critical",
    alert: "critical",
    panic: "critical",
    error: "error",
    err: "error",
    warn: "warn",
    warning: "warn",
    info: "info",
    notice: "info",
    debug: "debug",
    trace: "trace",
};

export function levelNamed(name: string): Level {
    return named[name.toLowerCase()] ?? "unknown";
}

// By the first word that names one, where the server has not said.
export function levelIn(text: string): Level {
    const found = /\b(fatal|critical|panic|error|err|warn|warning|info|debug|trace)\b/i.exec(text.slice(0, 400));
    return found ? levelNamed(found[1]!) : "unknown";
}

export function isError(line: Line): boolean {
    return line.stream === "stderr";
}

const hues = new Map<string, number>();

// The colour of a container, 0 to 359: from its name, but away from those of the containers seen before, while there is
// room.
export function hueOf(name: string): number {
    const already = hues.get(name);
    if (already !== undefined) return already;
    let hash = 2166136261;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 16777619);
    let hue = (hash >>> 0) % 360;
    const isNear = (other: number) => Math.min(Math.abs(other - hue), 360 - Math.abs(other - hue)) < 20;
    for (let tries = 0; tries < 18 && [...hues.values()].some(isNear); tries++) hue = (hue + 137) % 360;
    hues.set(name, hue);
    return hue;
}

// How many characters all names begin with, in whole words: "shop-cart-1" and "shop-pay-1" share 5.
export function sharedPrefix(names: readonly string[]): number {
    const [first = "", ...others] = names;
    if (!others.length) return 0;
    let size = first.length;
    for (const name of others) while (!name.startsWith(first.slice(0, size))) size--;
    return /^.*[-_./]/.exec(first.slice(0, size))?.[0].length ?? 0;
}
