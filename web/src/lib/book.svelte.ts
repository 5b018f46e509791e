// The lines that the page holds: a stretch of what was asked for, which grows at both ends as the reader goes there.
import { linesOf, type Page } from "./loki";
import type { Line } from "./line";
import { boundsOf, millisecond } from "./moment";
import { queryOf, type Question } from "./question";
import { Refusal } from "./server";

const pageLines = 1000;
// How far back is looked at first (nanoseconds), and how much further each time until there is a page of lines: the
// latest lines are seen before all of the range has been read.
const firstReach = 120n * 1_000_000_000n;
const furtherBy = 8n;
// Beyond that, lines of the far end are let go, and fetched again when the reader goes there.
export const linesMax = 100_000;

export type End = "older" | "newer";

export class Book {
    lines = $state.raw<Line[]>([]);
    // What is being fetched.
    fetching = $state<End | "all" | null>(null);
    // Nothing lies beyond this end, within what was asked for.
    reached = $state({ older: false, newer: false });
    warnings = $state.raw<string[]>([]);
    failure = $state("");
    // The last change put lines before the first one.
    grewAtStart = $state(false);

    #query = "";
    #from = 0n;
    #to = 0n;
    #leave = new AbortController();
    #known = new Set<string>();

    // Asks anew: the latest lines, or those around a moment.
    async open(question: Question, around: bigint | null = null) {
        this.#leave.abort();
        this.#leave = new AbortController();
        this.#query = queryOf(question);
        const { from, to } = boundsOf(question.range, Date.now());
        this.#from = BigInt(Math.round(from)) * millisecond;
        this.#to = BigInt(Math.round(to)) * millisecond;
        this.#known.clear();
        this.failure = "";
        this.warnings = [];
        this.reached = { older: false, newer: around === null };
        await this.#fetch("all", async (signal) => {
            let newer: Page = { lines: [], warnings: [] };
            if (around !== null) {
                newer = await this.#page(around, this.#to, "forward", signal);
                this.reached.newer = newer.lines.length < pageLines;
            }
            this.grewAtStart = false;
            this.lines = this.#fresh(newer.lines);
            this.#warn(newer.warnings);
            await this.#prepend(around ?? this.#to, signal);
        });
    }

    async older() {
        const first = this.lines[0];
        if (!first || this.reached.older || this.fetching) return;
        await this.#fetch("older", async (signal) => {
            // The first line's own moment too: others may share it.
            await this.#prepend(first.time + 1n, signal);
        });
    }

    async newer() {
        const last = this.lines.at(-1);
        if (!last || this.reached.newer || this.fetching) return;
        await this.#fetch("newer", (signal) => this.#append(last.time, this.#to, signal));
    }

    // For who follows: what has come since, up to now.
    async follow() {
        if (this.fetching) return;
        this.#to = BigInt(Date.now()) * millisecond;
        const from = this.lines.at(-1)?.time ?? this.#from;
        await this.#fetch("newer", (signal) => this.#append(from, this.#to, signal));
    }

    close() {
        this.#leave.abort();
    }

    // A page of lines before `to`, as far as there are any, shown as they come.
    async #prepend(to: bigint, signal: AbortSignal) {
        let found = 0;
        for (let reach = firstReach; found < pageLines; reach *= furtherBy) {
            const from = to - reach > this.#from ? to - reach : this.#from;
            const page = await this.#page(from, to, "backward", signal);
            const fresh = this.#fresh(page.lines);
            this.#warn(page.warnings);
            if (fresh.length) {
                this.grewAtStart = true;
                this.lines = this.#bounded([...fresh, ...this.lines], "older");
            }
            found += page.lines.length;
            if (page.lines.length >= pageLines) {
                // More lines of one moment than a page has: what lies before it cannot be asked for by time.
                this.reached.older = fresh.length === 0;
                return;
            }
            if (from === this.#from) {
                this.reached.older = true;
                return;
            }
            to = from;
        }
    }

    async #append(from: bigint, to: bigint, signal: AbortSignal) {
        const page = await this.#page(from, to, "forward", signal);
        const fresh = this.#fresh(page.lines);
        this.reached.newer = page.lines.length < pageLines || fresh.length === 0;
        this.#warn(page.warnings);
        if (!fresh.length) return;
        this.grewAtStart = false;
        this.lines = this.#bounded([...this.lines, ...fresh], "newer");
    }

    #page(from: bigint, to: bigint, direction: "backward" | "forward", signal: AbortSignal): Promise<Page> {
        if (from >= to) return Promise.resolve({ lines: [], warnings: [] });
        return linesOf(this.#query, from, to, pageLines, direction, signal);
    }

    #fresh(lines: Line[]): Line[] {
        return lines.filter(({ id }) => !this.#known.has(id) && this.#known.add(id));
    }

    #bounded(lines: Line[], grown: End): Line[] {
        if (lines.length <= linesMax) return lines;
        const kept = grown === "older" ? lines.slice(0, linesMax) : lines.slice(lines.length - linesMax);
        const gone = grown === "older" ? lines.slice(linesMax) : lines.slice(0, lines.length - linesMax);
        for (const { id } of gone) this.#known.delete(id);
        this.reached[grown === "older" ? "newer" : "older"] = false;
        return kept;
    }

    #warn(warnings: string[]) {
        const all = new Set([...this.warnings, ...warnings]);
        if (all.size !== this.warnings.length) this.warnings = [...all];
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
            if (what === "all") this.lines = [];
        } finally {
            if (!signal.aborted) this.fetching = null;
        }
    }
}
