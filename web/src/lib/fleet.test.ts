import { expect, test } from "vitest";
import { age, size } from "./fleet";

test("sizes and ages are short", () => {
    expect(size(undefined)).toBe("");
    expect(size(17)).toBe("17 B");
    expect(size(5 * 1024 * 1024 * 1024)).toBe("5.0 GiB");
    expect(age("2026-11-30T12:00:00Z", "2026-11-30T12:00:59Z")).toBe("59 s");
    expect(age("2026-11-30T12:00:00.123456789Z", "2026-11-30T15:00:00Z")).toBe("3 h");
    expect(age("2026-11-30T12:00:10Z", "2026-11-30T12:00:00Z")).toBe("0 s");
});
