// What an operator sees of the fleet: how agents stand by their heartbeats. No tenant's lines.
export interface Host {
    host: string;
    ok: boolean;
    required: boolean;
    why: string;
    heartbeat?: {
        time: string;
        proof: string;
        version: string;
        lag_bytes?: number;
        spool_bytes?: number;
        stored_bytes?: number;
        objects_per_hour?: number | null;
        reading?: number;
    };
}

export interface Fleet {
    time: string;
    ok: boolean;
    required: number;
    well: number;
    hosts: Host[];
    notes: string[];
    tenants: number;
}

export async function askFleet(token: string): Promise<Fleet> {
    let answer: Response;
    try {
        answer = await fetch("/boatswain/api/v1/fleet", {
            headers: { Authorization: `Bearer ${token}` },
            cache: "no-store",
            credentials: "omit",
        });
    } catch {
        throw new Error("The server does not answer. Is the network there?");
    }
    if (answer.status === 401) throw new Error("This is no operator's token, or it is not valid any more.");
    if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
    return (await answer.json()) as Fleet;
}

export function size(bytes: number | undefined): string {
    if (bytes === undefined) return "";
    const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let at = 0;
    while (bytes >= 1024 && at < units.length - 1) {
        bytes /= 1024;
        ++at;
    }
    return `${at === 0 ? bytes : bytes.toFixed(1)} ${units[at]}`;
}

export function age(time: string | undefined, now: string): string {
    if (!time) return "";
    const seconds = Math.max(0, Math.round((Date.parse(now) - Date.parse(time)) / 1000));
    if (seconds < 120) return `${seconds} s`;
    return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
