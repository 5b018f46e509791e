// Who reads: a token, for this tab alone, or kept on this device if the reader wants it. It comes from the form,
// or from behind the '#' of a link, which browsers send to no server.
const key = "boatswain.token";

class Session {
    token = $state<string | null>(null);
    // Why nobody is signed in, for the reader.
    reason = $state("");

    constructor() {
        const fromLink = tokenOf(location.hash);
        if (fromLink !== null) {
            history.replaceState(null, "", location.pathname + location.hash.replace(/^#token=[^&]*&?/, "#"));
            this.signIn(fromLink, false);
        } else {
            // In a frame nothing is kept: the page around it says who reads.
            if (location.pathname !== "/embed") this.token = sessionStorage.getItem(key) ?? localStorage.getItem(key);
        }
    }

    signIn(token: string, remember: boolean) {
        sessionStorage.setItem(key, token);
        if (remember) localStorage.setItem(key, token);
        this.token = token;
        this.reason = "";
    }

    // For as long as the page is there, and no longer.
    hold(token: string) {
        this.token = token;
        this.reason = "";
    }

    signOut(reason = "") {
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
