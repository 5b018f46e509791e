// Where the page has its logs from: the server, which opens them, or, end to end, workers in this browser, which open
// what the server only hands out (../sealed).
import { appsOf, type App } from "./containers";
import type { Entry } from "./line";
import { volumeOf, type Volume } from "./loki";
import { queryOf, type Question } from "./question";
import { follow, pageOf, type Followed, type Page } from "./records";
import { session } from "./session.svelte";

export interface PageWanted {
    from: bigint; // nanoseconds since 1970
    to: bigint;
    direction: "backward" | "forward";
    limit: number;
    cursor: string | null; // of the page before
}

export interface Logs {
    readonly isSealed: boolean;
    // Entries in the order of time.
    page(question: Question, wanted: PageWanted, signal: AbortSignal): Promise<Page>;
    // How many lines of each level there are in each step (seconds), between two moments (milliseconds).
    volume(question: Question, start: number, end: number, step: number, signal: AbortSignal): Promise<Volume>;
    apps(start: number, end: number, signal: AbortSignal): Promise<App[]>;
    // A line of a source, and so many of its lines before and behind it.
    around(
        source: string,
        ordinal: number,
        lines: number,
        range: [bigint, bigint],
        signal: AbortSignal,
    ): Promise<Entry[]>;
    // What there is from `start` on, and then what comes, until the signal or the other side ends it.
    follow(question: Question, start: bigint, signal: AbortSignal, take: (came: Followed) => void): Promise<void>;
}

const serverLogs: Logs = {
    isSealed: false,
    page(question, { from, to, direction, limit, cursor }, signal) {
        const given = { query: queryOf(question), start: String(from), end: String(to), limit, direction };
        return pageOf(cursor === null ? given : { ...given, cursor }, signal);
    },
    volume: (question, start, end, step, signal) => volumeOf(queryOf(question), start, end, step, signal),
    apps: appsOf,
    async around(source, ordinal, lines, [start, end], signal) {
        const around = `${source}:${ordinal}`;
        const given = { query: '{host=~".+"}', around, lines, start: String(start), end: String(end) };
        return (await pageOf(given, signal)).entries;
    },
    follow: (question, start, signal, take) => follow({ query: queryOf(question), start: String(start) }, signal, take),
};

export const logs = (): Logs => session.opened ?? serverLogs;
