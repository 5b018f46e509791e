import { describe, expect, it } from "vitest";
import { hueOf, levelIn, levelNamed, sharedPrefix } from "./line";

describe("a line", () => {
    it("has the level of the first word that names one", () => {
        expect(levelIn('{"level":"error","msg":"info"}')).toBe("error");
        expect(levelIn("WARN retry")).toBe("warn");
        expect(levelIn("errors happen")).toBe("unknown");
        expect(levelNamed("FATAL")).toBe("critical");
    });
    it("has the colour of its container, always the same", () => {
        expect(hueOf("web-1")).toBe(hueOf("web-1"));
        const hues = Array.from({ length: 8 }, (_, i) => hueOf(`web-${i}`)).sort((a, b) => a - b);
        for (let i = 1; i < hues.length; i++) expect(hues[i]! - hues[i - 1]!).toBeGreaterThanOrEqual(20);
    });
});

describe("names", () => {
    it("share whole words", () => {
        expect(sharedPrefix(["shop-cart-1", "shop-pay-1"])).toBe(5);
        expect(sharedPrefix(["web", "worker"])).toBe(0);
        expect(sharedPrefix(["one"])).toBe(0);
        expect(sharedPrefix([])).toBe(0);
        expect(sharedPrefix(["a-b", "a-b-c"])).toBe(2);
    });
});
