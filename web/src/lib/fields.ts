// A line that is JSON or logfmt, as fields with the names that the query language gives them: {"user":{"id":1}} has
// user_id.

export interface Field {
    name: string;
    value: string;
}

export interface Fields {
    form: "json" | "logfmt";
    fields: Field[];
}

const fieldsMax = 200;

export function fieldsOf(text: string): Fields | null {
    const line = text.trim();
    if (line.startsWith("{")) {
        try {
            const whole: unknown = JSON.parse(line);
            const fields: Field[] = [];
            flatten("", whole, fields);
            return { form: "json", fields };
        } catch {
            return null;
        }
    }
    return logfmtOf(line);
}

function flatten(prefix: string, value: unknown, out: Field[]) {
    if (out.length >= fieldsMax || value === null) return;
    if (Array.isArray(value)) {
        // No query reaches into it, so it stays one field.
        if (prefix) out.push({ name: prefix, value: JSON.stringify(value) });
        return;
    }
    if (typeof value !== "object") {
        out.push({ name: prefix, value: String(value) });
        return;
    }
    for (const [key, inner] of Object.entries(value)) {
        const name = key.replace(/[^A-Za-z0-9_]/g, "_").replace(/^(\d)/, "_$1");
        flatten(prefix ? `${prefix}_${name}` : name, inner, out);
    }
}

// Two pairs at least: a sentence that has one '=' is no logfmt.
function logfmtOf(line: string): Fields | null {
    const fields: Field[] = [];
    for (const found of line.matchAll(/(?:^|\s)([A-Za-z_][\w.-]*)=(?:"((?:[^"\\]|\\.)*)"|(\S*))/g)) {
        if (fields.length >= fieldsMax) break;
        const quoted = found[2]?.replace(/\\(.)/g, (_, one: string) => (one === "n" ? "\n" : one === "t" ? "\t" : one));
        fields.push({ name: found[1]!.replace(/[^A-Za-z0-9_]/g, "_"), value: quoted ?? found[3] ?? "" });
    }
    return fields.length >= 2 ? { form: "logfmt", fields } : null;
}
