// What printed in a stretch of time, removed and restarted containers too: /boatswain/api/v1/containers.
import { askJson } from "./server";
import { nanoseconds } from "./loki";

interface Written {
    source: string;
    app: string;
    container: string;
    lines: number;
    gaps: number;
    last: string;
    end?: { reason: string; exit_code?: number };
}

// All runs of one name.
export interface Container {
    name: string;
    runs: number;
    lines: number;
    gaps: number;
    // Of the latest run: it was removed, and how it had ended, where that is known.
    removed: boolean;
    exitCode: number | null;
}

export interface App {
    name: string;
    containers: Container[];
}

export async function appsOf(start: number, end: number, signal: AbortSignal): Promise<App[]> {
    const given = { start: nanoseconds(start), end: nanoseconds(end) };
    const { data } = await askJson<{ data: Written[] }>("/boatswain/api/v1/containers", given, signal);
    return grouped(data);
}

export function grouped(written: readonly Written[]): App[] {
    const apps = new Map<string, Map<string, Container>>();
    for (const one of [...written].sort((a, b) => (a.last < b.last ? -1 : 1))) {
        const app = apps.get(one.app) ?? new Map<string, Container>();
        apps.set(one.app, app);
        const before = app.get(one.container);
        app.set(one.container, {
            name: one.container,
            runs: (before?.runs ?? 0) + 1,
            lines: (before?.lines ?? 0) + one.lines,
            gaps: (before?.gaps ?? 0) + one.gaps,
            removed: one.end !== undefined,
            exitCode: one.end?.exit_code ?? null,
        });
    }
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    return [...apps].map(([name, found]) => ({ name, containers: [...found.values()].sort(byName) })).sort(byName);
}
