// What goes through the codec and comes out the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import { json } from "@weir/sdk";

const { Num, parse, stringify } = json;

test("what is read and left where it is is written as it came", () => {
  for (const text of [
    "9007199254740993",
    "-12345678901234567890",
    "0.12345678901234567891",
    "1.0",
    "1.10",
    "1E+5",
    "1e400",
    "-123456789012345.10",
    "1234567890123456.10",
    "1".repeat(400),
    `${"1".repeat(400)}.${"2".repeat(400)}e5`,
    "-0",
    "-0.0",
    '{"b":1,"10":2,"9":3,"a":4}',
    '{"__proto__":{"x":1},"constructor":2}',
    '[1.50,{"price":19.90,"n":[1e2]}]',
    '"\u2028é😀\\u0000\\u001f\\"\\\\"',
    '{"":[[],{},null,true,false]}',
  ]) {
    assert.equal(stringify(parse(`[${text}]`)), `[${text}]`);
  }
});

test("a number has the plainest type that keeps its value", () => {
  for (const [text, value] of /** @type {[string, unknown][]} */ ([
    ["1", 1],
    ["9007199254740991", 9007199254740991],
    ["9007199254740992", 9007199254740992n],
    ["19.90", 19.9],
    ["1e2", 100],
    ["0.1", 0.1],
    ["0.10000000000000000555", new Num("0.10000000000000000555")],
    ["1e999", new Num("1e999")],
  ])) {
    assert.deepEqual(parse(text), value, text);
  }
  const price = /** @type {InstanceType<typeof Num>} */ (parse("0.30000000000000000001"));
  assert.equal(+price * 2, 0.6);
});

test("a number that was replaced is written as it is now", () => {
  const order = /** @type {{ price: number, list: number[] }} */ (parse('{"price":1.0,"list":[1.0,2.0]}'));
  order.price = 2;
  order.list.shift();
  assert.equal(stringify(order), '{"price":2,"list":[2]}');
  assert.equal(stringify({ ...order, big: 2n ** 64n }), '{"price":2,"list":[2],"big":18446744073709551616}');
});

test("keys that were added come last", () => {
  const object = /** @type {Record<string, unknown>} */ (parse('{"b":1,"1":2,"a":3}'));
  delete object.a;
  object.c = 4;
  assert.equal(stringify(object), '{"b":1,"1":2,"c":4}');
});

test("what JSON cannot say is refused", () => {
  for (const value of [NaN, Infinity, undefined, () => 1]) {
    assert.throws(() => stringify(value), TypeError);
  }
  /** @type {unknown[]} */
  const circle = [];
  circle.push(circle);
  assert.throws(() => stringify(circle), TypeError);
  assert.equal(
    stringify({ a: undefined, b: [undefined], c: new Date(0) }),
    '{"b":[null],"c":"1970-01-01T00:00:00.000Z"}',
  );
  assert.equal(stringify("cut 😀".slice(0, 5)), '"cut \ufffd"');
});

test("what is no JSON says where", () => {
  for (const [text, where] of /** @type {[string, string][]} */ ([
    ["", "line 1 column 1"],
    ["{", "line 1 column 2"],
    ['{"a":1,}', "line 1 column 8"],
    ['{\n"a" 1}', "line 2 column 5"],
    ["[1,]", "line 1 column 4"],
    ["01", "line 1 column 2"],
    ["[1.]", "line 1 column 3"],
    ["nul", "line 1 column 1"],
    ["1 2", "line 1 column 3"],
    ['"\n"', "line 1 column 1"],
    ['"\\x"', "line 1 column 1"],
    ['"\\ud800"', "line 1 column 1"],
    ["\ufeff1", "line 1 column 1"],
    ["NaN", "line 1 column 1"],
    ["[".repeat(128), "line 1 column 128"],
  ])) {
    assert.throws(
      () => parse(text),
      (error) => error instanceof Error && error.message.endsWith(where),
      `${text}`,
    );
  }
  assert.equal(stringify(parse("[".repeat(127) + "]".repeat(127))).length, 254);
});

test("a long run of digits takes no longer than as many letters", () => {
  // Quadratic time would be a minute.
  const digits = "7".repeat(2_000_000);
  assert.equal(stringify(parse(`["${digits}"]`)).length, digits.length + 4);
});

test("both readers read the same", () => {
  for (const text of [
    '{"a":[1,"x",{"b":null}],"c":"é\\n"}',
    " [ true , false ] \n",
    '{"a":1,"a":2}',
    '{"a":"\\":1","b" : {":": "\\":"}}',
    '"\\ud83d\\ude00"',
  ]) {
    // A number that a double does not hold makes the slow reader read the whole.
    const slow = /** @type {unknown[]} */ (parse(`[${text},12345678901234567890]`));
    assert.deepEqual(slow[0], parse(text));
  }
});
