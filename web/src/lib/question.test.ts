import { describe, expect, it } from "vitest";
import {
    addressOf,
    anything,
    marksOf,
    queryOf,
    questionOf,
    quoted,
    selectorOf,
    termsOf,
    type Question,
} from "./question";

const ask = (part: Partial<Question>): Question => ({ ...anything(), ...part });

describe("a question", () => {
    it("about anything selects every host", () => {
        expect(queryOf(anything())).toBe('{host=~".+"}');
    });
    it("names apps and containers exactly", () => {
        expect(selectorOf(ask({ apps: ["shop/cart"] }))).toBe('{app="shop/cart"}');
        expect(selectorOf(ask({ apps: ["a.b", "c|d"] }))).toBe('{app=~"a\\\\.b|c\\\\|d"}');
        expect(selectorOf(ask({ stream: "stderr" }))).toBe('{stream="stderr"}');
    });
    it("always has a matcher that the empty text fails", () => {
        const filters = [{ from: "label" as const, name: "container", value: "x", out: true }];
        expect(selectorOf(ask({ filters }))).toBe('{host=~".+", container!="x"}');
    });
    it("finds words in any case, taken literally", () => {
        expect(queryOf(ask({ text: 'a.b "no stock" -retry' }))).toBe(
            '{host=~".+"} |~ "(?i)a\\\\.b" |~ "(?i)no stock" !~ "(?i)retry"',
        );
    });
    it("cannot be broken out of", () => {
        const text = '"} | json {" \\ ` \n';
        expect(queryOf(ask({ text })).split("\n")).toHaveLength(1);
        expect(quoted('"\\')).toBe('"\\"\\\\"');
    });
    it("filters fields behind their parser, labels in the selector", () => {
        const filters = [
            { from: "json" as const, name: "status", value: "500", out: false },
            { from: "logfmt" as const, name: "row", value: "7", out: true },
            { from: "label" as const, name: "host", value: "h1", out: false },
            { from: "label" as const, name: "image", value: "i", out: false },
        ];
        expect(queryOf(ask({ filters, levels: ["error", "warn"] }))).toBe(
            '{host="h1"} | detected_level=~"error|warn" | json | status="500" | logfmt | row!="7" | image="i"',
        );
    });
    it("comes back whole from its address", () => {
        const whole = ask({
            range: { from: 1000, to: 2000 },
            apps: ["a&b", "ü"],
            containers: ["c=d"],
            stream: "stdout",
            levels: ["error"],
            text: '"x y" -z#',
            filters: [{ from: "json", name: "k", value: "v=w\n", out: true }],
        });
        expect(questionOf(addressOf(whole))).toEqual(whole);
        expect(questionOf(addressOf(ask({ query: '{a="b"} |= `#`' })))).toEqual(ask({ query: '{a="b"} |= `#`' }));
        expect(questionOf(addressOf(ask({ range: { last: 900_000 } })))).toEqual(ask({ range: { last: 900_000 } }));
    });
    it("from an address that is nonsense is about the last hour", () => {
        for (const address of ["", "#", "#last=-1h", "#last=1y", "#from=5&to=4", "#from=x&to=y", "#with=label:"])
            expect(questionOf(address)).toEqual(anything());
    });
});

describe("words", () => {
    it("are told apart from phrases and from what is left out", () => {
        expect(termsOf('a "b c" -d -"e f" - "g')).toEqual([
            { text: "a", out: false },
            { text: "b c", out: false },
            { text: "d", out: true },
            { text: "e f", out: true },
            { text: "-", out: false },
            { text: "g", out: false },
        ]);
    });
    it("are marked where they are found, also those of LogQL", () => {
        expect("A.b a.B".match(marksOf(ask({ text: "a.b -c" }), "")!)).toEqual(["A.b", "a.B"]);
        expect("no stock".match(marksOf(ask({ query: '{a="b"} |= "sto" |= `no`' }), "")!)).toEqual(["no", "sto"]);
        expect("xyz".match(marksOf(anything(), "y")!)).toEqual(["y"]);
        expect(marksOf(anything(), "")).toBeNull();
    });
});
