// The mapper gives what the one in Rust gives, byte for byte.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Document, Fault } from "@weir/sdk";
import { origin } from "@weir/sdk/testing";
import plugin from "../src/plugin.js";

/** @param {string} name */
function lines(name) {
  const file = new URL(`../../../tests/same-output/${name}.jsonl`, import.meta.url);
  return readFileSync(file, "utf8").trimEnd().split("\n");
}

/**
 * The documents as text, or what of a fault a flow can see.
 *
 * @param {{ name: string, content_type: string, options: string, data: string }} event
 */
function outcome({ name, content_type, options, data }) {
  try {
    const given = plugin.mapper.transform(origin(), new Document(content_type, data), options);
    return { name, documents: given.map((document) => new TextDecoder().decode(document.data)) };
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    return { name, fault: fault.kind, code: fault.code, pointers: fault.fields.map((field) => field.pointer) };
  }
}

test("the events give what Rust gives", () => {
  const events = lines("events");
  const expected = lines("expected");
  assert.equal(events.length, expected.length);
  for (const [index, event] of events.entries()) {
    assert.deepEqual(outcome(JSON.parse(event)), JSON.parse(expected[index] ?? ""));
  }
});
