import { describe, expect, it } from "vitest";
import { fieldsOf } from "./fields";

const pairs = (text: string) => fieldsOf(text)?.fields.map(({ name, value }) => `${name}=${value}`);

describe("fields", () => {
    it("of JSON have the names of the query language", () => {
        expect(pairs('{"a":1,"b":{"c-d":"x","9":true},"n":null,"l":[1,{"y":2}]}')).toEqual([
            "a=1",
            "b__9=true",
            "b_c_d=x",
            'l=[1,{"y":2}]',
        ]);
    });
    it("of logfmt may be quoted", () => {
        expect(pairs('ts=1 level=info msg="a \\"b\\" c" empty= x.y=2')).toEqual([
            "ts=1",
            "level=info",
            'msg=a "b" c',
            "empty=",
            "x_y=2",
        ]);
    });
    it("are not seen in a sentence", () => {
        expect(fieldsOf("the sum a=b is wrong")).toBeNull();
        expect(fieldsOf("{broken")).toBeNull();
        expect(fieldsOf("")).toBeNull();
    });
    it("are bounded", () => {
        const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, i]));
        expect(fieldsOf(JSON.stringify(many))!.fields).toHaveLength(200);
        expect(fieldsOf("[".repeat(100_000))).toBeNull();
    });
});
