// The key of a segment in the store (docs/formats/segment.md, "The object key").
import { decodedPart } from "./bytes";

export interface Key {
    tenant: string;
    spanning: boolean;
    hour: string; // 2026-11-22T10
    host: string;
    epoch: string;
    sequence: number;
    hash: string; // of the second form; "": the first form
}

const form =
    /^v1\/tenant=([^/]+)\/(hour|span)=(\d{4}-\d\d-\d\dT\d\d)\/host=([^/]+)\/([^/]+)\.(\d{10})(?:\.([0-9a-f]{16}))?\.age$/;
const keyBytesMax = 1024;

// null: not exactly one of the two forms.
export function readKey(text: string): Key | null {
    const found = form.exec(text);
    if (!found || text.length > keyBytesMax) return null;
    const [, tenantPart, place, hour, hostPart, epochPart, digits, hash = ""] = found;
    const [tenant, host, epoch] = [decodedPart(tenantPart!), decodedPart(hostPart!), decodedPart(epochPart!)];
    const sequence = Number(digits);
    const at = Date.parse(`${hour}:00:00Z`);
    if (tenant === null || host === null || epoch === null || sequence === 0) return null;
    if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 13) !== hour) return null;
    return { tenant, spanning: place === "span", hour: hour!, host, epoch, sequence, hash };
}
