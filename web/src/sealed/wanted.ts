// Which lines a question wants: what is asked of a frame's source, and what of each line. The page's own question; LogQL
// is the server's.
import { plain } from "../lib/ansi";
import { fieldsOf } from "../lib/fields";
import { levelNamed, type Level } from "../lib/line";
import { literal, termsOf, type Filter, type Question } from "../lib/question";
import type { Source } from "./footer";
import { detectedLevel } from "./level";

// Plain data, for workers.
export interface Wanted {
    apps: string[];
    containers: string[];
    stream: string;
    levels: Level[];
    text: string;
    filters: Filter[];
}

export const wantedOf = ({ apps, containers, stream, levels, text, filters }: Question): Wanted => ({
    apps: [...apps],
    containers: [...containers],
    stream,
    levels: [...levels],
    text,
    filters: filters.map((one) => ({ ...one })),
});

export const everything: Wanted = { apps: [], containers: [], stream: "", levels: [], text: "", filters: [] };

// The labels of a container, as the server names them.
export function labelsOf(source: Source, host: string): Record<string, string> {
    const labels: Record<string, string> = {};
    const put = (name: string, value: string) => {
        if (value) labels[name] = value;
    };
    put("app", source.app);
    put("component", source.component);
    put("container", source.name);
    put("host", host);
    put("instance", source.instance);
    put("service_name", source.app);
    return labels;
}

export function moreOf(source: Source): Record<string, string> {
    const more: Record<string, string> = { ...source.labels, container_id: source.id };
    if (source.image) more.image = source.image;
    return more;
}

const ofSource = new Set(["app", "component", "container", "host", "instance", "service_name"]);

export function wantsSource(wanted: Wanted, source: Source, host: string): boolean {
    if (wanted.apps.length && !wanted.apps.includes(source.app)) return false;
    if (wanted.containers.length && !wanted.containers.includes(source.name)) return false;
    const labels = labelsOf(source, host);
    return wanted.filters
        .filter((filter) => filter.from === "label" && ofSource.has(filter.name))
        .every((filter) => ((labels[filter.name] ?? "") === filter.value) !== filter.out);
}

// Looks for one text, in any case, from left to right: a text that is far away is looked for once.
class Finder {
    readonly #form: RegExp;
    #in = "";
    #next = -1;
    #end = -1;
    constructor(
        text: string,
        readonly isOut: boolean,
    ) {
        this.#form = new RegExp(literal(text), "giu");
    }
    // Whether it stands in [from, to) of `text`.
    isIn(text: string, from: number, to: number): boolean {
        if (text !== this.#in || this.#next < from) {
            this.#in = text;
            this.#form.lastIndex = from;
            const found = this.#form.exec(text);
            this.#next = found ? found.index : Infinity;
            this.#end = found ? found.index + found[0].length : Infinity;
        }
        return this.#end <= to;
    }
}

export class LineMatcher {
    readonly #finders: Finder[];
    readonly #stream: string;
    readonly #levels: Set<Level>;
    readonly #filters: Filter[];

    constructor(wanted: Wanted) {
        this.#finders = termsOf(wanted.text).map((term) => new Finder(term.text, term.out));
        this.#stream = wanted.stream;
        this.#levels = new Set(wanted.levels);
        this.#filters = wanted.filters.filter((one) => one.from !== "label" || !ofSource.has(one.name));
    }

    // The line of `text` with its message in [from, to). `ofLabels`: what the source's labels say of its level.
    matches(text: string, from: number, to: number, more: Record<string, string>, ofLabels: string | null): boolean {
        for (const finder of this.#finders) if (finder.isIn(text, from, to) === finder.isOut) return false;
        if (this.#stream && !text.startsWith(this.#stream, from - 9)) return false;
        if (!this.#levels.size && !this.#filters.length) return true;
        const message = text.slice(from, to);
        const level = detectedLevel(ofLabels, message);
        if (this.#levels.size && !this.#levels.has(levelNamed(level))) return false;
        if (!this.#filters.length) return true;
        const fields = fieldsOf(plain(message));
        return this.#filters.every((filter) => {
            const value =
                filter.from === "label"
                    ? { ...more, stream: text.slice(from - 9, from - 3), detected_level: level }[filter.name]
                    : fields?.form === filter.from
                      ? fields.fields.find(({ name }) => name === filter.name)?.value
                      : undefined;
            return ((value ?? "") === filter.value) !== filter.out;
        });
    }
}
