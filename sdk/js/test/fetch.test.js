// `fetch` by the gate, for plugins that are built with StarlingMonkey, and what it says elsewhere.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BASE_URL, checkFetched, connector, Document, json, mapper, Receipt, Settlement } from "@weir/sdk";
import { expose } from "@weir/sdk/guest";
import { awaiting, context, invoke, origin, Reply, Script } from "@weir/sdk/testing";

const native = globalThis.fetch;

const plugin = connector({
  actions: {
    create: async ({ context }) => {
      const headers = { "Content-Type": "application/json", "Idempotency-Key": context.idempotencyKey };
      const answer = checkFetched(await fetch("/items", { method: "POST", headers, body: '{"a":1}' }));
      return new Receipt(json.parse(await answer.text()), { externalId: answer.headers.get("x-id") ?? undefined });
    },
    remove: async () => {
      const { status, url, body } = await fetch(new Request(`${BASE_URL}/items/1`, { method: "DELETE" }));
      return { status, url, body };
    },
    json: async () => (await fetch("/items", { method: "POST", body: "{}" })).json(),
    other: async () => (await fetch(`${BASE_URL}.example.com/x`)).status,
    copy: async () => {
      const answer = await fetch("https://other.example/a?b={c}");
      return checkFetched(new Response(answer.body, answer)).text();
    },
  },
  verify: { create: async () => ((await fetch("/items")).ok ? Settlement.happened(1) : Settlement.absent()) },
  check: async () => ({ label: await checkFetched(await fetch("/me")).text() }),
});

/** @type {import("@weir/sdk").Request} */
const creation = { method: "POST", url: "/items", json: { a: 1 }, headers: { "Idempotency-Key": "key-1" } };

test("what fetch sends goes by the script, and its answers are as any", async () => {
  const reply = Reply.json(201, { id: 12345678901234567890n }, { "X-Id": "i1" });
  const created = await awaiting.invoke(plugin, "create", {}, { script: new Script().on(creation, reply) });
  assert.deepEqual([created.output, created.externalId], [{ id: 12345678901234567890n }, "i1"]);
  const read = new Script().on({ method: "POST", url: "/items", body: "{}" }, Reply.json(200, [1.5]));
  assert.deepEqual((await awaiting.invoke(plugin, "json", {}, { script: read })).output, [1.5]);
  const removal = new Script().on({ method: "DELETE", url: "/items/1" }, Reply.status(204));
  const removed = await awaiting.invoke(plugin, "remove", {}, { script: removal });
  assert.deepEqual(removed.output, { status: 204, url: "/items/1", body: null });
  const other = new Script().on({ url: `${BASE_URL}.example.com/x` }, Reply.status(200));
  assert.equal((await awaiting.invoke(plugin, "other", {}, { script: other })).output, 200);
  const found = new Script().on({ url: "/items" }, Reply.json(200, []));
  assert.equal((await awaiting.verify(plugin, "create", {}, { script: found })).tag, "happened");
  const me = new Script().on({ url: "/me" }, Reply.status(200, {}, "Ada"));
  assert.equal((await awaiting.check(plugin, { script: me })).label, "Ada");
  assert.equal(globalThis.fetch, native);
});

test("a status, and an answer that is not there, are the faults that they mean", async () => {
  for (const [reply, expected] of /** @type {[Reply, object][]} */ ([
    [Reply.status(429, { "Retry-After": "7" }), { kind: "rate-limited", code: "http-429", retryAfterMs: 7000 }],
    [Reply.status(502), { kind: "unknown-outcome" }],
    [Reply.fault("denied", false), { kind: "forbidden", code: "scripted" }],
    [Reply.fault("broken", true), { kind: "unknown-outcome" }],
  ])) {
    const script = new Script().on(creation, reply);
    await assert.rejects(awaiting.invoke(plugin, "create", {}, { script }), expected);
  }
  /** @type {import("@weir/sdk").Request} */
  const posted = { method: "POST", url: "/items", body: "{}" };
  for (const [reply, kind] of /** @type {[Reply, string][]} */ ([
    [Reply.status(200, {}, "<html>"), "unknown-outcome"],
    [Reply.status(400, {}, "<html>"), "internal"],
  ])) {
    const unreadable = awaiting.invoke(plugin, "json", {}, { script: new Script().on(posted, reply) });
    await assert.rejects(unreadable, { kind, code: "unexpected-answer" });
  }
  const script = new Script().on({ url: "https://other.example/a?b={c}" }, Reply.status(404));
  await assert.rejects(awaiting.invoke(plugin, "copy", {}, { script }), { kind: "not-found", code: "http-404" });
  await assert.rejects(awaiting.invoke(plugin, "remove", {}), /unexpected request: DELETE \/items\/1/);
});

const call = { action: "act", input: Document.json({}), cursor: null, context: context() };

/** What a component exports that is built of this, with what `expose` changes in Node.js put back. */
function exposed(
  /** @type {any} */ plugin,
  /** @type {string} */ role,
  /** @type {boolean} */ awaits,
  /** @type {(roles: import("../generated/guest.js").Roles) => any} */ run,
) {
  const saved = console;
  const host = { roles: [role], log: { write: () => undefined }, sourceMap: () => undefined, awaits };
  try {
    return run(expose(plugin, role === "mapper" ? host : { ...host, http: new Script().http }));
  } finally {
    globalThis.fetch = native;
    globalThis.console = saved;
  }
}

test("where nothing waits for a promise, fetch says what to use instead", () => {
  const acting = connector({ actions: { act: () => fetch("/items") } });
  exposed(acting, "actions", false, ({ actions }) => {
    const message =
      "TypeError: `fetch` of /items: QuickJS has nothing that waits for a promise; send it by `http`, the second " +
      "argument of an action, as `http.get(url)`, or build with StarlingMonkey";
    assert.throws(() => actions?.invoke(call), { kind: "internal", message });
  });
  for (const awaits of [true, false]) {
    const mapping = mapper(() => fetch("/items"));
    exposed(mapping, "mapper", awaits, (roles) => {
      assert.throws(() => roles.mapper?.transform(origin(), call.input, ""), { message: /a mapper is pure/ });
    });
  }
});

test("a promise is refused where nothing waits for it, and awaited where something does", async () => {
  assert.throws(() => invoke(plugin, "create", {}), { kind: "internal", code: "promise" });
  const failing = connector({ actions: { act: async () => assert.fail("late") } });
  exposed(failing, "actions", false, ({ actions }) => {
    assert.throws(() => actions?.invoke(call), { code: "promise" });
  });
  const given = exposed(failing, "actions", true, async ({ actions }) => actions?.invoke(call));
  await assert.rejects(given, { kind: "internal", message: "AssertionError: late" });
});
