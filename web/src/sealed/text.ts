// The text of a frame, walked (docs/formats/segment.md, "The text of a frame"). Times stay as they are written: they
// sort as texts do. A message that is no UTF-8 shows U+FFFD.
import { isMinute, isTime } from "./footer";
import { refuse } from "./refused";

const prefixSize = 40; // "2026-11-22T10:00:00.123456789Z stdout F "
const noteMax = 1 << 20;

export interface GapNote {
    from: string;
    to: string;
    reason: string;
    linesMin: number;
    bytesMin: number;
}

export interface EndNote {
    time: string;
    reason: string;
    exitCode: number | null;
}

export interface Walk {
    // A line: `text` is all of the frame; its time is at `at`, its message from `at` + 40 to `end`.
    line(text: string, at: number, end: number): void;
    gap(gap: GapNote): void;
    end(end: EndNote): void;
}

const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

export function walk(bytes: Uint8Array, source: string, to: Walk) {
    if (bytes.length === 0 || bytes[bytes.length - 1] !== 10) refuse("its text does not end with a newline");
    const text = lenient.decode(bytes);
    let minute = "";
    let ended = false;
    for (let at = 0, number = 1; at < text.length; number++) {
        const end = text.indexOf("\n", at);
        if (ended) refuse(`line ${number}: something after the end of the source`);
        if (text.charCodeAt(at) === 35 || number === 1) ended = note(text.slice(at, end), number, source, to);
        else {
            if (end - at < prefixSize || !hasForm(text, at)) refuse(`line ${number}: not TIME STREAM F|P MESSAGE`);
            if (!text.startsWith(minute, at) || minute === "") {
                minute = text.slice(at, at + 17);
                if (!isMinute(minute)) refuse(`line ${number}: a time that is no date`);
            }
            to.line(text, at, end);
        }
        at = end + 1;
    }
}

// All but whether the minute is one that there is.
function hasForm(text: string, at: number): boolean {
    const code = (i: number) => text.charCodeAt(at + i);
    if (code(30) !== 32 || code(37) !== 32 || code(39) !== 32 || code(19) !== 46 || code(29) !== 90) return false;
    const tens = code(17) - 48;
    const ones = code(18) - 48;
    if (tens < 0 || tens > 5 || ones < 0 || ones > 9) return false;
    for (let i = 20; i < 29; i++) if (code(i) < 48 || code(i) > 57) return false;
    if (code(38) !== 70 && code(38) !== 80) return false;
    return text.startsWith("stdout", at + 31) || text.startsWith("stderr", at + 31);
}

type Json = Record<string, unknown>;

function objectIn(json: string): Json | null {
    if (json.length > noteMax) return null;
    try {
        const value: unknown = JSON.parse(json);
        return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null;
    } catch {
        return null;
    }
}

const reasonForm = /^[a-z0-9-]{1,64}$/;
const isCount = (value: unknown) => typeof value === "number" && Number.isInteger(value) && value >= 0;

// Whether the source ends here.
function note(line: string, number: number, source: string, to: Walk): boolean {
    const wrong = (why: string): never => refuse(`line ${number}: ${why}`);
    if (number === 1 || line.startsWith("# {")) {
        const heading = line.startsWith("# {") ? objectIn(line.slice(2)) : null;
        if (number > 1) wrong("a second heading");
        if (typeof heading?.source !== "string") wrong("no heading that names the source");
        if (heading!.source !== source) refuse("its heading names another source than the footer");
        return false;
    }
    if (line.startsWith("# gap ")) {
        const gap = objectIn(line.slice(6)) as { from: string; to: string; reason: string } & Json;
        if (!gap || !isTime(String(gap.from)) || !isTime(String(gap.to)) || !reasonForm.test(String(gap.reason)))
            wrong("a gap that is not of the form");
        if (!isCount(gap.lines_min) || !isCount(gap.bytes_min)) wrong("a gap without its counts");
        const { from, to: until, reason } = gap;
        to.gap({ from, to: until, reason, linesMin: Number(gap.lines_min), bytesMin: Number(gap.bytes_min) });
        return false;
    }
    if (line.startsWith("# end ")) {
        const end = objectIn(line.slice(6)) as { time: string; reason: string; exit_code?: number } & Json;
        if (!end || !isTime(String(end.time)) || !reasonForm.test(String(end.reason)) || !isCount(end.lines))
            wrong("an end that is not of the form");
        if ("bytes" in end && !isCount(end.bytes)) wrong("an end whose bytes are no number");
        const code = end.exit_code;
        if (code !== undefined && (typeof code !== "number" || code !== (code | 0))) wrong("an exit code that is none");
        to.end({ time: end.time, reason: end.reason, exitCode: code ?? null });
        return true;
    }
    if (!/^# [a-z][a-z0-9-]{0,63}(?: |$)/.test(line) || /^# (?:gap|end)(?: |$)/.test(line))
        wrong("a line that starts with '# ' and is no heading, gap or remark");
    return false;
}
