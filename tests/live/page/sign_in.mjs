// sign_in.mjs PAGE ISSUER OPERATOR TOKEN: a reader of the page signs in at a login server, in a real browser, and attackers try to have
// him signed in as they like. serve_sign_in_test.py runs it.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";

const [url, issuer, operator, token] = process.argv.slice(2);
const require = createRequire(join(process.env.BOATSWAIN_WEB, "package.json"));
const { chromium } = require("playwright-core");

let browser;
before(async () => {
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(() => browser.close());

const button = (page) => page.getByRole("button", { name: "Sign in at your login server" });

async function open(hash = "") {
    const context = await browser.newContext();
    const page = await context.newPage();
    page.complaints = [];
    page.on("console", (message) => {
        // The browser's own word on what it could not load: the login server's form wants a font of the network.
        if (message.type() === "error" && !/Failed to load resource/.test(message.text())) page.complaints.push(message.text());
    });
    await page.goto(`${url}/${hash}`);
    await button(page).waitFor();
    return page;
}

// Up to the login server's own form; then it sends the browser back.
async function leave(page) {
    await button(page).click();
    await page.waitForURL(`${issuer}/**`);
}
async function logIn(page, name) {
    await page.locator("[name=login]").fill(name);
    await page.locator("[name=password]").fill("any");
    await page.getByRole("button", { name: "Sign-in" }).click();
    await page.getByRole("button", { name: "Continue" }).click();
}
const isRefused = (page, words) => page.getByRole("alert").filter({ hasText: words }).waitFor({ timeout: 15_000 });
const stored = (page) => page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }));

// An answer to a sign-in in another browser, whose code nobody has used: an attacker's own.
async function answerOf(name) {
    const page = await open();
    let answer;
    page.on("request", (request) => {
        if (request.url().startsWith(`${url}/?`)) answer = new URL(request.url());
    });
    await page.route(`${issuer}/token`, (route) => route.abort());
    await leave(page);
    await logIn(page, name);
    await isRefused(page, "does not answer");
    await page.context().close();
    assert.ok(answer.searchParams.get("code"));
    return answer;
}

// A tab that has left for the login server, as it believes; and the state that it waits for.
async function left() {
    const page = await open();
    let state;
    await page.route(`${issuer}/auth?**`, (route) => {
        state = new URL(route.request().url()).searchParams.get("state");
        return route.fulfill({ status: 204 });
    });
    await button(page).click();
    for (let i = 0; i < 100 && !state; ++i) await page.waitForTimeout(50);
    return { page, state };
}

test("a reader signs in and reads his tenant's logs, and nothing is kept", async () => {
    const page = await open("#q=x");
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    await leave(page);
    const given = new URL(asked.find((one) => one.includes("code_challenge="))).searchParams;
    assert.equal(given.get("code_challenge_method"), "S256");
    assert.ok(given.get("state").length >= 43 && given.get("nonce").length >= 43);
    await logIn(page, "bench");
    await page.getByRole("button", { name: "Sign out" }).waitFor({ timeout: 20_000 });
    assert.ok(!page.url().includes("code=") && !page.url().includes("state="), page.url());
    await page.locator("#sources", { hasText: "bench" }).waitFor({ timeout: 20_000 });
    assert.ok(!(await stored(page)).includes("eyJ"), "a token is kept");
    assert.deepEqual(page.complaints, []);
    await page.reload();
    await button(page).waitFor();
    await page.context().close();
});

test("a state that this tab did not make signs nobody in", async () => {
    const answer = await answerOf("bench");
    const page = await open();
    await page.goto(answer.href);
    await isRefused(page, "not begun in this tab");
    assert.ok(!page.url().includes("code="), page.url());
    // Nor beside a sign-in that is under way.
    const other = await open();
    await leave(other);
    await other.goto(answer.href);
    await isRefused(other, "not begun in this tab");
    // And what was kept for it is gone: the good answer is too late.
    assert.ok(!(await stored(other)).includes("verifier"));
    for (const one of [page, other]) await one.context().close();
});

test("an answer that comes twice signs in once", async () => {
    const page = await open();
    let answer;
    page.on("request", (request) => {
        if (request.url().startsWith(`${url}/?`)) answer = request.url();
    });
    await leave(page);
    await logIn(page, "bench");
    await page.getByRole("button", { name: "Sign out" }).waitFor({ timeout: 20_000 });
    await page.goto(answer);
    await isRefused(page, "not begun in this tab");
    await page.context().close();
});

test("a token for another sign-in is not taken", async () => {
    // The reader's own state with the attacker's code: it is of another verifier (PKCE).
    const theirs = await answerOf("globex");
    const { page, state } = await left();
    theirs.searchParams.set("state", state);
    await page.goto(theirs.href);
    await isRefused(page, "did not sign you in");
    await page.context().close();

    // And one whose token endpoint answers with a token of another nonce.
    const nonce = await open();
    await nonce.route(`${issuer}/token`, async (route) => {
        const answer = await route.fetch();
        const said = await answer.json();
        const [head, payload, signature] = said.id_token.split(".");
        const claims = JSON.parse(Buffer.from(payload, "base64url"));
        claims.nonce = "another";
        said.id_token = [head, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
        await route.fulfill({ response: answer, json: said });
    });
    await leave(nonce);
    await logIn(nonce, "bench");
    await isRefused(nonce, "not for this sign-in");
    await nonce.context().close();
});

test("an answer of another login server is refused (mix-up)", async () => {
    for (const iss of ["https://evil.example", ""]) {
        const { page, state } = await left();
        await page.goto(`${url}/?${new URLSearchParams({ code: "x", state, ...(iss ? { iss } : {}) })}`);
        await isRefused(page, "of another login server");
        assert.ok(!page.url().includes("code="), page.url());
        await page.context().close();
    }
});

test("nothing leads away from the page", async () => {
    const page = await open("#//evil.example/");
    await leave(page);
    await logIn(page, "bench");
    await page.getByRole("button", { name: "Sign out" }).waitFor({ timeout: 20_000 });
    assert.equal(new URL(page.url()).origin, url);
    for (const odd of ["?redirect_uri=https://evil.example&code=x&state=y", "?error=x&state=y&error_description=<b>evil</b>"]) {
        await page.goto(`${url}/${odd}`);
        await page.getByRole("alert").filter({ hasText: "not begun in this tab" }).waitFor();
        assert.equal(await page.locator("b").count(), 0);
    }
    // The login server sends to no other address, and gives nothing without PKCE.
    for (const [name, value] of [["redirect_uri", "https://evil.example/"], ["redirect_uri", `${url}/embed`], ["code_challenge", ""]]) {
        const asked = new URL(`${issuer}/auth`);
        const given = { response_type: "code", client_id: "boatswain", redirect_uri: `${url}/`, scope: "openid", state: "s", nonce: "n", code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", code_challenge_method: "S256", [name]: value };
        for (const [key, one] of Object.entries(given)) if (one) asked.searchParams.set(key, one);
        if (name === "code_challenge") asked.searchParams.delete("code_challenge_method");
        const answer = await fetch(asked, { redirect: "manual" });
        const to = answer.headers.get("location") ?? "";
        assert.ok(!to.startsWith("https://evil.example") && !to.includes("code="), `${name}: ${to}`);
        assert.ok(answer.status === 400 || to.includes("error="), `${name}: ${answer.status}`);
    }
    await page.context().close();
});

test("the page's policy lets it send to the login server, and to nobody else", async () => {
    const policy = (await fetch(`${url}/`)).headers.get("content-security-policy");
    assert.match(policy, new RegExp(`connect-src 'self' ${issuer};`));
    assert.match((await fetch(`${url}/embed`)).headers.get("content-security-policy"), /connect-src 'self';/);
    const page = await open();
    const sent = await page.evaluate(() => fetch("http://127.0.0.1:9/").then(() => "sent", () => "refused"));
    assert.equal(sent, "refused");
    assert.ok(page.complaints.some((text) => text.includes("Content Security Policy")), page.complaints.join());
    await page.context().close();
});

test("an operator's token shows the hosts, and a tenant's does not", async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${url}/fleet`);
    const look = async (text) => {
        await page.getByLabel("Operator's token").fill(text);
        await page.getByRole("button", { name: "Look" }).click();
    };
    await look(token);
    await isRefused(page, "no operator's token");
    await look(operator);
    await page.getByRole("row", { name: /node-1 ok 2\.0 KiB/ }).waitFor({ timeout: 15_000 });
    assert.ok(!(await stored(page)).includes("bst_"));
    await page.goto(`${url}/#token=${operator}`);
    await page.getByText("not valid").waitFor();
    await page.context().close();
});
