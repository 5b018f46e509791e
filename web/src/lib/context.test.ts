import { describe, expect, it, vi } from "vitest";
import type { Entry, Line } from "./line";
import type { Logs } from "./logs";

vi.stubGlobal("location", { pathname: "/", hash: "" });
vi.stubGlobal("localStorage", { getItem: () => null });
vi.stubGlobal("sessionStorage", { getItem: () => null });
const { contextOf } = await import("./context");

const lineOf = (source: string, ordinal: number, time: bigint): Line => ({
    kind: "line",
    id: `line/${source}/${ordinal}`,
    time,
    source,
    ordinal,
    labels: { app: `app-${source}` },
    more: {},
    text: `${source} ${ordinal}`,
    stream: "stdout",
    level: "unknown",
    isText: true,
    hit: false,
});
const one = lineOf("a", 5, 1_000_000_000_000_000n);
const asked: unknown[] = [];
const source = {
    page(question, { from, to, direction }) {
        asked.push([question.apps, from, to, direction, question.text]);
        const entries: Entry[] =
            direction === "backward"
                ? [lineOf("b", 1, one.time - 2n), lineOf("a", 4, one.time - 1n)]
                : [lineOf("b", 2, one.time), { ...one }, lineOf("b", 3, one.time + 7n)];
        return Promise.resolve({ entries, cursor: null, warnings: [] });
    },
    around: () => Promise.resolve([{ ...one, hit: true }]),
} as Partial<Logs> as Logs;

describe("what was around a line", () => {
    const { signal } = new AbortController();
    it("of its container comes by ordinals", async () => {
        expect(await contextOf(source, one, "container", signal)).toHaveLength(1);
        expect(asked).toHaveLength(0);
    });
    it("of several containers comes by time, each line once", async () => {
        const all = await contextOf(source, one, "all", signal);
        expect(all.map(({ id }) => id.slice(5))).toEqual(["b/1", "a/4", "a/5", "b/2", "b/3"]);
        expect(all.filter((it) => it.kind === "line" && it.hit).map(({ id }) => id)).toEqual([one.id]);
        const reach = 600_000_000_000n;
        expect(asked).toEqual([
            [[], one.time - reach, one.time, "backward", ""],
            [[], one.time, one.time + reach, "forward", ""],
        ]);
    });
    it("of its app asks for that alone", async () => {
        asked.length = 0;
        await contextOf(source, one, "app", signal);
        expect(asked.map((it) => (it as string[][])[0])).toEqual([["app-a"], ["app-a"]]);
    });
});
