// platform.mjs: a platform's own page with a component's log in it. Node's own modules are all it needs.
//
//   LOGS=http://127.0.0.1:3100 TOKENS=./tokens PORT=8080 node platform.mjs
//
// The log server lets this page show a frame: boatswain serve ... --embed-in http://127.0.0.1:8080
//
// Who is signed in here, and to which tenant they belong, is the platform's business; this example has two customers and
// takes the one that ?as= names. It makes each a token for an hour, for one app alone. The browser gets that, and no
// other secret.
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { promisify } from "node:util";

const logs = process.env.LOGS ?? "http://127.0.0.1:3100";
const boatswain = process.env.BOATSWAIN ?? "boatswain";
const customers = new Map([
    ["anna", { tenant: process.env.TENANT ?? "acme", app: process.env.APP ?? "shop/orders" }],
    ["nobody", null],
]);

async function tokenFor({ tenant, app }) {
    const words = ["token", "new", tenant, "--tokens", process.env.TOKENS ?? "tokens", "--app", app, "--expires", "1h"];
    return (await promisify(execFile)(boatswain, words)).stdout.trim();
}

const escaped = (text) => text.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);

const page = (customer, token) => `<!doctype html>
<html lang="en">
<title>${escaped(customer.app)}</title>
<style>
    body { font: 16px system-ui, sans-serif; margin: 2rem; }
    boatswain-logs { --boatswain-accent: #7a1fa2; height: 70vh; border: 1px solid #ccc; border-radius: 8px; overflow: hidden; }
</style>
<h1>${escaped(customer.app)}</h1>
<p>This is the platform's own page. Below is the log of one component, from the log server.</p>
<script src="${escaped(logs)}/boatswain-logs.js"></script>
<boatswain-logs token="${escaped(token)}" app="${escaped(customer.app)}" last="1h" theme="light"></boatswain-logs>
<script>
    // A token lives an hour: a page that stays open longer asks its own server for another one.
    addEventListener("boatswain-expired", async (event) => {
        const answer = await fetch("/token" + location.search);
        if (answer.ok) event.target.setAttribute("token", await answer.text());
    });
</script>
`;

createServer(async (request, answer) => {
    const { pathname, searchParams } = new URL(request.url, "http://platform");
    const customer = customers.get(searchParams.get("as") ?? "anna");
    try {
        if (!customer) answer.writeHead(403).end("not yours\n");
        else if (pathname === "/token") answer.end(await tokenFor(customer));
        else if (pathname !== "/") answer.writeHead(404).end();
        else answer.setHeader("Content-Type", "text/html; charset=utf-8").end(page(customer, await tokenFor(customer)));
    } catch (error) {
        console.error(error);
        if (!answer.headersSent) answer.writeHead(500);
        answer.end("something went wrong here\n");
    }
}).listen(Number(process.env.PORT ?? 8080), "127.0.0.1", function () {
    console.log(`http://127.0.0.1:${this.address().port}/`);
});
