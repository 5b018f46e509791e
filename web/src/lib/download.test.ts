import { describe, expect, it, vi } from "vitest";
import type { Entry, Line } from "./line";
import type { Logs, PageWanted } from "./logs";
import { anything } from "./question";

vi.stubGlobal("location", { pathname: "/", hash: "" });
vi.stubGlobal("localStorage", { getItem: () => null });
vi.stubGlobal("sessionStorage", { getItem: () => null });
const { localFileOf } = await import("./download");

const common = { source: "s", ordinal: 7, labels: { app: "shop" }, more: { image: "i" }, time: 1_000_000_001n };
const line: Line = {
    ...common,
    kind: "line",
    id: "1",
    text: "no \u001b[1mstock",
    stream: "stderr",
    level: "error",
    isText: true,
    hit: false,
};
const gap: Entry = { ...common, kind: "gap", id: "2", from: 1n, to: 2n, reason: "torn", linesMin: 3, bytesMin: 0 };
const end: Entry = { ...common, kind: "end", id: "3", reason: "removed", exitCode: 3 };

const pages = (...all: { entries: Entry[]; warnings?: string[] }[]) =>
    ({
        page: (_: unknown, { cursor }: PageWanted) => {
            const at = Number(cursor ?? 0);
            const next = at + 1 < all.length ? String(at + 1) : null;
            return Promise.resolve({ warnings: [], ...all[at]!, cursor: next });
        },
    }) as Partial<Logs> as Logs;
const file = (source: Logs, form: "text" | "ndjson") =>
    localFileOf(source, anything(), 0n, 10n, form, () => {}, new AbortController().signal);

describe("a file of what was opened here", () => {
    it("has all pages, as text for people", async () => {
        const { blob, name } = await file(pages({ entries: [line] }, { entries: [gap, end] }), "text");
        expect(name).toBe("logs.txt");
        expect(await blob.text()).toBe(
            "1970-01-01T00:00:01.000000001Z shop [stderr] no \\x1b[1mstock\n" +
                "1970-01-01T00:00:01.000000001Z shop --- gap: torn from 1970-01-01T00:00:00.000000001Z " +
                "to 1970-01-01T00:00:00.000000002Z, at least 3 lines\n" +
                "1970-01-01T00:00:01.000000001Z shop --- end: removed, exit code 3\n",
        );
    });
    it("has records as the server writes them", async () => {
        const { blob } = await file(pages({ entries: [line] }), "ndjson");
        expect(JSON.parse(await blob.text())).toEqual({
            kind: "line",
            time: "1970-01-01T00:00:01.000000001Z",
            source: "s",
            ordinal: 7,
            stream: "stderr",
            level: "error",
            message: "no \u001b[1mstock",
            labels: { app: "shop" },
            fields: { image: "i" },
        });
    });
    it("is none where it would not be whole", async () => {
        const damaged = pages({ entries: [line], warnings: ["KEY is left out: damaged"] });
        await expect(file(damaged, "text")).rejects.toThrow("The file would not be whole: KEY is left out");
    });
});
