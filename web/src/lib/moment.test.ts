import { describe, expect, it } from "vitest";
import { clockText, durationText, exactText, momentText, readDuration, readMoment, stepFor } from "./moment";

describe("moments", () => {
    it("are exact to the nanosecond", () => {
        expect(exactText(1795392000123456789n)).toBe("2026-11-23T00:00:00.123456789Z");
        expect(exactText(0n)).toBe("1970-01-01T00:00:00.000000000Z");
        expect(clockText(1795392000123456789n, "utc")).toBe("00:00:00.123");
    });
    it("are read as they are shown", () => {
        const ms = Date.UTC(2026, 10, 30, 14, 3, 22);
        expect(readMoment(momentText(ms, "utc"), "utc")).toBe(ms);
        expect(readMoment(momentText(ms, "local"), "local")).toBe(ms);
        expect(readMoment("2026-11-30", "utc")).toBe(Date.UTC(2026, 10, 30));
        expect(readMoment("2026-11-30T14:03Z", "local")).toBe(Date.UTC(2026, 10, 30, 14, 3));
        expect(readMoment("2026-11-30 14:03:01.5", "utc")).toBe(Date.UTC(2026, 10, 30, 14, 3, 1, 500));
    });
    it("that are none are refused", () => {
        for (const text of [
            "",
            "now",
            "2026-02-31",
            "2026-13-01",
            "2026-11-30 25:00",
            "2026-11-30 14:60",
            "30.11.2026",
        ])
            expect(readMoment(text, "utc")).toBeNull();
    });
});

describe("durations", () => {
    it("are read as they are written", () => {
        for (const text of ["5s", "90m", "1h", "7d"]) expect(durationText(readDuration(text)!)).toBe(text);
        expect(durationText(90 * 60_000)).toBe("90m");
        for (const text of ["", "h", "1w", "1.5h", "-1h"]) expect(readDuration(text)).toBeNull();
    });
    it("are cut into steps that people know", () => {
        expect(stepFor(3_600_000, 120)).toBe(30);
        expect(stepFor(60_000, 120)).toBe(1);
        expect(stepFor(30 * 86_400_000, 120)).toBe(21_600);
    });
});
