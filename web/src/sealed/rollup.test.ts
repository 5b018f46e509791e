// tests/vectors/rollup: a roll-up that `boatswain rollup` made of five segments.
import { readFileSync } from "node:fs";
import { Decrypter, Encrypter, identityToRecipient } from "age-encryption";
import { beforeAll, describe, expect, it } from "vitest";
import type { Bytes, Fetch } from "./bytes";
import { mayHold, rowsOf, slotsOf } from "./grams";
import { NoMatch, Refused } from "./refused";
import { filter, openRollup, readSummaries, type Rollup } from "./rollup";

const content = readFileSync(`${process.env.BOATSWAIN_VECTORS}/rollup/five`);
const identity = /^identity: (.*)$/m.exec(content.toString("latin1"))![1]!;
const object = new Uint8Array(content.subarray(content.indexOf("\n\nage-") + 2)) as Bytes;
const from =
    (bytes: Bytes): Fetch =>
    (first, length) =>
        Promise.resolve(bytes.slice(first, first + length));
const day = "2026-11-22";
const open = (tenant = "bench", of = day, identities = [identity], bytes = object) =>
    openRollup(tenant, of, bytes.length, from(bytes), identities);

describe("a roll-up", () => {
    let rollup: Rollup;
    beforeAll(async () => {
        rollup = await open();
    });
    it("has the footers of its segments", async () => {
        expect(rollup.hours.map(({ hour }) => hour)).toEqual([`${day}T10`]);
        const all = await readSummaries(rollup, from(object), rollup.hours[0]!, "bench");
        expect(all).toHaveLength(5);
        for (const { key, size, mac, footer } of all) {
            expect(key).toContain(`v1/tenant=bench/hour=${day}T10/host=bench/`);
            expect(size).toBeGreaterThan(50_000);
            expect(mac).toMatch(/^[A-Za-z0-9+/]{43}$/);
            expect(footer.frames.length).toBeGreaterThan(0);
        }
    });
    it("knows which frames cannot hold a text, and never says so of one that does", async () => {
        const all = await readSummaries(rollup, from(object), rollup.hours[0]!, "bench");
        const frames = all.reduce((sum, { footer }) => sum + footer.frames.length, 0);
        const may = async (text: string) => {
            const found = await filter(rollup, from(object), rollup.hours[0]!.grams!, frames, slotsOf(text));
            return found.reduce((sum, one) => sum + one, 0);
        };
        expect(await may("HTTP/1.1")).toBe(frames);
        expect(await may("/API/V1/ORDERS")).toBe(frames);
        expect(await may("zyqvwjx plmoqwz")).toBe(0);
        await expect(filter(rollup, from(object), rollup.hours[0]!.grams!, frames + 1, [1])).rejects.toThrow(Refused);
        await expect(filter(rollup, from(object), rollup.hours[0]!.grams!, frames - 1, [1])).rejects.toThrow(Refused);
    });
    it("is not asked for words beside a letter that may be another one", () => {
        expect(slotsOf('"foon barx"')).toHaveLength(5);
        expect(slotsOf('"fook barx"')).toEqual([]);
        expect(slotsOf('"xbar server"')).toEqual([expect.any(Number)]);
    });
    it("is refused where it is another's, is not proven, or was changed", async () => {
        await expect(open("acme")).rejects.toThrow("of another version, tenant or day");
        await expect(open("bench", "2026-11-23")).rejects.toThrow("of another version, tenant or day");
        const other = "AGE-SECRET-KEY-1LUV2CLMWHKS9AHZ02W8HH0FR0L8D2WMZM2AW6VQ2ALY2K7D2A08QY9X8KM";
        await expect(open("bench", day, [other])).rejects.toThrow(NoMatch);
        const changed = object.slice();
        changed[changed.length - 100]! ^= 1;
        await expect(open("bench", day, [identity], changed)).rejects.toThrow(Refused);
        // Anybody can seal to a tenant; what he makes carries no proof.
        const decrypter = new Decrypter();
        decrypter.addIdentity(identity);
        const forged = await decrypter.decrypt(object);
        forged[forged.length - 17]! ^= 1;
        const encrypter = new Encrypter();
        encrypter.addRecipient(await identityToRecipient(identity));
        const sealed = (await encrypter.encrypt(forged)) as Bytes;
        await expect(open("bench", day, [identity], sealed)).rejects.toThrow("no proof by the key that is here");
        // Who holds another identity that it is for could seal again what this one has proven.
        forged[forged.length - 17]! ^= 1;
        const again = new Encrypter();
        again.addRecipient(await identityToRecipient(identity));
        const resealed = (await again.encrypt(forged)) as Bytes;
        await expect(open("bench", day, [identity], resealed)).rejects.toThrow("no proof by the key that is here");
        await expect(readSummaries(rollup, from(object), rollup.hours[0]!, "acme")).rejects.toThrow("another tenant");
    });
});

describe("grams", () => {
    it("of letters that have other forms, and of what is no ASCII, tell nothing", () => {
        expect(slotsOf("kiosk")).toEqual([]);
        expect(slotsOf("caf\u00e9\u00e9")).toEqual([]);
        expect(slotsOf("abcd")).toEqual([]);
        expect(slotsOf("-timeout")).toEqual([]);
        expect(slotsOf("TimeOut")).toEqual(slotsOf("tIMEoUT"));
        expect(slotsOf("timeout")).toHaveLength(3);
        expect(slotsOf('"a bad map"')).toHaveLength(5);
        expect(slotsOf("user=4711")).toEqual([]);
    });
    it("of a frame without a filter may hold everything", () => {
        // Three frames: one without a filter, two with 8 rows, of which the first has the first row's bit.
        const grams = new Uint8Array([0, 1, 1, 0b1, 0]);
        expect(Array.from(mayHold(grams, 3, [0]))).toEqual([1, 1, 0]);
        expect(Array.from(mayHold(grams, 3, [1 << 19]))).toEqual([1, 0, 0]);
        expect(Array.from(mayHold(grams, 3, []))).toEqual([1, 1, 1]);
        // 70 frames of 8 rows of 9 bytes each; the last frame has the second row's bit.
        const many = new Uint8Array(70 + 8 * 9).fill(1, 0, 70);
        many[70 + 9 + 8] = 1 << 5;
        const found = mayHold(many, 70, [1 << 17]);
        expect([found.reduce((sum, one) => sum + one, 0), found[69]]).toEqual([1, 1]);
        expect(rowsOf(53)).toBe(65_536);
        expect(() => mayHold(grams, 2, [0])).toThrow(Refused);
        expect(() => mayHold(grams, 4, [0])).toThrow(Refused);
        expect(() => mayHold(grams.subarray(0, 4), 3, [0])).toThrow(Refused);
        expect(() => mayHold(new Uint8Array([54]), 1, [0])).toThrow(Refused);
    });
});
