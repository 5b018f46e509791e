// What a query selects, as a file: the server writes it, the page keeps it.
import { ask } from "./server";

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
