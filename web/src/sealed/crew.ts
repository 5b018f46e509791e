// A worker of the crew: it opens objects and looks through their frames, for the keeper alone.
import type { Entry } from "../lib/line";
import type { Opened } from "./age";
import { HttpTrouble, Server, type Listed } from "./http";
import type { Failure } from "./messages";
import type { ScanResult, ScanTask, Unopened } from "./plan";
import { NoMatch, Refused } from "./refused";
import { filter, openRollup, readSummaries, type Hour, type Rollup } from "./rollup";
import { addCounts, count, entriesOf, type Counts } from "./scan";
import { frameTexts, openKnown, openSegment, type Segment } from "./segment";

export type ToCrew =
    | { kind: "start"; token: string; identities: string[] }
    | { kind: "open"; id: number; object: Listed }
    | { kind: "hours"; id: number; object: Listed; tenant: string; day: string }
    | { kind: "summaries"; id: number; object: Listed; tenant: string; day: string; hour: Hour }
    | {
          kind: "filter";
          id: number;
          object: Listed;
          tenant: string;
          day: string;
          hour: Hour;
          frames: number;
          slots: number[];
      }
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

// Opened by this worker: of segments that roll-ups know, and roll-ups.
const openedMax = 2000;
const openedSegments = new Map<string, Promise<Opened>>();
const rollups = new Map<string, Promise<Rollup>>();

function once<T>(known: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
    let found = known.get(name);
    if (!found) {
        found = make();
        found.catch(() => known.delete(name));
        known.set(name, found);
        if (known.size > openedMax) known.delete(known.keys().next().value!);
    }
    return found;
}

const openedOf = (key: string, segment: Segment): Promise<Opened> =>
    segment.opened
        ? Promise.resolve(segment.opened)
        : once(openedSegments, `${key} ${segment.size}`, () => openKnown(segment, server.reads(key), identities));

const rollupOf = ({ key, bytes }: Listed, tenant: string, day: string): Promise<Rollup> =>
    once(rollups, `${key} ${bytes}`, () => openRollup(tenant, day, bytes, server.reads(key), identities));

async function scan({ key, segment, frames, wanted, span, steps, entriesMax }: ScanTask): Promise<ScanResult> {
    const entries: Entry[] = [];
    const found: ScanResult = { entries, counts: {}, broken: [] };
    const { sources, host } = segment.footer;
    let opened: Opened;
    try {
        opened = await openedOf(key, segment);
    } catch (error) {
        if (error instanceof HttpTrouble && error.status === 404) return found;
        if (!(error instanceof Refused) && !(error instanceof NoMatch)) throw error;
        return { ...found, broken: [`${key} is left out: ${error.message}`] };
    }
    for await (const one of frameTexts(opened, server.reads(key), frames)) {
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

async function answer(asked: Exclude<ToCrew, { kind: "start" }>): Promise<unknown> {
    if (asked.kind === "open") return open(asked.object);
    if (asked.kind === "scan") return scan(asked.task);
    const { object, tenant, day } = asked;
    const rollup = await rollupOf(object, tenant, day);
    const fetch = server.reads(object.key);
    if (asked.kind === "hours") return rollup.hours;
    if (asked.kind === "summaries") return readSummaries(rollup, fetch, asked.hour, tenant);
    return filter(rollup, fetch, asked.hour.grams!, asked.frames, asked.slots);
}

addEventListener("message", ({ data }: MessageEvent<ToCrew>) => {
    if (data.kind === "start") {
        server = new Server(data.token);
        identities = data.identities;
        return;
    }
    answer(data).then(
        (result) => postMessage({ id: data.id, result }),
        (error: unknown) => postMessage({ id: data.id, failure: failureOf(error) }),
    );
});
