// page.mjs URL FOLDER TOKEN PLATFORM: the web page in a real browser, on a real server. FOLDER gets screenshots; PLATFORM
// is the address of examples/platform.
//
// page_test.py has printed what is looked for here.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";

const [url, folder, token, platform] = process.argv.slice(2);
const require = createRequire(join(process.env.BOATSWAIN_WEB, "package.json"));
const { chromium } = require("playwright-core");
const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");

let browser, page;
// What the browser refused, or threw: of no page a word is wanted.
let complaints = [];

before(async () => {
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(() => browser.close());

async function open(options = {}, address = `${url}/#token=${token}`) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, acceptDownloads: true, ...options });
    page = await context.newPage();
    complaints = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
        // The browser's own word on an answer that is an error, which the page handles.
        if (message.type() === "error" && !/Failed to load resource/.test(message.text())) complaints.push(message.text());
    });
    page.on("dialog", (dialog) => complaints.push(`dialog ${dialog.message()}`));
    await page.goto(address);
}

const lines = () => page.locator(".row");
const shows = (text) => page.locator(".row", { hasText: text }).first().waitFor({ timeout: 20_000 });
const counted = (count) => page.locator(".bar [role=status]", { hasText: new RegExp(`^\\s*${count}\\s+lines?`) }).waitFor({ timeout: 20_000 });

async function search(text) {
    await page.getByLabel("Search for text").fill(text);
    await page.getByRole("button", { name: "Search" }).click();
}

const app = (name) => page.locator("#sources button.app", { hasText: name }).click();

async function accessible(what) {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
    const said = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
    assert.deepEqual(said, [], what);
}

beforeEach(() => {
    complaints = [];
});

test("a wrong token is refused where it is written", async () => {
    await open({}, `${url}/`);
    await page.getByLabel("Token", { exact: true }).fill("bst_wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("This token is not valid").waitFor();
    await accessible("the sign-in form");
    await page.getByLabel("Token", { exact: true }).fill(token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await shows("red");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token", { exact: true }).waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length + Object.keys(localStorage).filter((key) => /token/.test(key)).length), 0);
});

test("a tenant sees its own lines, and nobody else's", async () => {
    await open();
    await shows("red");
    assert.equal(await page.evaluate(() => location.href.includes("bst_")), false, "the token leaves the address");
    await page.locator("#sources button.app", { hasText: "numbers" }).waitFor();
    assert.deepEqual(await page.locator("#sources button.app").allTextContents(), ["api", "numbers", "odd", "trace"]);
    const text = await page.locator("body").innerText();
    assert.ok(!/green secret/.test(text));
    await search(`"green secret"`);
    await page.getByText("Nothing in this time matches").waitFor();
    await page.screenshot({ path: join(folder, "page-empty.png") });
    assert.deepEqual(complaints, []);
});

test("a line that looks like HTML is text", async () => {
    await open();
    await app("odd");
    await shows("<img src=x onerror=alert(1)>");
    await shows("</script><script>alert(2)</script>");
    assert.equal(await page.locator(".row img, .row script").count(), 0);
    await page.locator(".row", { hasText: "green apple" }).locator("span.ansi-2.bold").first().waitFor();
    assert.deepEqual(complaints, []);
});

test("every line is reached by scrolling, once and in order", async () => {
    await open();
    await app("numbers");
    await shows("line 2999 ");
    await page.getByLabel("Wrap").uncheck();
    const seen = new Set();
    const look = async () => {
        for (const text of await page.locator(".row .text").allTextContents()) seen.add(Number(/line (\d+) /.exec(text)[1]));
    };
    const list = page.locator(".scroll > div");
    for (let tries = 0; tries < 400 && !seen.has(0); tries++) {
        await look();
        // Not before what is there by then was drawn: a busy machine would pass rows by.
        await list.evaluate((element) => {
            element.scrollBy(0, -350);
            return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 20))));
        });
    }
    await look();
    assert.equal(seen.size, 3000);
    await counted("3,000");
    const order = (await page.locator(".row .text").allTextContents()).map((text) => Number(/line (\d+) /.exec(text)[1]));
    assert.deepEqual(order, [...order].sort((a, b) => a - b));
    await page.keyboard.press("G");
    await shows("line 2999 ");
});

test("words are found, marked, and left out", async () => {
    await open();
    await search('"line 17" -"line 171"');
    await counted("100");
    assert.ok((await page.locator("mark").count()) > 0);
    assert.equal(await page.locator("mark").first().textContent(), "line 17");
    await page.reload();
    await counted("100");
    await page.goBack();
    assert.deepEqual(complaints, []);
});

test("levels and fields filter, and a filter can be taken away", async () => {
    await open();
    await app("api");
    await page.getByRole("button", { name: "error", exact: true }).click();
    await counted("10");
    await page.getByRole("button", { name: "error", exact: true }).click();
    await counted("100");
    await lines().last().locator(".head").click();
    await page.getByRole("button", { name: "Only lines with this status" }).click();
    await page.locator(".chip.filter", { hasText: "status" }).waitFor();
    await counted("10");
    await page.locator(".chip.filter").click();
    await counted("100");
    await lines().last().locator(".head").click();
    await page.getByRole("button", { name: "path", exact: true }).click();
    await page.locator(".top-value").first().waitFor();
    await page.screenshot({ path: join(folder, "page-fields.png") });
});

test("a stack trace is one thing, and opens", async () => {
    await open();
    await app("trace");
    await shows("IllegalStateException");
    assert.equal(await lines().count(), 2);
    await page.screenshot({ path: join(folder, "page-trace.png") });
    await page.getByRole("button", { name: /more lines/ }).click();
    await shows("Main.main(Main.java:3)");
});

test("the end of a container is said, and a gap is drawn in its place", async () => {
    await open();
    await page.locator("button.container", { hasText: "trace" }).getByText("exit 3").waitFor();
    await app("trace");
    await page.getByText("trace was removed, having failed with exit code 3.").waitFor();
    await page.route(/boatswain.api.v1.lines/, async (route) => {
        const answer = await route.fetch();
        const records = (await answer.text()).trimEnd().split("\n").map((line) => JSON.parse(line));
        if (records[0].kind === "done") return route.fulfill({ response: answer });
        const { time, source, ordinal, labels } = records[0];
        const gap = { kind: "gap", time, source, ordinal, labels, from: time, to: time, reason: "rotated-away", lines_min: 1234, bytes_min: 0 };
        await route.fulfill({ response: answer, body: [gap, ...records].map((one) => JSON.stringify(one)).join("\n") + "\n" });
    });
    await page.getByRole("button", { name: "Ask again" }).click();
    await page.getByText("at least 1,234 lines missing; the log was rotated away").waitFor();
    await accessible("a gap and an end");
    await page.screenshot({ path: join(folder, "page-gap.png") });
});

test("what was around a line is shown without the search", async () => {
    await open();
    await search('"line 1500 "');
    await counted("1");
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("c");
    const dialog = page.getByRole("dialog");
    await dialog.getByText("line 1499 ").waitFor();
    await dialog.getByText("line 1501 ").waitFor();
    assert.match(await dialog.locator("[aria-current]").textContent(), /line 1500 /);
    await accessible("around a line");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await counted("1");
});

test("what others printed around a line is shown by time", async () => {
    await open();
    await search('"starting red"');
    await counted("1");
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("c");
    const dialog = page.getByRole("dialog");
    await dialog.getByText("IllegalStateException").waitFor();
    assert.equal(await dialog.getByText("green apple").count(), 0);
    await dialog.getByRole("button", { name: "All containers" }).click();
    await dialog.locator(".row", { hasText: "green apple" }).locator(".name", { hasText: "odd" }).waitFor();
    assert.match(await dialog.locator("[aria-current]").textContent(), /starting red/);
    await accessible("around a line, of all");
    await page.screenshot({ path: join(folder, "page-around.png") });
    await dialog.getByRole("button", { name: "Its app" }).click();
    await dialog.locator(".row", { hasText: "green apple" }).waitFor({ state: "detached" });
    await dialog.getByText("IllegalStateException").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    assert.deepEqual(complaints, []);
});

test("a query in LogQL is helped with, and its fault has a place", async () => {
    await open();
    await page.getByRole("button", { name: "LogQL" }).click();
    const box = page.getByRole("combobox", { name: "Query in LogQL" });
    await box.fill("");
    await box.pressSequentially('{ap');
    await page.getByRole("option", { name: "app", exact: true }).waitFor();
    await box.press("Tab");
    await page.getByRole("option", { name: "numbers" }).waitFor();
    await box.pressSequentially("num");
    await box.press("Tab");
    await box.press("End");
    await box.pressSequentially('} |= "line 7 " | ');
    await box.press("Escape");
    await box.press("Enter");
    await page.getByRole("alert").filter({ hasText: "parse error" }).first().waitFor();
    await page.locator(".fault").waitFor({ state: "attached" });
    await page.screenshot({ path: join(folder, "page-fault.png") });
    await box.fill('{app="numbers"} |= "line 7 "');
    await box.press("Enter");
    await counted("1");
    assert.deepEqual(complaints, []);
});

test("what is selected is downloaded whole", async () => {
    await open();
    await app("numbers");
    await page.getByRole("button", { name: "Download" }).click();
    const dialog = page.getByRole("dialog");
    const coming = page.waitForEvent("download");
    await dialog.getByRole("button", { name: "Download" }).click();
    const text = await readFile(await (await coming).path(), "utf8");
    const numbers = text.trimEnd().split("\n").map((line) => Number(/line (\d+) /.exec(line)[1]));
    assert.deepEqual(numbers, Array.from({ length: 3000 }, (_, i) => i));
});

test("new lines are followed, and wait below for who reads above", async () => {
    await open();
    await app("numbers");
    await shows("line 2999 ");
    await page.getByRole("button", { name: "Follow" }).click();
    await page.locator(".living", { hasText: "Live" }).waitFor();
    console.log("MORE");
    await shows("line 3000 ");
    // Whoever reads the end is kept there while heights are measured; then he leaves it.
    await page.waitForTimeout(500);
    await page.locator(".scroll > div").evaluate((element) => element.scrollBy(0, -1500));
    console.log("MORE");
    await page.getByRole("button", { name: /1 new line/ }).click();
    await shows("line 3001 ");
    await page.getByRole("button", { name: "Stop" }).click();
});

test("a platform shows one app's log in its own page", async () => {
    await open({}, platform);
    const frame = page.frameLocator("boatswain-logs iframe");
    await frame.locator(".row", { hasText: "line 2999 " }).waitFor({ timeout: 20_000 });
    assert.equal(await frame.getByRole("button", { name: "Sign out" }).count(), 0);
    const accent = await frame.locator("html").evaluate((html) => getComputedStyle(html).getPropertyValue("--accent"));
    assert.equal(accent, "#7a1fa2", "in the platform's colour");
    const inside = page.frames().find((one) => one.url().startsWith(url));
    assert.equal(await inside.evaluate(() => sessionStorage.length + localStorage.length), 0, "nothing is kept");
    // Its token is for one app: what the frame asks beyond it finds nothing.
    await frame.getByRole("searchbox", { name: "Search for text" }).fill("items");
    await frame.getByRole("button", { name: "Search" }).click();
    await frame.getByText("Nothing in this time matches").waitFor();
    await page.screenshot({ path: join(folder, "page-embedded.png") });
    // A token that has ended is renewed by the platform.
    const renewed = page.waitForResponse((answer) => answer.url() === `${platform}/token`);
    await page.locator("boatswain-logs").evaluate((element) => element.setAttribute("token", "bst_ended"));
    await renewed;
    await frame.getByRole("searchbox", { name: "Search for text" }).fill('"line 2999 "');
    await frame.getByRole("button", { name: "Search" }).click();
    await frame.locator(".row", { hasText: "line 2999 " }).waitFor({ timeout: 20_000 });
    assert.deepEqual(complaints, []);
});

test("another page cannot show the frame", async () => {
    await open({}, platform.replace("127.0.0.1", "localhost"));
    await page.waitForFunction(() => document.querySelector("iframe"));
    await page.waitForTimeout(1500);
    assert.ok(complaints.some((one) => /frame-ancestors/.test(one)), complaints.join());
    assert.equal(await page.frameLocator("iframe").locator(".row").count(), 0);
});

test("everybody can use it: light and dark, wide and narrow, by keyboard", async () => {
    for (const colorScheme of ["light", "dark"]) {
        await open({ colorScheme });
        await shows("red");
        await lines().last().locator(".head").click();
        await accessible(colorScheme);
        await page.screenshot({ path: join(folder, `page-${colorScheme}.png`) });
        await page.keyboard.press("?");
        await page.getByRole("dialog").waitFor();
        await accessible(`${colorScheme}, help`);
        await page.keyboard.press("Escape");
    }
    await open({ viewport: { width: 390, height: 800 } });
    await shows("red");
    await page.keyboard.press("s");
    await accessible("narrow");
    await page.screenshot({ path: join(folder, "page-narrow.png") });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), true, "nothing sticks out");
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "Search for text");
    assert.deepEqual(complaints, []);
});
