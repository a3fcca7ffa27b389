#!/usr/bin/env node
// weir-native-test: runs test/*.test.ts and test/*.test.js of the plugin in this folder under Node, without WebAssembly.
// They are bundled first, because not every version of Node that is in use reads TypeScript.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const TESTS = "test";
const OUT = join("build", "test");

async function main() {
  const names = existsSync(TESTS) ? readdirSync(TESTS).filter((name) => /\.test\.[jt]s$/.test(name)) : [];
  if (names.length === 0) {
    console.error(`weir-native-test: there is no ${TESTS}/NAME.test.ts and no ${TESTS}/NAME.test.js in this folder`);
    return 1;
  }
  const esbuild = await import("esbuild").catch(() => undefined);
  if (!esbuild) {
    console.error("weir-native-test: the package esbuild is missing; run `npm install`");
    return 1;
  }
  rmSync(OUT, { recursive: true, force: true });
  const built = await esbuild
    .build({
      entryPoints: names.map((name) => join(TESTS, name)),
      outdir: OUT,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      format: "esm",
      platform: "node",
      sourcemap: "inline",
      logLevel: "error",
    })
    .catch(() => undefined);
  if (!built) return 1;
  const files = names.map((name) => join(OUT, name.replace(/\.[jt]s$/, ".mjs")));
  const more = process.argv.slice(2);
  const run = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...more, ...files], { stdio: "inherit" });
  return run.status ?? 1;
}

process.exitCode = await main();
