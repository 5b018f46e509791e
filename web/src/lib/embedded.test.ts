import { describe, expect, it, vi } from "vitest";

vi.stubGlobal("location", { pathname: "/embed", hash: "" });
vi.stubGlobal("addEventListener", () => {});
vi.stubGlobal("document", { documentElement: { dataset: {} } });
vi.stubGlobal("localStorage", { getItem: () => null });
vi.stubGlobal("sessionStorage", { getItem: () => null });
const { isColour } = await import("./embedded");
const { tokenOf } = await import("./session.svelte");

describe("what the page around a frame says", () => {
    it("is a colour, or not taken", () => {
        for (const colour of ["#fff", "#0b5f8a", "red", "rgb(1 2 3)", "hsl(120deg 50% 50% / 0.5)"])
            expect(isColour(colour)).toBe(true);
        for (const other of [
            "url(https://x)",
            "#fff; background: url(x)",
            "var(--x)",
            "expression(1)",
            "",
            7,
            null,
            "image-set(x)",
        ])
            expect(isColour(other)).toBe(false);
    });
});

describe("a link", () => {
    it("may bring a token, before a question", () => {
        expect(tokenOf("#token=bst_0d6a")).toBe("bst_0d6a");
        expect(tokenOf("#token=a.b-c_d&app=shop")).toBe("a.b-c_d");
        for (const other of ["", "#", "#app=x&token=y", "#token=", "#token=<x>"]) expect(tokenOf(other)).toBeNull();
    });
});
