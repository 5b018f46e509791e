// The plan over segments in memory: what is opened is text already.
import { describe, expect, it } from "vitest";
import type { Entry } from "../lib/line";
import { nanosecondsOf } from "../lib/moment";
import type { Frame, Source } from "./footer";
import type { Found, Listed } from "./http";
import type { Hour, Summary } from "./rollup";
import { countedBytesMax, Plan, type Crew, type ScanResult, type ScanTask, type Unopened } from "./plan";
import { count, entriesOf } from "./scan";
import type { Segment } from "./segment";
import { everything } from "./wanted";

const signal = new AbortController().signal;
const day = "2026-11-22T";
const time = (tick: number) => `${day}10:00:${String(tick % 60).padStart(2, "0")}.${String(tick).padStart(9, "0")}Z`;
const all: [bigint, bigint] = [nanosecondsOf(`${day}09:00:00Z`), nanosecondsOf(`${day}12:00:00Z`)];

// Numbers that are the same in every run.
function chance(seed: number) {
    return (below: number) => {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        return seed % below;
    };
}

class Made implements Crew {
    readonly size = 3;
    readonly objects = new Map<string, Segment | Unopened>();
    readonly texts = new Map<string, string>();
    scanned = 0;

    list(): Promise<Found> {
        const objects = [...this.objects.keys()].sort().map((key) => ({ key, bytes: 1000 }));
        return Promise.resolve({ objects, rollups: this.rollups });
    }
    // A roll-up of the segments that were there when it was made.
    rollups: Listed[] = [];
    summed: Summary[] = [];
    may: Uint8Array = new Uint8Array(0);
    opens = 0;
    rollUp() {
        this.rollups = [{ key: "v1/tenant=acme/rollup=2026-11-22.age", bytes: 7 }];
        this.summed = [...this.objects].sort().map(([key, one]) => ({ key, ...(one as Segment) }));
        this.may = new Uint8Array(this.summed.reduce((sum, { footer }) => sum + footer.frames.length, 0)).fill(1);
    }
    hours(): Promise<Hour[]> {
        const part = { offset: 0, bytes: 1 };
        return Promise.resolve([{ hour: `${day}10`, footers: part, footersTextBytes: 1, grams: part }]);
    }
    summaries() {
        return Promise.resolve(this.summed);
    }
    filter(...[, , , , frames]: Parameters<Crew["filter"]>) {
        expect(frames).toBe(this.may.length);
        return Promise.resolve(this.may);
    }
    open({ key }: Listed) {
        this.opens++;
        return Promise.resolve(this.objects.get(key)!);
    }
    scan({ key, segment, frames, wanted, span, steps, entriesMax }: ScanTask) {
        const entries: Entry[] = [];
        const found: ScanResult = { entries, counts: {}, broken: [] };
        for (const frame of frames) {
            this.scanned++;
            const text = new TextEncoder().encode(this.texts.get(`${key} ${frame.offset}`));
            const origin = { frame, source: segment.footer.sources[frame.source]!, host: segment.footer.host };
            if (steps) count(text, origin, wanted, span, steps, found.counts);
            entries.push(...entriesOf(text, origin, wanted, span));
            if (entries.length > entriesMax) found.entries = null;
        }
        return Promise.resolve(found);
    }

    // Frames of lines: [source, message, tick].
    add(sequence: number, frames: [string, string, number][][], { mac = `${sequence}`, hash = "" } = {}) {
        const end = `.${String(sequence).padStart(10, "0")}${hash && `.${hash}`}.age`;
        const key = `v1/tenant=acme/hour=${day}10/host=h/e${end}`;
        const ids = [...new Set(frames.flat().map(([source]) => source))];
        const sources = ids.map((id): Source => {
            const names = { kind: "docker", name: `c-${id}`, image: "", app: `a-${id}`, component: "", instance: "" };
            return { id, ...names, labels: {} };
        });
        const ordinals = new Map<string, number>();
        const listed = frames.map((lines, i): Frame => {
            const source = lines[0]![0];
            const first = ordinals.get(source) ?? sequence * 1000;
            ordinals.set(source, first + lines.length);
            const rows = lines.map(([, message, tick]) => `${time(tick)} stdout F ${message}\n`);
            this.texts.set(`${key} ${i * 100}`, `# {"source":"${source}"}\n${rows.join("")}`);
            const times = lines.map(([, , tick]) => time(tick)).sort();
            return {
                source: ids.indexOf(source),
                offset: i * 100,
                bytes: 100,
                textBytes: 1,
                firstOrdinal: first,
                lines: lines.length,
                messageBytes: 1,
                gaps: 0,
                first: times[0]!,
                last: times.at(-1)!,
                end: null,
            };
        });
        const footer = { tenant: "acme", host: "h", epoch: "e", sequence, previous: "", sources, frames: listed };
        const opened = { size: 1000, headerBytes: 1, payloadKey: new Uint8Array(32) };
        this.objects.set(key, { size: 1000, opened, footer, mac });
        return key;
    }
}

describe("pages", () => {
    for (const direction of ["backward", "forward"] as const)
        for (const seed of [1, 2, 3, 4, 5])
            it(`${direction}, have every line once and in order (seed ${seed})`, async () => {
                const crew = new Made();
                const next = chance(seed);
                const expected: string[] = [];
                for (let number = 1; number <= 6; number++) {
                    const base = next(30);
                    const frames = Array.from({ length: 1 + next(4) }, (_, i) =>
                        Array.from({ length: 1 + next(9) }, (): [string, string, number] => {
                            const tick = base + next(20);
                            const message = `m${number}-${i}-${next(1000)}`;
                            expected.push(`${time(tick)} ${message}`);
                            return [`s${i % 2}`, message, tick];
                        }),
                    );
                    crew.add(number, frames);
                }
                const plan = new Plan(crew, "acme");
                const seen: string[] = [];
                const ids = new Set<string>();
                for (let cursor: string | null = null, pages = 0; pages === 0 || cursor; pages++) {
                    const page = await plan.page(everything, all, direction, 4, cursor, signal);
                    expect(page.entries.length).toBeLessThanOrEqual(4);
                    for (const one of page.entries) {
                        ids.add(one.id);
                        if (one.kind === "line") seen.push(`${time(Number(one.time % 1_000_000_000n))} ${one.text}`);
                    }
                    cursor = page.cursor;
                    expect(pages).toBeLessThan(200);
                }
                expect([...seen].sort()).toEqual(expected.sort());
                expect(ids.size).toBe(expected.length);
                const times = seen.map((one) => one.slice(0, 30));
                const sorted = [...times].sort();
                expect(times).toEqual(direction === "forward" ? sorted : sorted.reverse());
            });

    it.each(["panic", "calm"])("keeps what was found for %s apart from what was for another", async (text) => {
        for (let ticks = 0; ticks < 60; ticks++) {
            const crew = new Made();
            for (let number = 1; number <= 9; number++)
                crew.add(number, [[["s", number % 3 ? "calm" : "panic", number]]]);
            const plan = new Plan(crew, "acme");
            const count = async (text: string) =>
                (await plan.page({ ...everything, text }, all, "forward", 99, null, signal)).entries.length;
            const first = count("calm");
            for (let i = 0; i < ticks; i++) await Promise.resolve();
            expect(await Promise.all([first, count("panic")])).toEqual([6, 3]);
            expect(await count(text)).toBe(text === "calm" ? 6 : 3);
        }
    });
    it("of the latest lines need no frame that ends before them", async () => {
        const crew = new Made();
        for (let number = 1; number <= 30; number++) crew.add(number, [[["s", `m${number}`, number]]]);
        const page = await new Plan(crew, "acme").page(everything, all, "backward", 2, null, signal);
        expect(page.entries.map((one) => one.kind === "line" && one.text)).toEqual(["m30", "m29"]);
        expect(crew.scanned).toBeLessThanOrEqual(6);
    });

    it("name what is left out, and show the rest", async () => {
        const crew = new Made();
        crew.add(1, [[["s", "whole", 1]]]);
        const damaged = crew.add(2, [[["s", "never seen", 2]]]);
        crew.objects.set(damaged, { damaged: "chunk 0 does not open" });
        const others = crew.add(3, [[["s", "never seen", 3]]]);
        crew.objects.set(others, { damaged: null, isForOthers: true });
        crew.objects.set("v1/tenant=globex/hour=2026-11-22T10/host=h/e.0000000001.age", { damaged: "never opened" });
        const plan = new Plan(crew, "acme");
        const page = await plan.page(everything, all, "backward", 10, null, signal);
        expect(page.entries).toHaveLength(1);
        expect(page.warnings).toEqual([
            "Objects that the key does not open: 1.",
            `${damaged} is left out: chunk 0 does not open`,
        ]);
    });

    it("show a copy under the second form of a key once, and both of a conflict", async () => {
        const crew = new Made();
        crew.add(1, [[["s", "one", 1]]], { mac: "same" });
        crew.add(1, [[["s", "one", 1]]], { mac: "same", hash: "0123456789abcdef" });
        crew.add(2, [[["s", "two", 2]]], { mac: "a" });
        crew.add(2, [[["t", "other", 3]]], { mac: "b", hash: "0123456789abcdef" });
        const page = await new Plan(crew, "acme").page(everything, all, "forward", 10, null, signal);
        expect(page.entries.map((one) => one.kind === "line" && one.text)).toEqual(["one", "two", "other"]);
        expect(page.warnings.join()).toContain("several contents, of which all lines are shown: 1");
    });

    it("that follow have each object once", async () => {
        const crew = new Made();
        const plan = new Plan(crew, "acme");
        const seen = new Set<string>();
        crew.add(1, [[["s", "one", 1]]]);
        expect((await plan.fresh(everything, all, seen, signal)).entries).toHaveLength(1);
        crew.add(2, [[["s", "two", 2]]]);
        expect((await plan.fresh(everything, all, seen, signal)).entries).toHaveLength(1);
        expect((await plan.fresh(everything, all, seen, signal)).entries).toHaveLength(0);
    });
});

describe("a roll-up", () => {
    it("spares the footers that it knows, and frames that cannot hold the text", async () => {
        const crew = new Made();
        for (let number = 1; number <= 6; number++) crew.add(number, [[["s", `panic m${number}`, number]]]);
        crew.rollUp();
        crew.add(7, [[["s", "panic m7", 7]]]);
        const plan = new Plan(crew, "acme");
        const first = await plan.page(everything, all, "forward", 10, null, signal);
        expect(first.entries).toHaveLength(7);
        expect(crew.opens).toBe(1);
        crew.may[0] = crew.may[4] = 0;
        crew.scanned = 0;
        const page = await plan.page({ ...everything, text: "panic" }, all, "forward", 10, null, signal);
        expect(page.entries.map((one) => one.kind === "line" && one.text.slice(-1))).toEqual(["2", "3", "4", "6", "7"]);
        expect(crew.scanned).toBe(5);
    });
    it("that is another object's or refused is as if it were not there", async () => {
        const crew = new Made();
        for (let number = 1; number <= 6; number++) crew.add(number, [[["s", `m${number}`, number]]]);
        crew.rollUp();
        for (const one of crew.summed) one.size = 999;
        expect((await new Plan(crew, "acme").page(everything, all, "forward", 10, null, signal)).entries).toHaveLength(
            6,
        );
        expect(crew.opens).toBe(6);
        crew.hours = () => Promise.reject(new Error("roll-up: no proof"));
        expect((await new Plan(crew, "acme").page(everything, all, "forward", 10, null, signal)).entries).toHaveLength(
            6,
        );
    });
});

describe("counts", () => {
    const steps = { first: Date.parse(`${day}10:00:00Z`) / 1000, step: 10, size: 8 };
    it("are exact, by level and step", async () => {
        const crew = new Made();
        crew.add(1, [
            [
                ["s", "level=error a", 1],
                ["s", "info b", 11],
                ["s", "info c", 12],
            ],
        ]);
        const { counts, isRough } = await new Plan(crew, "acme").volume(everything, all, steps, signal);
        expect(isRough).toBe(false);
        expect(Array.from(counts.error!)).toEqual([0, 1, 0, 0, 0, 0, 0, 0]);
        expect(Array.from(counts.info!)).toEqual([0, 0, 2, 0, 0, 0, 0, 0]);
    });
    it("and lines are looked for once, whichever is asked for first", async () => {
        for (const isCountedFirst of [false, true]) {
            const crew = new Made();
            for (let number = 1; number <= 5; number++) crew.add(number, [[["s", "level=warn x", number]]]);
            const plan = new Plan(crew, "acme");
            const lines = () => plan.page(everything, all, "backward", 10, null, signal);
            const numbers = () => plan.volume(everything, all, steps, signal);
            if (isCountedFirst) await numbers();
            const [page, { counts }] = await Promise.all([lines(), numbers()]);
            expect(page.entries).toHaveLength(5);
            expect(Array.from(counts.warn!)).toEqual([0, 5, 0, 0, 0, 0, 0, 0]);
            expect(crew.scanned).toBeLessThanOrEqual(isCountedFirst ? 5 : 8);
            // Another question is another thing.
            const other = await plan.page({ ...everything, text: "nothing" }, all, "backward", 10, null, signal);
            expect(other.entries).toHaveLength(0);
        }
    });
    it("of too much to open come from footers, and say so", async () => {
        const crew = new Made();
        const key = crew.add(1, [[["s", "info", 1]]]);
        const segment = crew.objects.get(key) as Segment;
        segment.footer.frames[0]!.bytes = countedBytesMax + 1;
        segment.footer.frames[0]!.lines = 70;
        const { counts, isRough } = await new Plan(crew, "acme").volume(everything, all, steps, signal);
        expect(isRough).toBe(true);
        expect(Array.from(counts.unknown!)).toEqual([0, 70, 0, 0, 0, 0, 0, 0]);
        expect(crew.scanned).toBe(0);
    });
});

describe("questions", () => {
    const found = async (part: Partial<typeof everything>) => {
        const crew = new Made();
        const lines: [string, string, number][] = [
            ["s", "Timeout of STOCK level=error", 1],
            ["s", "timeout, retry", 2],
            ["s", '{"status":"500","msg":"stock"}', 3],
            ["s", "Straße ΣΑΣ", 4],
            ["s", "stdout is a word of this", 5],
        ];
        crew.add(1, [lines, [["t", "of another", 6]]]);
        const page = await new Plan(crew, "acme").page({ ...everything, ...part }, all, "forward", 10, null, signal);
        return page.entries.map((one) => Number(one.time % 1_000_000_000n));
    };
    it("are answered by words in any case, phrases, and words that are not there", async () => {
        expect(await found({ text: "TIMEOUT stock" })).toEqual([1]);
        expect(await found({ text: "timeout -retry" })).toEqual([1]);
        expect(await found({ text: '"timeout, r"' })).toEqual([2]);
        expect(await found({ text: "straSSe" })).toEqual([]);
        expect(await found({ text: "STRAßE σασ" })).toEqual([4]);
        expect(await found({ text: "a.b" })).toEqual([]);
    });
    it("never match what is not of the message", async () => {
        expect(await found({ text: "stdout" })).toEqual([5]);
        expect(await found({ text: "2026" })).toEqual([]);
        expect(await found({ text: "source" })).toEqual([]);
    });
    it("choose apps, containers, streams, levels and fields", async () => {
        expect(await found({ apps: ["a-t"] })).toEqual([6]);
        expect(await found({ containers: ["c-t"] })).toEqual([6]);
        expect(await found({ stream: "stderr" })).toEqual([]);
        expect(await found({ levels: ["error"] })).toEqual([1]);
        expect(await found({ filters: [{ name: "status", value: "500", out: false, from: "json" }] })).toEqual([3]);
        expect(await found({ filters: [{ name: "app", value: "a-s", out: true, from: "label" }] })).toEqual([6]);
        expect(await found({ filters: [{ name: "container_id", value: "t", out: false, from: "label" }] })).toEqual([
            6,
        ]);
    });
});
