// A plugin as a process: what `weir dev` says to it, and what it says.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const SDK = fileURLToPath(new URL("..", import.meta.url));
const NATIVE = join(SDK, "build", "native.js");

/** @type {(() => void)[]} */
const cleanups = [];
after(() => {
  for (const cleanup of cleanups) cleanup();
});

/** @typedef {{ source: string, roles: string[], build?: string, entry?: string }} Plugin */

/** @param {Plugin} plugin */
function folderOf({ source, roles, build = "weir-component", entry = "plugin.js" }) {
  const folder = mkdtempSync(join(tmpdir(), "weir-native-"));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "src"));
  mkdirSync(join(folder, "node_modules", "@weir"), { recursive: true });
  symlinkSync(SDK, join(folder, "node_modules", "@weir", "sdk"));
  writeFileSync(join(folder, "weir-plugin.toml"), `id = "p"\nroles = ${JSON.stringify(roles)}\n`);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", scripts: { build } }));
  writeFileSync(join(folder, "src", entry), source);
  return folder;
}

/**
 * @param {Plugin} plugin
 * @param {string[]} printed what it prints before it is ready
 */
function start(plugin, printed = []) {
  const child = spawn(process.execPath, [NATIVE], { cwd: folderOf(plugin) });
  let complaints = "";
  child.stderr.on("data", (text) => {
    complaints += text;
  });
  /** @type {Promise<number | null>} */
  const ended = new Promise((resolve) => child.on("close", resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ended,
    complaints: () => complaints,
    end: () => child.stdin.end(),
    /** @type {(tag: string, val: unknown) => void} */
    say: (tag, val) => void child.stdin.write(`${JSON.stringify({ tag, val })}\n`),
    hear: async () => {
      for (const line of printed.splice(0)) assert.equal((await lines.next()).value, line);
      const { value, done } = await lines.next();
      assert.ok(!done, `it has ended: ${complaints}`);
      assert.equal(value[0], "\x1e", value);
      return JSON.parse(value.slice(1));
    },
  };
}

/** @param {unknown} value */
function document(value) {
  const data = Buffer.from(JSON.stringify(value)).toString("base64");
  return { content_type: "application/json", data, metadata: [] };
}

/** @param {{ data: string }} document */
function read({ data }) {
  return JSON.parse(Buffer.from(data, "base64").toString("utf8"));
}

/**
 * @param {string} action
 * @param {unknown} input
 */
function callOf(action, input) {
  const context = {
    execution: "exe_1",
    step: "send",
    idempotency_key: "key-7",
    attempt: 1,
    remaining_ms: 1000,
    connection: "c",
    account: null,
    settings: '{"tenant":"acme"}',
    extra: [],
  };
  return { action, input: document(input), cursor: "p1", context };
}

const CONNECTOR = `import { connector, Fault, log, Receipt, Settlement } from "@weir/sdk";

function note({ input, cursor, context }: any, http: any) {
  console.log("printed");
  const sent = http.post("/notes", { json: input, idempotencyKey: context.idempotencyKey });
  try {
    http.get("https://evil.example.com/", { auth: "anonymous" });
  } catch (error: any) {
    log.warn("denied", { code: error.code, sent: error.requestSent });
  }
  return new Receipt({ cursor, key: context.idempotencyKey, ...sent.check().json() }, { externalId: "7" });
}

function bad({ input }: any) {
  if (input.how === "fault") throw Fault.rateLimited(1500).field("/a", "is \\ud800").detail("x", "y");
  if (input.how === "promise") return Promise.resolve(1);
  return input.missing.name;
}

const verify = ({ input }: any) =>
  input.state === "happened"
    ? Settlement.happened(new Receipt({ id: 1 }, { next: "p2" }))
    : input.state === "absent" ? Settlement.absent() : Settlement.undecided(250);

export default connector({ actions: { note, bad }, verify: { note: verify } });
`;

const ROLES = ["actions", "verification"];

test("an action sends by the host", async () => {
  const plugin = start({ source: CONNECTOR, roles: ROLES, entry: "plugin.ts" });
  assert.deepEqual(await plugin.hear(), { tag: "ready", val: { contract: "0.1" } });
  plugin.say("invoke", callOf("note", { title: "zoë" }));
  assert.deepEqual((await plugin.hear()).val, { level: "info", message: "printed", fields: [] });
  const sent = await plugin.hear();
  const [request] = sent.val;
  assert.deepEqual([sent.tag, request.method, request.url], ["send", "POST", "/notes"]);
  assert.deepEqual([read({ data: request.body }), request.auth], [{ title: "zoë" }, { tag: "default" }]);
  assert.ok(
    request.headers.some(
      (/** @type {string[]} */ [name, key]) => /^idempotency-key$/i.test(name ?? "") && key === "key-7",
    ),
  );
  const response = { status: 201, url: "https://n.example.com/", headers: [], body: document({ id: "n1" }).data };
  plugin.say("answers", [{ tag: "ok", val: response }]);
  assert.deepEqual((await plugin.hear()).val[0].auth, { tag: "anonymous" });
  const denied = { kind: "denied", code: "weir.http.denied", message: "no", request_sent: false };
  plugin.say("answers", [{ tag: "err", val: denied }]);
  const { val: line } = await plugin.hear();
  assert.deepEqual(line.fields, [
    ["code", "weir.http.denied"],
    ["sent", "false"],
  ]);
  const { tag, val } = await plugin.hear();
  assert.deepEqual([tag, val.tag, read(val.val.output)], ["returned", "ok", { cursor: "p1", key: "key-7", id: "n1" }]);
  assert.deepEqual([val.val.external_id, val.val.next, val.val.metadata], ["7", null, []]);
  plugin.end();
  assert.equal(await plugin.ended, 0);
});

test("faults and settlements are those of a component", async () => {
  const plugin = start({ source: CONNECTOR, roles: ROLES, entry: "plugin.ts" });
  await plugin.hear();
  const call = async (/** @type {string} */ tag, /** @type {string} */ action, /** @type {unknown} */ input) => {
    plugin.say(tag, callOf(action, input));
    return (await plugin.hear()).val;
  };
  const { tag, val: told } = await call("invoke", "bad", { how: "fault" });
  assert.deepEqual([tag, told.kind, told.retry_after_ms], ["err", "rate-limited", 1500]);
  assert.deepEqual([told.fields, told.details], [[{ pointer: "/a", message: "is \ufffd" }], [["x", "y"]]]);
  assert.equal((await call("invoke", "bad", { how: "promise" })).val.code, "promise");
  assert.equal((await call("invoke", "other", {})).val.code, "unknown-action");
  const bug = (await call("invoke", "bad", {})).val;
  const line = CONNECTOR.split("\n").findIndex((text) => text.includes("missing.name")) + 1;
  assert.ok(bug.details[0][1].startsWith(`src/plugin.ts:${line}:`), JSON.stringify(bug));
  assert.deepEqual(await call("verify", "note", { state: "absent" }), { tag: "ok", val: { tag: "absent" } });
  assert.deepEqual((await call("verify", "note", {})).val, { tag: "undecided", val: 250 });
  const happened = (await call("verify", "note", { state: "happened" })).val;
  assert.deepEqual([happened.tag, happened.val.next, read(happened.val.output)], ["happened", "p2", { id: 1 }]);
  plugin.end();
  await plugin.ended;
});

test("however much is said, and whatever the plugin prints to, it arrives", async () => {
  const source = `import { mapper } from "@weir/sdk";
console.log("loaded", process.stdin.isTTY);
export default mapper(({ input }) => ({ text: input.text, stdout: process.stdout.writable }));
`;
  const { say, hear, end } = start({ source, roles: ["mapper"] }, ["loaded undefined"]);
  await hear();
  const unsaid = { subject: null, time: null, schema: null, extensions: [], transport: [] };
  const origin = { id: "1", source: "/", kind: "k", received: "", ...unsaid };
  const text = "zoë".repeat(1 << 20);
  for (const _ of [1, 2]) {
    say("transform", { origin, input: document({ text }), options: "{}" });
    assert.deepEqual(read((await hear()).val.val[0]), { text, stdout: true });
  }
  end();
});

test("a plugin that is busy ends when the host has gone", async () => {
  const source = 'import { mapper } from "@weir/sdk"; export default mapper(() => { console.log("busy"); for (;;); });';
  const folder = folderOf({ source, roles: ["mapper"] });
  // The shell stands for the host: it is killed, and what it started keeps its input.
  const host = spawn("sh", ["-c", `exec 3<&0; "$0" "$1" <&3 & echo $! >&2; wait`, process.execPath, NATIVE], {
    cwd: folder,
  });
  const [pid] = await once(host.stderr, "data");
  await once(host.stdout, "data");
  const unsaid = { subject: null, time: null, schema: null, extensions: [], transport: [] };
  const origin = { id: "1", source: "/", kind: "k", received: "", ...unsaid };
  const ask = { tag: "transform", val: { origin, input: document({}), options: "{}" } };
  host.stdin.write(`${JSON.stringify(ask)}\n`);
  assert.match(String((await once(host.stdout, "data"))[0]), /busy/);
  host.kill("SIGKILL");
  const isAlive = () => existsSync(`/proc/${Number(String(pid))}/exe`);
  for (let waited = 0; isAlive(); waited += 50) {
    assert.ok(waited < 30_000, "it goes on");
    await setTimeout(50);
  }
});

test("promises and fetch are there where the component has them", async () => {
  const source = `import { connector } from "@weir/sdk";
export default connector({ actions: { ask: async () => (await fetch("/notes")).json() } });
`;
  const build = "weir-component --engine starlingmonkey";
  const plugin = start({ source, roles: ["actions"], build });
  await plugin.hear();
  plugin.say("invoke", callOf("ask", {}));
  assert.equal((await plugin.hear()).val[0].url, "/notes");
  const body = document([1]).data;
  plugin.say("answers", [{ tag: "ok", val: { status: 200, url: "https://n.example.com/notes", headers: [], body } }]);
  assert.deepEqual(read((await plugin.hear()).val.val.output), [1]);
  plugin.end();
  await plugin.ended;
});

test("a mapper maps bytes, and says where it is broken before it is called", async () => {
  const imports = 'import { connector, Document, mapper } from "@weir/sdk";';
  const source = `${imports}
export default mapper(({ document, origin }) => new Document(document.contentType, document.data, origin.transport));
`;
  const plugin = start({ source, roles: ["mapper"] });
  await plugin.hear();
  const unsaid = { subject: null, time: null, schema: null, extensions: [] };
  const origin = { id: "1", source: "/", kind: "k", received: "", ...unsaid, transport: [["header.x-own", "1"]] };
  const input = { content_type: "text/plain", data: "/wCA", metadata: [] };
  plugin.say("transform", { origin, input, options: "{}" });
  const mapped = { ...input, metadata: [["header.x-own", "1"]] };
  assert.deepEqual((await plugin.hear()).val, { tag: "ok", val: [mapped] });
  plugin.end();

  for (const [broken, said] of /** @type {[string, string][]} */ ([
    ["export default mappr(", "src/plugin.js:1:"],
    ["export default mappr();", "ReferenceError: mappr is not defined"],
    ['import fs from "node:fs"; export default fs;', 'Could not resolve "node:fs"'],
    [`${imports}export default connector({ actions: {} });`, "a connector cannot have the role mapper"],
  ])) {
    const { ended, complaints } = start({ source: broken, roles: ["mapper"] });
    assert.equal(await ended, 1);
    assert.ok(complaints().includes(said), complaints());
  }
});
