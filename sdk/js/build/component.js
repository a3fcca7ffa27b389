// Builds a plugin's component: bundles it with esbuild, writes the world of its roles, and puts both into QuickJS.
// The manifest is put in afterwards, by `weir plugin build`.

import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { readableMappings } from "./source-map.js";

/** @typedef {"quickjs" | "starlingmonkey"} Engine */
/** @typedef {{ folder: string, entry: string, roles: string[], out: string, engine: Engine }} Options */

/** What the builder can say to whoever typed the command, without a traceback. */
export class BuildError extends Error {}

const CONTRACT = "weir:plugin";
const VERSION = "0.1.0";

/** The version without the patch level, which changes no interface. */
export const CONTRACT_LINE = VERSION.replace(/\.\d+$/, "");

const ROLES = ["mapper", "actions", "verification", "connection"];
const ENTRIES = ["src/plugin.ts", "src/plugin.js"];
const WIT = fileURLToPath(new URL("../wit/weir.wit", import.meta.url));
const GUEST = fileURLToPath(new URL("../generated/guest.js", import.meta.url));

/** What has StarlingMonkey in it. Later versions of jco lack what componentize-js imports of it. */
const STARLINGMONKEY = "@bytecodealliance/componentize-js@0.23.0 @bytecodealliance/jco@1.15.4";

/** Where the bundle keeps its source map. */
const MAP = "__weirSourceMap";

/**
 * Builds; gives the size of the component in bytes.
 *
 * @param {Options} options
 */
export async function buildComponent({ folder, entry, roles, out, engine }) {
  const source = await bundle(folder, entryModule(entry, roles, engine));
  const component = await componentize(source, roles, engine);
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, component);
  return component.length;
}

/**
 * The same as a module for Node.js, whose `open` takes what a component imports and gives the roles.
 *
 * @param {Options} options
 */
export async function bundleForNode({ folder, entry, roles, out, engine }) {
  const source = await bundle(folder, nativeModule(entry, roles, engine));
  mkdirSync(dirname(out), { recursive: true });
  // Several may be started at once, and none may see half of it.
  const unfinished = `${out}.${process.pid}`;
  writeFileSync(unfinished, source);
  renameSync(unfinished, out);
}

/**
 * The file that a plugin begins with.
 *
 * @param {string} folder
 */
export function findEntry(folder) {
  const entry = ENTRIES.map((path) => join(folder, path)).find((path) => existsSync(path));
  if (!entry) throw new BuildError(`there is no ${ENTRIES.join(" and no ")} in ${folder}`);
  return entry;
}

/**
 * The roles that the manifest names.
 *
 * @param {string} folder
 */
export function readRoles(folder) {
  const path = join(folder, "weir-plugin.toml");
  if (!existsSync(path)) throw new BuildError(`there is no weir-plugin.toml in ${folder}`);
  const [, list] = readFileSync(path, "utf8").match(/^roles\s*=\s*\[([^\]]*)\]/m) ?? [];
  if (list === undefined) throw new BuildError(`${path} names no roles; write \`roles = ["mapper"]\``);
  return checkRoles(Array.from(list.matchAll(/["']([^"']*)["']/g), (found) => found[1] ?? ""));
}

/**
 * The engine that the project's script `build` names.
 *
 * @param {string} folder
 * @returns {Engine}
 */
export function readEngine(folder) {
  const path = join(folder, "package.json");
  const build = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")).scripts?.build ?? "") : "";
  return /--engine[ =]starlingmonkey\b/.test(build) ? "starlingmonkey" : "quickjs";
}

/** @param {string[]} roles */
export function checkRoles(roles) {
  const unknown = roles.find((role) => !ROLES.includes(role));
  if (unknown !== undefined) throw new BuildError(`there is no role \`${unknown}\`; there are: ${ROLES.join(", ")}`);
  if (roles.length === 0) throw new BuildError("a plugin has at least one role");
  if (roles.includes("mapper") && roles.length > 1) throw new BuildError("a mapper has no other role");
  return roles;
}

/**
 * The plugin and the library in one module, with the source map at its end.
 *
 * @param {string} folder
 * @param {string} contents the module that everything begins with
 */
async function bundle(folder, contents) {
  const esbuild = await load("esbuild");
  const out = join(folder, "bundle.js");
  /** @type {import("esbuild").BuildResult} */
  let built;
  try {
    built = await esbuild.build({
      stdin: {
        contents,
        resolveDir: folder,
        sourcefile: "weir:entry",
        loader: "js",
      },
      absWorkingDir: folder,
      outfile: out,
      bundle: true,
      write: false,
      format: "esm",
      platform: "neutral",
      mainFields: ["module", "main"],
      target: "es2023",
      external: [`${CONTRACT}/*`],
      sourcemap: "external",
      sourcesContent: false,
      logLevel: "silent",
    });
  } catch (error) {
    throw new BuildError(/** @type {Error} */ (error).message);
  } finally {
    // It waits for more to build, and keeps a process for that.
    await esbuild.stop();
  }
  const text = (/** @type {string} */ end) => built.outputFiles?.find((file) => file.path.endsWith(end))?.text ?? "";
  return `${text(".js")}\nglobalThis.${MAP} = ${JSON.stringify(trimMap(text(".map"), folder))};\n`;
}

/**
 * The module that exports the roles.
 *
 * @param {string} entry
 * @param {string[]} roles
 * @param {Engine} engine
 */
function entryModule(entry, roles, engine) {
  const isMapper = roles.includes("mapper");
  const lines = [
    `import * as log from "${CONTRACT}/log@${VERSION}";`,
    ...(isMapper ? [] : [`import * as http from "${CONTRACT}/http@${VERSION}";`]),
    `import { expose } from ${JSON.stringify(GUEST)};`,
    `import plugin from ${JSON.stringify(entry)};`,
    `const host = { ${known(roles, engine)}, log${isMapper ? "" : ", http"} };`,
    `export const { ${roles.join(", ")} } = expose(plugin, host);`,
  ];
  return lines.join("\n");
}

/**
 * The module that gives the roles to whoever brings what they import.
 *
 * @param {string} entry
 * @param {string[]} roles
 * @param {Engine} engine
 */
function nativeModule(entry, roles, engine) {
  const lines = [
    `import { expose } from ${JSON.stringify(GUEST)};`,
    `import plugin from ${JSON.stringify(entry)};`,
    `export const open = (imports) => expose(plugin, { ${known(roles, engine)}, ...imports });`,
  ];
  return lines.join("\n");
}

/**
 * What the build knows of the plugin.
 *
 * @param {string[]} roles
 * @param {Engine} engine
 */
function known(roles, engine) {
  const awaits = engine === "starlingmonkey";
  return `roles: ${JSON.stringify(roles)}, awaits: ${awaits}, sourceMap: () => globalThis.${MAP}`;
}

/**
 * As much of a source map as names a line, with paths relative to the plugin.
 *
 * @param {string} text
 * @param {string} folder
 */
function trimMap(text, folder) {
  const map = JSON.parse(text);
  const library = dirname(GUEST);
  /** @type {string[]} */
  const paths = map.sources.map((/** @type {string} */ source) => resolve(folder, source));
  const isLibrary = (/** @type {number} */ source) => paths[source]?.startsWith(library) ?? false;
  const sources = paths.map((path, source) =>
    isLibrary(source) ? join("@weir/sdk", relative(library, path)) : relative(folder, path),
  );
  return { sources, lines: readableMappings(map.mappings, isLibrary) };
}

/**
 * @param {string} source
 * @param {string[]} roles
 * @param {Engine} engine
 */
async function componentize(source, roles, engine) {
  const intoEngine = engine === "quickjs" ? intoQuickJs : intoStarlingMonkey;
  const wit = mkdtempSync(join(tmpdir(), "weir-world-"));
  try {
    const contract = join(wit, "deps", "weir-plugin");
    mkdirSync(contract, { recursive: true });
    cpSync(WIT, join(contract, "weir.wit"));
    writeFileSync(join(wit, "world.wit"), world(roles));
    return await intoEngine(source, wit, roles);
  } catch (error) {
    if (error instanceof BuildError) throw error;
    throw new BuildError(`${engine} refuses the plugin: ${/** @type {Error} */ (error).message}`);
  } finally {
    rmSync(wit, { recursive: true });
  }
}

/**
 * @param {string} source
 * @param {string} wit
 */
async function intoQuickJs(source, wit) {
  const quickjs = await load("componentize-qjs");
  const { component } = await quickjs.componentize({
    witPath: wit,
    jsSource: source,
    world: "plugin",
    // The contract has plain functions, and Weir's host refuses the other kind.
    sync: true,
    // References are counted, so only circles are left behind, and a sandbox lives for a call. Looking for circles would
    // touch all that was made at build time: a fifth of a short call.
    disableGc: true,
  });
  return component;
}

/**
 * @param {string} source
 * @param {string} wit
 * @param {string[]} roles
 */
async function intoStarlingMonkey(source, wit, roles) {
  const starlingmonkey = await load("@bytecodealliance/componentize-js", STARLINGMONKEY);
  const { component } = await starlingmonkey.componentize(source, {
    witPath: wit,
    worldName: "plugin",
    // No plugin serves requests, and a mapper sends none. Without `http`, the engine's own `fetch` traps.
    disableFeatures: roles.includes("mapper") ? ["http", "fetch-event"] : ["fetch-event"],
  });
  return component;
}

/**
 * A world with these roles: a component exports exactly what its world says.
 *
 * @param {string[]} roles
 */
export function world(roles) {
  const imports = roles.includes("mapper") ? ["log"] : ["log", "http"];
  return [
    "package weir:built;",
    "world plugin {",
    ...imports.map((name) => `  import ${CONTRACT}/${name}@${VERSION};`),
    ...roles.map((name) => `  export ${CONTRACT}/${name}@${VERSION};`),
    "}",
    "",
  ].join("\n");
}

/**
 * A package that builds plugins, looked for beside the library.
 *
 * @param {string} name
 * @param {string} [packages] what to install, where it is not the package alone
 * @returns {Promise<any>}
 */
async function load(name, packages) {
  try {
    return await import(name);
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === "ERR_MODULE_NOT_FOUND") {
      // The one that is missing may be one that the package needs.
      const missing = message.match(/package '([^']+)'/)?.[1] ?? name;
      const install = `npm install ${packages ?? missing}`;
      throw new BuildError(`the package ${missing} is missing; run \`npm install\`, or \`${install}\``);
    }
    throw new BuildError(`the package ${name} cannot be used on this machine: ${message}`);
  }
}
