import { describe, expect, it } from "vitest";
import { groupsOf } from "./groups";
import type { End, Line } from "./line";

let made = 0;
const line = (text: string, ms = 0, container = "a"): Line => ({
    kind: "line",
    id: String(made),
    time: BigInt(ms) * 1_000_000n,
    source: container,
    ordinal: made++,
    text,
    stream: "stderr",
    labels: { container },
    level: "unknown",
    more: {},
    isText: true,
    hit: false,
});
const shape = (texts: (string | Line | End)[]) =>
    groupsOf(texts.map((one) => (typeof one === "string" ? line(one) : one))).map(({ rest }) => 1 + rest.length);

describe("groups", () => {
    it("hold a stack trace of Java, Python, Go and JavaScript", () => {
        expect(
            shape([
                "x",
                "Exception: no",
                "\tat a.b(C.java:1)",
                "Caused by: d",
                "\tat e.f(G.java:2)",
                "\t... 3 more",
                "y",
            ]),
        ).toEqual([1, 5, 1]);
        expect(
            shape(["Traceback (most recent call last):", '  File "a.py", line 1, in f', "    g()", "ValueError: x"]),
        ).toEqual([3, 1]);
        expect(
            shape([
                "panic: oh",
                "goroutine 1 [running]:",
                "main.f(0x1)",
                "\t/src/a.go:1 +0x1",
                "main.main()",
                "\t/src/a.go:9 +0x2",
                "next",
            ]),
        ).toEqual([6, 1]);
        expect(shape(["TypeError: x is not a function", "    at f (a.js:1:2)", "    at g (a.js:3:4)"])).toEqual([3]);
    });
    it("hold no lines that are only indented", () => {
        expect(shape(["list:", "  one", "  two"])).toEqual([1, 1, 1]);
    });
    it("do not reach over containers, or over a second", () => {
        expect(shape([line("E"), line("\tat x.y(Z.java:1)", 0, "b")])).toEqual([1, 1]);
        expect(shape([line("E", 0), line("\tat x.y(Z.java:1)", 1000)])).toEqual([1, 1]);
    });
    it("end where something else stands between", () => {
        const end: End = { ...line(""), kind: "end", reason: "removed", exitCode: 1 };
        expect(shape([line("E"), end, line("\tat x.y(Z.java:1)")])).toEqual([1, 1, 1]);
    });
    it("lose no line", () => {
        const lines = ["a", "  b", "\tat c.d(E)", "", "f", "  g"].map((text) => line(text));
        expect(groupsOf(lines).flatMap(({ first, rest }) => [first, ...rest])).toEqual(lines);
    });
});
