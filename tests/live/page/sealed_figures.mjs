// sealed_figures.mjs URL TOKEN KEY: how fast the page's end-to-end mode is. sealed_test.py --figures starts it.
import { createRequire } from "node:module";
import { join } from "node:path";

const [url, token, key] = process.argv.slice(2);
const require = createRequire(join(process.env.BOATSWAIN_WEB, "package.json"));
const { chromium } = require("playwright-core");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
await page.goto(`${url}/#token=${token}`);
await page.getByLabel("Key file").setInputFiles(key);

// From `act` until everything has been counted.
async function timed(what, act, shown) {
    const began = performance.now();
    await act();
    await page.locator(".histogram.busy").waitFor({ state: "attached", timeout: 5000 }).catch(() => {});
    if (shown) await shown();
    const first = performance.now() - began;
    await page.locator(".histogram:not(.busy)").waitFor({ state: "attached", timeout: 120_000 });
    const all = performance.now() - began;
    const said = (await page.locator(".histogram p").innerText()).trim();
    console.log(`${what}: ${(first / 1000).toFixed(2)} s, all counted ${(all / 1000).toFixed(2)} s (${said})`);
}

const rows = () => page.locator(".row").first().waitFor({ timeout: 60_000 });
await timed("unlocked, first lines", () => page.getByRole("button", { name: "Open", exact: true }).click(), rows);
async function search(text) {
    await page.getByLabel("Search for text").fill(text);
    await page.getByRole("button", { name: "Search", exact: true }).click();
}
const settled = () => page.getByText(/Nothing in this time matches|lines?$/).first().waitFor({ timeout: 60_000 });
for (let i = 0; i < 3; i++) {
    await timed("a text that is nowhere", () => search(`zyzzyva${i}`), () => page.getByText("Nothing in this time matches").waitFor({ timeout: 120_000 }));
    await timed("a text that is in few lines", () => search(`timeout ${i}`), settled);
    await timed("a text that is in many", () => search(i % 2 ? "GET" : "POST"), rows);
}
await browser.close();
