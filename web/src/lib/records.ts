// Lines, gaps and ends as the server's own route gives them: /boatswain/api/v1/lines (docs/reading/http.md).
import { levelIn, levelNamed, type End, type Entry, type Gap, type Line } from "./line";
import { nanosecondsOf } from "./moment";
import { ask, Refusal, type Parameters } from "./server";

const path = "/boatswain/api/v1/lines";
const followPath = "/boatswain/api/v1/follow";
// Records that came while the last ones were being shown are shown together.
const together = 100; // milliseconds

export interface Page {
    entries: Entry[]; // by time
    // Where the next page of the same question begins; null: this was the last one.
    cursor: string | null;
    warnings: string[];
}

interface Written {
    kind: "line" | "gap" | "end" | "done" | "error" | "note" | "live" | "alive";
    time: string;
    source: string;
    ordinal: number;
    labels?: Record<string, string>;
    fields?: Record<string, string>;
    stream?: string;
    level?: string;
    message?: string;
    message_base64?: string;
    hit?: boolean;
    from?: string;
    to?: string;
    reason?: string;
    lines_min?: number;
    bytes_min?: number;
    exit_code?: number;
    lines?: number;
    complete?: boolean;
    cursor?: string;
    warnings?: string[];
    error?: string;
    text?: string;
    hosts?: number;
}

// What one who follows is told.
export interface Followed {
    entries: Entry[]; // as they came
    notes: string[];
    hosts: number | null; // whose lines come as they are printed; null: nothing new of that
}

export async function pageOf(given: Parameters, signal: AbortSignal): Promise<Page> {
    const text = await (await ask(path, given, signal)).text();
    return pageIn(text);
}

export function pageIn(text: string): Page {
    const page: Page = { entries: [], cursor: null, warnings: [] };
    let whole = false;
    for (const line of text.split("\n")) {
        if (!line) continue;
        const record = JSON.parse(line) as Written;
        if (record.kind === "error") throw new Refusal(200, record.error ?? "The answer breaks off.");
        if (record.kind === "done") {
            whole = true;
            page.cursor = record.cursor ?? null;
            page.warnings = record.warnings ?? [];
        } else page.entries.push(entryOf(record));
    }
    if (!whole) throw new Refusal(200, "The answer breaks off: the connection was lost.");
    page.entries.sort(inOrder);
    return page;
}

// History from `start` on, then each record as it comes, handed over some at a time; until the server ends it. A
// connection that is lost is a Refusal.
export async function follow(given: Parameters, signal: AbortSignal, take: (came: Followed) => void): Promise<void> {
    const answer = await ask(followPath, given, signal);
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    let came: Followed = { entries: [], notes: [], hosts: null };
    let timer: ReturnType<typeof setTimeout> | null = null;
    let ended = false;
    const handOver = () => {
        timer = null;
        if (signal.aborted) return;
        const all = came;
        came = { entries: [], notes: [], hosts: null };
        take(all);
    };
    const add = (record: Written) => {
        if (record.kind === "error") throw new Refusal(200, record.error ?? "The answer breaks off.");
        if (record.kind === "done") ended = true;
        else if (record.kind === "note") came.notes.push(record.text ?? "");
        else if (record.kind === "live") came.hosts = record.hosts ?? 0;
        else if (record.kind !== "alive") came.entries.push(entryOf(record));
    };
    try {
        for (let rest = ""; ; ) {
            const { value, done } = await reader.read();
            if (done) break;
            const lines = (rest + value).split("\n");
            rest = lines.pop() ?? "";
            for (const line of lines) if (line) add(JSON.parse(line) as Written);
            timer ??= setTimeout(handOver, together);
        }
    } finally {
        if (timer !== null) clearTimeout(timer);
        handOver();
    }
    if (!ended) throw new Refusal(200, "The connection was lost.");
}

export function inOrder(a: Entry, b: Entry): number {
    if (a.time !== b.time) return a.time < b.time ? -1 : 1;
    return a.source === b.source ? a.ordinal - b.ordinal : a.source < b.source ? -1 : 1;
}

function entryOf(record: Written): Entry {
    const { source, ordinal, labels = {}, fields = {} } = record;
    const common = { source, ordinal, labels, more: fields, id: `${record.kind}/${source}/${ordinal}` };
    const time = nanosecondsOf(record.time);
    if (record.kind === "gap") {
        const gap: Gap = {
            ...common,
            kind: "gap",
            time,
            from: nanosecondsOf(record.from ?? record.time),
            to: nanosecondsOf(record.to ?? record.time),
            reason: record.reason ?? "",
            linesMin: record.lines_min ?? 0,
            bytesMin: record.bytes_min ?? 0,
        };
        gap.id += `/${record.time}`;
        return gap;
    }
    if (record.kind === "end") {
        const end: End = {
            ...common,
            kind: "end",
            time,
            reason: record.reason ?? "",
            exitCode: record.exit_code ?? null,
        };
        return end;
    }
    const isText = record.message_base64 === undefined;
    const text = isText ? (record.message ?? "") : decoded(record.message_base64!);
    const line: Line = {
        ...common,
        kind: "line",
        time,
        text,
        stream: record.stream ?? "",
        level: record.level ? levelNamed(record.level) : levelIn(text),
        isText,
        hit: record.hit ?? false,
    };
    return line;
}

// Bytes that are no UTF-8 are seen as U+FFFD; a download has them as they are.
function decoded(base64: string): string {
    return new TextDecoder().decode(Uint8Array.from(atob(base64), (one) => one.charCodeAt(0)));
}
