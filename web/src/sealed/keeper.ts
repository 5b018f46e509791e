// The worker that holds the identity: it answers the page's questions, and has a crew open and search. When it ends,
// and with it the crew, the identity is gone.
import { Calls, Failed } from "./calls";
import { HttpTrouble, Server, type Found, type Listed } from "./http";
import { identitiesIn, NeedsPassphrase } from "./identity";
import type { Asked, Failure, ToKeeper } from "./messages";
import { Plan, type Crew, type ScanResult, type ScanTask, type Unopened } from "./plan";
import type { Hour, Summary } from "./rollup";
import type { Segment } from "./segment";

const crewMax = 4;
// Of one worker: one waits for the server while the other is looked through.
const tasksEach = 2;

// Tasks go to whoever of the crew has the fewest.
class Workers implements Crew {
    readonly #all: { calls: Calls; busy: number }[] = [];
    readonly #server: Server;
    readonly size: number;

    constructor(token: string, identities: string[]) {
        this.#server = new Server(token);
        const count = Math.max(1, Math.min(crewMax, navigator.hardwareConcurrency || 1));
        for (let i = 0; i < count; i++) {
            const worker = new Worker(new URL("./crew.ts", import.meta.url), { type: "module" });
            worker.postMessage({ kind: "start", token, identities });
            this.#all.push({ calls: new Calls(worker), busy: 0 });
        }
        this.size = count * tasksEach;
    }

    list(from: bigint, to: bigint): Promise<Found> {
        return this.#server.list(from, to);
    }
    // Roll-ups are the first one's, which keeps them opened.
    hours(object: Listed, tenant: string, day: string): Promise<Hour[]> {
        return this.#all[0]!.calls.ask({ kind: "hours", object, tenant, day });
    }
    summaries(object: Listed, tenant: string, day: string, hour: Hour): Promise<Summary[]> {
        return this.#all[0]!.calls.ask({ kind: "summaries", object, tenant, day, hour });
    }
    filter(
        object: Listed,
        tenant: string,
        day: string,
        hour: Hour,
        frames: number,
        slots: number[],
    ): Promise<Uint8Array> {
        return this.#all[0]!.calls.ask({ kind: "filter", object, tenant, day, hour, frames, slots });
    }
    open(object: Listed): Promise<Segment | Unopened> {
        return this.#give({ kind: "open", object });
    }
    scan(task: ScanTask): Promise<ScanResult> {
        // Of the footer a scan needs what its frames are of.
        const { footer } = task.segment;
        const sources = new Array(footer.sources.length) as Segment["footer"]["sources"];
        for (const { source } of task.frames) sources[source] = footer.sources[source]!;
        return this.#give({
            kind: "scan",
            task: {
                ...task,
                segment: { ...task.segment, footer: { ...footer, sources, frames: footer.frames.slice(-1) } },
            },
        });
    }

    async #give<T>(message: object): Promise<T> {
        const one = this.#all.reduce((least, other) => (other.busy < least.busy ? other : least));
        one.busy++;
        try {
            return await one.calls.ask<T>(message);
        } finally {
            one.busy--;
        }
    }
}

let plan: Plan | null = null;
const asked = new Map<number, AbortController>();
// What each one who follows has had.
const followed = new Map<number, Set<string>>();

async function answer(message: Asked, signal: AbortSignal): Promise<unknown> {
    if (message.kind === "unlock") {
        const file = new Uint8Array(await message.file.arrayBuffer());
        const identities = await identitiesIn(file, message.passphrase);
        file.fill(0);
        plan = new Plan(new Workers(message.token, identities), message.tenant);
        return null;
    }
    if (!plan) throw new Error("It is locked.");
    switch (message.kind) {
        case "page": {
            const { wanted, range, direction, limit, cursor } = message;
            return plan.page(wanted, range, direction, limit, cursor, signal);
        }
        case "volume":
            return plan.volume(message.wanted, message.range, message.steps, signal);
        case "printed":
            return plan.printed(message.range, signal);
        case "around":
            return plan.around(message.source, message.ordinal, message.lines, message.range, signal);
        case "fresh": {
            const seen = followed.get(message.following) ?? new Set<string>();
            followed.clear();
            followed.set(message.following, seen);
            return plan.fresh(message.wanted, message.range, seen, signal);
        }
    }
}

function failureOf(error: unknown): Failure {
    if (error instanceof Failed) return error.failure;
    const status = error instanceof HttpTrouble ? error.status : 0;
    const message = error instanceof Error ? error.message : String(error);
    return error instanceof NeedsPassphrase ? { message, status, needsPassphrase: true } : { message, status };
}

addEventListener("message", ({ data }: MessageEvent<ToKeeper>) => {
    if (data.kind === "cancel") {
        asked.get(data.id)?.abort();
        return;
    }
    const leave = new AbortController();
    asked.set(data.id, leave);
    answer(data, leave.signal)
        .then(
            (result) => postMessage({ id: data.id, result }),
            (error: unknown) => postMessage({ id: data.id, failure: failureOf(error) }),
        )
        .finally(() => asked.delete(data.id));
});
