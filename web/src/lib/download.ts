// What a query selects, as a file: fetched page by page, by time.
import type { Line } from "./line";
import { linesOf } from "./loki";
import { exactText } from "./moment";

export type Form = "text" | "json" | "csv";

const pageLines = 5000;

const cell = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

export function written(line: Line, form: Form): string {
    const { app = "", component = "", container = "", host = "", stream = "" } = line.labels;
    const time = exactText(line.time);
    if (form === "json") return JSON.stringify({ time, app, component, container, host, stream, line: line.text }) + "\n";
    if (form === "csv") return [time, app, component, container, host, stream, line.text].map(cell).join(",") + "\r\n";
    return `${time} ${container} ${stream} ${line.text}\n`;
}

export interface Progress {
    lines: number;
    share: number; // 0 to 1, of the time
}

export async function fileOf(
    query: string,
    from: bigint,
    to: bigint,
    form: Form,
    onprogress: (progress: Progress) => void,
    signal: AbortSignal,
): Promise<Blob> {
    const types: Record<Form, string> = { text: "text/plain", json: "application/x-ndjson", csv: "text/csv" };
    const parts: string[] = form === "csv" ? ["time,app,component,container,host,stream,line\r\n"] : [];
    let at = from;
    let lines = 0;
    // Lines of the last moment come again with the next page.
    let last = new Set<string>();
    for (;;) {
        const page = await linesOf(query, at, to, pageLines, "forward", signal);
        const fresh = page.lines.filter(({ id }) => !last.has(id));
        parts.push(fresh.map((line) => written(line, form)).join(""));
        lines += fresh.length;
        const end = page.lines.at(-1);
        if (!end || page.lines.length < pageLines || !fresh.length) break;
        at = end.time;
        last = new Set(page.lines.filter(({ time }) => time === at).map(({ id }) => id));
        onprogress({ lines, share: Number(at - from) / Number(to - from) });
    }
    onprogress({ lines, share: 1 });
    return new Blob(parts, { type: `${types[form]};charset=utf-8` });
}
