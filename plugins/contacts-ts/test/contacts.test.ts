// Contacts against a scripted directory.

import assert from "node:assert/strict";
import { test } from "node:test";
import { check, invoke, Reply, Script, verify } from "@weir/sdk/testing";
import plugin from "../src/plugin.js";

const CONTACTS = "/v2/{{key}}/workspaces/main/contacts";
const contact = { email: "ada@example.com" };

test("a contact is created under the step's key", () => {
  const sent = { ...contact, reference: "key-1" };
  const script = new Script().on(
    { method: "POST", url: CONTACTS, json: sent, headers: { "Idempotency-Key": "key-1" } },
    Reply.status(201, {}, '{"id":9007199254740993,"score":1.10}'),
  );
  const receipt = invoke(plugin, "create-contact", contact, { script });
  assert.deepEqual(
    [receipt.externalId, receipt.document.text()],
    ["9007199254740993", '{"id":9007199254740993,"score":1.10}'],
  );
});

test("what is not found may still be there", () => {
  for (const [lag, tag] of [
    [0, "absent"],
    [250, "undecided"],
  ]) {
    const script = new Script().on(
      { url: `${CONTACTS}/search?reference=key-1` },
      Reply.json(200, { contacts: [], lag_ms: lag }),
    );
    assert.equal(verify(plugin, "create-contact", contact, { script }).tag, tag);
  }
});

test("a connection says whose it is", () => {
  const account = Reply.json(200, { tenant: "acme", name: "Acme Ltd." });
  const identity = check(plugin, { script: new Script().on({ url: "/v2/{{key}}/account" }, account) });
  assert.deepEqual([identity.label, identity.account], ["Acme Ltd.", "acme"]);
});
