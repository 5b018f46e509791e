// Kubernetes' own client for Node understands the double of the API server that other tests use (tests/support/api_server.py):
// its informer lists and watches, sees what is added, changed and deleted, goes on behind a watch that ended, and lists again
// where the server has forgotten. node kubernetes_watch.mjs PATH_OF_DOUBLE
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { CoreV1Api, KubeConfig, Watch, makeInformer } from "@kubernetes/client-node";

const double = spawn("/usr/bin/python3", [process.argv[2]], { stdio: ["pipe", "pipe", "inherit"] });
process.on("exit", () => double.kill());
const lines = createInterface({ input: double.stdout })[Symbol.asyncIterator]();
const next = async () => (await lines.next()).value;
const server = await next();
const tell = async (...words) => {
    double.stdin.write(JSON.stringify(words) + "\n");
    assert.equal(await next(), "done");
};
const pod = (name, labels, nodeName = "node-1") => ({
    apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "shop", uid: "uid-" + name, labels },
    spec: { nodeName, containers: [{ name: "app" }] },
});

const config = new KubeConfig();
config.loadFromOptions({
    clusters: [{ name: "double", server, skipTLSVerify: true }], users: [{ name: "me" }],
    contexts: [{ name: "double", cluster: "double", user: "me" }], currentContext: "double",
});
const api = config.makeApiClient(CoreV1Api);
const fieldSelector = "spec.nodeName=node-1";

// So that a test that hangs ends.
const patience = setTimeout(() => { throw new Error("nothing came: " + JSON.stringify(seen)); }, 60_000);
const seen = [];
let told = () => {};
const until = async (condition) => {
    while (!condition()) await new Promise((resolve) => { told = resolve; });
};
const note = (what) => (one) => {
    seen.push(`${what} ${one.metadata.name} ${one.metadata.labels?.team}`);
    told();
};

await tell("put", pod("first", { team: "red" }));
await tell("put", pod("elsewhere", { team: "red" }, "node-2"));
let lists = 0;
const informer = makeInformer(
    config, "/api/v1/pods", () => { ++lists; return api.listPodForAllNamespaces({ fieldSelector }); }, undefined, fieldSelector);
informer.on("add", note("add"));
informer.on("update", note("update"));
informer.on("delete", note("delete"));
informer.on("error", (error) => { seen.push("error " + (error?.message ?? error)); told(); setTimeout(() => informer.start(), 100); });
await informer.start();
await until(() => seen.includes("add first red"));
await tell("put", pod("second", { team: "blue" }));
await until(() => seen.includes("add second blue"));
await tell("put", pod("first", { team: "green" }));
await until(() => seen.includes("update first green"));
await tell("delete", "uid-second");
await until(() => seen.includes("delete second blue"));
assert.equal(lists, 1);

// A watch that ends goes on where it was; what was forgotten meanwhile is listed again.
await tell("drop");
await tell("put", pod("third", { team: "red" }));
await until(() => seen.includes("add third red"));
await tell("forget");
await tell("drop");
await tell("put", pod("fourth", { team: "red" }));
await until(() => seen.includes("add fourth red"));
assert.ok(lists >= 2, "listed again");
assert.ok(!seen.some((one) => one.includes("elsewhere")), "another node's");
await informer.stop();

// A watch from 0, as ours begins: all that is there, then bookmarks.
const events = [];
const request = await new Watch(config).watch(
    "/api/v1/pods", { resourceVersion: "0", allowWatchBookmarks: true, fieldSelector },
    (type, one) => { events.push(`${type} ${one.metadata.name ?? ""}`.trim()); told(); }, () => {});
await until(() => events.includes("BOOKMARK"));
assert.deepEqual(new Set(events.slice(0, 3)), new Set(["ADDED first", "ADDED third", "ADDED fourth"]));
request.abort();
clearTimeout(patience);
console.log(`kubernetes' client saw: ${seen.join(", ")}; ${events.join(", ")}`);
double.kill();
process.exit(0);
