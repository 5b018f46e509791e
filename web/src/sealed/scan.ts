// What a question finds in the text of one frame: entries, or counts by level and time.
import { levelNamed, levels, type Entry, type Level } from "../lib/line";
import { nanosecondsOf } from "../lib/moment";
import type { Frame, Source } from "./footer";
import { detectedLevel, levelOfLabels } from "./level";
import { walk } from "./text";
import { labelsOf, LineMatcher, moreOf, type Wanted } from "./wanted";

// Within [from, to), as times are written in segments.
export interface Span {
    from: string;
    to: string;
}

// Lines by level in steps of seconds: step i holds what is after first + (i - 1) * step, as Loki counts.
export interface Steps {
    first: number;
    step: number;
    size: number;
}
export type Counts = Partial<Record<Level, Uint32Array>>;

export interface Origin {
    frame: Frame;
    source: Source;
    host: string;
}

const prefixSize = 40;

export function entriesOf(text: Uint8Array, { frame, source, host }: Origin, wanted: Wanted, span: Span): Entry[] {
    const entries: Entry[] = [];
    const matcher = new LineMatcher(wanted);
    const [labels, more, ofLabels] = [labelsOf(source, host), moreOf(source), levelOfLabels(source.labels)];
    let ordinal = frame.firstOrdinal;
    const isWithin = (time: string) => time >= span.from && time < span.to;
    const common = (kind: string, more_: string) => ({
        source: source.id,
        ordinal,
        labels,
        id: `${kind}/${source.id}/${ordinal}${more_}`,
    });
    walk(text, source.id, {
        line(all, at, end) {
            const time = all.slice(at, at + 30);
            if (isWithin(time) && matcher.matches(all, at + prefixSize, end, more, ofLabels)) {
                const message = all.slice(at + prefixSize, end);
                const level = detectedLevel(ofLabels, message);
                entries.push({
                    ...common("line", ""),
                    kind: "line",
                    time: nanosecondsOf(time),
                    more: { ...more, detected_level: level },
                    text: message,
                    stream: all.slice(at + 31, at + 37),
                    level: levelNamed(level),
                    isText: !message.includes("\ufffd"),
                    hit: false,
                });
            }
            ordinal++;
        },
        gap(gap) {
            // It is of the range when a part of it is; it stands where it begins.
            if (gap.from >= span.to || gap.to < span.from) return;
            const { reason, linesMin, bytesMin } = gap;
            const [from, to] = [nanosecondsOf(gap.from), nanosecondsOf(gap.to)];
            const where = { ...common("gap", `/${gap.from}`), more, time: from, from, to };
            entries.push({ ...where, kind: "gap", reason, linesMin, bytesMin });
        },
        end({ time, reason, exitCode }) {
            if (!isWithin(time)) return;
            entries.push({ ...common("end", ""), kind: "end", more, time: nanosecondsOf(time), reason, exitCode });
        },
    });
    return entries;
}

// How many lines there are.
export function count(
    text: Uint8Array,
    { source }: Origin,
    wanted: Wanted,
    span: Span,
    steps: Steps,
    into: Counts,
): number {
    let lines = 0;
    const matcher = new LineMatcher(wanted);
    const [more, ofLabels] = [moreOf(source), levelOfLabels(source.labels)];
    let second = "";
    let at_ = -1;
    walk(text, source.id, {
        line(all, at, end) {
            const time = all.slice(at, at + 30);
            if (time < span.from || time >= span.to) return;
            if (!matcher.matches(all, at + prefixSize, end, more, ofLabels)) return;
            lines++;
            if (!time.startsWith(second) || second === "") {
                second = time.slice(0, 19);
                at_ = stepAt(Date.parse(`${second}Z`) / 1000, steps);
            }
            if (at_ < 0 || at_ >= steps.size) return;
            const level = levelNamed(detectedLevel(ofLabels, all.slice(at + prefixSize, end)));
            (into[level] ??= new Uint32Array(steps.size))[at_]!++;
        },
        gap() {},
        end() {},
    });
    return lines;
}

export const stepAt = (second: number, { first, step }: Steps) => Math.floor((second - first) / step) + 1;

export function addCounts(counts: Counts, into: Counts) {
    for (const level of levels) {
        const [from, to] = [counts[level], into[level]];
        if (!from) continue;
        if (!to) into[level] = from;
        else for (let i = 0; i < from.length; i++) to[i]! += from[i]!;
    }
}
