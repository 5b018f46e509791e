// What was printed around a line: by its container, by all of its app, or by all that the reader may read.
import type { Entry, Line } from "./line";
import type { Logs } from "./logs";
import { anything } from "./question";
import { inOrder } from "./records";

export const whoses = { container: "This container", app: "Its app", all: "All containers" } as const;
export type Whose = keyof typeof whoses;

const around = 50;
const minute = 60_000_000_000n;
// A container is quiet for long; of several, what matters is near in time.
const reachOfOne = 1440n * minute;
const reachOfMany = 10n * minute;

// So many lines before it and behind it, in the order of time; the line itself is a hit. Of one container by its
// ordinals, of several by time.
export async function contextOf(source: Logs, line: Line, whose: Whose, signal: AbortSignal): Promise<Entry[]> {
    const { time } = line;
    if (whose === "container")
        return source.around(line.source, line.ordinal, around, [time - reachOfOne, time + reachOfOne], signal);
    const question = { ...anything(), apps: whose === "app" ? [line.labels.app ?? ""] : [] };
    const half = (from: bigint, to: bigint, direction: "backward" | "forward") =>
        source.page(question, { from, to, direction, limit: around, cursor: null }, signal);
    const [before, behind] = await Promise.all([
        half(time - reachOfMany, time, "backward"),
        half(time, time + reachOfMany, "forward"),
    ]);
    // Of very many lines of one moment, it may be none of the first.
    const all = new Map([...before.entries, line, ...behind.entries].map((one) => [one.id, one]));
    all.set(line.id, { ...line, hit: true });
    return [...all.values()].sort(inOrder);
}
