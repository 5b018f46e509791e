// The page in a frame of a platform's page: who it reads as, and how it looks, is told by the page around it. That may
// be one that the server's policy (frame-ancestors) lets show it, and no other.
import { look } from "./look.svelte";
import { session } from "./session.svelte";

export const isEmbedded = location.pathname === "/embed";

const colours = new Set(["accent", "on-accent", "ground", "raised", "edge", "ink", "quiet"]);

interface Told {
    token?: string | null;
    theme?: string | null;
    colours?: Record<string, string>;
}

// A colour and nothing else: it goes into a style.
export function isColour(text: unknown): text is string {
    return (
        typeof text === "string" && /^(#[0-9a-f]{3,8}|(rgb|hsl|oklch)\([0-9 .,%/deg-]{3,60}\)|[a-z]{3,25})$/i.test(text)
    );
}

export function obey(told: Told) {
    if (told.theme === "light" || told.theme === "dark" || told.theme === "auto") look.theme = told.theme;
    for (const [name, colour] of Object.entries(told.colours ?? {}))
        if (colours.has(name) && isColour(colour)) document.documentElement.style.setProperty(`--${name}`, colour);
    if (typeof told.token === "string" && told.token && told.token !== session.token) session.hold(told.token);
}

export function tellParent(word: "ready" | "expired") {
    if (isEmbedded && window.parent !== window) window.parent.postMessage({ boatswain: word }, "*");
}

if (isEmbedded) {
    addEventListener("message", (event: MessageEvent<{ boatswain?: Told }>) => {
        if (event.source !== window.parent || typeof event.data?.boatswain !== "object") return;
        obey(event.data.boatswain);
    });
    document.documentElement.dataset.embedded = "";
}
