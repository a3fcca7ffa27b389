// The tables of `wit/FAULTS.md`, held against what the SDK makes of answers and of requests without one.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Fault, Http, HttpError } from "@weir/sdk";
import { Reply, Script } from "@weir/sdk/testing";
import { toMillis } from "../generated/fault.js";

const page = readFileSync(new URL("../../../wit/FAULTS.md", import.meta.url), "utf8");

/**
 * The rows of the table below a heading, without the table's own head and without backticks.
 *
 * @param {string} heading
 */
function rows(heading) {
  const section = page.split("\n## ").find((part) => part.startsWith(heading)) ?? assert.fail(heading);
  const lines = section.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) => {
    const [a = "", b = "", c = "", d = ""] = line
      .replace(/^\||\|$/g, "")
      .split(" | ")
      .map((cell) => cell.trim().replaceAll("`", ""));
    return { a, b, c, d };
  });
}

/**
 * @param {string} statuses
 * @param {number} status
 */
function holds(statuses, status) {
  return statuses.split(", ").some((part) => {
    const [first = Number.NaN, last = first] = part.split("-").map(Number);
    return first <= status && status <= last;
  });
}

/**
 * The fault that a reply means to a request; none if it is none.
 *
 * @param {string} method
 * @param {Reply} reply
 */
function faultOf(method, reply) {
  try {
    new Http(new Script().on({ method, url: "/" }, reply).http).send({ method, url: "/" }).check();
    return undefined;
  } catch (error) {
    if (error instanceof HttpError) return error.toFault();
    return error instanceof Fault ? error : assert.fail(String(error));
  }
}

/** @param {Fault | undefined} fault */
const waits = (fault) => (fault?.retryAfterMs === undefined ? undefined : toMillis(fault.retryAfterMs));

test("every status is the kind that the page says", () => {
  const table = rows("From an answer to a kind");
  for (let status = 100; status < 600; status++) {
    const row = table.find(({ a }) => holds(a, status)) ?? assert.fail(`no row holds ${status}`);
    for (const [methods = "", kind] of [
      ["GET HEAD OPTIONS PUT DELETE", row.b],
      ["POST PATCH PURGE", row.c],
    ]) {
      for (const method of methods.split(" ")) {
        const fault = faultOf(method, Reply.status(status, { "Retry-After": "7" }));
        assert.equal(fault?.kind ?? "none", kind, `${method} ${status}`);
        if (!fault) continue;
        const isHeard = row.d === "yes" || row.d === `if ${kind}`;
        assert.deepEqual([fault.code, waits(fault)], [`http-${status}`, isHeard ? 7000 : undefined], method);
      }
    }
  }
});

test("`Retry-After` waits as long as the page says", () => {
  for (const { a: value, b: expected } of rows("`Retry-After`")) {
    const headers = { "Retry-After": value, Date: "Sun, 06 Nov 1994 08:49:37 GMT" };
    assert.equal(String(waits(faultOf("GET", Reply.status(503, headers))) ?? "none"), expected, value);
  }
});

test("every request without an answer is the kind that the page says", () => {
  const table = rows("From a request without an answer to a kind");
  assert.deepEqual(
    table.map(({ a }) => a),
    ["denied", "unreachable", "tls", "timeout", "too-large", "broken"],
  );
  for (const row of table) {
    for (const [method, sent, kind] of /** @type {[string, boolean, string][]} */ ([
      ["GET", false, row.b],
      ["POST", false, row.b],
      ["GET", true, row.c],
      ["POST", true, row.d],
    ])) {
      const why = /** @type {import("@weir/sdk").HttpFaultKind} */ (row.a);
      const fault = faultOf(method, Reply.fault(why, sent));
      assert.deepEqual([fault?.kind, fault?.code], [kind, "scripted"], `${row.a}, ${method}, ${sent}`);
    }
  }
});
