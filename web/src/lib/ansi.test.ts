import { describe, expect, it } from "vitest";
import { piecesOf, plain } from "./ansi";

const looks = (text: string) => piecesOf(text).map(({ text, looks, colour }) => [text, looks.join(" "), colour]);

describe("terminal colours", () => {
    it("become looks, until they are reset", () => {
        expect(looks("a \x1b[1;31mred\x1b[0m b")).toEqual([
            ["a ", "", null],
            ["red", "bold ansi-1", null],
            [" b", "", null],
        ]);
        expect(looks("\x1b[93mx\x1b[39my")).toEqual([
            ["x", "ansi-11", null],
            ["y", "", null],
        ]);
        expect(looks("\x1b[41mx\x1b[49m")).toEqual([["x", "ansi-on-1", null]]);
    });
    it("of 256 and of 16 million are shown as they are", () => {
        expect(looks("\x1b[38;5;196mx")).toEqual([["x", "", "rgb(255 0 0)"]]);
        expect(looks("\x1b[38;2;1;2;3mx")).toEqual([["x", "", "rgb(1 2 3)"]]);
        expect(looks("\x1b[38;5;9mx")).toEqual([["x", "ansi-9", null]]);
        expect(looks("\x1b[38;2;1;2;999mx")).toEqual([["x", "", null]]);
    });
    it("that are cut or are no colours leave no trace", () => {
        expect(plain("\x1b[2K\x1b[1Gdone\x1b]0;title\x07!\x1b(B")).toBe("done!");
        expect(looks("x\x1b[")).toEqual([["x", "", null]]);
        expect(looks("\x1b[;;;mx")).toEqual([["x", "", null]]);
    });
    it("come with control characters that are seen, and cannot turn the text around", () => {
        expect(looks("a\0b\x07\tc\u202ed")).toEqual([["a\u2400b\u2407\tc<U+202E>d", "", null]]);
    });
});
