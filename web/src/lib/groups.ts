// Lines that belong together: a stack trace is one thing that a program printed in many lines.
import type { Entry, Line } from "./line";

// Of the frames of Java, JavaScript, Python, Go, Ruby, Rust and .NET, as they are printed.
const goesOn =
    /^(?:\s+\S|Caused by: |\.\.\. \d+ more|goroutine \d+ \[|[\w./*()]+\(.*\)$|created by |exit status \d|\}\s*$|\s*$)/;
const frames = /^(?:\s+at |\s+File "|\tat |goroutine \d+ \[|\s+from |\s+\d+: )/;

export interface Group {
    id: string;
    first: Entry;
    rest: Line[]; // of a line
}

// `entries` by time. A group is of one container and stream, within a second from line to line, and holds a frame.
export function groupsOf(entries: readonly Entry[]): Group[] {
    const groups: Group[] = [];
    let open: Group | null = null;
    let hasFrame = false;
    const close = () => {
        if (open && open.rest.length && !hasFrame) {
            const { rest } = open;
            open.rest = [];
            for (const line of rest) groups.push({ id: line.id, first: line, rest: [] });
        }
        open = null;
        hasFrame = false;
    };
    for (const line of entries) {
        const before: Entry | undefined = open ? (open.rest.at(-1) ?? open.first) : undefined;
        const together =
            open !== null &&
            before?.kind === "line" &&
            line.kind === "line" &&
            line.source === before.source &&
            line.stream === before.stream &&
            line.time - before.time < 1_000_000_000n &&
            goesOn.test(line.text);
        if (together) {
            open!.rest.push(line);
            hasFrame ||= frames.test(line.text);
        } else {
            close();
            open = { id: line.id, first: line, rest: [] };
            groups.push(open);
        }
    }
    close();
    return groups;
}
