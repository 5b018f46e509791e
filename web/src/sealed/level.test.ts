// The cases of src/logql/level_test.cc: the same line has the same level here and there.
import { describe, expect, it } from "vitest";
import { detectedLevel, levelOfLabels } from "./level";

describe("a level", () => {
    it.each([
        [`{"msg":"an error of the past","level":"INFO"}`, "info"],
        [`{"log":{"Severity" : "wrn"},"x":1}`, "warn"],
        [String.raw`{"msg":"\"level\":\"error\"","lvl":"debug"}`, "debug"],
        [`ts=1 level=dbg msg="level=error"`, "debug"],
        [`msg="level=error x" LVL="Fatal"`, "fatal"],
        ["level=critical", "critical"],
        ["2026-11-23 ERROR no stock", "error"],
        ["informed of terrors", "unknown"],
        ["info: then an error", "error"],
        ["level=42 Warning", "warn"],
        [`{"level":30,"msg":"trace"}`, "trace"],
        ["", "unknown"],
        [`"`, "unknown"],
        [`{"level":"\\`, "unknown"],
        [`{"level"`, "unknown"],
        ["level=", "unknown"],
        [`${" ".repeat(16 << 10)}error`, "unknown"],
    ])("of %j is %s", (line, level) => expect(detectedLevel(null, line)).toBe(level));
    it("is what a label of the source says first", () => {
        expect(detectedLevel(levelOfLabels({ severity: "WARN" }), "level=error")).toBe("warn");
        expect(levelOfLabels({ tier: "web" })).toBe(null);
    });
});
