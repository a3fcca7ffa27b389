#!/usr/bin/env node
// weir-component: builds the component of the plugin in this folder.

import { relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { BuildError, buildComponent, checkRoles, findEntry, readRoles } from "./component.js";

const USAGE = `Usage: weir-component [--entry FILE] [--roles ROLE,…] [--out FILE] [--engine ENGINE]

  --entry FILE   What the plugin begins with; src/plugin.ts or src/plugin.js if it is left out
  --roles ROLES  mapper, or actions and verification and connection; those of weir-plugin.toml if they are left out
  --out FILE     Where the component goes; build/plugin.wasm if it is left out
  --engine NAME  quickjs, or starlingmonkey, which must be installed; quickjs if it is left out
`;

/** @returns {Promise<number>} */
async function main() {
  const { values } = parseArgs({
    options: {
      entry: { type: "string" },
      roles: { type: "string" },
      out: { type: "string", default: "build/plugin.wasm" },
      engine: { type: "string", default: "quickjs" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const started = performance.now();
  const folder = process.cwd();
  const entry = values.entry === undefined ? findEntry(folder) : resolve(folder, values.entry);
  const roles = values.roles === undefined ? readRoles(folder) : checkRoles(values.roles.split(","));
  const out = resolve(folder, values.out);
  const { engine } = values;
  if (engine !== "quickjs" && engine !== "starlingmonkey") throw new BuildError(`there is no engine \`${engine}\``);
  const bytes = await buildComponent({ folder, entry, roles, out, engine });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${relative(folder, out)}: ${bytes} bytes, ${roles.join(", ")}, in ${seconds} s; without its manifest yet`,
  );
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  const isTyped = error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
  if (!isTyped && !(error instanceof BuildError)) throw error;
  console.error(`weir-component: ${error.message}${isTyped ? `\n\n${USAGE}` : ""}`);
  process.exitCode = isTyped ? 2 : 1;
}
