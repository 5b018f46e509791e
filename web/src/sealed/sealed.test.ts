// The vectors of tests/vectors (docs/formats): what the C++ reader opens or refuses, this one does, too.
import { readdirSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { openFile, readPlaintext } from "./age";
import type { Fetch } from "./bytes";
import { NoMatch, Refused } from "./refused";
import { frameTexts, openSegment } from "./segment";
import { walk } from "./text";
import { initZstd } from "./zstd";

// scripts/web.sh --test says where they are.
const vectors = new URL(`file://${process.env.BOATSWAIN_VECTORS}/`);

function vector(folder: string, name: string) {
    const content = readFileSync(new URL(`${folder}/${name}`, vectors));
    const lines: string[] = [];
    let at = 0;
    while (lines.length < 4) {
        const end = content.indexOf(10, at);
        lines.push(content.toString("utf8", at, end));
        at = end + 1;
    }
    const bytes = new Uint8Array(content.subarray(at));
    const fetch: Fetch = (first, length) => Promise.resolve(bytes.slice(first, first + length));
    return { expect: lines[0]!.slice(8), identity: lines[1]!.slice(10), size: bytes.length, fetch };
}

const names = (folder: string) => readdirSync(new URL(folder, vectors)).filter((name) => !name.includes("."));

async function openWhole(...words: Parameters<typeof openSegment>) {
    const { opened, footer } = await openSegment(...words);
    return { opened: opened!, footer };
}

async function outcome(work: () => Promise<string>): Promise<string> {
    try {
        return await work();
    } catch (error) {
        if (error instanceof NoMatch) return "no match";
        if (error instanceof Refused) return "refused";
        throw error;
    }
}

beforeAll(initZstd);

describe("age", () => {
    it.each(names("age"))("%s", async (name) => {
        const { identity, size, fetch, expect: wanted } = vector("age", name);
        const found = await outcome(async () => {
            const opened = await openFile(size, fetch, [identity]);
            const all = await readPlaintext(opened, fetch, 0, opened.plaintextBytes);
            return `success: ${all.length}`;
        });
        expect(found).toBe(wanted.startsWith("refused") ? "refused" : wanted);
    });
    it("has the vectors", () => expect(names("age").length).toBeGreaterThanOrEqual(40));
});

describe("segments", () => {
    it.each(names("segment"))("%s", async (name) => {
        const { identity, size, fetch, expect: wanted } = vector("segment", name);
        const found = await outcome(async () => {
            const { opened, footer } = await openWhole("", size, fetch, [identity]);
            const parts: Uint8Array[] = [];
            const nothing = { line: () => {}, gap: () => {}, end: () => {} };
            if (footer.frames.length)
                for await (const one of frameTexts(opened, fetch, footer.frames)) {
                    if ("error" in one) throw one.error;
                    walk(one.text, footer.sources[one.frame.source]!.id, nothing);
                    parts.push(one.text);
                }
            expect(Buffer.concat(parts).equals(readFileSync(new URL(`segment/${name}.text`, vectors)))).toBe(true);
            return "success";
        });
        expect(found).toBe(wanted.startsWith("refused") ? "refused" : wanted);
    });
    it("has the vectors", () => expect(names("segment").length).toBeGreaterThanOrEqual(35));
});
