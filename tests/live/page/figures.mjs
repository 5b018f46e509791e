// figures.mjs URL TOKEN LINES: how fast the page is in a real browser, where a tenant has so many lines. page_test.py
// --figures starts it.
import { createRequire } from "node:module";
import { join } from "node:path";

const [url, token, lines] = process.argv.slice(2);
const require = createRequire(join(process.env.BOATSWAIN_WEB, "package.json"));
const { chromium } = require("playwright-core");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });

const firsts = [];
let page;
for (let i = 0; i < 7; i++) {
    page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
    await page.addInitScript(() => {
        new MutationObserver((_, watch) => {
            if (!document.querySelector(".row")) return;
            watch.disconnect();
            requestAnimationFrame(() => (window.firstContent = performance.now()));
        }).observe(document, { childList: true, subtree: true });
    });
    await page.goto(`${url}/#token=${token}`);
    await page.waitForFunction(() => window.firstContent);
    firsts.push(await page.evaluate(() => window.firstContent));
}
firsts.sort((a, b) => a - b);
console.log(`first content: ${firsts[3].toFixed(0)} ms (median of 7; ${firsts[0].toFixed(0)} to ${firsts[6].toFixed(0)})`);

const list = page.locator(".scroll > div");
const began = performance.now();
for (;;) {
    const held = await page.locator(".bar [role=status]").textContent();
    if (Number(/[\d,]+/.exec(held)?.[0].replaceAll(",", "")) >= Number(lines)) break;
    await list.evaluate((element) => element.scrollTo(0, 0));
    await page.waitForTimeout(50);
}
console.log(`all ${Number(lines).toLocaleString()} lines fetched by scrolling: ${((performance.now() - began) / 1000).toFixed(1)} s`);

const frames = await list.evaluate(async (element) => {
    const times = [];
    const end = performance.now() + 5000;
    for (let before = performance.now(); before < end; ) {
        element.scrollBy(0, 60);
        const now = await new Promise((done) => requestAnimationFrame(done));
        times.push(now - before);
        before = now;
    }
    return times.slice(1);
});
frames.sort((a, b) => a - b);
const sum = frames.reduce((total, one) => total + one, 0);
const at = (share) => frames[Math.floor(frames.length * share)].toFixed(1);
console.log(`scrolling them: ${((1000 * frames.length) / sum).toFixed(0)} frames/s; a frame takes ${at(0.5)} ms, 1 of 100 over ${at(0.99)} ms`);
await browser.close();
