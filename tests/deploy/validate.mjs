// validate.mjs MANIFESTS.json JOB.hcl: Kubernetes manifests against the schemas of kubernetes-models, and a Nomad job through HashiCorp's
// own HCL 2 parser (hcl2-parser is that parser, compiled). Prints the job as JSON. Each is shown a canary that it must refuse.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const hcl = require("hcl2-parser");

const model = async ({ apiVersion, kind }) => {
  const found = await import(`kubernetes-models/${apiVersion}`);
  if (!found[kind]) throw new Error(`no kind ${kind} in ${apiVersion}`);
  return found[kind];
};
const complaint = async (manifest) => {
  try {
    new (await model(manifest))(manifest).validate();
    return "";
  } catch (error) {
    return `${manifest.kind} ${manifest.metadata?.name}: ${error.message}`;
  }
};

const [manifests, job] = process.argv.slice(2);
const documents = JSON.parse(readFileSync(manifests, "utf8"));
for (const document of documents) {
  const what = await complaint(document);
  if (what) throw new Error(what);
}
const canary = structuredClone(documents.find(({ kind }) => kind === "DaemonSet"));
canary.spec.template.spec.containers[0].volumeMounts[0].mountPath = 7;
if (!(await complaint(canary))) throw new Error("a mount path that is a number was not refused");

const parse = (text) => {
  const [parsed, error] = hcl.parseToObject(text);
  if (error) throw new Error(JSON.stringify(error));
  return parsed;
};
const text = readFileSync(job, "utf8");
let refused = false;
try {
  refused = !parse(text.replace('job "boatswain" {', 'job "boatswain" {{'));
} catch {
  refused = true;
}
if (!refused) throw new Error("a job with a brace too many was not refused");
console.log(JSON.stringify(parse(text)));
