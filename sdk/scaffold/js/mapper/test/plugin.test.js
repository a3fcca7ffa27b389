// The mapper's function, called natively. Run with `npm test`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { transform, transformJson } from "@weir/sdk/testing";
import plugin from "../src/plugin.js";

test("a person is greeted", () => {
  assert.deepEqual(transformJson(plugin, { name: " Ada " }), [{ greeting: "Hello, Ada!" }]);
  const chosen = transformJson(plugin, { name: "Ada" }, { options: { salutation: "Good morning" } });
  assert.deepEqual(chosen, [{ greeting: "Good morning, Ada!" }]);
});

test("nobody is a fault that names the field", () => {
  const expected = { kind: "invalid-input", code: "no-name", fields: [{ pointer: "/name", message: "is empty" }] };
  assert.throws(() => transform(plugin, { name: " " }), expected);
  for (const input of [{}, { name: 7 }]) assert.throws(() => transform(plugin, input), { kind: "invalid-input" });
});
