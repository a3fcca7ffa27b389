// What becomes of an answer, and of a request without one. The table is that of every SDK.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encode, Http, HttpError, json, shape } from "@weir/sdk";
import { Reply, Script } from "@weir/sdk/testing";

/**
 * @param {string} method
 * @param {Reply} reply
 */
function answer(method, reply) {
  return new Http(new Script().on({ method, url: "/" }, reply).http).send({ method, url: "/" });
}

test("statuses mean what the table says", () => {
  for (const [status, kind] of /** @type {[number, string][]} */ ([
    [301, "rejected"],
    [400, "rejected"],
    [401, "unauthorized"],
    [402, "rejected"],
    [403, "forbidden"],
    [404, "not-found"],
    [408, "timeout"],
    [409, "conflict"],
    [410, "not-found"],
    [412, "conflict"],
    [413, "invalid-input"],
    [422, "invalid-input"],
    [423, "conflict"],
    [425, "unavailable"],
    [429, "rate-limited"],
    [500, "unavailable"],
    [501, "rejected"],
    [502, "unknown-outcome"],
    [503, "unavailable"],
    [504, "unknown-outcome"],
    [505, "rejected"],
    [599, "unavailable"],
  ])) {
    assert.throws(() => answer("POST", Reply.status(status)).check(), { kind, code: `http-${status}` });
  }
  for (const method of ["GET", "PUT", "DELETE"])
    assert.equal(answer(method, Reply.status(504)).toFault().kind, "unavailable");
  for (const status of [200, 201, 204, 299]) assert.equal(answer("POST", Reply.status(status)).check().ok, true);
});

test("a destination that asks to wait is heard", () => {
  const date = "Sun, 06 Nov 1994 08:49:37 GMT";
  for (const [value, seconds] of /** @type {[string, number | undefined][]} */ ([
    ["120", 120],
    [" 0 ", 0],
    ["Sun, 06 Nov 1994 08:50:07 GMT", 30],
    ["Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400 - 784_111_777],
    ["Sat, 05 Nov 1994 08:49:37 GMT", 0],
    ["soon", undefined],
    ["-1", undefined],
    ["Sun, 99 Nov", undefined],
  ])) {
    const fault = answer("GET", Reply.status(503, { "Retry-After": value, Date: date })).toFault();
    assert.equal(fault.retryAfterMs, seconds === undefined ? undefined : seconds * 1000, value);
  }
  assert.equal(answer("GET", Reply.status(503, { "Retry-After": date })).retryAfterMs(), undefined, "no clock");
});

test("an answer that cannot be read after an effect is an unknown outcome", () => {
  for (const [method, status, kind] of /** @type {[string, number, string][]} */ ([
    ["POST", 201, "unknown-outcome"],
    ["GET", 200, "internal"],
    ["POST", 400, "internal"],
  ])) {
    assert.throws(() => answer(method, Reply.status(status)).json(), { kind, code: "unexpected-answer" });
  }
  assert.throws(() => answer("POST", Reply.json(201, {})).json(shape.object({ id: shape.text() })), {
    kind: "unknown-outcome",
    message: "the answer is not what was expected: it does not fit: missing field `id`",
  });
});

test("a request without an answer means what the table says", () => {
  for (const [why, kind] of /** @type {[import("@weir/sdk").HttpFaultKind, string][]} */ ([
    ["denied", "forbidden"],
    ["unreachable", "unavailable"],
    ["tls", "unavailable"],
    ["timeout", "timeout"],
    ["too-large", "rejected"],
    ["broken", "unavailable"],
  ])) {
    for (const [method, sent, expected] of /** @type {[string, boolean, string][]} */ ([
      ["GET", true, kind],
      ["POST", false, kind],
      ["POST", true, "unknown-outcome"],
    ])) {
      assert.throws(
        () => answer(method, Reply.fault(why, sent)),
        (error) => error instanceof HttpError && error.toFault().kind === expected,
      );
    }
  }
});

test("requests side by side are answered in their order", () => {
  const script = new Script().on({ url: "/a" }, Reply.status(200)).on({ url: "/b" }, Reply.fault("timeout", true));
  const [a, b] = new Http(script.http).sendAll([{ url: "/a" }, { url: "/b" }]);
  assert.equal(a instanceof HttpError || a?.status, 200);
  assert.equal(b instanceof HttpError && b.kind, "timeout");
});

test("data is never the place of a secret", () => {
  const sent = /** @type {import("../src/generated/contract.ts").Request[]} */ ([]);
  const sendAll = (/** @type {typeof sent} */ requests) => {
    sent.push(...requests);
    return [];
  };
  const host = { send: () => assert.fail(), sendAll };
  new Http(host).sendAll([
    { method: "POST", url: "/x", query: { q: "{{a}}&b=ü" }, json: ["{{{a}}", "{"], auth: { named: "n" } },
  ]);
  const body = new TextDecoder().decode(sent[0]?.body);
  assert.equal(sent[0]?.url, "/x?q=%7B%7Ba%7D%7D%26b%3D%C3%BC");
  assert.deepEqual([body.includes("{{"), json.parse(body)], [false, ["{{{a}}", "{"]]);
  assert.deepEqual(sent[0]?.auth, { tag: "named", val: "n" });
  assert.equal(encode("a/b ~'()*!"), "a%2Fb%20~%27%28%29%2A%21");
});
