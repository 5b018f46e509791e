// sealed.mjs URL FOLDER TOKEN KEYS EXPECTED: the page's end-to-end mode in a real browser, at a server without keys.
// sealed_test.py starts it, and judges what was sent.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";

const [url, folder, token, keys, expectedFile] = process.argv.slice(2);
const require = createRequire(join(process.env.BOATSWAIN_WEB, "package.json"));
const { chromium } = require("playwright-core");
const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");
const { texts, numbers, passphrase, phrase } = JSON.parse(await readFile(expectedFile, "utf8"));
const [app, other] = Object.keys(texts);

let browser, page;
let complaints = [];
// Of every request, to whomever.
const asked = [];

before(async () => {
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(() => browser.close());

async function open(address = `${url}/#token=${token}`) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    context.on("request", (request) => asked.push(request.url()));
    page = await context.newPage();
    complaints = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
        if (message.type() === "error") complaints.push(message.text());
    });
    await page.goto(address);
}

async function unlock(file = "red.key") {
    await page.getByLabel("Key file").setInputFiles(join(keys, file));
    await page.getByRole("button", { name: "Open", exact: true }).click();
}

const shows = (text) => page.locator(".row", { hasText: text }).first().waitFor({ timeout: 20_000 });
const counted = (count) => page.locator(".bar [role=status]", { hasText: new RegExp(`^\\s*${count}\\s+lines?`) }).waitFor({ timeout: 20_000 });
// A row ends in blanks of its own.
const shown = async () => (await page.locator(".row .text").allTextContents()).map((text) => text.trimEnd());
const choose = (name) => page.locator("#sources button.app", { hasText: name }).click();

async function search(text) {
    await page.getByLabel("Search for text").fill(text);
    await page.getByRole("button", { name: "Search" }).click();
}

async function accessible(what) {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
    const said = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
    assert.deepEqual(said, [], what);
}

test("what is no key is refused, and another tenant's key opens nothing", async () => {
    await open();
    await page.getByLabel("Or the key itself").fill("AGE-SECRET-KEY-1NONE");
    await page.getByRole("button", { name: "Open", exact: true }).click();
    await page.getByText("This is no age identity").waitFor();
    await accessible("unlocking");
    await page.screenshot({ path: join(folder, "sealed-unlock.png") });
    await unlock("green.key");
    await page.getByText("The key that you gave opens nothing in this time.").waitFor();
    assert.equal(await page.locator(".row").count(), 0);
    assert.deepEqual(complaints, []);
});

test("the key opens the tenant's lines, and none else; damaged objects are named", async () => {
    await open();
    await unlock();
    await shows("red tick");
    assert.deepEqual(await page.locator("#sources button.app").allTextContents(), [other, app].sort());
    await page.locator("button.container", { hasText: other }).getByText("exit 3").waitFor();
    assert.ok(!/green secret/.test(await page.locator("body").innerText()));
    await page.locator(".notice button").click();
    const notices = await page.locator(".notice").innerText();
    for (const [number, why] of [
        ["07", "renamed"],
        ["08", "does not open"],
        ["10", "not an age v1 file"],
    ])
        assert.match(notices, new RegExp(`00000000${number}\\.age is left out: .*${why}`));
    assert.match(notices, /Objects that the key does not open: 1/);
    // Of damaged objects a file would not be whole.
    await page.getByRole("button", { name: "Download" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Download" }).click();
    await page.getByText("The file would not be whole").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(await page.getByRole("button", { name: "LogQL" }).count(), 0);
    await accessible("opened");
    await page.screenshot({ path: join(folder, "sealed.png") });
    assert.deepEqual(complaints, []);
});

test("every line is shown as `boatswain logs` shows it", async () => {
    await choose(other);
    await counted(String(texts[other].length));
    assert.deepEqual(await shown(), texts[other]);
    assert.equal(await page.locator(".row img").count(), 0);
    await page.locator("#sources").getByRole("button", { name: "Show all" }).click();
    await choose(app);
    await page.getByLabel("Wrap").uncheck();
    await shows(texts[app].at(-1));
    const seen = new Set();
    const list = page.locator(".scroll > div");
    for (let tries = 0; tries < 400 && !seen.has(texts[app][0]); tries++) {
        for (const text of await shown()) seen.add(text);
        await list.evaluate((element) => {
            element.scrollBy(0, -350);
            return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 20))));
        });
    }
    for (const text of await shown()) seen.add(text);
    assert.deepEqual([...seen].sort(), [...texts[app]].sort());
    await counted(texts[app].length.toLocaleString("en"));
});

test("text and levels are searched in the browser, and counted over time", async () => {
    await search(`"${phrase}"`);
    await page.locator("#sources").getByRole("button", { name: "Show all" }).click();
    await counted(2);
    await page.locator(".histogram", { hasText: /\b2 lines: 2 unknown/ }).waitFor();
    await search('"quantity 17" -"quantity 171"');
    await counted(100);
    assert.equal(await page.locator("mark").first().textContent(), "quantity 17");
    await search("");
    await page.getByRole("button", { name: "error", exact: true }).click();
    await counted(numbers / 50);
    await page.locator(".histogram", { hasText: `${numbers / 50} error` }).waitFor();
    await page.getByRole("button", { name: "error", exact: true }).click();
    await search('"quantity 1500 "');
    await counted(1);
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("c");
    await page.getByRole("dialog").getByText("quantity 1499 ").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await search("");
    await shows(texts[other].at(-1));
    assert.deepEqual(complaints, []);
});

test("new lines come when they are in the store", async () => {
    await shows("red tick");
    await page.getByRole("button", { name: "Follow" }).click();
    console.log("MORE");
    await shows("one more zeppelin");
    await page.getByRole("button", { name: "Live" }).click();
});

test("locked, the browser has neither key nor lines", async () => {
    assert.ok(page.workers().length > 0);
    await page.getByRole("button", { name: "Lock" }).click();
    await page.getByLabel("Key file").waitFor();
    assert.equal(await page.locator(".row").count(), 0);
    for (let tries = 0; tries < 50 && page.workers().length; tries++) await page.waitForTimeout(100);
    assert.equal(page.workers().length, 0);
    const kept = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.documentElement.outerHTML]));
    assert.ok(!/AGE-SECRET-KEY-1[0-9A-Z]|quantity|zeppelin/i.test(kept));
    await page.reload();
    await page.getByLabel("Key file").waitFor();
});

test("a key file with a passphrase is opened here", async () => {
    const { Encrypter, armor } = await import(require.resolve("age-encryption"));
    const encrypter = new Encrypter();
    encrypter.setPassphrase(passphrase);
    encrypter.setScryptWorkFactor(10);
    const sealed = await encrypter.encrypt(await readFile(join(keys, "red.key"), "utf8"));
    await writeFile(join(keys, "protected.age"), armor.encode(sealed));
    await unlock("protected.age");
    await page.getByText("This key file is protected").waitFor();
    await page.getByLabel("Passphrase of the key file").fill("wrong");
    await page.getByRole("button", { name: "Open", exact: true }).click();
    await page.getByText("This passphrase does not open").waitFor();
    await page.getByLabel("Passphrase of the key file").fill(passphrase);
    await page.getByRole("button", { name: "Open", exact: true }).click();
    await shows("zeppelin");
    assert.deepEqual(complaints, []);
});

test("nobody else was asked anything", () => {
    assert.ok(asked.length > 10);
    assert.deepEqual(
        asked.filter((one) => !one.startsWith(`${url}/`) && !one.startsWith("data:application/wasm")),
        [],
    );
});
