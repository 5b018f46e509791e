// How grave a line says it is: the same answer as the server's detected_level (src/logql/level.h).

const valueLevels: Record<string, string> = {
    trace: "trace",
    trc: "trace",
    debug: "debug",
    dbg: "debug",
    info: "info",
    inf: "info",
    information: "info",
    warn: "warn",
    wrn: "warn",
    warning: "warn",
    error: "error",
    err: "error",
    critical: "critical",
    fatal: "fatal",
};
// In this order, wherever they stand.
const words = ["trace", "debug", "fatal", "critical", "error", "err", "warning", "warn", "info"];
const wordLevels = ["trace", "debug", "fatal", "critical", "error", "error", "warn", "warn", "info"];
const textMax = 16 << 10;

const fieldName = /^(?:level|severity|lvl|severity_text)$/i;
const mayHaveField = /level|severity|lvl/i;
const jsonField = /"((?:[^"\\]|\\[^])*)"[ \t\r\n\v\f]*:[ \t\r\n\v\f]*"((?:[^"\\]|\\[^])*)"?|"(?:[^"\\]|\\[^])*"?/g;
const logfmtField = /([^= \t\r\n\v\f]*)=(?:"((?:[^"\\]|\\[^])*)"?|([^ \t\r\n\v\f]*))|[^= \t\r\n\v\f]+/g;
const word = /\b(?:trace|debug|fatal|critical|error|err|warning|warn|info)\b/gi;

// The level that a source's labels say; null: its lines say it.
export function levelOfLabels(labels: Record<string, string>): string | null {
    for (const name of Object.keys(labels).sort()) if (fieldName.test(name)) return labels[name]!;
    return null;
}

// One of trace, debug, info, warn, error, critical, fatal, unknown.
export function detectedLevel(ofLabels: string | null, message: string): string {
    const line = message.length > textMax ? message.slice(0, textMax) : message;
    let value = ofLabels;
    if (value === null && mayHaveField.test(line)) {
        const text = line.trim();
        value = text.startsWith("{") ? valueIn(text, jsonField) : valueIn(text, logfmtField);
    }
    if (value !== null) {
        const level = valueLevels[value.trim().toLowerCase()];
        if (level) return level;
    }
    let best = words.length;
    word.lastIndex = 0;
    for (let found = word.exec(line); found && best > 0; found = word.exec(line)) {
        const at = words.indexOf(found[0].toLowerCase());
        if (at < best) best = at;
    }
    return wordLevels[best] ?? "unknown";
}

function valueIn(text: string, fields: RegExp): string | null {
    fields.lastIndex = 0;
    for (let found = fields.exec(text); found; found = fields.exec(text)) {
        if (found[1] !== undefined && fieldName.test(found[1])) return found[2] ?? found[3] ?? "";
        if (found[0] === "") fields.lastIndex++;
    }
    return null;
}
