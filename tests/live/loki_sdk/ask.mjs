// npm's SDK for Loki asks `boatswain serve`, as it is. node ask.mjs URL TOKEN LINES
import assert from "node:assert/strict";
import { GrafanaApi } from "@myunisoft/loki";

const [url, token, lines] = process.argv.slice(2);
const { Loki } = new GrafanaApi({ authentication: { type: "bearer", token }, remoteApiURL: url });
const selector = '{app="bench"}';

const labels = await Loki.labels({ since: "1h" });
for (const name of ["app", "container", "host", "service_name", "tenant"]) assert(labels.includes(name), name);
assert.deepEqual(await Loki.labelValues("app", { since: "1h" }), ["bench"]);
assert.deepEqual(await Loki.labelValues("app", { since: "1h", query: '{app="other"}' }), []);

// This version sends no credential with it, so what it would ask is asked here.
await assert.rejects(Loki.series(selector), (error) => error.statusCode === 401);
const asked = `${url}/loki/api/v1/series?${new URLSearchParams([["match", selector]])}`;
const { data: series } = await (await fetch(asked, { headers: { authorization: `Bearer ${token}` } })).json();
assert(series.length > 0 && series.every((labels) => labels.app === "bench"));

const { logs: newest, timerange } = await Loki.queryRange(selector, { start: "1h", limit: 50 });
assert.equal(newest.length, 50);
assert(newest.every((line) => typeof line === "string"));
assert(timerange !== null);

const { streams } = await Loki.queryRangeStream(`${selector} |= "GET"`, { start: "1h", limit: 20 });
assert(streams.length > 0);
for (const { labels, values } of streams) {
    assert.equal(labels.app ?? labels.service_name, "bench");
    assert(values.every(([, line]) => line.includes("GET")));
}

const { metrics } = await Loki.queryRangeMatrix(`sum(count_over_time(${selector}[1h]))`, { start: "1m" });
assert.equal(Number(metrics[0].values.at(-1)[1]), Number(lines));

await assert.rejects(Loki.queryRange('{app="bench"', { start: "1h" }), (error) =>
    error.statusCode === 400 && String(error.data ?? error.body).includes("parse error at line 1"));
const nobody = new GrafanaApi({ authentication: { type: "bearer", token: "x" }, remoteApiURL: url });
await assert.rejects(nobody.Loki.labels(), (error) => error.statusCode === 401);
console.log("@myunisoft/loki: labels, values, series, lines, streams, numbers and errors are what it expects");
