// What the page, the keeper and its crew say to each other. The keeper holds the identity and answers the page; the
// crew opens objects for it. An identity is in no answer.
import type { Wanted } from "./wanted";
import type { Steps } from "./scan";

export type ToKeeper =
    // The key file as it was chosen or typed.
    | { kind: "unlock"; id: number; token: string; tenant: string; file: Blob; passphrase: string }
    | {
          kind: "page";
          id: number;
          wanted: Wanted;
          range: [bigint, bigint];
          direction: "backward" | "forward";
          limit: number;
          cursor: string | null;
      }
    | { kind: "volume"; id: number; wanted: Wanted; range: [bigint, bigint]; steps: Steps }
    | { kind: "printed"; id: number; range: [bigint, bigint] }
    | { kind: "around"; id: number; source: string; ordinal: number; lines: number; range: [bigint, bigint] }
    | { kind: "fresh"; id: number; wanted: Wanted; range: [bigint, bigint]; following: number }
    | { kind: "cancel"; id: number };

export type Asked = Exclude<ToKeeper, { kind: "cancel" }>;

export interface Failure {
    message: string;
    status: number; // of the server's answer; 0: none
    needsPassphrase?: boolean;
}

export type Answered = { id: number; result: unknown } | { id: number; failure: Failure };
