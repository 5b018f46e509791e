import { describe, expect, it, vi } from "vitest";

vi.stubGlobal("location", { pathname: "/", hash: "" });
vi.stubGlobal("localStorage", { getItem: () => null });
vi.stubGlobal("sessionStorage", { getItem: () => null });
const { grouped } = await import("./containers");
const { pageIn } = await import("./records");

const at = (second: number) => `2026-11-23T10:00:0${second}.000000001Z`;
const line = (second: number, ordinal: number, more = {}) =>
    JSON.stringify({
        kind: "line",
        time: at(second),
        source: "s",
        ordinal,
        stream: "stdout",
        level: "error",
        labels: { app: "a" },
        message: "m",
        ...more,
    });
const done = JSON.stringify({ kind: "done", lines: 2, complete: false, cursor: "c", warnings: ["w"] });

describe("records", () => {
    it("become lines, gaps and ends in the order of time", () => {
        const gap = JSON.stringify({
            kind: "gap",
            time: at(1),
            source: "s",
            ordinal: 1,
            from: at(1),
            to: at(2),
            reason: "rotated-away",
            lines_min: 3,
        });
        const end = JSON.stringify({
            kind: "end",
            time: at(3),
            source: "s",
            ordinal: 3,
            reason: "removed",
            exit_code: 3,
        });
        const page = pageIn([line(2, 2), line(1, 0), gap, end, done, ""].join("\n"));
        expect(page.entries.map(({ kind }) => kind)).toEqual(["line", "gap", "line", "end"]);
        expect(page.entries[0]).toMatchObject({
            text: "m",
            level: "error",
            time: 1795428001000000001n,
            id: "line/s/0",
        });
        expect(page.entries[1]).toMatchObject({ reason: "rotated-away", linesMin: 3, to: 1795428002000000001n });
        expect(page.entries[3]).toMatchObject({ exitCode: 3 });
        expect(page).toMatchObject({ cursor: "c", warnings: ["w"] });
    });
    it("that are no UTF-8 are shown as far as they are", () => {
        const [found] = pageIn(
            [line(1, 0, { message: undefined, message_base64: btoa("a\xffb") }), done].join("\n"),
        ).entries;
        expect(found).toMatchObject({ text: "a\ufffdb", isText: false });
    });
    it("that break off are an error", () => {
        expect(() => pageIn(line(1, 0))).toThrow("breaks off");
        expect(() => pageIn([line(1, 0), JSON.stringify({ kind: "error", error: "too much" })].join("\n"))).toThrow(
            "too much",
        );
    });
});

describe("containers", () => {
    it("of one name are runs of it, and the latest says how it ended", () => {
        const run = (source: string, second: number, end?: { reason: string; exit_code?: number }) => ({
            source,
            app: "a",
            container: "c",
            lines: 2,
            gaps: 0,
            last: at(second),
            ...(end && { end }),
        });
        const [app] = grouped([run("x", 2), run("y", 1, { reason: "removed", exit_code: 3 })]);
        expect(app!.containers).toEqual([{ name: "c", runs: 2, lines: 4, gaps: 0, removed: false, exitCode: null }]);
        const [other] = grouped([run("x", 1), run("y", 2, { reason: "removed", exit_code: 3 })]);
        expect(other!.containers[0]).toMatchObject({ removed: true, exitCode: 3 });
    });
});
