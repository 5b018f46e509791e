// Signing in at a login server (OpenID Connect): the authorization code flow with PKCE, as RFC 9700 wants it of pages.
//
// - What is kept between leaving for the login server and coming back (state, nonce, verifier) opens nothing alone, is
//   good once, and lies in this tab's storage. The token itself is kept in memory only.
// - Whoever comes back with a state that this tab did not make, or from another issuer, is not signed in.
// - The login server sends back to this page's own address and to nothing else; where in the page the reader was is a
//   fragment, which cannot lead away.

// What the server says of its login server (/sign-in.json).
export interface LoginServer {
    issuer: string;
    authorization_endpoint: string;
    token_endpoint: string;
    client_id: string;
    scope: string;
    names_itself: boolean; // its answers carry `iss` (RFC 9207)
}

interface Leaving {
    state: string;
    nonce: string;
    verifier: string;
    hash: string;
    began: number;
}

const key = "boatswain.leaving";
// Who has been away for longer begins again.
export const awayMax = 10 * 60_000;

export function base64url(bytes: Uint8Array): string {
    return btoa(String.fromCharCode(...bytes))
        .replaceAll("+", "-")
        .replaceAll("/", "_")
        .replaceAll("=", "");
}

function random(): string {
    return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

export async function challengeOf(verifier: string): Promise<string> {
    return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}

export function ownAddress(): string {
    return location.origin + "/";
}

// Null: the server has no login server, or does not know it yet.
export async function loginServer(): Promise<LoginServer | null> {
    try {
        const answer = await fetch("/sign-in.json", { cache: "no-store", credentials: "omit" });
        return answer.ok ? ((await answer.json()) as LoginServer) : null;
    } catch {
        return null;
    }
}

export async function authorizationUrl(at: LoginServer, leaving: Leaving): Promise<string> {
    const url = new URL(at.authorization_endpoint);
    const given = {
        response_type: "code",
        client_id: at.client_id,
        redirect_uri: ownAddress(),
        scope: at.scope,
        state: leaving.state,
        nonce: leaving.nonce,
        code_challenge: await challengeOf(leaving.verifier),
        code_challenge_method: "S256",
    };
    for (const [name, value] of Object.entries(given)) url.searchParams.set(name, value);
    return url.href;
}

export async function leave(at: LoginServer) {
    const leaving: Leaving = {
        state: random(),
        nonce: random(),
        verifier: random(),
        hash: location.hash.startsWith("#token=") ? "" : location.hash,
        began: Date.now(),
    };
    sessionStorage.setItem(key, JSON.stringify(leaving));
    location.assign(await authorizationUrl(at, leaving));
}

// Why the reader is not signed in, in words.
export class NotSignedIn extends Error {}

// Whether the login server sent somebody here. Its words leave the address at once.
export function cameBack(): URLSearchParams | null {
    const given = new URLSearchParams(location.search);
    if (location.pathname !== "/" || !given.has("state") || !(given.has("code") || given.has("error"))) return null;
    history.replaceState(null, "", location.pathname + location.hash);
    return given;
}

// What was kept, which nobody gets a second time.
function takeLeaving(): Leaving | null {
    const kept = sessionStorage.getItem(key);
    sessionStorage.removeItem(key);
    if (!kept) return null;
    try {
        return JSON.parse(kept) as Leaving;
    } catch {
        return null;
    }
}

// The code of an answer to this tab's own question, from the issuer that it was asked of.
export function codeOf(given: URLSearchParams, kept: Leaving | null, at: LoginServer, now: number): string {
    if (!kept || given.getAll("state").length !== 1 || given.get("state") !== kept.state)
        throw new NotSignedIn("This sign-in was not begun in this tab. Please begin again.");
    if (now - kept.began > awayMax) throw new NotSignedIn("Signing in took too long. Please begin again.");
    const issuer = given.get("iss");
    if (issuer === null ? at.names_itself : issuer !== at.issuer)
        throw new NotSignedIn("The answer is of another login server. Please begin again.");
    const code = given.get("code");
    if (given.has("error") || !code || given.getAll("code").length !== 1)
        throw new NotSignedIn("The login server did not sign you in.");
    return code;
}

// The claims of a token that came straight from the token endpoint over TLS; its signature is for the server to check.
export function claimsOf(token: string): Record<string, unknown> {
    const payload = token.split(".")[1] ?? "";
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
}

export function checkToken(token: unknown, nonce: string, at: LoginServer): string {
    try {
        if (typeof token === "string") {
            const { iss, aud, nonce: given } = claimsOf(token);
            const isForUs = Array.isArray(aud) ? aud.includes(at.client_id) : aud === at.client_id;
            if (iss === at.issuer && isForUs && given === nonce) return token;
        }
    } catch {
        // no token
    }
    throw new NotSignedIn("The login server's answer is not for this sign-in. Please begin again.");
}

// The ID token, which is presented to the server; and where in the page the reader was.
export async function comeBack(given: URLSearchParams): Promise<{ token: string; hash: string }> {
    const kept = takeLeaving();
    const at = await loginServer();
    if (!at) throw new NotSignedIn("This server has no login server.");
    const code = codeOf(given, kept, at, Date.now());
    let answer: Response;
    try {
        answer = await fetch(at.token_endpoint, {
            method: "POST",
            body: new URLSearchParams({
                grant_type: "authorization_code",
                code,
                redirect_uri: ownAddress(),
                client_id: at.client_id,
                code_verifier: kept!.verifier,
            }),
            headers: { Accept: "application/json" },
            cache: "no-store",
            credentials: "omit",
            redirect: "error",
        });
    } catch {
        throw new NotSignedIn("The login server does not answer.");
    }
    if (!answer.ok) throw new NotSignedIn("The login server did not sign you in.");
    const said = (await answer.json()) as { id_token?: unknown };
    return { token: checkToken(said.id_token, kept!.nonce, at), hash: kept!.hash };
}
