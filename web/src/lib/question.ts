// What the reader asks for: kept in the address behind '#', so that a link shares it, and said in LogQL to the server.
import { durationText, readDuration, type Range } from "./moment";
import type { Level } from "./line";

export interface Filter {
    name: string;
    value: string;
    out: boolean;
    // Where the field comes from: a label, or what a parser finds in the line.
    from: "label" | "json" | "logfmt";
}

export interface Question {
    range: Range;
    apps: string[];
    containers: string[];
    stream: "" | "stdout" | "stderr";
    levels: Level[];
    text: string; // words, "phrases", -words that may not be there
    filters: Filter[];
    query: string | null; // LogQL in place of all but the range
}

export const hour = 3_600_000;

export function anything(): Question {
    return {
        range: { last: hour },
        apps: [],
        containers: [],
        stream: "",
        levels: [],
        text: "",
        filters: [],
        query: null,
    };
}

export interface Term {
    text: string;
    out: boolean;
}

// Words are found in any case.
export function termsOf(text: string): Term[] {
    const terms: Term[] = [];
    for (const found of text.matchAll(/(-?)(?:"([^"]+)"?|(\S+))/g)) {
        const words = found[2] ?? found[3] ?? "";
        // A lone '-' is a word.
        if (words) terms.push({ text: words, out: found[1] === "-" });
        else if (found[1]) terms.push({ text: found[1], out: false });
    }
    return terms;
}

// A text of LogQL, with Go's escapes.
export function quoted(text: string): string {
    return JSON.stringify(text)
        .replace(/\u2028/g, "\\u2028")
        .replace(/\u2029/g, "\\u2029");
}

export function literal(text: string): string {
    return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

const oneOf = (label: string, values: string[]) =>
    values.length === 1 ? `${label}=${quoted(values[0]!)}` : `${label}=~${quoted(values.map(literal).join("|"))}`;

export function selectorOf(question: Question): string {
    const matchers: string[] = [];
    if (question.apps.length) matchers.push(oneOf("app", question.apps));
    if (question.containers.length) matchers.push(oneOf("container", question.containers));
    if (question.stream) matchers.push(`stream="${question.stream}"`);
    for (const filter of question.filters)
        if (filter.from === "label" && inSelector.has(filter.name))
            matchers.push(`${filter.name}${filter.out ? "!=" : "="}${quoted(filter.value)}`);
    // One matcher must not match the empty text.
    if (!matchers.some((one) => /^\w+=[~"]/.test(one))) matchers.unshift('host=~".+"');
    return `{${matchers.join(", ")}}`;
}

const inSelector = new Set(["app", "component", "container", "host", "instance", "service_name", "stream"]);

export function queryOf(question: Question): string {
    if (question.query !== null) return question.query;
    let query = selectorOf(question);
    for (const term of termsOf(question.text))
        query += ` ${term.out ? "!~" : "|~"} ${quoted(`(?i)${literal(term.text)}`)}`;
    if (question.levels.length) query += ` | ${oneOf("detected_level", question.levels)}`;
    for (const form of ["json", "logfmt"] as const) {
        const mine = question.filters.filter((filter) => filter.from === form);
        if (!mine.length) continue;
        query += ` | ${form}`;
        for (const filter of mine) query += ` | ${filter.name}${filter.out ? "!=" : "="}${quoted(filter.value)}`;
    }
    for (const filter of question.filters)
        if (filter.from === "label" && !inSelector.has(filter.name))
            query += ` | ${filter.name}${filter.out ? "!=" : "="}${quoted(filter.value)}`;
    return query;
}

// Lines are looked for by what they hold. Then the end of a container is no answer; a gap is: what is missing may have
// matched.
export function isSearch(question: Question): boolean {
    if (question.query !== null) return question.query.includes("|") || question.query.includes("!=");
    return question.text.trim() !== "" || question.levels.length > 0 || question.filters.length > 0;
}

// What is marked in the lines: null when there is nothing to mark.
export function marksOf(question: Question, highlight: string): RegExp | null {
    const words =
        question.query === null ? termsOf(question.text).filter((term) => !term.out) : literalsOf(question.query);
    const all = [...words, ...termsOf(highlight)].map((term) => literal(term.text));
    return all.length ? new RegExp(all.join("|"), "gi") : null;
}

// The texts behind `|=` of a query.
function literalsOf(query: string): Term[] {
    const terms: Term[] = [];
    for (const found of query.matchAll(/\|=\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`)/g)) {
        const text = found[2] ?? found[1]!.replace(/\\(.)/g, "$1");
        if (text) terms.push({ text, out: false });
    }
    return terms;
}

export function addressOf(question: Question): string {
    const form = new URLSearchParams();
    if ("last" in question.range) form.set("last", durationText(question.range.last));
    else {
        form.set("from", String(question.range.from));
        form.set("to", String(question.range.to));
    }
    for (const app of question.apps) form.append("app", app);
    for (const container of question.containers) form.append("container", container);
    if (question.stream) form.set("stream", question.stream);
    for (const level of question.levels) form.append("level", level);
    if (question.text) form.set("text", question.text);
    for (const f of question.filters) form.append(f.out ? "without" : "with", `${f.from}:${f.name}=${f.value}`);
    if (question.query !== null) form.set("query", question.query);
    return `#${form}`;
}

export function questionOf(address: string): Question {
    const form = new URLSearchParams(address.replace(/^#/, ""));
    const question = anything();
    const last = readDuration(form.get("last") ?? "");
    const from = Number(form.get("from") ?? NaN);
    const to = Number(form.get("to") ?? NaN);
    if (last !== null && last > 0) question.range = { last };
    else if (Number.isFinite(from) && Number.isFinite(to) && from < to) question.range = { from, to };
    question.apps = form.getAll("app");
    question.containers = form.getAll("container");
    const stream = form.get("stream");
    if (stream === "stdout" || stream === "stderr") question.stream = stream;
    question.levels = form.getAll("level") as Level[];
    question.text = form.get("text") ?? "";
    for (const out of [false, true])
        for (const text of form.getAll(out ? "without" : "with")) {
            const found = /^(label|json|logfmt):([A-Za-z_]\w*)=([^]*)$/.exec(text);
            if (found)
                question.filters.push({ from: found[1] as Filter["from"], name: found[2]!, value: found[3]!, out });
        }
    question.query = form.get("query");
    return question;
}
