// Asks the server, as whoever is signed in.
import { session } from "./session.svelte";

// An answer that is an error: in the server's words.
export class Refusal extends Error {
    constructor(
        readonly status: number,
        text: string,
    ) {
        super(text);
    }
}

export type Parameters = Record<string, string | number | string[]>;

// A server with too much to do is asked again after these pauses (milliseconds).
const pauses = [200, 500, 1200, 2500];

export async function ask(path: string, given: Parameters, signal?: AbortSignal): Promise<Response> {
    for (const pause of pauses) {
        try {
            return await askOnce(path, given, signal);
        } catch (error) {
            if (!(error instanceof Refusal) || error.status !== 429) throw error;
        }
        await new Promise((done) => setTimeout(done, pause));
        signal?.throwIfAborted();
    }
    return askOnce(path, given, signal);
}

// As a form when it is long: the head of a request has a limit.
async function askOnce(path: string, given: Parameters, signal?: AbortSignal): Promise<Response> {
    const form = new URLSearchParams();
    for (const [name, value] of Object.entries(given))
        for (const one of Array.isArray(value) ? value : [value]) form.append(name, String(one));
    const text = form.toString();
    const long = text.length > 4000;
    const { token } = session;
    const headers: Record<string, string> = {
        Authorization: `Bearer ${token ?? ""}`,
        "X-Loki-Response-Encoding-Flags": "categorize-labels",
    };
    let answer: Response;
    try {
        answer = await fetch(long || text === "" ? path : `${path}?${text}`, {
            method: long ? "POST" : "GET",
            headers,
            body: long ? form : null,
            signal: signal ?? null,
            cache: "no-store",
            credentials: "omit",
        });
    } catch (error) {
        if (signal?.aborted) throw error;
        throw new Refusal(0, "The server does not answer. Is the network there?");
    }
    if (answer.ok) return answer;
    const why = (await answer.text()).trim();
    // Of a token that another one has followed meanwhile, nobody wants to hear.
    if (answer.status === 401 && token === session.token) session.signOut("The token is not valid, or not any more.");
    throw new Refusal(answer.status, why || `The server answered ${answer.status}.`);
}

export async function askJson<T>(path: string, given: Parameters, signal?: AbortSignal): Promise<T> {
    return (await (await ask(path, given, signal)).json()) as T;
}
