// What lies in the folders called `generated` is what would be made now: `npm run generate` makes it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { contractTypes } from "../build/contract-types.js";

const root = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..");
const read = (/** @type {string[]} */ ...path) => readFileSync(join(...path), "utf8");

test("the contract is the one of this repository", { skip: !existsSync(join(root, "../../wit/weir.wit")) }, () => {
  assert.equal(read(root, "wit/weir.wit"), read(root, "../../wit/weir.wit"));
});

test("the contract's types are fresh", () => {
  assert.equal(read(root, "src/generated/contract.ts"), contractTypes(read(root, "wit/weir.wit")));
});

test("the compiled library is fresh", () => {
  const out = mkdtempSync(join(tmpdir(), "weir-sdk-"));
  try {
    execFileSync("node", [
      join(root, "node_modules/typescript/bin/tsc"),
      "--project",
      join(root, "tsconfig.json"),
      "--outDir",
      out,
    ]);
    const files = (/** @type {string} */ folder) => readdirSync(folder, { recursive: true }).map(String).sort();
    assert.deepEqual(files(join(root, "generated")), files(out));
    for (const file of files(out).filter((name) => /\.[jt]s$/.test(name))) {
      assert.equal(read(root, "generated", file), read(out, file), file);
    }
  } finally {
    rmSync(out, { recursive: true });
  }
});
