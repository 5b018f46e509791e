// A worker of the crew: it opens objects and looks through their frames, for the keeper alone.
import type { Entry } from "../lib/line";
import { HttpTrouble, Server, type Listed } from "./http";
import type { Failure } from "./messages";
import type { ScanResult, ScanTask, Unopened } from "./plan";
import { NoMatch, Refused } from "./refused";
import { addCounts, count, entriesOf, type Counts } from "./scan";
import { frameTexts, openSegment, type Segment } from "./segment";

export type ToCrew =
    | { kind: "start"; token: string; identities: string[] }
    | { kind: "open"; id: number; object: Listed }
    | { kind: "scan"; id: number; task: ScanTask };

let server: Server;
let identities: string[] = [];

async function open({ key, bytes }: Listed): Promise<Segment | Unopened> {
    try {
        return await openSegment(key, bytes, server.reads(key), identities);
    } catch (error) {
        if (error instanceof NoMatch) return { damaged: null, isForOthers: true };
        if (error instanceof Refused) return { damaged: error.message };
        if (error instanceof HttpTrouble && error.status === 404) return { damaged: null, isForOthers: false };
        throw error;
    }
}

async function scan({ key, segment, frames, wanted, span, steps, entriesMax }: ScanTask): Promise<ScanResult> {
    const entries: Entry[] = [];
    const found: ScanResult = { entries, counts: {}, broken: [] };
    const { sources, host } = segment.footer;
    for await (const one of frameTexts(segment.opened, server.reads(key), frames)) {
        try {
            if ("error" in one) throw one.error;
            const origin = { frame: one.frame, source: sources[one.frame.source]!, host };
            if (steps) {
                // Of its own, so that half a frame that is refused does not count.
                const counts: Counts = {};
                const lines = count(one.text, origin, wanted, span, steps, counts);
                addCounts(counts, found.counts);
                if (lines > entriesMax) found.entries = null;
            }
            if (!found.entries) continue;
            for (const entry of entriesOf(one.text, origin, wanted, span)) entries.push(entry);
            if (entries.length > entriesMax) found.entries = null;
        } catch (error) {
            if (!(error instanceof Refused)) throw error;
            found.broken.push(`A part of ${key} is left out: ${error.message}`);
        }
    }
    return found;
}

export function failureOf(error: unknown): Failure {
    if (error instanceof HttpTrouble) return { message: error.message, status: error.status };
    return { message: error instanceof Error ? error.message : String(error), status: 0 };
}

addEventListener("message", ({ data }: MessageEvent<ToCrew>) => {
    if (data.kind === "start") {
        server = new Server(data.token);
        identities = data.identities;
        return;
    }
    const work: Promise<unknown> = data.kind === "open" ? open(data.object) : scan(data.task);
    work.then(
        (result) => postMessage({ id: data.id, result }),
        (error: unknown) => postMessage({ id: data.id, failure: failureOf(error) }),
    );
});
