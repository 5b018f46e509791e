// Times: nanoseconds since 1970 as bigint where lines have them, milliseconds as number where people choose.

export type Zone = "local" | "utc";

// The last so many milliseconds up to now, or from one moment to another.
export type Range = { last: number } | { from: number; to: number };

export const millisecond = 1_000_000n;

export function boundsOf(range: Range, now: number): { from: number; to: number } {
    return "last" in range ? { from: now - range.last, to: now } : range;
}

// 2026-11-30T14:03:22.120034001Z, as the server writes times.
export function nanosecondsOf(text: string): bigint {
    const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(text);
    if (!found) throw new Error(`no time: ${text}`);
    return BigInt(Date.parse(`${found[1]}Z`)) * millisecond + BigInt((found[2] ?? "").padEnd(9, "0"));
}

const two = (n: number) => String(n).padStart(2, "0");
const three = (n: number) => String(n).padStart(3, "0");

function parts(ms: number, zone: Zone) {
    const at = new Date(ms);
    return zone === "utc"
        ? {
              y: at.getUTCFullYear(),
              m: at.getUTCMonth() + 1,
              d: at.getUTCDate(),
              h: at.getUTCHours(),
              i: at.getUTCMinutes(),
              s: at.getUTCSeconds(),
          }
        : {
              y: at.getFullYear(),
              m: at.getMonth() + 1,
              d: at.getDate(),
              h: at.getHours(),
              i: at.getMinutes(),
              s: at.getSeconds(),
          };
}

export function dayText(ms: number, zone: Zone): string {
    const p = parts(ms, zone);
    return `${p.y}-${two(p.m)}-${two(p.d)}`;
}

// 14:03:22.120
export function clockText(ns: bigint, zone: Zone): string {
    const ms = Number(ns / millisecond);
    const p = parts(ms, zone);
    return `${two(p.h)}:${two(p.i)}:${two(p.s)}.${three(((ms % 1000) + 1000) % 1000)}`;
}

// 2026-11-30T14:03:22.120034001Z: exact, the same everywhere.
export function exactText(ns: bigint): string {
    const ms = Number(ns / millisecond);
    const seconds = new Date(ms).toISOString().slice(0, 19);
    return `${seconds}.${String(((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n).padStart(9, "0")}Z`;
}

export function momentText(ms: number, zone: Zone): string {
    const p = parts(ms, zone);
    return `${p.y}-${two(p.m)}-${two(p.d)} ${two(p.h)}:${two(p.i)}:${two(p.s)}`;
}

// What a person types: "2026-11-30 14:03", with or without seconds, "T" or "Z". null: it is no moment.
export function readMoment(text: string, zone: Zone): number | null {
    const found = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?)?(Z)?$/.exec(text.trim());
    if (!found) return null;
    const [, y, m, d, h = "0", i = "0", s = "0", f = "0", z] = found;
    const of = [
        Number(y),
        Number(m) - 1,
        Number(d),
        Number(h),
        Number(i),
        Number(s),
        Number(f.padEnd(3, "0")),
    ] as const;
    const ms = zone === "utc" || z ? Date.UTC(...of) : new Date(...of).getTime();
    const back = parts(ms, zone === "utc" || z ? "utc" : "local");
    // 31 February is no day, 25:00 no time.
    return back.d === of[2] && back.m === of[1] + 1 && back.h === of[3] && back.i === of[4] ? ms : null;
}

const units: [number, string][] = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "m"],
    [1000, "s"],
];

// 90 minutes are "90m", a day is "1d".
export function durationText(ms: number): string {
    for (const [unit, name] of units) if (ms >= unit && ms % unit === 0) return `${ms / unit}${name}`;
    return `${Math.round(ms / 1000)}s`;
}

export function readDuration(text: string): number | null {
    const found = /^(\d{1,6})([smhd])$/.exec(text);
    if (!found) return null;
    return Number(found[1]) * units.find(([, name]) => name === found[2])![0];
}

// A step of whole seconds for about so many bars.
export function stepFor(span: number, bars: number): number {
    const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400];
    return steps.find((step) => span / 1000 / step <= bars) ?? 86_400;
}
