// The plugin in this folder as a process that Weir calls: what `weir dev` runs, because a change is there at once and a
// component takes seconds to build. It is bundled as for a component and given the same roles, so that what a component
// refuses, such as a promise on QuickJS, is refused here too; only what Node.js has beside is there.
//
// The host writes a line of JSON on the standard input, and reads texts of JSON from the standard output, each between U+001E
// and a line feed (RFC 7464): whatever else is printed is no message. Records are objects with names in snake_case, a
// variant is `{"tag", "val"}`, bytes are base64.

import { readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { BuildError, bundleForNode, CONTRACT_LINE, findEntry, readEngine, readRoles } from "./component.js";

const FOLDER = process.cwd();
const BUNDLE = join(FOLDER, "build", "native.mjs");

const READ_BYTES = 1 << 20;

/** Ends a process that is busy when the host has gone; one that is not sees the end of its input. */
const WATCH = `
  const { workerData: host } = require("node:worker_threads");
  setInterval(() => { if (process.ppid !== host) process.kill(process.pid, "SIGKILL"); }, 500);
`;

/** What has been read and belongs to a later line. */
let begun = Buffer.from("");

/** What the host says; when it has gone, so has the plugin. */
function hear() {
  const line = [];
  for (let some = begun; ; some = read()) {
    const end = some.indexOf("\n");
    if (end >= 0) {
      line.push(some.subarray(0, end));
      begun = some.subarray(end + 1);
      return lift(JSON.parse(Buffer.concat(line).toString("utf8")));
    }
    line.push(some);
  }
}

function read() {
  const some = Buffer.alloc(READ_BYTES);
  const count = patiently(() => readSync(0, some));
  if (count === 0) process.exit(0);
  return some.subarray(0, count);
}

/**
 * @param {string} tag
 * @param {unknown} val
 */
function say(tag, val) {
  const text = Buffer.from(`\x1e${JSON.stringify(lower({ tag, val }))}\n`);
  for (let sent = 0; sent < text.length; ) sent += patiently(() => writeSync(1, text, sent));
}

/**
 * Whatever has touched `process.stdout` or `process.stdin` has made it one that does not wait.
 *
 * @param {() => number} attempt
 */
function patiently(attempt) {
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** Names of members that are bytes. */
const BYTES = new Set(["data", "body"]);

/**
 * A value of the host in the words of the SDK.
 *
 * @param {any} value
 * @param {string} [name]
 * @returns {any}
 */
function lift(value, name) {
  if (typeof value === "string" && name !== undefined && BYTES.has(name))
    return new Uint8Array(Buffer.from(value, "base64"));
  if (Array.isArray(value)) return value.map((item) => lift(item));
  if (typeof value !== "object" || value === null) return value;
  const camel = (/** @type {string} */ word) => word.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [camel(key), lift(item, key)]));
}

/**
 * A value of the SDK in the words of the host.
 *
 * @param {any} value
 * @returns {any}
 */
function lower(value) {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(lower);
  if (typeof value !== "object" || value === null) return value;
  const snake = (/** @type {string} */ word) => word.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [snake(key), lower(item)]));
}

const log = {
  /** @type {(level: string, message: string, fields: [string, string][]) => void} */
  write: (level, message, fields) => say("log", { level, message, fields }),
};

/**
 * @param {unknown[]} requests
 * @returns {any[]}
 */
function sendAll(requests) {
  say("send", requests);
  return hear().val;
}

/** @param {unknown} request */
function send(request) {
  const [answer] = sendAll([request]);
  if (answer.tag === "err") throw answer.val;
  return answer.val;
}

/**
 * @param {any} roles
 * @param {{ tag: string, val: any }} ask
 */
async function answer(roles, { tag, val }) {
  try {
    return { tag: "ok", val: await call(roles, tag, val) };
  } catch (fault) {
    return { tag: "err", val: fault };
  }
}

/**
 * @param {any} roles
 * @param {string} tag
 * @param {any} val
 */
function call(roles, tag, val) {
  switch (tag) {
    case "transform":
      return roles.mapper.transform(val.origin, val.input, val.options);
    case "invoke":
      return roles.actions.invoke(val);
    case "verify":
      return roles.verification.verify(val);
    default:
      throw new Error(`the host asks for \`${tag}\`, which this SDK does not know`);
  }
}

try {
  const roles = readRoles(FOLDER);
  const engine = readEngine(FOLDER);
  await bundleForNode({ folder: FOLDER, entry: findEntry(FOLDER), roles, out: BUNDLE, engine });
  const { open } = await import(pathToFileURL(BUNDLE).href);
  new Worker(WATCH, { eval: true, workerData: process.ppid }).unref();
  const exposed = open({ log, ...(roles.includes("mapper") ? {} : { http: { send, sendAll } }) });
  say("ready", { contract: CONTRACT_LINE });
  for (;;) say("returned", await answer(exposed, hear()));
} catch (error) {
  // Not by `console`: that writes lines of executions by now.
  const { message, stack } = /** @type {Error} */ (error);
  writeSync(2, `${error instanceof BuildError ? message : stack}\n`);
  process.exitCode = 1;
}
