// What is read of answers, and what requests say.

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

test("a date without the time of the answer says nothing", () => {
  const date = "Sun, 06 Nov 1994 08:49:37 GMT";
  assert.equal(answer("GET", Reply.status(503, { "Retry-After": date })).retryAfterMs(), undefined);
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
