import assert from "node:assert/strict";
import { test } from "node:test";
import { transform, transformJson } from "@weir/sdk/testing";
import plugin from "../src/plugin.js";

test("a lead becomes a contact", () => {
  const contacts = transformJson(plugin, { email: "Ada@Example.com", name: "Ada" }, { options: { source: "fair" } });
  assert.deepEqual(contacts, [{ address: "ada@example.com", name: "Ada", source: "fair" }]);
});

test("a lead without an address names its field", () => {
  assert.throws(() => transform(plugin, { email: "ada" }), {
    kind: "invalid-input",
    fields: [{ pointer: "/email", message: "is not an e-mail address" }],
  });
});
