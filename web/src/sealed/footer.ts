// The footer of a segment: what is where in it (docs/formats/segment.md, "The footer").
import { u32, utf8 } from "./bytes";
import { refuse as refuseIt } from "./refused";
import { decompress } from "./zstd";

export interface Source {
    id: string;
    kind: string;
    name: string;
    image: string;
    app: string;
    component: string;
    instance: string;
    labels: Record<string, string>;
}

export interface Ended {
    time: string;
    reason: string;
    exitCode: number | null;
}

export interface Frame {
    source: number;
    offset: number;
    bytes: number;
    textBytes: number;
    firstOrdinal: number;
    lines: number;
    messageBytes: number;
    gaps: number;
    first: string; // times as they are written, which sort as texts do; "": there is none
    last: string;
    end: Ended | null;
}

export interface Footer {
    tenant: string;
    host: string;
    epoch: string;
    sequence: number;
    previous: string; // SHA-256 in hex, or ""
    sources: Source[];
    frames: Frame[];
}

// What is believed of an object: as the C++ reader does unless it is told otherwise (src/open/bounds.h).
const jsonBytesMax = 4 << 20;
const textBytesOfAFrameMax = 4 << 20;
const textRatioMax = 1000;
const textBytesSmall = 64 << 20;
const sourcesMax = 65_536;
const framesMax = 65_536;
const labelsMax = 65_536;
const labelsOfASourceMax = 4096;
const blobsMax = 256;
const sourceIdBytesMax = 256;

export const trailerBytes = 16;
const skippableHeaderBytes = 8;
const skippableMagic = 0x184d2a5b;
const magic = "BSWNFTR1";

const refuse = (why: string): never => refuseIt(`footer: ${why}`);

// Reads `length` bytes of the plaintext from `offset` on.
export type Read = (offset: number, length: number) => Promise<Uint8Array>;

export async function readFooter(plaintextBytes: number, objectBytes: number, read: Read): Promise<Footer> {
    if (plaintextBytes < skippableHeaderBytes + trailerBytes) refuse("the object is too short to hold one");
    const trailerAt = plaintextBytes - trailerBytes;
    const trailer = await read(trailerAt, trailerBytes);
    if (String.fromCharCode(...trailer.subarray(8)) !== magic) refuse("the object does not end with one");
    const [jsonBytes, contentBytes] = [u32(trailer, 0), u32(trailer, 4)];
    if (contentBytes > plaintextBytes - skippableHeaderBytes || jsonBytes + trailerBytes > contentBytes)
        refuse("its lengths do not fit in the object");
    const start = plaintextBytes - contentBytes - skippableHeaderBytes;
    const header = await read(start, skippableHeaderBytes);
    if (u32(header, 0) !== skippableMagic || u32(header, 4) !== contentBytes) refuse("its start does not fit its end");
    const jsonAt = trailerAt - jsonBytes;
    if (jsonBytes > jsonBytesMax) refuse("longer than allowed");
    const json = decompress(await read(jsonAt, jsonBytes), jsonBytesMax);
    return footerIn(utf8(json, "footer"), { start, blobsAt: start + skippableHeaderBytes, jsonAt, objectBytes });
}

interface Place {
    start: number | null; // of the skippable frame, where that is known
    blobsAt: number;
    jsonAt: number;
    objectBytes: number;
}

type Json = Record<string, unknown>;

// Fields of a JSON object, by name and type.
class Fields {
    readonly #of: Json;
    constructor(
        value: unknown,
        readonly where: string,
    ) {
        if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(`${where} is not an object`);
        this.#of = value as Json;
    }
    has(name: string): boolean {
        return Object.hasOwn(this.#of, name);
    }
    get(name: string): unknown {
        return this.has(name) ? this.#of[name] : refuse(`${this.where}.${name} is missing`);
    }
    text(name: string): string {
        const value = this.get(name);
        return typeof value === "string" ? value : refuse(`${this.where}.${name} is of another type`);
    }
    textOrEmpty(name: string): string {
        return this.has(name) ? this.text(name) : "";
    }
    number(name: string): number {
        const value = this.get(name);
        return typeof value === "number" && Number.isSafeInteger(value) && value >= 0
            ? value
            : refuse(`${this.where}.${name} is of another type`);
    }
    list(name: string, most: number): unknown[] {
        const value = this.get(name);
        if (!Array.isArray(value)) return refuse(`${this.where}.${name} is of another type`);
        if (value.length > most) refuse(`more than ${most} ${name}`);
        return value;
    }
    time(name: string): string {
        const text = this.text(name);
        return isTime(text) ? text : refuse(`${this.where}.${name} is not a time`);
    }
}

// 2026-11-22T10:00:00.123456789Z and nothing else.
export function isTime(text: string): boolean {
    return /^\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d\.\d{9}Z$/.test(text) && isMinute(text.slice(0, 17));
}

// "2026-11-22T10:00:" is one that there is.
export function isMinute(text: string): boolean {
    const at = Date.parse(`${text}00.000Z`);
    return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

// 1 to 128 bytes without control characters and separators; a leading '_' is the operator's own.
function isTenant(name: string): boolean {
    if (name === "_unassigned" || name === "_canary") return true;
    const size = new TextEncoder().encode(name).length;
    return size >= 1 && size <= 128 && !/^[._]/.test(name) && !/[\u0000-\u001f\u007f/\\]/.test(name);
}

// A footer as a roll-up has it: where the object's frames end is not known before it is opened.
export function parseFooter(text: string, objectBytes: number): Footer {
    return footerIn(text, { start: null, blobsAt: 0, jsonAt: objectBytes, objectBytes });
}

function footerIn(text: string, place: Place): Footer {
    let value: unknown;
    try {
        value = JSON.parse(text);
    } catch {
        refuse("not JSON");
    }
    const fields = new Fields(value, "footer");
    const version = fields.number("version");
    if (version !== 1) refuse(`of version ${version}, which this reader does not know`);
    const tenant = fields.text("tenant");
    if (!isTenant(tenant)) refuse("a tenant's name that is none");
    fields.time("sealed_at");
    const footer: Footer = {
        tenant,
        host: fields.text("host"),
        epoch: fields.text("epoch"),
        sequence: fields.number("sequence"),
        previous: fields.textOrEmpty("previous_sha256"),
        sources: [],
        frames: [],
    };
    let labels = 0;
    for (const [i, one] of fields.list("sources", sourcesMax).entries()) {
        const source = sourceIn(new Fields(one, `sources[${i}]`), tenant);
        labels += Object.keys(source.labels).length;
        if (labels > labelsMax) refuse("more labels than allowed");
        footer.sources.push(source);
    }
    for (const [i, one] of fields.list("frames", framesMax).entries())
        footer.frames.push(frameIn(new Fields(one, `frames[${i}]`), footer.sources.length));
    checkPlaces(footer.frames, fields.list("blobs", blobsMax), place);
    return footer;
}

function sourceIn(fields: Fields, tenant: string): Source {
    const labels: Record<string, string> = {};
    if (fields.has("labels")) {
        const all = Object.entries(fields.get("labels") as object);
        if (all.length > labelsOfASourceMax) refuse(`${fields.where}.labels has more entries than allowed`);
        for (const [name, value] of all)
            labels[name] = typeof value === "string" ? value : refuse(`${fields.where}.labels holds what is no string`);
    }
    const whose = fields.textOrEmpty("tenant");
    if (whose && whose !== tenant && tenant !== "_unassigned") refuse(`${fields.where} is of another tenant`);
    const id = fields.text("id");
    if (new TextEncoder().encode(id).length > sourceIdBytesMax) refuse(`${fields.where}.id is longer than allowed`);
    return {
        id,
        kind: fields.textOrEmpty("kind"),
        name: fields.textOrEmpty("name"),
        image: fields.textOrEmpty("image"),
        app: fields.textOrEmpty("app"),
        component: fields.textOrEmpty("component"),
        instance: fields.textOrEmpty("instance"),
        labels,
    };
}

function frameIn(fields: Fields, sources: number): Frame {
    const frame: Frame = {
        source: fields.number("source"),
        offset: fields.number("offset"),
        bytes: fields.number("bytes"),
        textBytes: fields.number("text_bytes"),
        firstOrdinal: fields.number("first_ordinal"),
        lines: fields.number("lines"),
        messageBytes: fields.number("message_bytes"),
        gaps: fields.number("gaps"),
        first: fields.has("first") ? fields.time("first") : "",
        last: fields.has("last") ? fields.time("last") : "",
        end: fields.has("end") ? endIn(new Fields(fields.get("end"), `${fields.where}.end`)) : null,
    };
    if (frame.source >= sources) refuse(`${fields.where} is of a source that is not there`);
    if (frame.textBytes > textBytesOfAFrameMax) refuse(`${fields.where} is longer than allowed`);
    if (frame.bytes > frame.textBytes + frame.textBytes / 8 + (64 << 10))
        refuse(`${fields.where} is longer than its text`);
    return frame;
}

function endIn(fields: Fields): Ended {
    fields.number("lines");
    let exitCode: number | null = null;
    if (fields.has("exit_code")) {
        const code = fields.get("exit_code");
        if (typeof code !== "number" || code !== (code | 0)) refuse(`${fields.where}.exit_code is no exit code`);
        exitCode = code as number;
    }
    return { time: fields.time("time"), reason: fields.text("reason"), exitCode };
}

// Frames fill the plaintext up to the footer without a hole; blobs lie in their place.
function checkPlaces(frames: readonly Frame[], blobs: readonly unknown[], place: Place) {
    let next = 0;
    let text = 0;
    const end = place.start ?? place.objectBytes;
    for (const frame of frames) {
        if (frame.offset !== next || frame.bytes === 0 || frame.bytes > end - next)
            refuse("frames do not lie one after another");
        next += frame.bytes;
        text += frame.textBytes;
    }
    if (place.start !== null && next !== place.start) refuse("frames do not end where the footer starts");
    if (text > Math.max(textBytesSmall, textRatioMax * place.objectBytes)) refuse("it says more text than is believed");
    next = place.blobsAt;
    for (const [i, one] of blobs.entries()) {
        const fields = new Fields(one, `blobs[${i}]`);
        fields.text("name");
        const [offset, bytes] = [fields.number("offset"), fields.number("bytes")];
        if (offset < next || offset > place.jsonAt || bytes > place.jsonAt - offset)
            refuse("a blob lies outside its place");
        next = offset + bytes;
    }
}
