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
        expect(hueOf("web-1")).not.toBe(hueOf("web-2"));
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
