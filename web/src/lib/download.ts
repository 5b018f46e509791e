// What a query selects, as a file: the server writes it, the page keeps it.
import type { Entry } from "./line";
import type { Logs } from "./logs";
import { exactText } from "./moment";
import type { Question } from "./question";
import { Refusal, ask } from "./server";

export const forms = {
    text: "text",
    ndjson: "JSON, one object a line",
    csv: "CSV",
    raw: "as it was printed, byte for byte",
} as const;
export type Form = keyof typeof forms;

export interface File {
    name: string;
    blob: Blob;
}

// `onprogress` gets the bytes so far. An answer that breaks off is an error: no file is cut in silence.
export async function fileOf(
    query: string,
    start: bigint,
    end: bigint,
    form: Form,
    onprogress: (bytes: number) => void,
    signal: AbortSignal,
): Promise<File> {
    const given = {
        query,
        start: String(start),
        end: String(end),
        format: form,
        direction: "forward",
        download: "true",
    };
    // Files have all lines; NDJSON has pages, unless it is asked for more than there are.
    const answer = await ask("/boatswain/api/v1/lines", { ...given, limit: 1_000_000_000 }, signal);
    const name = /filename="([\w.-]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? "logs";
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let bytes = 0;
    const reader = answer.body!.getReader();
    for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        parts.push(value as Uint8Array<ArrayBuffer>);
        bytes += value.length;
        onprogress(bytes);
    }
    return { name, blob: new Blob(parts, { type: answer.headers.get("Content-Type") ?? "" }) };
}

// The same of what this browser opens: as text or JSON. What is left out of it is an error, as it is of the server's.
export const localForms = ["text", "ndjson"] as const satisfies readonly Form[];
const localPage = 5000;
const localBytesMax = 1 << 30;

export async function localFileOf(
    source: Logs,
    question: Question,
    from: bigint,
    to: bigint,
    form: (typeof localForms)[number],
    onprogress: (bytes: number) => void,
    signal: AbortSignal,
): Promise<File> {
    const parts: string[] = [];
    let bytes = 0;
    for (let cursor: string | null = null, isFirst = true; isFirst || cursor !== null; isFirst = false) {
        const wanted = { from, to, direction: "forward" as const, limit: localPage, cursor };
        const page = await source.page(question, wanted, signal);
        const [wrong] = page.warnings.filter((one) => one.includes("is left out"));
        if (wrong) throw new Refusal(0, `The file would not be whole: ${wrong}`);
        const part = page.entries.map(form === "text" ? textOf : jsonOf).join("");
        parts.push(part);
        bytes += part.length;
        onprogress(bytes);
        if (bytes > localBytesMax) throw new Refusal(0, "This is more than a browser can hold: choose a shorter time.");
        cursor = page.cursor;
    }
    const type = form === "text" ? "text/plain" : "application/x-ndjson";
    return { name: form === "text" ? "logs.txt" : "logs.ndjson", blob: new Blob(parts, { type }) };
}

// Control characters as they would be written in a program.
const printable = (text: string) =>
    text.replace(
        /[\u0000-\u0008\u000a-\u001f\u007f]/g,
        (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, "0")}`,
    );

export function textOf(entry: Entry): string {
    const begin = `${exactText(entry.time)} ${printable(entry.labels.app ?? "")} `;
    if (entry.kind === "line")
        return `${begin}${entry.stream === "stderr" ? "[stderr] " : ""}${printable(entry.text)}\n`;
    if (entry.kind === "end")
        return `${begin}--- end: ${entry.reason}${entry.exitCode === null ? "" : `, exit code ${entry.exitCode}`}\n`;
    const until = `from ${exactText(entry.from)} to ${exactText(entry.to)}`;
    return `${begin}--- gap: ${entry.reason} ${until}, at least ${entry.linesMin} lines\n`;
}

export function jsonOf(entry: Entry): string {
    const { kind, time, source, ordinal, labels, more: fields } = entry;
    let own: object;
    if (entry.kind === "line") own = { stream: entry.stream, level: entry.level, message: entry.text };
    else if (entry.kind === "end") own = { reason: entry.reason, exit_code: entry.exitCode ?? undefined };
    else {
        const [from, to] = [exactText(entry.from), exactText(entry.to)];
        own = { from, to, reason: entry.reason, lines_min: entry.linesMin, bytes_min: entry.bytesMin };
    }
    return `${JSON.stringify({ kind, time: exactText(time), source, ordinal, ...own, labels, fields })}\n`;
}
