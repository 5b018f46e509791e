// What the server counts and knows, in Loki's API. Shapes: docs/reading/http.md.
import { levelNamed, type Level } from "./line";
import { askJson } from "./server";

const prefix = "/loki/api/v1/";

interface Answer<T> {
    data: T;
}

export interface Volume {
    times: number[]; // seconds, one a step
    counts: Partial<Record<Level, (number | null)[]>>;
    // Of no level, and spread over the time of each frame: there is too much to open it all.
    isRough?: boolean;
}

interface Matrix {
    result: { metric: Record<string, string>; values: [number, string][] }[];
}

// How many lines of each level there are in each step (seconds).
export async function volumeOf(
    query: string,
    start: number,
    end: number,
    step: number,
    signal: AbortSignal,
): Promise<Volume> {
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
    const { data = [] } = await askJson<Answer<string[]>>(
        `${prefix}label/${encodeURIComponent(label)}/values`,
        { since: "24h" },
        signal,
    );
    return data;
}

// Integers of seconds or nanoseconds are told apart by their length; these are nanoseconds.
export function nanoseconds(ms: number): string {
    return `${Math.round(ms)}000000`;
}
