// How the reader wants to see lines: kept on this device.
import type { Zone } from "./moment";

interface Choice {
    wrap: boolean;
    times: boolean;
    zone: Zone;
    theme: "auto" | "light" | "dark";
    group: boolean;
    sources: boolean;
}

const key = "boatswain.look";
const standard: Choice = { wrap: true, times: true, zone: "local", theme: "auto", group: true, sources: true };

function kept(): Choice {
    try {
        return { ...standard, ...(JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<Choice>) };
    } catch {
        return standard;
    }
}

export const look = $state<Choice>(kept());

export function keepLook() {
    if (location.pathname !== "/embed") localStorage.setItem(key, JSON.stringify(look));
    if (look.theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = look.theme;
}
