// What the page holds of the answer to a question: a stretch of lines, gaps and ends, which grows at both ends as the
// reader goes there. An entry is known by its source and ordinal; times only order them.
import type { Entry } from "./line";
import { boundsOf, millisecond } from "./moment";
import { logs } from "./logs";
import { anything, isSearch, type Question } from "./question";
import { inOrder } from "./records";
import { Refusal } from "./server";

const pageLines = 1000;
// Beyond that, entries of the far end are let go, and fetched again when the reader goes there.
export const entriesMax = 100_000;
const second = 1_000_000_000n;
// How far back is looked at first, and how much further each time until there is a page of lines: the latest ones are
// seen before all of the range has been read.
const firstReach = 120n * second;
const furtherBy = 8n;
// One who follows asks from so long before the last line that is there: hosts' clocks differ, and what is opened here
// comes when it is in the store.
const overlap = 60n * second;
const sealedOverlap = 900n * second;
// Pauses before a connection that was lost is made again (milliseconds).
const againAfter = [500, 1000, 2000, 5000, 10_000];
const notesMax = 20;

export type End = "older" | "newer";

// What is left to be read at one end: within [from, to), from `cursor` on.
interface Rest {
    from: bigint;
    to: bigint;
    cursor: string | null;
}

export class Book {
    entries = $state.raw<readonly Entry[]>([]);
    // What is being fetched.
    fetching = $state<End | "all" | null>(null);
    // Nothing lies beyond this end, within what was asked for.
    reached = $state({ older: false, newer: false });
    warnings = $state.raw<string[]>([]);
    failure = $state("");
    // Of so many hosts lines come as they are printed, those of others when they are in the store; null: nobody follows.
    liveHosts = $state<number | null>(null);
    // The last change put entries before the first one.
    grewAtStart = $state(false);

    #question: Question = anything();
    #leavesEndsOut = false;
    #from = 0n;
    #to = 0n;
    #older: Rest = { from: 0n, to: 0n, cursor: null };
    #newer: Rest = { from: 0n, to: 0n, cursor: null };
    #leave = new AbortController();
    #known = new Set<string>();

    // Asks anew: the latest lines.
    async open(question: Question) {
        this.#leave.abort();
        this.#leave = new AbortController();
        this.#question = question;
        this.#leavesEndsOut = isSearch(question);
        const { from, to } = boundsOf(question.range, Date.now());
        this.#from = BigInt(Math.round(from)) * millisecond;
        this.#to = BigInt(Math.round(to)) * millisecond;
        this.#older = { from: this.#to, to: this.#to, cursor: null };
        this.#newer = { from: this.#to, to: this.#to, cursor: null };
        this.#known.clear();
        this.failure = "";
        this.warnings = [];
        this.reached = { older: false, newer: true };
        await this.#fetch("all", async (signal) => {
            this.entries = [];
            await this.#readOlder(signal);
        });
    }

    async older() {
        if (this.reached.older || this.fetching) return;
        await this.#fetch("older", (signal) => this.#readOlder(signal));
    }

    async newer() {
        if (this.reached.newer || this.fetching) return;
        await this.#fetch("newer", (signal) => this.#readNewer(signal));
    }

    // For who follows: what has come since, and then each line as it comes, until `signal` ends it.
    async follow(signal: AbortSignal) {
        for (let tries = 0; !signal.aborted; ) {
            const asking = this.#leave.signal;
            try {
                while (!this.reached.newer || this.fetching) {
                    if (this.fetching) await pause(50, signal);
                    else await this.newer();
                    signal.throwIfAborted();
                    if (this.failure) throw new Refusal(0, this.failure);
                }
                await this.#stream(AbortSignal.any([signal, asking]), () => (tries = 0));
            } catch (error) {
                if (signal.aborted) break;
                // Another question was asked meanwhile: it is followed at once.
                if (asking.aborted) continue;
                this.failure = error instanceof Refusal ? error.message : `This page failed: ${String(error)}`;
            }
            this.liveHosts = null;
            await pause(againAfter[Math.min(tries++, againAfter.length - 1)]!, signal);
        }
        this.liveHosts = null;
    }

    async #stream(signal: AbortSignal, working: () => void) {
        const newest = this.entries.at(-1)?.time ?? this.#to;
        const source = logs();
        const start = max(this.#from, min(this.#to, newest - (source.isSealed ? sealedOverlap : overlap)));
        await source.follow(this.#question, start, signal, ({ entries, notes, hosts }) => {
            working();
            this.failure = "";
            this.#put(entries.sort(inOrder));
            if (hosts !== null) this.liveHosts = hosts;
            const fresh = notes.filter((note) => !this.warnings.includes(note));
            if (fresh.length > 0) this.warnings = [...this.warnings, ...fresh].slice(-notesMax);
            this.#to = max(this.#to, this.entries.at(-1)?.time ?? this.#to);
            this.#newer = { from: this.#to, to: this.#to, cursor: null };
        });
    }

    close() {
        this.#leave.abort();
    }

    // A page of lines before the first one, as far as there are any, shown as they come.
    async #readOlder(signal: AbortSignal) {
        let found = 0;
        for (let reach = firstReach; found < pageLines; reach *= furtherBy) {
            if (this.#older.cursor === null) {
                if (this.#older.from <= this.#from) {
                    this.reached.older = true;
                    return;
                }
                const to = this.#older.from;
                this.#older = { from: max(this.#from, to - reach), to, cursor: null };
            }
            const page = await this.#page(this.#older, "backward", signal);
            this.#older.cursor = page.cursor;
            this.#put(page.entries);
            found += page.entries.length;
        }
        this.reached.older = this.#older.cursor === null && this.#older.from <= this.#from;
    }

    async #readNewer(signal: AbortSignal) {
        const page = await this.#page(this.#newer, "forward", signal);
        this.#newer.cursor = page.cursor;
        this.reached.newer = page.cursor === null;
        this.#put(page.entries);
    }

    async #page({ from, to, cursor }: Rest, direction: "backward" | "forward", signal: AbortSignal) {
        if (from >= to) return { entries: [], cursor: null };
        const wanted = { from, to, direction, limit: pageLines, cursor };
        const page = await logs().page(this.#question, wanted, signal);
        const all = new Set([...this.warnings, ...page.warnings]);
        if (all.size !== this.warnings.length) this.warnings = [...all];
        return page;
    }

    // Takes in what is not known yet, in its place.
    #put(entries: readonly Entry[]) {
        const wanted = this.#leavesEndsOut ? entries.filter(({ kind }) => kind !== "end") : entries;
        const fresh = wanted.filter(({ id }) => !this.#known.has(id) && this.#known.add(id));
        const [first, last] = [fresh[0], fresh.at(-1)];
        if (!first || !last) return;
        const before = this.entries;
        const isBefore = before.length > 0 && inOrder(last, before[0]!) < 0;
        const isBehind = before.length === 0 || inOrder(before.at(-1)!, first) < 0;
        const all = isBefore ? [...fresh, ...before] : [...before, ...fresh];
        if (!isBefore && !isBehind) all.sort(inOrder);
        this.grewAtStart = isBefore;
        this.entries = this.#bounded(all, isBefore);
    }

    #bounded(all: Entry[], atStart: boolean): Entry[] {
        const over = all.length - entriesMax;
        if (over <= 0) return all;
        const gone = atStart ? all.splice(entriesMax) : all.splice(0, over);
        for (const { id } of gone) this.#known.delete(id);
        if (atStart) {
            this.#newer = { from: gone[0]!.time, to: this.#to, cursor: null };
            this.reached.newer = false;
        } else {
            this.#older = { from: all[0]!.time, to: all[0]!.time, cursor: null };
            this.reached.older = false;
        }
        return all;
    }

    async #fetch(what: End | "all", work: (signal: AbortSignal) => Promise<void>) {
        const { signal } = this.#leave;
        this.fetching = what;
        try {
            await work(signal);
            this.failure = "";
        } catch (error) {
            if (signal.aborted) return;
            this.failure = error instanceof Refusal ? error.message : `This page failed: ${String(error)}`;
        } finally {
            if (!signal.aborted) this.fetching = null;
        }
    }
}

// Ends early, without an error, when `signal` does.
const pause = (time: number, signal: AbortSignal) =>
    new Promise<void>((done) => {
        const timer = setTimeout(done, time);
        signal.addEventListener("abort", () => (clearTimeout(timer), done()), { once: true });
    });
const min = (a: bigint, b: bigint) => (a < b ? a : b);
const max = (a: bigint, b: bigint) => (a > b ? a : b);
