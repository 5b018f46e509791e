// Questions to a worker, and its answers, by number.
import type { Answered, Failure } from "./messages";

export class Failed extends Error {
    constructor(readonly failure: Failure) {
        super(failure.message);
    }
}

export class Calls {
    readonly #worker: Worker;
    #next = 1;
    readonly #waiting = new Map<number, { done: (result: unknown) => void; failed: (error: unknown) => void }>();

    constructor(worker: Worker) {
        this.#worker = worker;
        worker.addEventListener("message", ({ data }: MessageEvent<Answered>) => {
            const waiting = this.#waiting.get(data.id);
            this.#waiting.delete(data.id);
            if ("failure" in data) waiting?.failed(new Failed(data.failure));
            else waiting?.done(data.result);
        });
        worker.addEventListener("error", (event) => this.end(event.message || "A worker of this page did not start."));
    }

    // Nothing is answered any more.
    end(why: string) {
        for (const { failed } of this.#waiting.values()) failed(new Failed({ message: why, status: 0 }));
        this.#waiting.clear();
    }

    ask<T>(message: object, signal?: AbortSignal): Promise<T> {
        const id = this.#next++;
        return new Promise<T>((done, failed) => {
            if (signal?.aborted) return failed(signal.reason);
            this.#waiting.set(id, { done: done as (result: unknown) => void, failed });
            signal?.addEventListener(
                "abort",
                () => {
                    if (!this.#waiting.delete(id)) return;
                    this.#worker.postMessage({ kind: "cancel", id });
                    failed(signal.reason);
                },
                { once: true },
            );
            this.#worker.postMessage({ ...message, id });
        });
    }
}
