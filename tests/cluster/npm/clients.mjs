// clients.mjs MARATHON MESOS CONTROL: the double (tests/cluster/double), as three npm packages that know nothing of it see it.
//
// @dcos/mesos-client was written for browsers: the XMLHttpRequest below is the part of that interface which it uses, over node's http.
import assert from "node:assert/strict";
import http from "node:http";
import { createRequire } from "node:module";
import { TextDecoder } from "node:util";

const require = createRequire(import.meta.url);
const [marathon, mesos, control] = process.argv.slice(2);
const waitMillisecondsMax = 60000;

class BrowserRequest {
    constructor() {
        this.listeners = {};
        this.headers = {};
        this.response = "";
        this.status = 0;
    }
    addEventListener(name, listener) {
        (this.listeners[name] ??= []).push(listener);
    }
    fire(name) {
        for (const listener of this.listeners[name] ?? []) listener({ target: this });
    }
    open(method, url) {
        this.method = method;
        this.url = url;
    }
    setRequestHeader(name, value) {
        this.headers[name] = value;
    }
    send(body) {
        const text = new TextDecoder();
        this.request = http.request(this.url, { method: this.method, headers: this.headers, agent: false }, (answer) => {
            this.status = answer.statusCode;
            this.statusText = answer.statusMessage;
            answer.on("data", (bytes) => {
                this.response += text.decode(bytes, { stream: true });
                this.fire("progress");
            });
            answer.on("end", () => this.fire("load"));
            answer.on("error", () => this.fire("error"));
        });
        this.request.on("error", () => this.fire("error"));
        this.request.end(body);
    }
    abort() {
        this.request?.destroy();
        this.fire("abort");
    }
}
globalThis.XMLHttpRequest = BrowserRequest;

const { stream, request } = require("@dcos/mesos-client");
const { read } = require("@dcos/recordio");
const MarathonEventBusClient = require("marathon-event-bus-client");

async function fault(verb, body = {}) {
    const answer = await fetch(`${control}/${verb}`, { method: "POST", body: JSON.stringify(body) });
    assert.equal(answer.status, 200, await answer.text());
}

async function until(what, condition) {
    const end = Date.now() + waitMillisecondsMax;
    for (;;) {
        const answer = await condition();
        if (answer) return answer;
        if (Date.now() > end) throw new Error(`not within ${waitMillisecondsMax} ms: ${what}`);
        await new Promise((go) => setTimeout(go, 20));
    }
}

async function mesosClient() {
    const records = [];
    let ended = false;
    const subscription = stream({ type: "SUBSCRIBE" }, `${mesos}/api/v1`).subscribe({
        next: (text) => records.push(JSON.parse(text)), error: () => (ended = true), complete: () => (ended = true) });
    await until("SUBSCRIBED", () => records.length > 0);
    assert.equal(records[0].type, "SUBSCRIBED");
    assert.equal(records[0].subscribed.heartbeat_interval_seconds, 15);
    assert.equal(records[0].subscribed.get_state.get_agents.agents.length, 2);
    await fault("add_host", { host: "new-1", attributes: { place: "Zürich €" } });
    await until("AGENT_ADDED", () => records.some((one) => one.type === "AGENT_ADDED"));
    const added = records.find((one) => one.type === "AGENT_ADDED").agent_added.agent;
    assert.equal(added.agent_info.hostname, "new-1");
    assert.equal(added.agent_info.attributes[0].text.value, "Zürich €");
    await fault("retire_host", { host: "new-1" });
    await until("AGENT_REMOVED", () => records.some((one) => one.type === "AGENT_REMOVED"));
    await until("HEARTBEAT", () => records.some((one) => one.type === "HEARTBEAT"));
    await fault("close_streams");
    await until("the end of the stream", () => ended);
    subscription.unsubscribe();

    const text = await new Promise((done, failed) =>
        request({ type: "GET_AGENTS" }, `${mesos}/api/v1`).subscribe(done, failed));
    const agents = JSON.parse(text).get_agents.agents;
    assert.equal(agents.length, 2);
    // 64 bits are written as they are; a reader of doubles cannot hold them.
    const nanoseconds = /"registered_time": {"nanoseconds": (\d+)}/.exec(text)[1];
    assert.notEqual(String(JSON.parse(text).get_agents.agents[0].registered_time.nanoseconds), nanoseconds);
}

async function agentClient() {
    const ask = (call, url) => new Promise((done, failed) => request(call, `${url}/api/v1`).subscribe((text) => done(JSON.parse(text)), failed));
    await fault("foreign_app", { definition: { id: "/files", cmd: "sleep 1", instances: 1, labels: { TENANT: "red" } } });
    const get = async (url) => (await fetch(url)).json();
    const task = await until("a task", async () =>
        (await get(`${marathon}/v2/apps//files/tasks`)).tasks.find((one) => one.state === "TASK_RUNNING"));
    const found = (await get(`${mesos}/slaves`)).slaves.find((one) => one.hostname === task.host);
    const agent = `http://127.0.0.1:${found.port}`;
    await fault("print", { host: found.hostname, app: "/files", text: "Zürich €\n" });
    const { frameworks } = await get(`${agent}/state`);
    const { directory, container } = frameworks[0].executors.find((one) => one.id === task.id);
    const containers = (await ask({ type: "GET_CONTAINERS" }, agent)).get_containers.containers;
    assert.ok(containers.some((one) => one.container_id.value === container));
    const listed = (await ask({ type: "LIST_FILES", list_files: { path: directory } }, agent)).list_files.file_infos;
    assert.deepEqual(listed.map((one) => one.path.replace(directory, "")), ["/stderr", "/stdout"]);
    const read = (await ask({ type: "READ_FILE", read_file: { path: `${directory}/stdout`, offset: 0 } }, agent)).read_file;
    assert.equal(Buffer.from(read.data, "base64").toString(), "Zürich €\n");
    assert.equal(read.size, 12);
}

async function recordio() {
    await fault("split_records", { how: "byte" });
    const text = new TextDecoder();
    let rest = "", found = [], chunks = 0;
    // node's parser hands on each chunk of the transfer coding by itself.
    const request = http.request(`${mesos}/api/v1`, { method: "POST", agent: false, headers: { "Content-Type": "application/json" } }, (answer) =>
        answer.on("data", (bytes) => {
            chunks += 1;
            const [records, left] = read(rest + text.decode(bytes, { stream: true }));
            rest = left;
            found = found.concat(records);
        }));
    request.on("error", () => {});
    request.end('{"type": "SUBSCRIBE"}');
    await until("three records", () => found.length >= 3);
    request.destroy();
    assert.deepEqual(found.slice(0, 3).map((one) => JSON.parse(one).type), ["SUBSCRIBED", "HEARTBEAT", "HEARTBEAT"]);
    assert.ok(chunks > 500, `records came in ${chunks} chunks: the borders were not tried`);
}

async function eventBus() {
    const { hostname, port } = new URL(marathon);
    const got = [];
    const keep = (name, data) => got.push([name, data]);
    const client = new MarathonEventBusClient({
        marathonHost: hostname, marathonPort: port, marathonProtocol: "http",
        eventTypes: ["deployment_info", "deployment_success", "status_update_event"],
        handlers: { deployment_info: keep, deployment_success: keep, status_update_event: keep } });
    client.on("error", () => {});
    let subscribed = false;
    client.on("subscribed", () => (subscribed = true));
    client.subscribe();
    await until("subscribed", () => subscribed);
    await fault("foreign_app", { definition: { id: "/events", cmd: "sleep 1", instances: 2, constraints: [["hostname", "UNIQUE"]] } });
    await until("deployment_success", () => got.some(([name]) => name === "deployment_success"));
    const running = got.filter(([name, data]) => name === "status_update_event" && data.taskStatus === "TASK_RUNNING");
    assert.equal(running.length, 2);
    assert.ok(running.every(([, data]) => data.appId === "/events"));
    const [, begun] = got.find(([name]) => name === "deployment_info");
    assert.equal(begun.plan.steps.at(-1).actions[0].action, "ScaleApplication");
    client.unsubscribe();
}

for (const check of [mesosClient, recordio, eventBus, agentClient]) {
    await check();
    console.log(`${check.name}: ok`);
}
process.exit(0);
