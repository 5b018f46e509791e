// npm's `oidc-provider` on this machine, with one client: the page at the address that it is given. It prints its own.
//
// provider.mjs PORT PAGE
import http from "node:http";
import { exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";

const [port, page] = process.argv.slice(2);
const { privateKey } = await generateKeyPair("RS256", { extractable: true });
const issuer = `http://127.0.0.1:${port}`;
const provider = new Provider(issuer, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), use: "sig", alg: "RS256", kid: "one" }] },
    clients: [
        {
            client_id: "boatswain",
            token_endpoint_auth_method: "none",
            redirect_uris: [page],
            response_types: ["code"],
            grant_types: ["authorization_code"],
            application_type: "native",
        },
    ],
    claims: { openid: ["sub", "tenant"] },
    conformIdTokenClaims: false,
    clientBasedCORS: (ctx, origin) => origin === new URL(page).origin,
    pkce: { required: () => true },
    cookies: { keys: ["of a test"] },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, tenant: id }) }),
    features: { devInteractions: { enabled: true } },
});
http.createServer(provider.callback()).listen(Number(port), "127.0.0.1", () => console.log(issuer));
