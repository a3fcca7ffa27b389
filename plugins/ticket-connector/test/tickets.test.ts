// Tickets against a scripted help desk.

import assert from "node:assert/strict";
import { test } from "node:test";
import { check, invoke, Reply, Script, verify } from "@weir/sdk/testing";
import plugin from "../src/plugin.js";

const TICKETS = "/api/v1/tickets";
const ticket = { title: "Disk {{almost}} full", reference: "alert-7" };
const stored = { id: 42, status: "open", reference: "alert-7", created: "2026-11-23T00:00:00Z" };

test("a ticket is created with the step's key", () => {
  const script = new Script().on(
    { method: "POST", url: TICKETS, json: ticket, headers: { "Idempotency-Key": "key-1" } },
    Reply.json(201, stored),
  );
  const receipt = invoke(plugin, "create-ticket", ticket, { script });
  assert.deepEqual([receipt.externalId, receipt.output], ["42", stored]);
});

test("an identifier beyond the numbers of JavaScript survives", () => {
  const text = '{"id":12345678901234567890,"status":"open","weight":1.10}';
  const script = new Script().on({ method: "POST", url: TICKETS, json: ticket }, Reply.status(201, {}, text));
  const receipt = invoke(plugin, "create-ticket", ticket, { script });
  assert.deepEqual([receipt.externalId, receipt.document.text()], ["12345678901234567890", text]);
});

test("a lost answer is settled by the reference", () => {
  const lookUp = { url: `${TICKETS}?reference=alert-7&limit=1` };
  const lost = new Script().on({ method: "POST", url: TICKETS, json: ticket }, Reply.fault("timeout", true));
  assert.throws(() => invoke(plugin, "create-ticket", ticket, { script: lost }), { kind: "unknown-outcome" });

  const there = new Script().on(lookUp, Reply.json(200, { tickets: [stored] }));
  const settlement = verify(plugin, "create-ticket", ticket, { script: there });
  assert.equal(settlement.tag === "happened" && settlement.val.externalId, "42");
  const none = new Script().on(lookUp, Reply.json(200, { tickets: [] }));
  assert.equal(verify(plugin, "create-ticket", ticket, { script: none }).tag, "absent");
});

test("a ticket that is not there is an answer", () => {
  const script = new Script().on({ url: `${TICKETS}?reference=x&limit=1` }, Reply.json(200, { tickets: [] }));
  const receipt = invoke(plugin, "find-ticket", { reference: "x" }, { script });
  assert.deepEqual([receipt.output, receipt.externalId], [{ found: false, ticket: null }, null]);
});

test("closing is settled by what the ticket says", () => {
  const close = new Script().on(
    { method: "PATCH", url: `${TICKETS}/a%2Fb`, json: { status: "closed" } },
    Reply.json(200, { id: "a/b", status: "closed" }),
  );
  assert.equal(invoke(plugin, "close-ticket", { id: "a/b" }, { script: close }).externalId, "a/b");
  for (const [status, tag] of [["closed", "happened"], ["open", "absent"]]) {
    const script = new Script().on({ url: `${TICKETS}/1` }, Reply.json(200, { id: 1, status }));
    assert.equal(verify(plugin, "close-ticket", { id: "1" }, { script }).tag, tag);
  }
});

test("a listing goes from page to page", () => {
  const first = new Script().on({ url: `${TICKETS}?limit=1&status=open` }, Reply.json(200, { tickets: [stored], next: "c2" }));
  const page = invoke(plugin, "list-tickets", { limit: 1, status: "open" }, { script: first });
  assert.deepEqual([page.output, page.next], [[stored], "c2"]);
  const last = new Script().on({ url: `${TICKETS}?limit=100&after=c2` }, Reply.json(200, { tickets: [] }));
  assert.equal(invoke(plugin, "list-tickets", {}, { script: last, cursor: "c2" }).next, null);
});

test("a refusal names code, message and fields", () => {
  const error = { code: "title-too-long", message: "at most 80 characters", fields: [{ pointer: "/title", message: "too long" }] };
  const script = new Script().on({ method: "POST", url: TICKETS, json: ticket }, Reply.json(422, { error }));
  assert.throws(() => invoke(plugin, "create-ticket", ticket, { script }), {
    kind: "invalid-input",
    code: "title-too-long",
    message: "the help desk says: at most 80 characters",
    fields: [{ pointer: "/title", message: "too long" }],
  });
  const html = new Script().on({ method: "POST", url: TICKETS, json: ticket }, Reply.status(429, { "Retry-After": "7" }, "<p>"));
  assert.throws(() => invoke(plugin, "create-ticket", ticket, { script: html }), { kind: "rate-limited", retryAfterMs: 7000 });
});

test("input that does not fit names its field", () => {
  assert.throws(() => invoke(plugin, "create-ticket", { title: "x", reference: "y", labels: ["a", 1] }), {
    kind: "invalid-input",
    fields: [{ pointer: "/labels/1", message: "invalid type: integer `1`, expected a string" }],
  });
  assert.throws(() => invoke(plugin, "create-ticket", { title: "x" }), { fields: [{ pointer: "/reference", message: "missing field `reference`" }] });
});

test("a connection says whose it is", () => {
  const script = new Script().on({ url: "/api/v1/me" }, Reply.json(200, { name: "Example Ltd.", account: "a1" }));
  assert.deepEqual(check(plugin, { script }), { label: "Example Ltd.", account: "a1", baseUrl: null, settings: "{}" });
  const wrong = new Script().on({ url: "/api/v1/me" }, Reply.status(401));
  assert.throws(() => check(plugin, { script: wrong }), { kind: "unauthorized", code: "http-401" });
});
