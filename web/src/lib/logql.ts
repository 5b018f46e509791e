// Help with writing LogQL: where a query is wrong, and what could stand at the cursor. The grammar is Grafana's
// (@grafana/lezer-logql); the server has the last word.
import { parser } from "@grafana/lezer-logql";

// Where the first thing stands that the grammar does not know; null: it knows it all.
export function faultIn(query: string): { from: number; to: number } | null {
    let fault: { from: number; to: number } | null = null;
    parser.parse(query).iterate({
        enter: (node) => {
            if (!fault && node.type.isError) fault = { from: node.from, to: Math.max(node.to, node.from + 1) };
        },
    });
    return fault;
}

// The place that an error of the server names, from 0: "parse error at line 1, col 17: ...".
export function placeIn(failure: string, query: string): number | null {
    const found = /^parse error at line (\d+), col (\d+)/.exec(failure);
    if (!found) return null;
    const lines = query.split("\n");
    const line = Number(found[1]) - 1;
    const before = lines.slice(0, line).reduce((sum, one) => sum + one.length + 1, 0);
    return Math.min(before + Number(found[2]) - 1, query.length);
}

export type Place =
    | { kind: "label"; word: string }
    | { kind: "value"; label: string; word: string }
    | { kind: "stage"; word: string }
    | { kind: "start"; word: string };

// What is being written at the end of `before`; null: nothing that could be completed.
export function placeAt(before: string): Place | null {
    const selector = /\{([^{}]*)$/.exec(before);
    if (selector) {
        const value = /(\w+)\s*(?:=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)$/.exec(selector[1]!);
        if (value) return { kind: "value", label: value[1]!, word: value[2]! };
        const label = /(?:^|,)\s*(\w*)$/.exec(selector[1]!);
        return label ? { kind: "label", word: label[1]! } : null;
    }
    // Behind the selector: not inside a text.
    const bare = before.replace(/"(?:[^"\\]|\\.)*"|`[^`]*`/g, "text");
    if (/["`]/.test(bare)) return null;
    const stage = /\|\s*(\w*)$/.exec(bare);
    if (stage) return { kind: "stage", word: stage[1]! };
    const start = /(?:^|[(\s])([a-z_]*)$/.exec(bare);
    return start && !bare.includes("{") ? { kind: "start", word: start[1]! } : null;
}

export const stages = [
    "json",
    "logfmt",
    "pattern",
    "regexp",
    "unpack",
    "line_format",
    "label_format",
    "drop",
    "keep",
    "decolorize",
    "unwrap",
    "detected_level",
];
export const starts = [
    "count_over_time",
    "rate",
    "bytes_over_time",
    "bytes_rate",
    "sum",
    "avg",
    "min",
    "max",
    "count",
    "topk",
    "bottomk",
    "sum_over_time",
    "avg_over_time",
    "max_over_time",
    "min_over_time",
    "quantile_over_time",
    "absent_over_time",
];
