// Lines, gaps and ends as the server's own route gives them: /boatswain/api/v1/lines (docs/reading/http.md).
import { levelIn, levelNamed, type End, type Entry, type Gap, type Line } from "./line";
import { nanosecondsOf } from "./moment";
import { ask, Refusal, type Parameters } from "./server";

const path = "/boatswain/api/v1/lines";

export interface Page {
    entries: Entry[]; // by time
    // Where the next page of the same question begins; null: this was the last one.
    cursor: string | null;
    warnings: string[];
}

interface Written {
    kind: "line" | "gap" | "end" | "done" | "error";
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
