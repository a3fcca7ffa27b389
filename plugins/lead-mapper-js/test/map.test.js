// Leads as people send them, and what becomes of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Document } from "@weir/sdk";
import { transform, transformJson } from "@weir/sdk/testing";
import plugin from "../src/plugin.js";

/**
 * @param {Record<string, unknown>} lead
 * @param {Record<string, unknown>} contact
 */
function check(lead, contact) {
  assert.deepEqual(transformJson(plugin, lead), [contact]);
}

test("leads become contacts", () => {
  check(
    { email: " Ada@Example.COM ", first_name: "Ada", last_name: " Lovelace", company: "", utm: "x" },
    { email: "ada@example.com", name: "Ada Lovelace", source: "web form" },
  );
  check(
    { email: "g@h.example", name: "Grace   Hopper", phone: "+49 (30) 123-456", message: " Call me\n" },
    { email: "g@h.example", name: "Grace Hopper", phone: "+4930123456", note: "Call me", source: "web form" },
  );
  check(
    { email: "ö@müller.example", phone: "n/a" },
    { email: "ö@müller.example", name: "ö@müller.example", source: "web form" },
  );
});

test("a contact is written in the order that the other languages write", () => {
  const [contact] = transform(plugin, { phone: "12345", email: "a@b.example", company: "B", message: "c" });
  const text = '{"email":"a@b.example","name":"a@b.example","company":"B","phone":"12345","note":"c","source":"web form"}';
  assert.equal(contact?.text(), text);
});

test("a lead that cannot be written to names its field", () => {
  const emails = ["", "  ", "ada", "@example.com", "ada@", "ada@example", "a b@example.com", "a@b@example.com", "a@b..c"];
  for (const email of [...emails, ["ada@example.com"]]) {
    const fault = fails(() => transform(plugin, { email }));
    assert.deepEqual([fault.kind, fault.fields[0]?.pointer], ["invalid-input", "/email"], String(email));
  }
});

test("a budget is carried as it was written", () => {
  /** @param {string} budget */
  const contact = (budget) => {
    const lead = new Document("application/json", `{"email":"a@b.example","budget":${budget}}`);
    return transform(plugin, lead)[0]?.text();
  };
  for (const budget of ["5", "-0", "1.10", "1E400", "9007199254740993", "12345678901234567890.123456789"]) {
    const expected = `{"email":"a@b.example","name":"a@b.example","budget":${budget},"source":"web form"}`;
    assert.equal(contact(budget), expected);
  }
  assert.equal(contact("null"), '{"email":"a@b.example","name":"a@b.example","source":"web form"}');
  for (const budget of ['"5"', "true", "[5]", "{}"]) {
    const fault = fails(() => contact(budget));
    assert.deepEqual([fault.kind, fault.fields[0]?.pointer], ["invalid-input", "/budget"], budget);
  }
});

test("white space is that of Unicode", () => {
  check({ email: "a@b.example", name: "\u0085Ada\u2003L." }, { email: "a@b.example", name: "Ada L.", source: "web form" });
  check({ email: "a@b.example", name: "\ufeff" }, { email: "a@b.example", name: "\ufeff", source: "web form" });
});

test("the flow chooses the source", () => {
  const lead = { email: "a@b.example" };
  assert.deepEqual(transformJson(plugin, lead, { options: { source: "fair" } }), [
    { email: "a@b.example", name: "a@b.example", source: "fair" },
  ]);
  const fault = fails(() => transform(plugin, lead, { options: { sorce: "fair" } }));
  assert.deepEqual([fault.kind, fault.code], ["invalid-input", "options"]);
});

/**
 * @param {() => unknown} call
 * @returns {import("@weir/sdk").Fault}
 */
function fails(call) {
  try {
    call();
  } catch (fault) {
    return /** @type {import("@weir/sdk").Fault} */ (fault);
  }
  throw new Error("a fault was expected");
}
