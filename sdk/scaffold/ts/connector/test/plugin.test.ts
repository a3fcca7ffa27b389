// The connector's functions, called natively, with the destination's answers scripted. Run with `npm test`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { check, invoke, Reply, Script, verify } from "@weir/sdk/testing";
import plugin from "../src/plugin.js";

const note = { title: "Shopping", text: "Milk" };

test("a note is created under the key of the step", () => {
  const creation = { method: "POST", url: "/notes", json: note, idempotencyKey: "key-1" };
  const script = new Script().on(creation, Reply.json(201, { id: "n1" }));
  const receipt = invoke(plugin, "create-note", note, { script });
  assert.deepEqual([receipt.output, receipt.externalId], [{ id: "n1" }, "n1"]);
});

test("a lost answer is settled by the title", () => {
  const lost = new Script().on({ method: "POST", url: "/notes", json: note }, Reply.fault("timeout", true));
  assert.throws(() => invoke(plugin, "create-note", note, { script: lost }), { kind: "unknown-outcome" });
  const found = new Script().on({ url: "/notes?title=Shopping" }, Reply.json(200, [{ id: "n7" }]));
  assert.equal(verify(plugin, "create-note", note, { script: found }).tag, "happened");
  const none = new Script().on({ url: "/notes?title=Shopping" }, Reply.json(200, []));
  assert.equal(verify(plugin, "create-note", note, { script: none }).tag, "absent");
});

test("a connection says whose it is", () => {
  const script = new Script().on({ url: "/me" }, Reply.json(200, { name: "Ada" }));
  assert.equal(check(plugin, { script }).label, "Ada");
  const refused = new Script().on({ url: "/me" }, Reply.status(401));
  assert.throws(() => check(plugin, { script: refused }), { kind: "unauthorized" });
});
