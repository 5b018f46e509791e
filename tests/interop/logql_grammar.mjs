// Grafana's own grammar of LogQL is the second opinion on ours: on the table of queries, and on what is left of them when
// a word is left out, doubled or put in another's place. A grammar sees syntax alone, so it may take what we refuse for its
// meaning; what it refuses we may only take where this page says so.
// node logql_grammar.mjs PATH_OF_INTEROP_TOOL TABLE
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { parser } from "@grafana/lezer-logql";

const [tool, table] = process.argv.slice(2);

function theirs(query) {
    let sound = true;
    parser.parse(query).iterate({ enter: (node) => { if (node.type.isError) sound = false; } });
    return sound;
}

// One answer a query: "valid", or what is wrong with it.
function ours(queries) {
    const asked = queries.map((query) => Buffer.from(query).toString("base64").replace(/=+$/, "")).join("\n") + "\n";
    return execFileSync(tool, ["logql"], { input: asked, maxBuffer: 64 << 20 }).toString().trimEnd().split("\n");
}

function words(query) {
    return query.match(/"(?:[^"\\]|\\.)*"|`[^`]*`|[A-Za-z_][A-Za-z0-9_]*|[0-9][A-Za-z0-9.]*|\|=|\|~|\|>|!=|!~|!>|=~|>=|<=|==|\S/g) ?? [];
}

// Blanks between label filters mean "and" to Loki, and are unknown to the grammar; so are some words that Loki has.
const known = [
    /\| *(json|logfmt|unpack|regexp|pattern)\b.*[=<>!~].*\s[A-Za-z_]\w*\s*(=|!=|=~|!~|>|<|>=|<=)/s,
    /--/,
];

const rows = readFileSync(table, "utf8").split("\n").filter(Boolean).map((line) => line.split("\t"));
const queries = new Set(rows.map(([query]) => query));
for (const [query, verdict] of rows) {
    if (verdict !== "valid" || query.includes("#")) continue;
    const all = words(query);
    for (let at = 0; at < all.length; ++at) {
        queries.add([...all.slice(0, at), ...all.slice(at + 1)].join(" "));
        queries.add([...all.slice(0, at + 1), ...all.slice(at)].join(" "));
        if (at + 1 < all.length) queries.add([...all.slice(0, at), all[at + 1], all[at], ...all.slice(at + 2)].join(" "));
    }
}
const asked = [...queries].filter((query) => !query.includes("\n"));
const answers = ours(asked);
assert.equal(answers.length, asked.length);

const lax = [];
let both = 0;
asked.forEach((query, at) => {
    const sound = theirs(query);
    if (sound && answers[at] === "valid") ++both;
    if (!sound && answers[at] === "valid" && !known.some((pattern) => pattern.test(query))) lax.push(query);
});
assert.deepEqual(lax, [], "queries that we take and Grafana's grammar refuses");
assert(both > 80, "the grammars agree on many");
console.log(`${asked.length} queries asked, ${both} taken by both`);
