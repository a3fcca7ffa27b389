import assert from "node:assert/strict";
import { test } from "node:test";
import { check, invoke, Reply, Script, verify } from "@weir/sdk/testing";
import plugin from "../src/plugin.js";

const item = { name: "a", reference: "r1" };
const stored = { id: "7", ...item };

test("an item is created with the step's key", () => {
  const script = new Script().on(
    { method: "POST", url: "/items", json: item, idempotencyKey: "key-1" },
    Reply.json(201, stored),
  );
  const receipt = invoke(plugin, "create-item", item, { script });
  assert.deepEqual([receipt.output, receipt.externalId], [stored, "7"]);
});

test("a lost answer is settled by the reference", () => {
  const lost = new Script().on({ method: "POST", url: "/items", json: item }, Reply.fault("timeout", true));
  assert.throws(() => invoke(plugin, "create-item", item, { script: lost }), { kind: "unknown-outcome" });
  const found = new Script().on({ url: "/items?reference=r1" }, Reply.json(200, [stored]));
  assert.equal(verify(plugin, "create-item", item, { script: found }).tag, "happened");
  const none = new Script().on({ url: "/items?reference=r1" }, Reply.json(200, []));
  assert.equal(verify(plugin, "create-item", item, { script: none }).tag, "absent");
});

test("a connection says whose it is", () => {
  const script = new Script().on({ url: "/me" }, Reply.json(200, { name: "Example Ltd." }));
  assert.equal(check(plugin, { script }).label, "Example Ltd.");
});
