// An issuer of tokens on this machine: it publishes what it signs with, and does what it is told by lines of JSON on
// its standard input, each answered by one on its output. Signing and key sets are npm's `jose`.
import http from "node:http";
import readline from "node:readline";
import { SignJWT, UnsecuredJWT, exportJWK, exportSPKI, generateKeyPair } from "jose";

const keys = new Map(); // by kid: all that were ever made
let published = [];
let server, port = 0, issuer, asked = 0;

function answer(request, response) {
    const send = (body) => response.setHeader("Content-Type", "application/json").end(JSON.stringify(body));
    if (request.url === "/.well-known/openid-configuration")
        return send({ issuer, jwks_uri: `${issuer}/keys`, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token` });
    if (request.url === "/keys") {
        ++asked;
        return send({ keys: published });
    }
    response.writeHead(404).end();
}

const doing = {
    async up() {
        server = http.createServer(answer);
        await new Promise((done) => server.listen(port, "127.0.0.1", done));
        port = server.address().port;
        issuer = `http://127.0.0.1:${port}`;
        return { issuer };
    },
    async down() {
        server.closeAllConnections();
        await new Promise((done) => server.close(done));
        return {};
    },
    // Keys that are published from now on: [{kid, alg, bits}]; those that exist keep their material.
    async publish({ list }) {
        published = [];
        for (const { kid, alg, bits, more } of list) {
            if (!keys.has(kid)) keys.set(kid, { alg, ...(await generateKeyPair(alg, { modulusLength: bits ?? 2048, extractable: true })) });
            published.push({ ...(await exportJWK(keys.get(kid).publicKey)), kid, ...more });
        }
        return { count: published.length };
    },
    // A token as the library makes it; `head` changes its head, `by` the key that signs.
    async sign({ kid, claims, head, by, seconds }) {
        const { alg, privateKey } = keys.get(by ?? kid);
        const now = Math.floor(Date.now() / 1000);
        const all = { iss: issuer, aud: "boatswain", sub: "u7", iat: now, exp: now + (seconds ?? 300), ...claims };
        return { token: await new SignJWT(all).setProtectedHeader({ alg, kid, ...head }).sign(privateKey) };
    },
    async unsigned({ claims }) {
        return { token: new UnsecuredJWT({ iss: issuer, aud: "boatswain", ...claims }).setExpirationTime("5m").encode() };
    },
    // HS256, with what is public of a key as the secret.
    async hmac({ kid, claims }) {
        const secret = new TextEncoder().encode(await exportSPKI(keys.get(kid).publicKey));
        const signed = new SignJWT({ iss: issuer, aud: "boatswain", ...claims }).setExpirationTime("5m");
        return { token: await signed.setProtectedHeader({ alg: "HS256", kid }).sign(secret) };
    },
    // The attacker's own key, in the head of his token.
    async embedded({ claims, kid }) {
        const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
        const jwk = await exportJWK(publicKey);
        const signed = new SignJWT({ iss: issuer, aud: "boatswain", ...claims }).setExpirationTime("5m");
        return { token: await signed.setProtectedHeader({ alg: "ES256", kid, jwk, jku: `${issuer}/evil` }).sign(privateKey) };
    },
    async asked() {
        return { asked };
    },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
    const { what, ...given } = JSON.parse(line);
    try {
        console.log(JSON.stringify(await doing[what](given)));
    } catch (error) {
        console.log(JSON.stringify({ error: String(error) }));
    }
}
process.exit(0);
