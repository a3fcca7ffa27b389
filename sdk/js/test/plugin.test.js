// What a plugin's functions are given, and what becomes of what they return and throw.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connector, Document, Documents, Fault, mapper, Receipt, Settlement, shape, taking } from "@weir/sdk";
import { expose } from "@weir/sdk/guest";
import { check, context, invoke, origin, Reply, Script, transform, transformJson, verify } from "@weir/sdk/testing";

test("what a mapper returns goes out as documents", () => {
  assert.deepEqual(
    transformJson(
      mapper(() => ({ a: 1n })),
      {},
    ),
    [{ a: 1 }],
  );
  assert.deepEqual(
    transformJson(
      mapper(() => [1, 2]),
      {},
    ),
    [[1, 2]],
  );
  assert.deepEqual(
    transformJson(
      mapper(() => Documents.split([1, Document.json(2)])),
      {},
    ),
    [1, 2],
  );
  assert.deepEqual(
    transform(
      mapper(() => Documents.none()),
      {},
    ),
    [],
  );
  const [csv] = transform(
    mapper(() => new Document("text/csv", "a;b", [["name", "x.csv"]])),
    {},
  );
  assert.deepEqual([csv?.contentType, csv?.text(), csv?.metadata], ["text/csv", "a;b", [["name", "x.csv"]]]);
  assert.throws(
    () =>
      transform(
        mapper(() => undefined),
        {},
      ),
    { kind: "internal" },
  );
  assert.throws(
    () =>
      transform(
        mapper(async () => 1),
        {},
      ),
    { kind: "internal", code: "promise" },
  );
});

test("input that is no JSON is refused where it is read as JSON, and nowhere else", () => {
  const csv = new Document("text/csv", "a;b");
  assert.deepEqual(
    transformJson(
      mapper(({ document }) => document.text()),
      csv,
    ),
    ["a;b"],
  );
  assert.throws(
    () =>
      transform(
        mapper(({ input }) => input),
        csv,
      ),
    { kind: "invalid-input", code: "content-type" },
  );
  const broken = new Document("application/json", new Uint8Array([0x22, 0xff, 0x22]));
  assert.throws(
    () =>
      transform(
        mapper(({ input }) => input),
        broken,
      ),
    { kind: "invalid-input", code: "malformed-json" },
  );
  for (const type of ["application/json", "Application/JSON; charset=utf-8", "application/cloudevents+json", ""]) {
    assert.equal(new Document(type, "1").isJson(), true, type);
  }
});

test("options that a mapper does not have are refused", () => {
  assert.throws(
    () =>
      transform(
        mapper(() => 1),
        {},
        { options: { a: 1 } },
      ),
    { kind: "invalid-input", code: "options" },
  );
});

test("a number is put elsewhere as it was written", () => {
  const amounts = shape.record(shape.either(shape.text(), shape.asWritten()));
  const input = shape.object({ a: shape.asWritten(), b: shape.list(shape.nullable(shape.asWritten())), c: amounts });
  const moved = mapper(({ input }) => ({ list: [input.a, ...input.b], ...input.c }), { input });
  const text = '{"a":1.10,"b":[-0,null,1E5,7,1e400,12345678901234567890],"c":{"x":19.90,"y":"1.0"}}';
  assert.equal(
    transform(moved, new Document("application/json", text))[0]?.text(),
    '{"list":[1.10,-0,null,1E5,7,1e400,12345678901234567890],"x":19.90,"y":"1.0"}',
  );
});

test("what does not fit is named by its pointer", () => {
  const line = shape.object({ "a/b": shape.integer(), note: shape.optional(shape.text()) });
  const order = shape.object({ id: shape.exact(), lines: shape.list(line), state: shape.optional(shape.oneOf("new")) });
  for (const [input, pointer] of /** @type {[unknown, string][]} */ ([
    [{ id: "7", lines: [] }, "/id"],
    [{ lines: [] }, "/id"],
    [{ id: 7, lines: [{ "a/b": 1 }, { "a/b": "one" }] }, "/lines/1/a~1b"],
    [{ id: 7, lines: [{}] }, "/lines/0/a~1b"],
    [{ id: 7, lines: [{ "a/b": 1.5 }] }, "/lines/0/a~1b"],
    [{ id: 7, lines: {} }, "/lines"],
    [{ id: 7, lines: [], state: "old" }, "/state"],
    [5, ""],
  ])) {
    assert.throws(
      () =>
        transform(
          mapper(() => 1, { input: order }),
          input,
        ),
      (fault) => fault instanceof Fault && fault.kind === "invalid-input" && fault.fields[0]?.pointer === pointer,
      JSON.stringify(input),
    );
  }
});

const Item = shape.object({ name: shape.text() });
const plugin = connector({
  actions: {
    create: taking(Item, (call, http) => {
      const { id } = http
        .post("/items", { json: call.input })
        .check()
        .json(shape.object({ id: shape.text() }));
      return new Receipt({ id }, { externalId: id, next: call.cursor, metadata: [["a", "b"]] });
    }),
    remove: () => undefined,
    settings: ({ context }) => context.readSettings(shape.object({ region: shape.text() })).region,
  },
  verify: { create: () => Settlement.undecided(1.5) },
  check: (_, http) => ({ label: http.get("/me").check().text(), settings: { tier: 1 } }),
});

test("a key that a shape knows may not stand there twice", () => {
  const plugin = mapper(({ input }) => input, {
    input: shape.object({ a: shape.any(), b: shape.optional(shape.any()) }),
  });
  for (const [text, pointer] of /** @type {[string, string][]} */ ([
    ['{"a":1,"a":2}', "/a"],
    ['{"a":1,"a" : 1}', "/a"],
    ['{"a":1,"\\u0061":1}', "/a"],
    ['{"a":1.0,"a":1.0}', "/a"],
    ['{"b":{"a":1,"a":2},"a":":","a":2}', "/a"],
  ])) {
    const document = new Document("application/json", text);
    assert.throws(
      () => transform(plugin, document),
      (fault) => fault instanceof Fault && fault.code === "invalid-input" && fault.fields[0]?.pointer === pointer,
      text,
    );
  }
  const others = new Document("application/json", '{"x":1,"a":{"b":1,"b":2},"x":2}');
  assert.deepEqual(transformJson(plugin, others), [{ a: { b: 2 } }]);
});

test("half a surrogate pair is refused where it is read", () => {
  const some = mapper(({ input }) => input, {
    input: shape.object({ a: shape.any(), b: shape.optional(shape.text()) }),
  });
  const all = mapper(({ input }) => input, { input: shape.object({}, "keep") });
  const keys = mapper(({ input }) => input, { input: shape.record(shape.any()) });
  const without = mapper(({ input }) => input);
  const half = "\\ud83d";
  for (const [plugin, text] of /** @type {[typeof some, string][]} */ ([
    [some, `{"a":"${half}"}`],
    [some, `{"a":[{"x":"${half}"}]}`],
    [some, `{"a":{"${half}":1}}`],
    [some, `{"a":1,"b":"${half}"}`],
    [some, `{"a":1,"${half}":1}`],
    [all, `{"a":[["${half}"]]}`],
    [keys, `{"${half}":1}`],
    [without, `{"a":["${half}"]}`],
  ])) {
    const document = new Document("application/json", text);
    assert.throws(
      () => transform(plugin, document),
      (fault) => fault instanceof Fault && fault.code === "malformed-json",
      text,
    );
  }
  const unread = new Document("application/json", `{"a":[1],"x":["${half}",{"${half}":1}]}`);
  assert.deepEqual(transformJson(some, unread), [{ a: [1] }]);
});

test("an action gives a receipt", () => {
  const script = new Script().on({ method: "POST", url: "/items", json: { name: "x" } }, Reply.json(201, { id: "7" }));
  const receipt = invoke(plugin, "create", { name: "x" }, { script, cursor: "c" });
  assert.deepEqual(
    [receipt.output, receipt.externalId, receipt.next, receipt.metadata],
    [{ id: "7" }, "7", "c", [["a", "b"]]],
  );
  assert.equal(invoke(plugin, "remove", {}).output, null);
  assert.equal(invoke(plugin, "settings", {}, { context: { settings: '{"region":"eu"}' } }).output, "eu");
  assert.throws(() => invoke(plugin, "settings", {}), { kind: "invalid-input", code: "settings" });
  assert.throws(() => invoke(plugin, "toString", {}), { kind: "internal", code: "unknown-action" });
  assert.throws(() => verify(plugin, "remove", {}), { kind: "unknown-outcome", code: "cannot-verify" });
  assert.deepEqual(verify(plugin, "create", {}), { tag: "undecided", val: 2 });
  const me = new Script().on({ url: "/me" }, Reply.status(200, {}, "Ltd."));
  assert.deepEqual(check(plugin, { script: me }), {
    label: "Ltd.",
    account: null,
    baseUrl: null,
    settings: '{"tier":1}',
  });
});

test("a script that is not followed fails the test", () => {
  const post = () =>
    new Script().on({ method: "POST", url: "/items", json: { name: "x" } }, Reply.json(201, { id: "7" }));
  assert.throws(() => invoke(plugin, "create", { name: "y" }, { script: post() }), /body of POST \/items/);
  assert.throws(() => invoke(plugin, "create", { name: "x" }), /unexpected request: POST \/items/);
  assert.throws(() => invoke(plugin, "remove", {}, { script: post() }), /expected and not made: POST \/items/);
});

const log = { write: () => {} };

/**
 * @param {() => unknown} map
 * @returns {any}
 */
function thrown(map) {
  const lines = ["", "", "0 0 4 2,9 0 6 2"].join(";");
  const { console } = globalThis;
  const roles = expose(mapper(map), {
    roles: ["mapper"],
    log,
    sourceMap: () => ({ sources: ["src/plugin.ts"], lines }),
    awaits: false,
  });
  globalThis.console = console;
  try {
    roles.mapper?.transform(origin(), Document.json({}), "{}");
  } catch (fault) {
    return fault;
  }
  return assert.fail("nothing was thrown");
}

test("an exception becomes a fault of the contract with its line", () => {
  const error = new TypeError("no field", { cause: new RangeError("too deep") });
  error.stack = "    at map (bundle.js:3:12)\n    at native\n    at <anonymous> (bundle.js:3:5)\n";
  assert.deepEqual(
    thrown(() => {
      throw error;
    }),
    {
      kind: "internal",
      code: "internal",
      message: "TypeError: no field",
      retryAfterMs: null,
      fields: [],
      details: [
        ["at", "src/plugin.ts:7:3"],
        ["cause", "RangeError: too deep"],
        ["traceback", "map (src/plugin.ts:7:3)\nsrc/plugin.ts:5:3"],
      ],
    },
  );
  const later = thrown(() => {
    throw Fault.rateLimited(2 ** 40, "cut \ud800")
      .field("/a", "b")
      .withCode("slow");
  });
  assert.deepEqual(
    [later.kind, later.code, later.message, later.retryAfterMs],
    ["rate-limited", "slow", "cut \ufffd", 2 ** 32 - 1],
  );
  assert.equal(
    thrown(() => {
      throw "text";
    }).message,
    "something that is no Error was thrown: text",
  );
  assert.equal(
    thrown(() => {
      throw null;
    }).kind,
    "internal",
  );
});

test("the roles of the code are those of the manifest", () => {
  const { console } = globalThis;
  const host = (/** @type {string[]} */ roles) => ({
    roles,
    log,
    http: new Script().http,
    sourceMap: () => undefined,
    awaits: false,
  });
  assert.throws(
    () =>
      expose(
        mapper(() => 1),
        host(["actions"]),
      ),
    /names the role actions, and the code has none/,
  );
  assert.throws(() => expose(plugin, host(["actions", "connection"])), /the code has the role verification/);
  assert.throws(() => expose(undefined, host(["mapper"])), /export default/);
  const roles = expose(plugin, host(["actions", "verification", "connection"]));
  globalThis.console = console;
  assert.throws(
    () => roles.actions?.invoke({ action: "x", input: Document.json(1), cursor: null, context: context() }),
    {
      kind: "internal",
      code: "unknown-action",
    },
  );
});
