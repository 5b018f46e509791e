// The server's answers, as the page uses them. Shapes: docs/reading/http.md.
import { isError, levelIn, levelNamed, levels, type Level, type Line } from "./line";
import { askJson } from "./server";

const prefix = "/loki/api/v1/";

interface Answer<T> {
    data: T;
    warnings?: string[];
}

interface Streams {
    result: { stream: Record<string, string>; values: [string, string, Found?][] }[];
}

interface Found {
    structuredMetadata?: Record<string, string>;
    parsed?: Record<string, string>;
}

export interface Page {
    lines: Line[]; // by time
    warnings: string[];
}

// [start, end), at most `limit` lines: the latest ones of them, or the earliest.
export async function linesOf(
    query: string,
    start: bigint,
    end: bigint,
    limit: number,
    direction: "backward" | "forward",
    signal: AbortSignal,
): Promise<Page> {
    const given = { query, start: String(start), end: String(end), limit, direction };
    const { data, warnings = [] } = await askJson<Answer<Streams>>(`${prefix}query_range`, given, signal);
    const lines: Line[] = [];
    for (const { stream, values } of data.result)
        for (const [time, text, found = {}] of values) lines.push(lineOf(stream, time, text, found));
    lines.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
    return { lines, warnings };
}

function lineOf(labels: Record<string, string>, time: string, text: string, found: Found): Line {
    const more = { ...found.structuredMetadata, ...found.parsed };
    const level = more.detected_level ? levelNamed(more.detected_level) : levelIn(text);
    const line = { id: "", time: BigInt(time), text, labels, level, more };
    line.id = `${time}/${labels.container ?? ""}/${isError(line) ? "e" : "o"}/${text.length}/${text.slice(0, 64)}`;
    return line;
}

export interface Source {
    app: string;
    component: string;
    container: string;
    host: string;
}

// What printed lines in this time.
export async function sourcesOf(start: number, end: number, signal: AbortSignal): Promise<Source[]> {
    const given = { "match[]": ['{host=~".+"}'], start: nanoseconds(start), end: nanoseconds(end) };
    const { data } = await askJson<Answer<Record<string, string>[]>>(`${prefix}series`, given, signal);
    return data.map(({ app = "", component = "", container = "", host = "" }) => ({ app, component, container, host }));
}

export interface Volume {
    times: number[]; // seconds, one a step
    counts: Partial<Record<Level, (number | null)[]>>;
}

interface Matrix {
    result: { metric: Record<string, string>; values: [number, string][] }[];
}

// How many lines of each level there are in each step (seconds).
export async function volumeOf(query: string, start: number, end: number, step: number, signal: AbortSignal): Promise<Volume> {
    const given = {
        query: `sum by (detected_level) (count_over_time(${query} | drop __error__ [${step}s]))`,
        start: nanoseconds(start),
        end: nanoseconds(end),
        step,
    };
    const { data } = await askJson<Answer<Matrix>>(`${prefix}query_range`, given, signal);
    const first = Math.floor(start / 1000 / step) * step;
    const size = Math.ceil(end / 1000 / step) - first / step + 1;
    const volume: Volume = { times: Array.from({ length: size }, (_, i) => first + i * step), counts: {} };
    for (const { metric, values } of data.result) {
        const level = levelNamed(metric.detected_level ?? "");
        const counts = (volume.counts[level] ??= new Array<number | null>(size).fill(null));
        for (const [time, count] of values) {
            const at = Math.round((time - first) / step);
            if (at >= 0 && at < size) counts[at] = (counts[at] ?? 0) + Number(count);
        }
    }
    return volume;
}

export async function labelValues(label: string, signal: AbortSignal): Promise<string[]> {
    const { data = [] } = await askJson<Answer<string[]>>(`${prefix}label/${encodeURIComponent(label)}/values`, { since: "24h" }, signal);
    return data;
}

// Integers of seconds or nanoseconds are told apart by their length; these are nanoseconds.
export function nanoseconds(ms: number): string {
    return `${Math.round(ms)}000000`;
}

export { levels };
