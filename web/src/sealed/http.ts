// The server's three routes for readers who keep their key (docs/reading/http.md, "Sealed objects"). Nothing is sent
// but the token, names of objects, ranges and times.
import type { Bytes, Fetch } from "./bytes";

const prefix = "/boatswain/api/v1/";
export const rangeMax = 4 << 20;
// A server with too much to do is asked again after these pauses (milliseconds).
const pauses = [100, 200, 500, 1000, 2000, 4000];

export class HttpTrouble extends Error {
    constructor(
        readonly status: number,
        text: string,
    ) {
        super(text);
    }
}

export interface Listed {
    key: string;
    bytes: number;
}

export interface Found {
    objects: Listed[];
    rollups: Listed[];
}

interface Listing {
    objects: Listed[];
    rollups: Listed[];
    complete: boolean;
}

export class Server {
    constructor(readonly token: string) {}

    // All objects that can hold lines of [from, to), in nanoseconds since 1970.
    async list(from: bigint, to: bigint, signal?: AbortSignal): Promise<Found> {
        const found: Found = { objects: [], rollups: [] };
        for (let after = ""; ; ) {
            const given = new URLSearchParams({ start: String(from), end: String(to), limit: "10000" });
            if (after) given.set("after", after);
            const answer = await this.#ask(`${prefix}objects?${given}`, {}, signal);
            const { data } = (await answer.json()) as { data: Listing };
            found.objects.push(...data.objects);
            found.rollups = data.rollups;
            after = data.objects.at(-1)?.key ?? "";
            if (data.complete || !after) return found;
        }
    }

    // Reads ranges of one object.
    reads(key: string, signal?: AbortSignal): Fetch {
        return async (first, length) => {
            const bytes = new Uint8Array(length);
            let at = 0;
            while (at < length) {
                const end = Math.min(length, at + rangeMax);
                const part = await this.#range(key, first + at, first + end, signal);
                bytes.set(part.subarray(0, length - at), at);
                at += part.length;
                if (part.length < end - (at - part.length)) return bytes.slice(0, at);
            }
            return bytes;
        };
    }

    async #range(key: string, first: number, end: number, signal?: AbortSignal): Promise<Bytes> {
        const path = `${prefix}object?key=${encodeURIComponent(key)}`;
        const answer = await this.#ask(path, { Range: `bytes=${first}-${end - 1}` }, signal);
        return new Uint8Array(await answer.arrayBuffer());
    }

    async #ask(path: string, fields: Record<string, string>, signal?: AbortSignal): Promise<Response> {
        for (let tries = 0; ; tries++) {
            let answer: Response;
            try {
                answer = await fetch(path, {
                    headers: { Authorization: `Bearer ${this.token}`, ...fields },
                    cache: "no-store",
                    credentials: "omit",
                    signal: signal ?? null,
                });
            } catch (error) {
                if (signal?.aborted) throw error;
                throw new HttpTrouble(0, "The server does not answer. Is the network there?");
            }
            if (answer.ok) return answer;
            const why = (await answer.text()).trim();
            if (answer.status !== 429 || tries === pauses.length)
                throw new HttpTrouble(answer.status, why || `The server answered ${answer.status}.`);
            await new Promise((done) => setTimeout(done, pauses[tries]));
        }
    }
}
