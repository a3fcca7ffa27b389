// Writes src/generated/contract.ts from wit/weir.wit: what crosses the boundary of the sandbox, as JavaScript sees it.

import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { readWit, split } from "./wit.js";

const HEAD = `// Made from wit/weir.wit by \`npm run generate\`; never edited.

/** The result of one of several: a value or a failure. */
export type Result<T, E> = { tag: "ok"; val: T } | { tag: "err"; val: E };
`;

/** @type {Record<string, string>} */
const PLAIN = {
  string: "string",
  bool: "boolean",
  u8: "number",
  u16: "number",
  u32: "number",
  "list<u8>": "Uint8Array",
};

/** @param {string} name */
const pascal = (name) => name.replace(/(?:^|-)(.)/g, (_, letter) => letter.toUpperCase());

/** @param {string} name */
const camel = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

/**
 * A type as JavaScript sees it. A function's own result is its value or its exception; any other is a `Result`.
 *
 * @param {string} type
 * @returns {string}
 */
function typeOf(type) {
  const plain = PLAIN[type];
  if (plain !== undefined) return plain;
  const [, outer = type, inside = ""] = type.match(/^([a-z]+)<(.*)>$/) ?? [];
  const inner = split(inside).map(typeOf);
  switch (outer) {
    case "option":
      return `${inner[0]} | null`;
    case "list":
      return `${/ \| /.test(inner[0] ?? "") ? `(${inner[0]})` : inner[0]}[]`;
    case "tuple":
      return `[${inner.join(", ")}]`;
    case "result":
      return `Result<${inner.join(", ")}>`;
    default:
      if (inside === "" && /^[a-z-]+$/.test(type)) return pascal(type);
      throw new Error(`no TypeScript is known for \`${type}\``);
  }
}

/**
 * @param {string[]} lines
 * @param {string} indent
 */
function comment(lines, indent) {
  if (lines.length === 0) return "";
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")}\n${indent} */\n`;
}

/** @param {import("./wit.js").Type} type */
function declare({ kind, name, docs, fields }) {
  const head = `\n${comment(docs, "")}export`;
  if (kind === "record") {
    const lines = fields.map((field) => `${comment(field.docs, "  ")}  ${camel(field.name)}: ${typeOf(field.type)};\n`);
    return `${head} interface ${pascal(name)} {\n${lines.join("")}}\n`;
  }
  const cases = fields.map((field) => {
    const value = field.type === "" ? "" : `; val: ${typeOf(field.type)}`;
    const shape = kind === "enum" ? `"${field.name}"` : `{ tag: "${field.name}"${value} }`;
    return `${comment(field.docs, "  ")}  | ${shape}`;
  });
  return `${head} type ${pascal(name)} =\n${cases.join("\n")};\n`;
}

/** @param {import("./wit.js").Interface} from */
function declareInterface({ name, docs, functions }) {
  if (functions.length === 0) return "";
  const lines = functions.map((func) => {
    const parameters = func.parameters.map((parameter) => `${camel(parameter.name)}: ${typeOf(parameter.type)}`);
    const [, parts] = func.result.match(/^result<(.*)>$/) ?? [];
    const [ok = func.result, failure = ""] = parts === undefined ? [] : split(parts);
    const told = failure === "" ? func.docs : [...func.docs, "", `@throws {${pascal(failure)}}`];
    const result = ok === "" ? "void" : typeOf(ok);
    return `${comment(told, "  ")}  ${camel(func.name)}(${parameters.join(", ")}): ${result};\n`;
  });
  return `\n${comment(docs, "")}export interface ${pascal(name)}Interface {\n${lines.join("")}}\n`;
}

/** @param {string} wit */
export function contractTypes(wit) {
  const interfaces = readWit(wit);
  return HEAD + interfaces.map((each) => each.types.map(declare).join("") + declareInterface(each)).join("");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const wit = readFileSync(new URL("../wit/weir.wit", import.meta.url), "utf8");
  writeFileSync(new URL("../src/generated/contract.ts", import.meta.url), contractTypes(wit));
}
