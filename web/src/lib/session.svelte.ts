// Who reads: a token, for this tab alone, or kept on this device if the reader wants it. It comes from the form,
// or from behind the '#' of a link, which browsers send to no server.
import type { Logs } from "./logs";

const key = "boatswain.token";
const keepsKey = "boatswain.keeps";

// Logs that are opened in this browser, until they are locked.
export interface OpenedLogs extends Logs {
    close(): void;
}

class Session {
    token = $state<string | null>(null);
    // Why nobody is signed in, for the reader.
    reason = $state("");
    // The reader wants to open the logs himself, though the server may hold the key, too.
    keeps = $state(false);
    // The logs that the reader's own key has opened: end to end.
    opened = $state.raw<OpenedLogs | null>(null);

    constructor() {
        const fromLink = tokenOf(location.hash);
        if (fromLink !== null) {
            history.replaceState(null, "", location.pathname + location.hash.replace(/^#token=[^&]*&?/, "#"));
            // In a frame nothing is kept: the page around it says who reads.
            if (location.pathname === "/embed") this.hold(fromLink);
            else this.signIn(fromLink, false);
        } else {
            if (location.pathname === "/embed") return;
            this.token = sessionStorage.getItem(key) ?? localStorage.getItem(key);
        }
        // Whoever chose once to open them himself is not read for by the server until he signs out.
        this.keeps = (sessionStorage.getItem(keepsKey) ?? localStorage.getItem(keepsKey)) !== null;
    }

    signIn(token: string, remember: boolean) {
        this.lock();
        sessionStorage.setItem(key, token);
        if (remember) localStorage.setItem(key, token);
        this.token = token;
        this.reason = "";
    }

    // For as long as the page is there, and no longer. It may be another tenant's.
    hold(token: string) {
        this.lock();
        this.token = token;
        this.reason = "";
    }

    // For as long as the token is kept.
    keep(keeps: boolean, remember: boolean) {
        this.keeps = keeps;
        for (const storage of [sessionStorage, localStorage]) storage.removeItem(keepsKey);
        if (keeps) (remember ? localStorage : sessionStorage).setItem(keepsKey, "1");
    }

    // The key is gone from this browser.
    lock() {
        this.opened?.close();
        this.opened = null;
    }

    signOut(reason = "") {
        this.lock();
        this.keep(false, false);
        sessionStorage.removeItem(key);
        localStorage.removeItem(key);
        this.token = null;
        this.reason = reason;
    }
}

// "#token=bst_...", alone or before a question: the token, or null.
export function tokenOf(hash: string): string | null {
    const found = /^#token=([A-Za-z0-9_.~+/=-]{1,8192})(?:&|$)/.exec(hash);
    return found ? found[1]! : null;
}

export const session = new Session();
