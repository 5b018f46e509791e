// The page's side of the end-to-end mode: questions for the keeper. The identity is given to it once, and is in no
// variable of the page afterwards.
import { grouped, type App } from "../lib/containers";
import type { Entry } from "../lib/line";
import type { Logs, PageWanted } from "../lib/logs";
import type { Volume } from "../lib/loki";
import { millisecond } from "../lib/moment";
import type { Question } from "../lib/question";
import type { Followed, Page } from "../lib/records";
import { Refusal } from "../lib/server";
import { session } from "../lib/session.svelte";
import { Calls, Failed } from "./calls";
import type { Printed, Volume as Counted } from "./plan";
import type { Steps } from "./scan";
import { wantedOf } from "./wanted";

// Who follows asks for what came into the store in this rhythm (milliseconds); hosts seal some seconds late, and their
// clocks may be ahead.
const followEvery = 2000;
const ahead = 3_600_000n * millisecond;

const nanoseconds = (ms: number) => BigInt(Math.round(ms)) * millisecond;

export class SealedLogs implements Logs {
    readonly isSealed = true;
    readonly #keeper: Worker;
    readonly #calls: Calls;
    #followers = 0;

    constructor() {
        this.#keeper = new Worker(new URL("./keeper.ts", import.meta.url), { type: "module" });
        this.#calls = new Calls(this.#keeper);
    }

    // `file`: a key file, or what was typed. A failure says whether a passphrase is wanted.
    async unlock(token: string, tenant: string, file: Blob, passphrase: string): Promise<void> {
        await this.#calls.ask({ kind: "unlock", token, tenant, file, passphrase });
    }

    // The keeper, its crew and the identity are gone.
    close() {
        this.#keeper.terminate();
        this.#calls.end("It is locked.");
    }

    page(question: Question, { from, to, direction, limit, cursor }: PageWanted, signal: AbortSignal): Promise<Page> {
        const wanted = wantedOf(question);
        return this.#ask({ kind: "page", wanted, range: [from, to], direction, limit, cursor }, signal).then((page) => {
            const { entries, ...rest } = page as Page;
            return { ...rest, entries: direction === "backward" ? entries.reverse() : entries };
        });
    }

    async volume(question: Question, start: number, end: number, step: number, signal: AbortSignal): Promise<Volume> {
        const first = Math.floor(start / 1000 / step) * step;
        const size = Math.ceil(end / 1000 / step) - first / step + 1;
        const steps: Steps = { first, step, size };
        const range = [nanoseconds(start), nanoseconds(end)];
        const { counts, isRough } = (await this.#ask(
            { kind: "volume", wanted: wantedOf(question), range, steps },
            signal,
        )) as Counted;
        const volume: Volume = {
            times: Array.from({ length: size }, (_, i) => first + i * step),
            counts: {},
            ...(isRough && { isRough }),
        };
        for (const [level, found] of Object.entries(counts))
            volume.counts[level as keyof typeof counts] = Array.from(found, (one) => one || null);
        return volume;
    }

    async apps(start: number, end: number, signal: AbortSignal): Promise<App[]> {
        const range = [nanoseconds(start), nanoseconds(end)];
        return grouped((await this.#ask({ kind: "printed", range }, signal)) as Printed[]);
    }

    around(source: string, ordinal: number, lines: number, range: [bigint, bigint], signal: AbortSignal) {
        return this.#ask({ kind: "around", source, ordinal, lines, range }, signal) as Promise<Entry[]>;
    }

    async follow(question: Question, start: bigint, signal: AbortSignal, take: (came: Followed) => void) {
        const following = ++this.#followers;
        while (!signal.aborted) {
            const range = [start, nanoseconds(Date.now()) + ahead];
            const wanted = wantedOf(question);
            const { entries, warnings } = (await this.#ask(
                { kind: "fresh", wanted, range, following },
                signal,
            )) as Page;
            take({ entries, notes: warnings, hosts: 0 });
            await new Promise((done) => setTimeout(done, followEvery));
        }
    }

    async #ask(message: object, signal: AbortSignal): Promise<unknown> {
        try {
            return await this.#calls.ask(message, signal);
        } catch (error) {
            if (!(error instanceof Failed)) throw error;
            if (error.failure.status === 401) session.signOut("The token is not valid, or not any more.");
            throw new Refusal(error.failure.status, error.message);
        }
    }
}
