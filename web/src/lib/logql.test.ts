import { describe, expect, it } from "vitest";
import { faultIn, placeAt, placeIn } from "./logql";

describe("help with LogQL", () => {
    it("finds no fault where there is none", () => {
        for (const query of [
            '{app="a"}',
            '{app=~".+"} |= "x" | json | status >= 500',
            'sum by (app) (rate({app="a"}[5m]))',
        ])
            expect(faultIn(query)).toBeNull();
    });
    it("finds the place of a fault", () => {
        expect(faultIn('{app="a"')!.from).toBe(8);
        expect(faultIn('{app="a"} |= ')).not.toBeNull();
    });
    it("reads the place that the server names", () => {
        expect(placeIn("parse error at line 1, col 17: syntax error", "x".repeat(40))).toBe(16);
        expect(placeIn("parse error at line 2, col 1: syntax error", "abc\ndef")).toBe(4);
        expect(placeIn("too many bytes", "x")).toBeNull();
    });
    it("knows what is being written", () => {
        expect(placeAt("")).toEqual({ kind: "start", word: "" });
        expect(placeAt("sum(ra")).toEqual({ kind: "start", word: "ra" });
        expect(placeAt("{")).toEqual({ kind: "label", word: "" });
        expect(placeAt('{app="x", con')).toEqual({ kind: "label", word: "con" });
        expect(placeAt('{app="sh')).toEqual({ kind: "value", label: "app", word: "sh" });
        expect(placeAt('{app="x"} | js')).toEqual({ kind: "stage", word: "js" });
        expect(placeAt('{app="x"} |= "a | b')).toBeNull();
    });
});
