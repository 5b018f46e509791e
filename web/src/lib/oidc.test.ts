import { describe, expect, test } from "vitest";
import { type LoginServer, awayMax, base64url, challengeOf, checkToken, codeOf } from "./oidc";

const at: LoginServer = {
    issuer: "https://login.example",
    authorization_endpoint: "https://login.example/auth",
    token_endpoint: "https://login.example/token",
    client_id: "page",
    scope: "openid",
    names_itself: true,
};
const kept = { state: "s", nonce: "n", verifier: "v", hash: "", began: 1000 };
const answer = (text: string) => new URLSearchParams(text);
const good = "code=c&state=s&iss=https%3A%2F%2Flogin.example";

describe("an answer of the login server", () => {
    test("gives its code to the tab that asked", () => {
        expect(codeOf(answer(good), kept, at, 2000)).toBe("c");
        expect(codeOf(answer("code=c&state=s"), kept, { ...at, names_itself: false }, 2000)).toBe("c");
    });
    test.each([
        ["another state", good.replace("state=s", "state=x")],
        ["no state", good.replace("state=s", "")],
        ["two states", good + "&state=x"],
        ["another issuer", "code=c&state=s&iss=https%3A%2F%2Fevil.example"],
        ["no issuer, of one that names itself", "code=c&state=s"],
        ["an error", good + "&error=access_denied"],
        ["no code", "state=s&iss=https%3A%2F%2Flogin.example"],
        ["two codes", good + "&code=d"],
    ])("is refused with %s", (_, text) => {
        expect(() => codeOf(answer(text), kept, at, 2000)).toThrow();
    });
    test("is refused where nothing was begun, and too late", () => {
        expect(() => codeOf(answer(good), null, at, 2000)).toThrow("not begun in this tab");
        expect(() => codeOf(answer(good), kept, at, 1001 + awayMax)).toThrow("took too long");
    });
});

describe("a token", () => {
    const token = (claims: unknown) => `h.${base64url(new TextEncoder().encode(JSON.stringify(claims)))}.s`;
    const claims = { iss: at.issuer, aud: "page", nonce: "n" };
    test("is taken when it is for this sign-in", () => {
        expect(checkToken(token(claims), "n", at)).toBe(token(claims));
        expect(checkToken(token({ ...claims, aud: ["x", "page"] }), "n", at)).toBeTruthy();
    });
    test.each([
        ["another nonce", token({ ...claims, nonce: "x" })],
        ["no nonce", token({ iss: at.issuer, aud: "page" })],
        ["another issuer", token({ ...claims, iss: "https://evil.example" })],
        ["another audience", token({ ...claims, aud: "other" })],
        ["no claims", "a.b.c"],
        ["nothing", undefined],
    ])("is refused with %s", (_, text) => {
        expect(() => checkToken(text, "n", at)).toThrow("not for this sign-in");
    });
});

test("the challenge is that of RFC 7636's example", async () => {
    expect(await challengeOf("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")).toBe(
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    );
});
