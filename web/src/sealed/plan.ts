// How a question over sealed objects is answered in the browser: footers first, then the frames that can hold what is
// asked for, and of those no more than are needed. What touches bytes and keys is the crew's.
import type { Entry } from "../lib/line";
import { exactText } from "../lib/moment";
import type { Frame } from "./footer";
import type { Found, Listed } from "./http";
import { Rollups } from "./rollups";
import type { Hour, Summary } from "./rollup";
import { readKey } from "./key";
import { addCounts, stepAt, type Counts, type Span, type Steps } from "./scan";
import type { Segment } from "./segment";
import { everything, wantsSource, type Wanted } from "./wanted";

export interface ScanTask {
    key: string;
    segment: Segment;
    frames: Frame[]; // side by side, or nearly
    wanted: Wanted;
    span: Span;
    steps: Steps | null; // null: nothing is counted
    entriesMax: number;
}
export interface ScanResult {
    entries: Entry[] | null; // null: there are more than were wanted
    counts: Counts;
    broken: string[]; // what is wrong with frames that are left out
}

// Of an object that is not shown: why. null: it is sealed for other keys, or gone.
export type Unopened = { damaged: string } | { damaged: null; isForOthers: boolean };

export interface Crew {
    list(from: bigint, to: bigint): Promise<Found>;
    hours(rollup: Listed, tenant: string, day: string): Promise<Hour[]>;
    summaries(rollup: Listed, tenant: string, day: string, hour: Hour): Promise<Summary[]>;
    filter(
        rollup: Listed,
        tenant: string,
        day: string,
        hour: Hour,
        frames: number,
        slots: number[],
    ): Promise<Uint8Array>;
    open(object: Listed): Promise<Segment | Unopened>;
    scan(task: ScanTask): Promise<ScanResult>;
    // How many tasks it takes at a time.
    readonly size: number;
}

export interface Page {
    entries: Entry[];
    cursor: string | null;
    warnings: string[];
}

export interface Printed {
    source: string;
    app: string;
    container: string;
    lines: number;
    gaps: number;
    last: string;
    end?: { reason: string; exit_code?: number };
}

export interface Volume {
    counts: Counts;
    // By the times of frames alone, all of them of level unknown: there is too much to open it all.
    isRough: boolean;
}

// So much of an object is fetched and opened for one task.
const runBytesMax = 256 << 10;
// Frames that are not wanted, but lie between others, are fetched with them.
const holeBytesMax = 32 << 10;
// More than this is not opened to count its lines.
export const countedBytesMax = 128 << 20;
const knownMax = 20_000;
// Of a run that was counted, so many entries are kept for the page that asks for them, and the other way round.
const keptEntriesMax = 200;
const keptRunsMax = 20_000;
const namedMax = 10;

export interface Held {
    key: string;
    segment: Segment;
}

// Frames of a segment that are read together.
interface Run extends Held {
    frames: Frame[];
    first: string;
    last: string;
}

// By their names.
type Runs = Map<string, Promise<ScanResult>>;

export class Plan {
    readonly #crew: Crew;
    readonly #tenant: string;
    readonly #rollups: Rollups;
    readonly #known = new Map<string, Promise<Segment | Unopened>>();
    // What was found in runs for the question that was asked last: lines and their numbers are asked for at once.
    #found = { wanted: "", runs: new Map() as Runs };

    constructor(crew: Crew, tenant: string) {
        this.#crew = crew;
        this.#tenant = tenant;
        this.#rollups = new Rollups(crew, tenant);
    }

    async page(
        wanted: Wanted,
        [from, to]: [bigint, bigint],
        direction: "backward" | "forward",
        limit: number,
        cursor: string | null,
        signal: AbortSignal,
    ): Promise<Page> {
        const span = { from: exactText(from), to: exactText(to) };
        const { held, warnings } = await this.#segments(from, to, signal);
        const sign = direction === "backward" ? -1 : 1;
        const after = cursor === null ? null : placeIn(cursor);
        const isAhead = (entry: Entry) => after === null || sign * compare(placeOf(entry), after) > 0;
        const edge = (run: Run) => (sign < 0 ? run.last : run.first);
        const waiting = (await this.#runs(held, wanted, span))
            // Behind the cursor there is nothing to be had.
            .filter((run) => after === null || (sign < 0 ? run.first <= after.text : run.last >= after.text))
            .sort((a, b) => sign * inTextOrder(edge(a), edge(b)));
        let found: Entry[] = [];
        let next = 0;
        const isEnough = () => {
            if (found.length <= limit) return false;
            const last = exactText(found[limit - 1]!.time);
            return next >= waiting.length || sign * inTextOrder(last, edge(waiting[next]!)) < 0;
        };
        while (next < waiting.length && !isEnough()) {
            const batch = waiting.slice(next, next + this.#crew.size);
            next += batch.length;
            for (const { entries, broken } of await Promise.all(batch.map((run) => this.#entries(run, wanted, span)))) {
                for (const one of entries) if (isAhead(one)) found.push(one);
                addWarnings(warnings, broken);
            }
            signal.throwIfAborted();
            found.sort((a, b) => sign * compare(placeOf(a), placeOf(b)));
            // A gap of a frame may come with several of its source's frames: ids tell.
            found = found.filter((one, i) => i === 0 || found[i - 1]!.id !== one.id);
        }
        const isAll = next >= waiting.length && found.length <= limit;
        const entries = found.slice(0, limit);
        const last = entries.at(-1);
        return { entries, cursor: isAll || !last ? null : JSON.stringify(placeOf(last)), warnings };
    }

    async volume(wanted: Wanted, [from, to]: [bigint, bigint], steps: Steps, signal: AbortSignal): Promise<Volume> {
        const span = { from: exactText(from), to: exactText(to) };
        const { held } = await this.#segments(from, to, signal);
        const runs = await this.#runs(held, wanted, span);
        const bytes = runs.reduce((sum, run) => sum + run.frames.reduce((all, one) => all + one.bytes, 0), 0);
        if (bytes > countedBytesMax) return { counts: roughly(runs, span, steps), isRough: true };
        const counts: Counts = {};
        await this.#each(runs, signal, async (run) => addCounts(await this.#count(run, wanted, span, steps), counts));
        return { counts, isRough: false };
    }

    async printed([from, to]: [bigint, bigint], signal: AbortSignal): Promise<Printed[]> {
        const span = { from: exactText(from), to: exactText(to) };
        const { held } = await this.#segments(from, to, signal);
        const all = new Map<string, Printed>();
        for (const { segment } of held)
            for (const frame of segment.footer.frames) {
                if (!touches(frame, span)) continue;
                const source = segment.footer.sources[frame.source]!;
                const key = `${segment.footer.host}/${source.id}`;
                const one = all.get(key) ?? {
                    source: source.id,
                    app: source.app,
                    container: source.name,
                    lines: 0,
                    gaps: 0,
                    last: "",
                };
                one.lines += frame.lines;
                one.gaps += frame.gaps;
                if (frame.last > one.last) one.last = frame.last;
                if (frame.end) {
                    const { reason, exitCode } = frame.end;
                    one.end = exitCode === null ? { reason } : { reason, exit_code: exitCode };
                }
                all.set(key, one);
            }
        return [...all.values()];
    }

    // What its source printed before and behind a line.
    async around(source: string, ordinal: number, lines: number, [from, to]: [bigint, bigint], signal: AbortSignal) {
        const { held } = await this.#segments(from, to, signal);
        const span = { from: exactText(from), to: exactText(to) };
        const runs = runsOf(held, everything, span, (one, frame) => {
            const { sources } = one.segment.footer;
            return (
                sources[frame.source]!.id === source &&
                frame.firstOrdinal <= ordinal + lines &&
                frame.firstOrdinal + frame.lines >= ordinal - lines
            );
        });
        const entries: Entry[] = [];
        await this.#each(runs, signal, async (run) => {
            for (const one of (await this.#entries(run, everything, span)).entries)
                if (Math.abs(one.ordinal - ordinal) <= lines)
                    entries.push(one.kind === "line" ? { ...one, hit: one.ordinal === ordinal } : one);
        });
        return entries.sort((a, b) => compare(placeOf(a), placeOf(b)));
    }

    // Entries of [from, to) in objects that are not in `seen`, which then has them.
    async fresh(wanted: Wanted, [from, to]: [bigint, bigint], seen: Set<string>, signal: AbortSignal): Promise<Page> {
        const span = { from: exactText(from), to: exactText(to) };
        const { held, warnings } = await this.#segments(from, to, signal);
        const entries: Entry[] = [];
        const fresh = held.filter(({ key }) => !seen.has(key));
        await this.#each(await this.#runs(fresh, wanted, span), signal, async (run) => {
            const { entries: found, broken } = await this.#entries(run, wanted, span);
            entries.push(...found);
            addWarnings(warnings, broken);
        });
        for (const { key } of fresh) seen.add(key);
        return { entries: entries.sort((a, b) => compare(placeOf(a), placeOf(b))), cursor: null, warnings };
    }

    // Of the frames that can hold what is asked for: by footers, and by the filters of roll-ups. One that has a gap is
    // wanted whatever it holds: what is missing may have matched.
    async #runs(held: readonly Held[], wanted: Wanted, span: Span): Promise<Run[]> {
        const filters = await this.#rollups.filters(held, wanted.text);
        return runsOf(held, wanted, span, (one, frame, i) => frame.gaps > 0 || filters.get(one.key)?.[i] !== 0);
    }

    // Calls `work` with each, as many at a time as the crew takes.
    async #each<T>(all: readonly T[], signal: AbortSignal, work: (one: T) => Promise<void>) {
        let next = 0;
        const worker = async () => {
            while (next < all.length) {
                signal.throwIfAborted();
                await work(all[next++]!);
            }
        };
        await Promise.all(Array.from({ length: this.#crew.size }, worker));
    }

    async #entries(run: Run, wanted: Wanted, span: Span): Promise<{ entries: Entry[]; broken: string[] }> {
        const runs = this.#runsFor(wanted);
        const known = await kept(runs, run, span);
        if (known?.entries) return { entries: known.entries, broken: known.broken };
        const { entries, broken } = await this.#keep(runs, run, wanted, span, null, Infinity);
        return { entries: entries ?? [], broken };
    }

    async #count(run: Run, wanted: Wanted, span: Span, steps: Steps): Promise<Counts> {
        const runs = this.#runsFor(wanted);
        const known = await kept(runs, run, span);
        if (known?.entries) return countsOf(known.entries, steps);
        return (await this.#keep(runs, run, wanted, span, steps, keptEntriesMax)).counts;
    }

    // What was found, or is being looked for, for this question; another one, asked meanwhile, has runs of its own.
    #runsFor(wanted: Wanted): Runs {
        const asked = JSON.stringify(wanted);
        if (this.#found.wanted !== asked) this.#found = { wanted: asked, runs: new Map() };
        return this.#found.runs;
    }

    async #keep(
        runs: Runs,
        run: Run,
        wanted: Wanted,
        span: Span,
        steps: Steps | null,
        entriesMax: number,
    ): Promise<ScanResult> {
        const { key, segment, frames } = run;
        const scan = this.#crew.scan({ key, segment, frames, wanted, span, steps, entriesMax });
        const name = nameOf(run);
        if (isInside(run, span) && runs.size < keptRunsMax) {
            runs.set(name, scan);
            scan.then(
                ({ entries }) => {
                    if (!entries || entries.length > keptEntriesMax) runs.delete(name);
                },
                () => runs.delete(name),
            );
        }
        return scan;
    }

    // The segments that can hold lines of the range, opened, and what is to be said of those that are not.
    async #segments(from: bigint, to: bigint, signal: AbortSignal): Promise<{ held: Held[]; warnings: string[] }> {
        const found = await this.#crew.list(from, to);
        const listed = found.objects.filter(({ key }) => readKey(key)?.tenant === this.#tenant);
        signal.throwIfAborted();
        const unknown = listed.filter((one) => !this.#known.has(nameOfObject(one)));
        const said = await this.#rollups.summaries(found.rollups, unknown, signal);
        for (const one of unknown) {
            const summary = said.get(one.key);
            if (summary?.size !== one.bytes) continue;
            const { size, footer, mac } = summary;
            this.#known.set(nameOfObject(one), Promise.resolve({ size, opened: null, footer, mac }));
        }
        const opened: (Held | null)[] = new Array<Held | null>(listed.length).fill(null);
        const warnings: string[] = [];
        let forOthers = 0;
        await this.#each([...listed.keys()], signal, async (i) => {
            const object = listed[i]!;
            const segment = await this.#open(object);
            if ("footer" in segment) opened[i] = { key: object.key, segment };
            else if (segment.damaged !== null) addWarnings(warnings, [`${object.key} is left out: ${segment.damaged}`]);
            else if (segment.isForOthers) forOthers++;
        });
        // The first one is what a reader sees at once.
        if (forOthers)
            warnings.unshift(
                opened.every((one) => one === null)
                    ? `The key that you gave opens nothing in this time. Is it the key of ${this.#tenant}?`
                    : `Objects that the key does not open: ${forOthers}.`,
            );
        return {
            held: withoutCopies(
                opened.filter((one) => one !== null),
                warnings,
            ),
            warnings,
        };
    }

    #open(object: Listed): Promise<Segment | Unopened> {
        const name = nameOfObject(object);
        let known = this.#known.get(name);
        if (!known) {
            known = this.#crew.open(object);
            // A server that did not answer may answer the next time.
            known.catch(() => this.#known.delete(name));
            this.#known.set(name, known);
            if (this.#known.size > knownMax) this.#known.delete(this.#known.keys().next().value!);
        }
        return known;
    }
}

// Of two copies of one object the one of the first form is shown; two objects of one number are both.
function withoutCopies(held: readonly Held[], warnings: string[]): Held[] {
    const first = new Map<string, Held>();
    for (const one of held) if (!readKey(one.key)!.hash) first.set(numberOf(one), one);
    let conflicts = 0;
    const shown = held.filter((one) => {
        const other = first.get(numberOf(one));
        if (!other || other === one) return true;
        const isCopy = other.segment.mac === one.segment.mac && other.segment.size === one.segment.size;
        if (!isCopy) conflicts++;
        return !isCopy;
    });
    if (conflicts)
        warnings.push(`Objects that are there with several contents, of which all lines are shown: ${conflicts}.`);
    return shown;
}

const nameOfObject = ({ key, bytes }: Listed) => `${key} ${bytes}`;

const numberOf = ({ segment: { footer } }: Held) => JSON.stringify([footer.host, footer.epoch, footer.sequence]);

const touches = (frame: Frame, span: Span) => frame.first !== "" && frame.first < span.to && frame.last >= span.from;

// All of it is within the span: what was found in it holds for every such span.
const isInside = (run: Run, span: Span) => run.first >= span.from && run.last < span.to;

const kept = async (runs: Runs, run: Run, span: Span): Promise<ScanResult | undefined> =>
    isInside(run, span) ? runs.get(nameOf(run)) : undefined;

const nameOf = ({ key, frames }: Run) => `${key} ${frames[0]!.offset} ${frames.at(-1)!.offset} ${frames.length}`;

function countsOf(entries: readonly Entry[], steps: Steps): Counts {
    const counts: Counts = {};
    for (const one of entries) {
        if (one.kind !== "line") continue;
        const at = stepAt(Number(one.time / 1_000_000_000n), steps);
        if (at >= 0 && at < steps.size) (counts[one.level] ??= new Uint32Array(steps.size))[at]!++;
    }
    return counts;
}

function runsOf(
    held: readonly Held[],
    wanted: Wanted,
    span: Span,
    also: (one: Held, frame: Frame, i: number) => boolean = () => true,
): Run[] {
    const runs: Run[] = [];
    for (const one of held) {
        const { sources, frames, host } = one.segment.footer;
        const wants = sources.map((source) => wantsSource(wanted, source, host));
        let run: Run | null = null;
        for (const [i, frame] of frames.entries()) {
            if (!wants[frame.source] || !touches(frame, span) || !also(one, frame, i)) continue;
            const before = run?.frames.at(-1);
            const fits =
                run !== null &&
                before !== undefined &&
                frame.offset - (before.offset + before.bytes) <= holeBytesMax &&
                frame.offset + frame.bytes - run.frames[0]!.offset <= runBytesMax;
            if (fits) {
                run!.frames.push(frame);
                if (frame.first < run!.first) run!.first = frame.first;
                if (frame.last > run!.last) run!.last = frame.last;
            } else {
                run = { ...one, frames: [frame], first: frame.first, last: frame.last };
                runs.push(run);
            }
        }
    }
    return runs;
}

// Lines of each frame, spread over its time.
function roughly(runs: readonly Run[], span: Span, steps: Steps): Counts {
    const unknown = new Uint32Array(steps.size);
    for (const { frames } of runs)
        for (const frame of frames) {
            const [first, last] = [frame.first, frame.last].map((time) =>
                stepAt(
                    Date.parse(`${(time < span.from ? span.from : time > span.to ? span.to : time).slice(0, 19)}Z`) /
                        1000,
                    steps,
                ),
            ) as [number, number];
            const share = frame.lines / (last - first + 1);
            for (let i = Math.max(0, first); i <= Math.min(last, steps.size - 1); i++) unknown[i]! += share;
        }
    return { unknown };
}

function addWarnings(to: string[], more: readonly string[]) {
    for (const one of more) if (!to.includes(one) && to.length < namedMax) to.push(one);
}

// Where an entry stands among all: no two stand at one place.
interface Place {
    text: string; // its time
    source: string;
    ordinal: number;
    rank: number; // of what stands at one ordinal: a gap is before the line, an end behind it
    id: string;
}

const ranks: Record<Entry["kind"], number> = { gap: 0, line: 1, end: 2 };

function placeOf(entry: Entry): Place {
    const { time, source, ordinal, kind, id } = entry;
    return { text: exactText(time), source, ordinal, rank: ranks[kind], id };
}

function compare(a: Place, b: Place): number {
    if (a.text !== b.text) return a.text < b.text ? -1 : 1;
    if (a.source !== b.source) return a.source < b.source ? -1 : 1;
    if (a.ordinal !== b.ordinal) return a.ordinal - b.ordinal;
    if (a.rank !== b.rank) return a.rank - b.rank;
    return a.id === b.id ? 0 : a.id < b.id ? -1 : 1;
}

const inTextOrder = (a: string, b: string) => (a === b ? 0 : a < b ? -1 : 1);

function placeIn(cursor: string): Place {
    return JSON.parse(cursor) as Place;
}
